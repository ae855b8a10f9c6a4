"""Word problems: a stock that goes up and down over one to five events. What is left at the end?"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

from shadow.lab.tasks.contracts import Kind, Task
from shadow.lab.tasks.grading import final_number
from shadow.lab.tasks.lapses import Style
from shadow.lab.tasks.names import PEOPLE

Move = Literal["add", "add_groups", "remove", "remove_groups", "share"]

#: place, thing, group, verbs of arriving, verbs of leaving
_SCENES: tuple[tuple[str, str, str, tuple[str, ...], tuple[str, ...]], ...] = (
    ("bakery", "rolls", "trays", ("bakes", "takes in"), ("sells", "gives away")),
    ("warehouse", "boxes", "pallets", ("receives", "unloads"), ("ships", "hands out")),
    ("library", "books", "shelves", ("buys", "is given"), ("lends out", "retires")),
    ("flower shop", "tulips", "buckets", ("orders", "cuts"), ("sells", "throws out")),
    ("farm", "eggs", "crates", ("collects", "buys"), ("delivers", "breaks")),
    ("school office", "pencils", "packs", ("buys", "finds"), ("hands out", "loses")),
)
_QUESTIONS = (
    "How many {thing} are left in the end?",
    "How many {thing} does {name} have now?",
    "What is the number of {thing} at the end of the day?",
)
_INSTRUCTION = "Show your working and end with 'Answer: <number>'."
_OPENERS: dict[Style, tuple[str, ...]] = {
    "terse": ("", "", "Calc: "),
    "plain": ("Start with {start} {thing}.", "There are {start} {thing} at first.", "We begin with {start} {thing}."),
    "thorough": (
        "Let's work through this step by step.",
        "We keep track of the number of {thing} after each event.",
        "I'll go through what happens at the {place} in order.",
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happens to the stock. amount: of things, or of groups of `size` things; for a share, the divisor."""

    move: Move
    amount: int
    size: int = 1
    verb: str = ""

    def apply(self, stock: int) -> int:
        """The stock after the event."""
        match self.move:
            case "add" | "add_groups":
                return stock + self.amount * self.size
            case "remove" | "remove_groups":
                return stock - self.amount * self.size
            case "share":
                return stock - stock // self.amount


@dataclass(frozen=True, slots=True, kw_only=True)
class Arithmetic(Task):
    """A stock, its events and their result."""

    kind: ClassVar[Kind] = "arithmetic"

    name: str
    place: str
    thing: str
    group: str
    start: int
    events: tuple[Event, ...]

    def draft_right(self, style: Style, rng: random.Random) -> str:
        after = []
        stock = self.start
        for event in self.events:
            stock = event.apply(stock)
            after.append(stock)
        return self._tell(after, style, rng)

    def draft_wrong(self, style: Style, rng: random.Random) -> str:
        slipped = rng.randrange(len(self.events))
        after = []
        stock = self.start
        for position, event in enumerate(self.events):
            stock = _slip(stock, event, rng) if position == slipped else event.apply(stock)
            after.append(stock)
        return self._tell(after, style, rng)

    def check(self, answer: str) -> bool:
        found = final_number(answer)
        return found is not None and abs(found - float(self.answer)) < 1e-6

    def _tell(self, after: Sequence[int], style: Style, rng: random.Random) -> str:
        opener = rng.choice(_OPENERS[style]).format(start=self.start, thing=self.thing, place=self.place)
        before = (self.start, *after)
        lines = [
            _line(self, event, before[i], after[i], style, rng, first=i == 0) for i, event in enumerate(self.events)
        ]
        final = after[-1]
        if style == "terse":
            end = rng.choice((f"Answer: {final}", f"answer: {final}", f"Answer: {final} {self.thing}"))
            return opener + rng.choice(("; ", "\n", ", ")).join(lines) + rng.choice((". ", "\n")) + end
        if style == "plain":
            return f"{opener} {' '.join(lines)}\n\nAnswer: {final}"
        steps = "\n".join(f"{i}. {line}" for i, line in enumerate(lines, start=1))
        end = rng.choice(
            (
                f"So in the end there are {final} {self.thing} left.\n\nAnswer: **{final}**",
                f"Therefore the final answer is **{final}** {self.thing}.\nAnswer: {final}",
                f"That leaves {self.name} with {final} {self.thing}.\n\n**Answer: {final}**",
            )
        )
        return f"{opener}\n\n{steps}\n\n{end}"


