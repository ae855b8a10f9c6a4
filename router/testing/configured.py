"""Which settings does a test start from?"""

from __future__ import annotations

from typing import Any

from router.settings import RouterSettings


def router_settings(
    base_url: str,
    *,
    tiers: dict[str, list[str]] | None = None,
    provider: dict[str, Any] | None = None,
    routing: dict[str, Any] | None = None,
    server: dict[str, Any] | None = None,
) -> RouterSettings:
    """One provider `p`, tiers `fast` (models fast-a, fast-b) and `top` (top-a) unless told otherwise, at 1 and 2 USD per
    million input and output tokens; impatient, with few retries, so that faults show quickly."""
    chains = tiers or {"fast": ["fast-a", "fast-b"], "top": ["top-a"]}
    price = {"input_usd_per_mtok": 1, "output_usd_per_mtok": 2}
    lower = list(chains)[:-1]
    return RouterSettings.model_validate(
        {
            "providers": {
                "p": {
                    "base_url": base_url,
                    "timeout_seconds": 1,
                    "first_token_seconds": 0.7,
                    "max_retries": 1,
                    **(provider or {}),
                }
            },
            "tiers": [
                {"name": name, "models": [{"provider": "p", "model": model, "price": price} for model in models]}
                for name, models in chains.items()
            ],
            "routing": {"thresholds": dict.fromkeys(lower, 0.85), **(routing or {})},
            "server": server or {},
        }
    )
