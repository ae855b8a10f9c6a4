"""Of which family is this model here, by its id, by its provider's host, or by what the configuration says about it?"""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

from judges.families import families_at, families_of, known_families
from shadow.settings import Settings
from shadow.store.samples import Answer


class Kinship:
    """Families by model id: as `judges.families` of the configuration says, else as the id tells, else as the host does.

    What none of them tells is a family of its own.
    """

    def __init__(self, settings: Settings) -> None:
        told = settings.judges.families
        self._families: dict[str, frozenset[str]] = {}
        self._tiers: dict[str, frozenset[str]] = {}
        self.untold: list[str] = []
        for tier, provider, model in _models(settings):
            host = urlsplit(settings.providers[provider].base_url).hostname or ""
            found = families_of(told[model]) if model in told else known_families(model) or families_at(host)
            if not found and model not in self.untold:
                self.untold.append(model)
            found = found or families_of(model)
            self._families[model] = self._families.get(model, frozenset()) | found
            if tier is not None:
                self._tiers[tier] = self._tiers.get(tier, frozenset()) | found

    def of(self, model: str) -> frozenset[str]:
        """The families of a model id."""
        return self._families.get(model) or families_of(model)

    def of_answer(self, answer: Answer) -> frozenset[str]:
        """The families of the model behind an answer. One that named itself in words that tell nothing may be any of its tier."""
        if answer.model is None:
            return frozenset()
        known = self._families.get(answer.model) or known_families(answer.model)
        return known or self._tiers.get(answer.tier) or families_of(answer.model)


def _models(settings: Settings) -> Iterator[tuple[str | None, str, str]]:
    """Tier, provider and id of each model that answers or judges; a judge has no tier."""
    for tier in settings.tiers:
        for entry in tier.models:
            yield tier.name, entry.provider, entry.model
    for judge in settings.judges.asked:
        yield None, judge.provider, judge.model
