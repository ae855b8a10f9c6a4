"""How is something counted on the hot path for less than a microsecond?

The metric classes of prometheus_client take a lock and check their labels each time. All of the router's counting happens in
one thread, so plain dictionaries do; they are turned into metrics when somebody scrapes.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator, Sequence

from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily, Metric


class Tally:
    """A counter with labels. Not for two threads."""

    def __init__(self, name: str, documentation: str, labels: Sequence[str]) -> None:
        self._about = (name, documentation)
        self._labels = tuple(labels)
        self._counts: defaultdict[tuple[str, ...], float] = defaultdict(float)

    def add(self, labels: tuple[str, ...], amount: float = 1.0) -> None:
        self._counts[labels] += amount

    def collect(self) -> Iterator[Metric]:
        name, documentation = self._about
        family = CounterMetricFamily(name, documentation, labels=self._labels)
        for labels, count in self._counts.items():
            family.add_metric(labels, count)
        yield family


class Spread:
    """A histogram by one label. bounds: upper bounds of its buckets, rising. Not for two threads."""

    def __init__(self, name: str, documentation: str, label: str, bounds: Sequence[float]) -> None:
        self._about = (name, documentation)
        self._label = label
        self._bounds = tuple(bounds)
        self._seen: dict[str, tuple[list[int], list[float]]] = {}  # label -> (count of each bucket, [sum])

    def add(self, label: str, value: float) -> None:
        seen = self._seen.get(label)
        if seen is None:
            seen = self._seen[label] = ([0] * (len(self._bounds) + 1), [0.0])
        seen[0][bisect_left(self._bounds, value)] += 1
        seen[1][0] += value

    def collect(self) -> Iterator[Metric]:
        name, documentation = self._about
        family = HistogramMetricFamily(name, documentation, labels=[self._label])
        bounds = [*map(str, map(float, self._bounds)), "+Inf"]
        for label, (counts, (total,)) in self._seen.items():
            below, buckets = 0, []
            for bound, count in zip(bounds, counts, strict=True):
                below += count
                buckets.append((bound, float(below)))
            family.add_metric([label], buckets, total)
        yield family
