"""Is the same model asked again after a failure, when, and what is the client told when nobody is left to ask?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random

from router.errors import AllFailed, UpstreamFailed
from router.pool import Target

PATIENCE_SECONDS = 2.0
FIRST_PAUSE_SECONDS, MAX_PAUSE_SECONDS = 0.1, 2.0
#: Added to what a provider's Retry-After says, so that those who waited together do not come back at one moment.
STAGGER_SECONDS = (0.005, 0.05)
_TRANSIENT = frozenset({408, 425, 429})
_DROPPED = frozenset({"connect", "reset"})
_BROKEN = frozenset({"cut", "error_event"})
_TIMEOUTS = frozenset({"timeout", "first_token", "idle"})


def is_transient(status: int) -> bool:
    """A status that may be another one a moment later."""
    return status in _TRANSIENT or status >= 500


def pause_seconds(
    failure: UpstreamFailed, *, retries: int, left_seconds: float, alone: bool, rng: Random
) -> float | None:
    """Seconds until the same model is asked again; None: do not. alone: nobody else is left to ask.

    An answer that broke off is asked for again only then: with somebody else at hand, that one is the better bet.
    """
    status = failure.http_status
    transient = failure.kind.startswith("http_") and status is not None and is_transient(status)
    if not (transient or failure.kind in _DROPPED or (alone and failure.kind in _BROKEN)):
        return None
    ceiling = min(MAX_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2**retries)
    pause = ceiling * (0.5 + 0.5 * rng.random())
    if failure.retry_after_seconds is not None:
        # "At once" is not taken at its word more than a little: it would be a way to be hammered.
        pause = max(failure.retry_after_seconds + rng.uniform(*STAGGER_SECONDS), min(pause, STAGGER_SECONDS[1]))
    limit = left_seconds if alone else min(left_seconds, PATIENCE_SECONDS + STAGGER_SECONDS[1])
    return pause if pause <= limit else None


@dataclass(slots=True)
class Trouble:
    """What went wrong in one search."""

    failures: list[UpstreamFailed] = field(default_factory=list)
    waits_seconds: list[float] = field(default_factory=list)  # until those who were not asked may be asked again
    counted: int = 0  # failures that speak against a model, not only for coming back later
    limited: bool = False  # somebody was not asked because its provider, or a limit of ours, said: later
    out_of_time: bool = False


def all_failed(plan: Sequence[Target], trouble: Trouble) -> AllFailed:
    """What the client is told.

    429 if rate or concurrency limits were the only trouble, 503 if nobody could be asked, 504 if time ran out, else 502.
    """
    asked = ", ".join(dict.fromkeys(f"{target.tier}/{target.model}" for target in plan))
    failures = trouble.failures
    waits = [*trouble.waits_seconds, *(f.retry_after_seconds for f in failures if f.retry_after_seconds is not None)]
    wait = max(1.0, min(waits, default=1.0))
    if not failures:
        if trouble.out_of_time and not waits:
            return AllFailed(504, "timeout", f"The time for this request is over ({asked}).")
        message = f"No model is available at the moment ({asked})."
        if trouble.limited:
            return AllFailed(429, "busy", message, retry_after_seconds=wait)
        return AllFailed(503, "unavailable", message, retry_after_seconds=wait)
    kinds = ", ".join(dict.fromkeys(failure.kind for failure in failures))
    message = f"No model could answer ({asked}): {kinds}."
    last = failures[-1]
    if all(failure.http_status == 429 for failure in failures):
        return AllFailed(429, last.kind, message, retry_after_seconds=wait)
    return AllFailed(504 if last.kind in _TIMEOUTS else 502, last.kind, message)