def _slip(stock: int, event: Event, rng: random.Random) -> int:
    """What a careless reader makes of the event: the other sign, groups not multiplied, a carry lost, or not read at all."""
    right = event.apply(stock)
    slips = [stock, right + rng.choice((-10, 10, -1, 1, -2, 2)), 2 * stock - right]
    if event.size > 1:
        sign = 1 if right > stock else -1
        slips += [stock + sign * (event.amount + event.size), stock + sign * event.amount] * 2
    if event.move == "share":
        slips += [stock // event.amount] * 2
    return max(rng.choice([slip for slip in slips if slip != right]), 1)


def _line(
    task: Arithmetic, event: Event, before: int, after: int, style: Style, rng: random.Random, *, first: bool
) -> str:
    sign = "+" if event.move.startswith("add") else "-"
    if event.move == "share":
        term = f"{before}/{event.amount}" if style == "terse" else f"{before} / {event.amount}"
    elif event.size > 1:
        term = f"{event.amount}*{event.size}" if style == "terse" else f"{event.amount} x {event.size}"
    else:
        term = str(event.amount)
    if style == "terse":
        return f"{before}{sign}{term}={after}"
    verb = event.verb.split()[0].capitalize()
    if style == "plain":
        lead = (
            rng.choice(("After that", "Then", "Next")) if not first else rng.choice(("First", "At first", "To begin"))
        )
        return rng.choice(
            (f"{lead}, {before} {sign} {term} = {after}.", f"{lead} it is {before} {sign} {term}, so {after}.")
        )
    about = "a share leaves" if event.move == "share" else f"{task.name} {event.verb} some"
    return rng.choice(
        (
            f"{about.capitalize() if event.move == 'share' else about}: {before} {sign} {term} = {after} {task.thing}.",
            f"{verb}: we go from {before} to {before} {sign} {term} = {after} {task.thing}.",
        )
    )


def _tell_event(event: Event, thing: str, group: str) -> str:
    match event.move:
        case "add" | "remove":
            return f"{event.verb} {event.amount} {thing}"
        case "add_groups" | "remove_groups":
            return f"{event.verb} {event.amount} {group} of {event.size} {thing} each"
        case "share":
            share = {2: "half", 3: "a third", 4: "a quarter"}[event.amount]
            return f"{event.verb} {share} of all {thing}"


def _draw_event(stock: int, comes: Sequence[str], goes: Sequence[str], rng: random.Random, *, big: int) -> Event:
    divisors = [divisor for divisor in (2, 3, 4) if stock % divisor == 0]
    moves: list[Move] = ["add", "add_groups", "remove", "remove_groups"]
    if divisors:
        moves.append("share")
    move = rng.choice(moves)
    if move == "share":
        return Event(move=move, amount=rng.choice(divisors), verb=rng.choice(goes))
    if move == "add_groups":
        return Event(move=move, amount=rng.randint(2, 9), size=rng.randint(3, 8 * big), verb=rng.choice(comes))
    if move == "remove_groups" and stock > 30:
        size = rng.randint(3, max(stock // 8, 4))
        return Event(move=move, amount=rng.randint(2, 4), size=size, verb=rng.choice(goes))
    if move == "add":
        return Event(move=move, amount=rng.randint(5, 60 * big), verb=rng.choice(comes))
    return Event(move="remove", amount=rng.randint(1, max(stock // 2, 1)), verb=rng.choice(goes))


def generate(rng: random.Random) -> Task:
    """A word problem; more events and bigger numbers make it harder."""
    place, thing, group, comes, goes = rng.choice(_SCENES)
    name = rng.choice(PEOPLE).split()[0]
    length, big = rng.randint(1, 5), rng.choice((1, 4))
    start = stock = rng.randint(20, 120) * big
    events: list[Event] = []
    for _ in range(length):
        event = _draw_event(stock, comes, goes, rng, big=big)
        events.append(event)
        stock = event.apply(stock)
    told = [_tell_event(event, thing, group) for event in events]
    story = f"{name} runs a {place} and starts the day with {start} {thing}. "
    story += " ".join(
        f"{('Then ' + name) if i else name} {text}{'' if i % 2 else ' in the morning' if i == 0 else ''}."
        for i, text in enumerate(told)
    )
    question = rng.choice(_QUESTIONS).format(thing=thing, name=name)
    return Arithmetic(
        id="",
        feature=rng.choice(("stock-helper", "homework-help")),
        difficulty=round((length - 1 + (big > 1)) / 5, 3),
        user=f"{story} {question} {_INSTRUCTION}",
        answer=str(stock),
        name=name,
        place=place,
        thing=thing,
        group=group,
        start=start,
        events=tuple(events),
    )
