"""Which random stream belongs to this? Named, independent streams from one seed, the same in every process."""

from __future__ import annotations

import hashlib
import random


def derive(*parts: object) -> int:
    """A 64-bit number that depends on every part and on their order, and on nothing else."""
    return int.from_bytes(hashlib.blake2b("\x1f".join(map(str, parts)).encode(), digest_size=8).digest(), "big")


def stream(*parts: object) -> random.Random:
    """A generator of its own for the named purpose: streams of different names do not disturb one another."""
    return random.Random(derive(*parts))  # noqa: S311 - simulation, not security


def unit(*parts: object) -> float:
    """A number in [0, 1) fixed by its name."""
    return derive(*parts) / 2.0**64
