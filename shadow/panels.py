"""Which panel judges production samples? Free judges always; the LLM judge too while its budget lasts."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

import httpx

from judges.panel import Panel
from judges.registry import build_panel
from judges.rubric import RubricJudge, RubricSettings
from router.pricing import Rates, resolve_prices
from router.settings import ModelSettings, PriceSettings, TierSettings
from shadow.errors import ConfigError
from shadow.settings import JudgeModelSettings, Settings
from shadow.speaking import AnthropicTransport
from shadow.store.engine import utc_now

#: Tokens of a rubric prompt beside the texts it quotes, and of the longest reply, taken generously.
_OVERHEAD_TOKENS = 3000


@dataclass(frozen=True, slots=True, kw_only=True)
class Panels:
    """free: costs nothing. paid: the same with the LLM judge, and what a token costs it at most; None without one."""

    free: Panel
    paid: Panel | None = None
    usd_per_token: Decimal = Decimal(0)

    def worst_case_usd(self, texts: Sequence[str]) -> Decimal:
        """What judging these answers can cost at most: each goes to the LLM judge, two characters a token, one retry."""
        return self.usd_per_token * sum(len(text) + 2 * _OVERHEAD_TOKENS for text in texts)


def panels_of(settings: Settings, environ: Mapping[str, str] = os.environ) -> Panels:
    """The panels of a configuration. Raises: ConfigError, PriceUnknown, BadCalibration."""
    names = settings.judges.panel
    free = build_panel([name for name in names if name != "rubric"], calibration=settings.judges.calibration)
    model = settings.judges.model
    if "rubric" not in names or model is None:
        return Panels(free=free)
    provider = settings.providers[model.provider]
    api_key = environ.get(provider.api_key_env) if provider.api_key_env else None
    if provider.api_key_env and not api_key:
        raise ConfigError(
            f"judges.model: the environment variable {provider.api_key_env} of {model.provider!r} is not set"
        )
    rates = _rates(settings, model)
    rubric = RubricSettings(
        base_url=provider.base_url,
        model=model.model,
        input_usd_per_mtok=rates.input_usd * 1_000_000,
        output_usd_per_mtok=rates.output_usd * 1_000_000,
        api_key=api_key,
        timeout_seconds=provider.timeout_seconds,
        max_retries=provider.max_retries,
    )
    judge: RubricSettings | RubricJudge = rubric
    if provider.kind == "anthropic":
        judge = RubricJudge(rubric, client=httpx.AsyncClient(transport=AnthropicTransport(provider, api_key)))
    return Panels(
        free=free,
        paid=build_panel(names, rubric=judge, calibration=settings.judges.calibration),
        usd_per_token=max(rates.input_usd, rates.output_usd),
    )


def _rates(settings: Settings, model: JudgeModelSettings) -> Rates:
    price = None
    if model.input_usd_per_mtok is not None and model.output_usd_per_mtok is not None:
        price = PriceSettings(
            input_usd_per_mtok=Decimal(str(model.input_usd_per_mtok)),
            output_usd_per_mtok=Decimal(str(model.output_usd_per_mtok)),
        )
    entry = ModelSettings(provider=model.provider, model=model.model, price=price)
    prices = resolve_prices(settings.providers, [TierSettings(name="judges.model", models=(entry,))])
    return prices[model.provider, model.model].at(utc_now()).rates
