"""Where is my order? The shop's record is in the context; the answer is a short sentence that has to agree with it."""

from __future__ import annotations

import random
import re
from dataclasses import dataclass
from typing import ClassVar, Literal

from shadow.lab.tasks.contracts import Kind, Task
from shadow.lab.tasks.grading import MONTHS, dates, says
from shadow.lab.tasks.lapses import Style
from shadow.lab.tasks.names import PEOPLE, PRODUCTS

Status = Literal["being packed", "in transit", "out for delivery", "delivered", "delayed", "cancelled"]
Asked = Literal["status", "arrival", "carrier"]

CARRIERS = ("DHL", "UPS", "FedEx", "GLS", "Hermes", "PostNord")
#: How each status is recognised in free text. "will be delivered" is a plan, not a status; "not shipped yet" is no shipping.
_SIGNS: dict[Status, re.Pattern[str]] = {
    "being packed": re.compile(r"\b(?:being (?:packed|prepared|processed)|not (?:been )?shipped)\b", re.IGNORECASE),
    "in transit": re.compile(r"\b(?:in transit|on its way|on the way|(?<!not )(?<!not been )shipped)\b", re.IGNORECASE),
    "out for delivery": re.compile(r"\b(?:out for delivery|with the driver)\b", re.IGNORECASE),
    "delivered": re.compile(r"\b(?<!be )(?<!get )(?:delivered|arrived)\b", re.IGNORECASE),
    "delayed": re.compile(r"\b(?:delayed|held up|running late)\b", re.IGNORECASE),
    "cancelled": re.compile(r"\b(?:cancell?ed|called off)\b", re.IGNORECASE),
}
#: What may be said along with a status without contradicting it.
_COMPATIBLE: dict[Status, frozenset[Status]] = {
    "delayed": frozenset({"in transit"}),
    "out for delivery": frozenset({"in transit"}),
    "delivered": frozenset({"in transit"}),
}
_SAID: dict[Status, tuple[str, ...]] = {
    "being packed": ("being packed", "still being prepared", "being processed"),
    "in transit": ("in transit", "on its way to you", "on the way"),
    "out for delivery": ("out for delivery",),
    "delivered": ("delivered",),
    "delayed": ("delayed", "running late", "held up"),
    "cancelled": ("cancelled",),
}
_DATE_VERB: dict[Status, tuple[str, ...]] = {
    "being packed": ("expected on", "due on"),
    "in transit": ("expected on", "due on"),
    "out for delivery": ("expected on", "due on"),
    "delivered": ("handed over on", "received on"),
    "delayed": ("now expected on", "now due on"),
    "cancelled": ("closed on", "taken out on"),
}
_QUESTIONS: dict[Asked, tuple[str, ...]] = {
    "status": (
        "Where is my order {number}?",
        "What is the status of order {number}?",
        "Can you check order {number} for me?",
    ),
    "arrival": (
        "Which date goes with order {number}, and what is its status?",
        "When does order {number} come, where is it?",
    ),
    "carrier": (
        "Who carries my order {number}, and how far is it?",
        "Which carrier has order {number}, and where is it?",
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """A line of the shop's record."""

    number: int
    item: str
    status: Status
    carrier: str
    day: int
    month: str

    @property
    def date(self) -> str:
        return f"{self.day} {self.month}"


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderStatus(Task):
    """A question about one of a customer's orders. others: the record's other lines, where slips come from."""

    kind: ClassVar[Kind] = "order_status"

    order: Order
    others: tuple[Order, ...]
    asked: Asked
    customer: str

    def draft_right(self, style: Style, rng: random.Random) -> str:
        order = self.order
        return self._say(order.status, order.carrier, order.day, order.month, style, rng)

    def draft_wrong(self, style: Style, rng: random.Random) -> str:
        order = self.order
        slips = [
            "status",
            "date",
            *(["carrier"] if self.asked == "carrier" else []),
            *(["other"] if self.others else []),
        ]
        slip = rng.choice(slips)
        if slip == "other":  # the neighbouring line was read
            other = rng.choice(self.others)
            return self._say(other.status, other.carrier, other.day, other.month, style, rng)
        status, carrier, day = order.status, order.carrier, order.day
        if slip == "status":
            status = rng.choice([known for known in _SIGNS if known != status])
        elif slip == "date":
            day = (day + rng.choice((1, 2, 7, 10)) - 1) % 28 + 1
        else:
            carrier = rng.choice([known for known in CARRIERS if known != carrier])
        return self._say(status, carrier, day, order.month, style, rng)

    def check(self, answer: str) -> bool:
        """Right if status and date (and the carrier, where asked) agree with the record and nothing contradicts it."""
        order = self.order
        if dates(answer) != {(order.day, MONTHS.index(order.month) + 1)}:
            return False
        named = {status for status, sign in _SIGNS.items() if sign.search(answer)}
        if order.status not in named or named - {order.status} - _COMPATIBLE.get(order.status, frozenset()):
            return False
        carriers = {carrier for carrier in CARRIERS if says(answer, carrier)}
        return carriers <= {order.carrier} and (self.asked != "carrier" or bool(carriers))

    def _say(self, status: Status, carrier: str, day: int, month: str, style: Style, rng: random.Random) -> str:
        said, verb = rng.choice(_SAID[status]), rng.choice(_DATE_VERB[status])
        order = self.order
        date = rng.choice((f"{day} {month}", f"{month} {day}"))
        by_carrier = status not in ("being packed", "cancelled") or self.asked == "carrier"
        by = f" {'by' if status == 'delivered' else 'with'} {carrier}" if by_carrier else ""
        if style == "terse":
            return rng.choice(
                (
                    f"Order {order.number}: {said}{by}, {verb} {date}.",
                    f"{said.capitalize()}{by}, {verb} {date}.",
                    f"It is {said}{by} ({verb} {date}).",
                )
            )
        if style == "plain":
            return rng.choice(
                (
                    f"Your order {order.number} ({order.item}) is {said}{by}, {verb} {date}.",
                    f"Order {order.number} with the {order.item} is {said}{by}; it is {verb} {date}.",
                    f"I checked order {order.number}: it is {said}{by}, {verb} {date}.",
                )
            )
        first = self.customer.split()[0]
        carrier_line = f" The carrier is {carrier}." if by_carrier else ""
        return rng.choice(
            (
                f"Hello {first}, thank you for asking. Your {order.item} (order {order.number}) is {said}.{carrier_line} "
                f"According to our record it is {verb} {date}. Is there anything else I can do for you?",
                f"Thanks for your patience, {first}. I looked up order {order.number} for the {order.item}: it is currently "
                f"{said}, {verb} {date}.{carrier_line}",
                f"Hi {first}! Good that you ask: order {order.number}, your {order.item}, is {said}{by}. The record has it as "
                f"{verb} {date}. Have a nice day!",
            )
        )


def _draw_order(rng: random.Random) -> Order:
    return Order(
        number=rng.randint(10000, 99999),
        item=rng.choice(PRODUCTS),
        status=rng.choice(tuple(_SIGNS)),
        carrier=rng.choice(CARRIERS),
        day=rng.randint(1, 28),
        month=rng.choice(MONTHS),
    )


def generate(rng: random.Random) -> Task:
    """A customer's orders and a question about one of them; more orders make it harder."""
    order = _draw_order(rng)
    others = tuple(_draw_order(rng) for _ in range(rng.randint(0, 4)))
    lines = [order, *others]
    rng.shuffle(lines)
    customer = rng.choice(PEOPLE)
    record = "\n".join(
        f"- order {line.number}: {line.item}, status {line.status}, carrier {line.carrier}, date {line.date}"
        for line in lines
    )
    asked: Asked = rng.choice(("status", "arrival", "carrier"))
    question = rng.choice(_QUESTIONS[asked]).format(number=order.number)
    return OrderStatus(
        id="",
        feature=rng.choice(("order-desk", "order-desk", "mail-replies")),
        difficulty=round((len(others) + (asked != "status")) / 5, 3),
        system=(
            "You are the assistant of an online shop. Answer in one or two short sentences, name status and date, and use only "
            f"this record.\n\nCustomer: {customer}\n{record}"
        ),
        user=f"{question} It is the {order.item}.",
        answer=f"Order {order.number} is {order.status} ({order.carrier}), {order.date}.",
        order=order,
        others=others,
        asked=asked,
        customer=customer,
    )
