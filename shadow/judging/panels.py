"""Which panel judges production samples? Free judges always; the LLM judge too while its budget lasts."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

import httpx

from judges.chat import ChatModel
from judges.contracts import Comparison, Judge, Judgment
from judges.fences import untrusted
from judges.http_model import HttpModel, ModelSettings
from judges.pairwise import PairwiseJudge
from judges.panel import Panel
from judges.registry import PAID, build_panel
from judges.rubric import RubricJudge
from judges.verdicts import Target
from judges.vote_cache import VoteCache
from router.pricing import Rates, resolve_prices
from router.settings import ModelSettings as TierModelSettings
from router.settings import PriceSettings, TierSettings
from shadow.errors import ConfigError
from shadow.judging.kinship import Kinship
from shadow.settings import JudgeModelSettings, Settings
from shadow.speaking import AnthropicTransport
from shadow.store.engine import utc_now

#: Tokens of a prompt beside the texts it quotes, taken generously.
_FRAME_TOKENS = 1500
_CALLS = {"rubric": 1, "pairwise": 2}


@dataclass(frozen=True, slots=True, kw_only=True)
class Priced:
    """A model with what one comparison can cost at most with it: calls, attempts at each, USD per token."""

    calls: int
    attempts: int
    max_tokens: int
    rates: Rates

    def worst_case_usd(self, quoted_tokens: int) -> Decimal:
        """What one comparison that quotes so many tokens can cost at most."""
        asked, said = (quoted_tokens + _FRAME_TOKENS) * self.rates.input_usd, self.max_tokens * self.rates.output_usd
        return self.calls * self.attempts * (asked + said)


@dataclass(frozen=True, slots=True, kw_only=True)
class Panels:
    """free: costs nothing. paid: the same with the LLM judges, None without one; priced: what these cost at most.

    spent: the panel for when today's money is gone; its LLM judges abstain and say so. fresh: `paid`, remembering no verdict.
    """

    free: Panel
    paid: Panel | None = None
    spent: Panel | None = None
    fresh: Panel | None = None
    priced: tuple[Priced, ...] = ()

    def worst_case_usd(self, comparisons: Sequence[Comparison]) -> Decimal:
        """What judging these can cost at most: each LLM judge asks each model, all attempts; a token is a byte or more."""
        return sum(
            (priced.worst_case_usd(_quoted_tokens(c)) for c in comparisons for priced in self.priced), Decimal(0)
        )


def _quoted_tokens(comparison: Comparison) -> int:
    texts = (comparison.prompt, comparison.context, comparison.reference, comparison.answer)
    return sum(len(untrusted(text).encode("utf-8", "replace")) for text in texts)


def _target(settings: Settings) -> Target:
    return Target(agreement=settings.judges.target_agreement, confidence=settings.judges.target_confidence)


class OutOfBudget:
    """An LLM judge when the day's money is gone: an abstention with its reason, and no call."""

    def __init__(self, name: str, budget_usd: float) -> None:
        self.name = name
        self._why = f"not asked: today's budget of ${budget_usd:g} for LLM judges is spent or reserved"

    async def judge(self, comparisons: Sequence[Comparison]) -> list[Judgment]:
        """One abstention per comparison."""
        return [Judgment(judge=self.name, verdict="abstain", score=None, rationale=self._why) for _ in comparisons]


def panels_of(settings: Settings, environ: Mapping[str, str] = os.environ) -> Panels:
    """The panels of a configuration. Raises: ConfigError, PriceUnknown, BadCalibration, JudgeError."""
    judging = settings.judges
    wanted = [name for name in judging.panel if name in PAID]
    if not wanted or not judging.asked:
        cheap = [name for name in judging.panel if name not in PAID]
        return Panels(free=build_panel(cheap, calibration=judging.calibration, target=_target(settings)))
    rates = [_rates(settings, model) for model in judging.asked]
    models = [_model(settings, m, r, environ) for m, r in zip(judging.asked, rates, strict=True)]
    directory = settings.directory if judging.cache_on_disk else None
    cache = VoteCache(entries=judging.cache_entries, directory=directory) if judging.cache_entries else None
    kinds: dict[str, type[RubricJudge | PairwiseJudge]] = {"rubric": RubricJudge, "pairwise": PairwiseJudge}
    kinship = Kinship(settings)

    def asked(memory: VoteCache | None) -> dict[str, Judge]:
        same = judging.allow_same_family
        return {name: kinds[name](models, allow_same_family=same, cache=memory, families=kinship.of) for name in wanted}

    asking = asked(cache)
    unremembering = {judge.name: judge for judge in asked(None).values()}
    paid = build_panel(judging.panel, paid=asking, calibration=judging.calibration, target=_target(settings))
    dear = {judge.name: OutOfBudget(judge.name, judging.budget_usd_per_day) for judge in asking.values()}
    calls = sum(_CALLS[name] for name in wanted)
    return Panels(
        free=paid.of([judge for judge in paid.judges if judge.name not in dear]),
        paid=paid,
        spent=paid.of([dear.get(judge.name, judge) for judge in paid.judges]),
        fresh=paid.of([unremembering.get(judge.name, judge) for judge in paid.judges]),
        priced=tuple(
            Priced(
                calls=calls,
                attempts=1 + settings.providers[model.provider].max_retries,
                max_tokens=model.max_tokens,
                rates=rate,
            )
            for model, rate in zip(judging.asked, rates, strict=True)
        ),
    )


def _model(settings: Settings, model: JudgeModelSettings, rates: Rates, environ: Mapping[str, str]) -> ChatModel:
    """The model behind its provider's dialect. Raises: ConfigError where its key is not set."""
    provider = settings.providers[model.provider]
    api_key = environ.get(provider.api_key_env, "").strip() if provider.api_key_env else None
    if provider.api_key_env and not api_key:
        raise ConfigError(
            f"judges.model: the environment variable {provider.api_key_env} of {model.provider!r} is not set"
        )
    asked = ModelSettings(
        base_url=provider.base_url,
        model=model.model,
        input_usd_per_mtok=rates.input_usd * 1_000_000,
        output_usd_per_mtok=rates.output_usd * 1_000_000,
        api_key=api_key,
        output=model.output,
        timeout_seconds=provider.timeout_seconds,
        deadline_seconds=settings.judges.deadline_seconds,
        max_retries=provider.max_retries,
        max_tokens=model.max_tokens,
    )
    if provider.kind == "anthropic":
        transport = AnthropicTransport(provider, api_key)
        return HttpModel(asked, client=httpx.AsyncClient(transport=transport, trust_env=False))
    return HttpModel(asked)


def _rates(settings: Settings, model: JudgeModelSettings) -> Rates:
    price = None
    if model.input_usd_per_mtok is not None and model.output_usd_per_mtok is not None:
        price = PriceSettings(
            input_usd_per_mtok=Decimal(str(model.input_usd_per_mtok)),
            output_usd_per_mtok=Decimal(str(model.output_usd_per_mtok)),
        )
    entry = TierModelSettings(provider=model.provider, model=model.model, price=price)
    prices = resolve_prices(settings.providers, [TierSettings(name="judges.model", models=(entry,))])
    return prices[model.provider, model.model].at(utc_now()).rates
