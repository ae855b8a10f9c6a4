"""Which configuration runs the product on the lab? The content of a `shadow.yaml`, every value that matters spelt out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import yaml

from shadow.lab.tiers import TIERS, LabTier

#: Chosen on the lab's tasks: with the heuristic scorer about 70, 20 and 10 % of the requests go to the three tiers.
THRESHOLDS = {"fast": 0.85, "mid": 0.85}
BAND = 0.05
#: Labels asked for, as a share of the sampling rate: all samples that count. A minute of demo has few enough of them.
LABELLED_SHARE = 0.84
DEFAULT_SAMPLING = 0.05
#: Higher than in production, where 1 % will do: a minute of demo has only some 250 requests at the top tier.
_CONTROL_TOP = 0.20
_DOWN = 0.01


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalEndpoint:
    """A real local model to put behind the cheapest tier."""

    base_url: str
    model: str
    context_tokens: int


def demo_config(
    *,
    provider_url: str,
    data_dir: Path,
    host: str = "127.0.0.1",
    port: int = 8080,
    control_port: int = 8081,
    sampling: float = DEFAULT_SAMPLING,
    local: LocalEndpoint | None = None,
    tiers: Sequence[LabTier] = TIERS,
) -> dict[str, Any]:
    """A configuration as `shadow.settings.parse` reads it.

    provider_url: of the simulated provider, with /v1. sampling: share of requests mirrored upwards, in [0, 1]. local: if
    given, it alone serves the cheapest tier, at an explicit price of 0.
    """
    down = round(min(_DOWN, 1.0 - sampling), 6)
    providers = {"lab": _provider(provider_url, timeout_seconds=10, first_token_seconds=5)}
    entries = [_tier(tier) for tier in tiers]
    if local is not None:
        providers["local"] = _provider(local.base_url, timeout_seconds=60, first_token_seconds=30)
        entries[0] = {"name": tiers[0].name, "models": [_local_model(local)]}
    return {
        "providers": providers,
        "tiers": entries,
        "routing": {"mode": "route", "thresholds": dict(THRESHOLDS), "band": BAND, "scorer": {"kind": "heuristic"}},
        "sampling": {
            "up": sampling,
            "down": down,
            "intermediate_share": 0.20,
            "all_tiers_share": 0.20,
            "control_share": 0.10,
            "control_top": round(min(max(_CONTROL_TOP, sampling), 1.0 - down), 6),
            "budget_usd_per_day": 20,
            "max_completion_tokens": 1024,
            "store_text": "full",
        },
        "labels": {
            "rate": round(min(max(sampling * LABELLED_SHARE, 0.0025), 1.0), 6),
            "top_rate": round(min(max(_CONTROL_TOP, sampling), 1.0), 6),
        },
        "judges": {"panel": ["structured", "lexical", "semantic", "markers"]},
        "rollup": {"bucket_seconds": 15, "every_seconds": 2.0, "window_days": 1.0},
        "data_dir": str(data_dir),
        "server": {"host": host, "port": port, "control_port": control_port},
    }


def demo_yaml(config: dict[str, Any]) -> str:
    """The configuration as the text of a file."""
    return yaml.safe_dump(config, sort_keys=False, allow_unicode=True)


def _provider(base_url: str, *, timeout_seconds: float, first_token_seconds: float) -> dict[str, Any]:
    return {
        "kind": "openai",
        "base_url": base_url,
        "timeout_seconds": timeout_seconds,
        "first_token_seconds": first_token_seconds,
        "max_retries": 2,
    }


def _tier(tier: LabTier) -> dict[str, Any]:
    price = {"input_usd_per_mtok": tier.input_usd_per_mtok, "output_usd_per_mtok": tier.output_usd_per_mtok}
    model = {"provider": "lab", "model": tier.model, "context_tokens": tier.context_tokens, "price": _plain(price)}
    return {"name": tier.name, "models": [model]}


def _local_model(local: LocalEndpoint) -> dict[str, Any]:
    price = {"input_usd_per_mtok": 0.0, "output_usd_per_mtok": 0.0}
    return {"provider": "local", "model": local.model, "context_tokens": local.context_tokens, "price": price}


def _plain(price: dict[str, Decimal]) -> dict[str, float]:
    """YAML has no decimals; pydantic reads these floats back exactly, digit by digit."""
    return {key: float(value) for key, value in price.items()}
