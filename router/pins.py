"""Which model answers first in a tier, where that is another one than the configuration says?

The policy file names pins: a model in place of a tier's first one, and a candidate that serves a share of the tier's requests.
Which requests those are hangs on a hash of their id. A candidate that fails leaves its requests to the model it may replace. A
client that asks for one model by its name gets that model. A pin that can't be used (its provider is gone, its key is not set,
the configuration names another first model by now) is left out and logged: the tier is then served as configured.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import structlog
from pydantic import ValidationError

from router.contracts import PolicySource, TierPin
from router.errors import RouterError
from router.pool import Pool, Target, target_of
from router.settings import ModelSettings, RouterSettings

Chains = Mapping[str, tuple[Target, ...]]
log = structlog.get_logger("router.pins")


def in_share(request_id: str, pin: int, share: float) -> bool:
    """Whether a request is among the share. Source: SHA-256, first 53 bits."""
    digest = hashlib.sha256(f"canary\x1f{pin}\x1f{request_id}".encode()).digest()
    return (int.from_bytes(digest[:8], "big") >> 11) < share * (1 << 53)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Canary:
    tier: str
    upgrade_id: int
    share: float
    chain: tuple[Target, ...]


class Pins:
    """The chains of a pool under the pins in force. Cost without pins: one look-up."""

    def __init__(self, pool: Pool, settings: RouterSettings, policy: PolicySource, environ: Mapping[str, str]) -> None:
        self._pool = pool
        self._settings = settings
        self._policy = policy
        self._environ = environ
        self._seen: tuple[TierPin, ...] = ()
        self._chains: Chains = pool.chains
        self._canaries: tuple[_Canary, ...] = ()

    def chains_for(self, request_id: str) -> Chains:
        """Who is asked, tier by tier, in this request's place."""
        pins = self._policy.current().pins
        if pins is not self._seen:
            self._take_up(pins)
        if not self._canaries:
            return self._chains
        drawn = {
            canary.tier: canary.chain
            for canary in self._canaries
            if in_share(request_id, canary.upgrade_id, canary.share)
        }
        return {**self._chains, **drawn} if drawn else self._chains

    def _take_up(self, pins: tuple[TierPin, ...]) -> None:
        """Build each chain once for all requests."""
        self._seen = pins
        chains, canaries = dict(self._pool.chains), []
        for pin in pins:
            chain = chains.get(pin.tier)
            if chain is None or chain[0].key != pin.configured:
                log.warning(
                    "pin.ignored", tier=pin.tier, version=pin.version, why="the configuration names another model"
                )
                continue
            try:
                first = chain[0] if pin.pinned is None else self._target(pin.tier, pin.pinned)
                chains[pin.tier] = (first, *(target for target in chain[1:] if target.key != first.key))
                if pin.candidate is not None and pin.share > 0.0:
                    candidate = self._target(pin.tier, pin.candidate)
                    canaries.append(
                        _Canary(
                            tier=pin.tier,
                            upgrade_id=pin.upgrade_id,
                            share=pin.share,
                            chain=(candidate, *(target for target in chains[pin.tier] if target.key != candidate.key)),
                        )
                    )
            except (RouterError, ValidationError, KeyError) as error:
                log.error("pin.unusable", tier=pin.tier, version=pin.version, why=_first_line(error))
        self._chains, self._canaries = chains, tuple(canaries)
        if pins:
            log.info("pins.adopted", pins=[pin.version for pin in pins])

    def _target(self, tier: str, spec: Mapping[str, Any]) -> Target:
        return target_of(tier, ModelSettings.model_validate(dict(spec)), self._settings, self._environ)


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
