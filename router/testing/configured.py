"""Which settings does a test start from?"""

from __future__ import annotations

from typing import Any

from router.settings import RouterSettings

_PROVIDERS = {"openai": "p", "anthropic": "a"}


def router_settings(
    base_url: str,
    *,
    tiers: dict[str, list[str]] | None = None,
    kinds: dict[str, str] | None = None,
    provider: dict[str, Any] | None = None,
    routing: dict[str, Any] | None = None,
    server: dict[str, Any] | None = None,
) -> RouterSettings:
    """One provider `p`, tiers `fast` (models fast-a, fast-b) and `top` (top-a) unless told otherwise, at 1 and 2 USD per
    million input and output tokens; impatient, with few retries, so that faults show quickly. kinds: provider kind by tier,
    "openai" where it is not named."""
    chains = tiers or {"fast": ["fast-a", "fast-b"], "top": ["top-a"]}
    named = {(kinds or {}).get(name, "openai") for name in chains}
    price = {"input_usd_per_mtok": 1, "output_usd_per_mtok": 2}
    lower = list(chains)[:-1]
    return RouterSettings.model_validate(
        {
            "providers": {
                name: {
                    "kind": kind,
                    "base_url": base_url,
                    "timeout_seconds": 1,
                    "first_token_seconds": 0.7,
                    "max_retries": 1,
                    **(provider or {}),
                }
                for kind, name in _PROVIDERS.items()
                if kind in named
            },
            "tiers": [
                {
                    "name": name,
                    "models": [
                        {"provider": _PROVIDERS[(kinds or {}).get(name, "openai")], "model": model, "price": price}
                        for model in models
                    ],
                }
                for name, models in chains.items()
            ],
            "routing": {"thresholds": dict.fromkeys(lower, 0.85), **(routing or {})},
            "server": server or {},
        }
    )
