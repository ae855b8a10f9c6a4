"""Which values may one property of a request have? Sets that are finite, all but finite, or spans of whole numbers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

Name = str | bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """These values, or with `excluded` all others; there are always others, as callers may hint at any name."""

    values: frozenset[Name]
    excluded: bool = False

    @classmethod
    def of(cls, values: Iterable[Name]) -> Names:
        return cls(values=frozenset(values))

    @property
    def is_empty(self) -> bool:
        return not self.excluded and not self.values

    def meet(self, other: Names) -> Names:
        """The values that are in both."""
        if self.excluded and other.excluded:
            return Names(values=self.values | other.values, excluded=True)
        if self.excluded:
            return Names(values=other.values - self.values)
        return Names(values=self.values - other.values if other.excluded else self.values & other.values)

    def without(self, other: Names) -> tuple[Names, ...]:
        """The values that are not in the other, as sets that are not empty and have nothing in common."""
        rest = self.meet(Names(values=other.values, excluded=not other.excluded))
        return () if rest.is_empty else (rest,)

    def example(self) -> Name:
        """One of the values; for all others, None where it is among them."""
        if not self.excluded:
            return min(self.values, key=str)
        return None if None not in self.values else "another"


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """The whole numbers from `low` to `high`; high None: without end."""

    low: int = 0
    high: int | None = None

    @property
    def is_empty(self) -> bool:
        return self.high is not None and self.high < self.low

    def meet(self, other: Span) -> Span:
        """The numbers that are in both."""
        ends = [end for end in (self.high, other.high) if end is not None]
        return Span(low=max(self.low, other.low), high=min(ends, default=None))

    def without(self, other: Span) -> tuple[Span, ...]:
        """The numbers that are not in the other, below it and above it."""
        below = self.meet(Span(high=other.low - 1))
        above = () if other.high is None else (self.meet(Span(low=other.high + 1)),)
        return tuple(piece for piece in (below, *above) if not piece.is_empty)
