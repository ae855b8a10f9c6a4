"""What do the documents look like that JSON is taken from?"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

from shadow.lab.tasks.grading import MONTHS
from shadow.lab.tasks.names import COMPANIES, PEOPLE, PLACES, PRODUCTS

Value = str | int | float


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """A field that may be asked for. json_type: its type in a JSON schema."""

    name: str
    json_type: str = "string"


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A kind of document: its text with a place for each field, how the fields are drawn, remarks that fit any of them."""

    name: str
    text: str
    fields: tuple[Field, ...]
    draw: Callable[[random.Random], dict[str, Value]]
    notes: tuple[str, ...]


def iso_date(rng: random.Random) -> str:
    """A day of this year, as documents for machines write it."""
    return f"2026-{rng.randint(1, len(MONTHS)):02d}-{rng.randint(1, 28):02d}"


def _phone(rng: random.Random) -> str:
    return f"+31 {rng.randint(10, 79)} {rng.randint(100, 999)} {rng.randint(1000, 9999)}"


def _invoice(rng: random.Random) -> dict[str, Value]:
    quantity, price = rng.randint(2, 40), rng.randint(400, 9900) / 100
    return {
        "invoice_number": f"INV-{rng.randint(10000, 99999)}",
        "supplier": rng.choice(COMPANIES),
        "customer": rng.choice(PEOPLE),
        "item": rng.choice(PRODUCTS),
        "quantity": quantity,
        "unit_price": price,
        "total": round(quantity * price, 2),
        "due_date": iso_date(rng),
    }


def _booking(rng: random.Random) -> dict[str, Value]:
    return {
        "guest": rng.choice(PEOPLE),
        "hotel": f"Hotel {rng.choice(('Astoria', 'Belvedere', 'Central', 'Miramar', 'Royal', 'Savoy'))}",
        "city": rng.choice(PLACES),
        "nights": rng.randint(1, 14),
        "room": f"{rng.randint(1, 9)}{rng.randint(10, 49)}",
        "arrival": iso_date(rng),
        "price": rng.randint(6000, 98000) / 100,
        "reference": f"BK{rng.randint(100000, 999999)}",
    }


def _contact(rng: random.Random) -> dict[str, Value]:
    name = rng.choice(PEOPLE)
    company = rng.choice(COMPANIES)
    return {
        "name": name,
        "company": company,
        "email": f"{name.split()[0].lower()}.{name.split()[1].lower()}{rng.randint(10, 99)}@example.com",
        "phone": _phone(rng),
        "city": rng.choice(PLACES),
        "role": rng.choice(
            ("purchasing manager", "head of sales", "site engineer", "office assistant", "data analyst")
        ),
        "employees": rng.randint(12, 4800),
    }


def _delivery(rng: random.Random) -> dict[str, Value]:
    origin, destination = rng.sample(PLACES, 2)
    return {
        "shipment": f"SH-{rng.randint(1000, 9999)}-{rng.choice('ABCDEFGH')}",
        "sender": rng.choice(COMPANIES),
        "origin": origin,
        "destination": destination,
        "parcels": rng.randint(2, 60),
        "weight_kg": rng.randint(50, 9000) / 10,
        "pickup": iso_date(rng),
        "driver": rng.choice(PEOPLE),
    }


DOCUMENTS: tuple[Document, ...] = (
    Document(
        name="invoice",
        text=(
            "Invoice {invoice_number} from {supplier} to {customer}: {quantity} pieces of {item} at {unit_price} EUR each, "
            "total {total} EUR, payable by {due_date}."
        ),
        fields=(
            Field(name="invoice_number"),
            Field(name="supplier"),
            Field(name="customer"),
            Field(name="item"),
            Field(name="quantity", json_type="integer"),
            Field(name="unit_price", json_type="number"),
            Field(name="total", json_type="number"),
            Field(name="due_date"),
        ),
        draw=_invoice,
        notes=(
            "An ordinary invoice for goods.",
            "Goods were billed to the customer.",
            "The amount is still to be paid.",
        ),
    ),
    Document(
        name="booking",
        text=(
            "Booking {reference} is confirmed: {guest} stays {nights} nights at {hotel} in {city}, room {room}, arriving on "
            "{arrival}. The price is {price} EUR in all."
        ),
        fields=(
            Field(name="guest"),
            Field(name="hotel"),
            Field(name="city"),
            Field(name="nights", json_type="integer"),
            Field(name="room"),
            Field(name="arrival"),
            Field(name="price", json_type="number"),
            Field(name="reference"),
        ),
        draw=_booking,
        notes=("The stay is confirmed.", "A confirmed hotel stay.", "Nothing is left to do for the guest."),
    ),
    Document(
        name="contact",
        text=(
            "I am {name}, {role} at {company} in {city}, a firm of {employees} people. You reach me at {email} or by phone, "
            "{phone}."
        ),
        fields=(
            Field(name="name"),
            Field(name="company"),
            Field(name="email"),
            Field(name="phone"),
            Field(name="city"),
            Field(name="role"),
            Field(name="employees", json_type="integer"),
        ),
        draw=_contact,
        notes=("A business contact.", "The sender leaves contact details.", "Contact details of a possible customer."),
    ),
    Document(
        name="delivery_note",
        text=(
            "Shipment {shipment} of {sender}: {parcels} parcels, {weight_kg} kg, picked up in {origin} on {pickup} by driver "
            "{driver}, to be delivered in {destination}."
        ),
        fields=(
            Field(name="shipment"),
            Field(name="sender"),
            Field(name="origin"),
            Field(name="destination"),
            Field(name="parcels", json_type="integer"),
            Field(name="weight_kg", json_type="number"),
            Field(name="pickup"),
            Field(name="driver"),
        ),
        draw=_delivery,
        notes=("A shipment by road.", "Goods on their way to the receiver.", "The parcels have been picked up."),
    ),
)
