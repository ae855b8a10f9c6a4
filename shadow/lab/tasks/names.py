"""Who and where? Names that several kinds of task draw from. None is part of another."""

from __future__ import annotations

PEOPLE: tuple[str, ...] = (
    "Mara Lindqvist", "Tobias Engel", "Priya Raman", "Jonas Hartmann", "Elena Petrova", "Samuel Okafor", "Hana Suzuki",
    "Lucia Moreno", "David Feldman", "Aisha Karim", "Pieter Vandenberg", "Nora Fitzgerald", "Mateo Alvarez", "Ingrid Solberg",
    "Kofi Mensah", "Clara Dubois", "Rafael Teixeira", "Yusuf Demir", "Olga Ivanova", "Benedict Shaw", "Leila Haddad",
    "Anders Nyberg", "Chloe Martel", "Viktor Horvath", "Grace Wanjiru", "Emil Kowalski", "Sofia Rinaldi", "Daniel Oyelaran",
    "Marta Ferreira", "Henrik Aalto", "Zoe Papadakis", "Arjun Mehta", "Beatrix Molnar", "Callum Fraser", "Dalia Rosen",
    "Esteban Quiroga", "Freya Thomsen", "Gustav Brandt", "Imani Njoroge", "Julia Weber",
)  # fmt: skip

COMPANIES: tuple[str, ...] = (
    "Northwind Traders", "Bluepeak Energy", "Halden Logistics", "Corvus Software", "Silverline Foods", "Oakridge Timber",
    "Meridian Optics", "Tallgrass Farms", "Ironbridge Steel", "Lumen Textiles", "Harborview Shipping", "Quarry Stone Works",
    "Redfern Chemicals", "Astra Ceramics", "Willowbrook Dairy", "Pinnacle Insurance", "Copperfield Press", "Delta Instruments",
    "Evergreen Paper", "Foxglove Pharma",
)  # fmt: skip

PLACES: tuple[str, ...] = (
    "Rotterdam", "Gdansk", "Bilbao", "Trieste", "Aarhus", "Leipzig", "Graz", "Porto", "Antwerp", "Bergen", "Tampere", "Lyon",
    "Brno", "Utrecht", "Malaga", "Cork", "Turku", "Bologna", "Dresden", "Ghent",
)  # fmt: skip

PRODUCTS: tuple[str, ...] = (
    "desk lamp", "rain jacket", "coffee grinder", "hiking boots", "bluetooth speaker", "yoga mat", "office chair",
    "travel backpack", "electric kettle", "wool blanket", "phone case", "garden hose", "bread knife", "bike helmet",
    "reading glasses", "water bottle", "board game", "wall clock", "sleeping bag", "picture frame",
)  # fmt: skip
