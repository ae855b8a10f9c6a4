"""What does the client learn beside the answer?"""

from __future__ import annotations

from decimal import Decimal

from router.asgi import Headers
from router.dialects.known import dialect_named
from router.journal import Journal
from router.pool import Pool, Target, expected_cost_usd
from router.results import Completed
from router.streaming import Relay

_LONGEST_HEADER = 2000


def decision_headers(journal: Journal) -> Headers:
    """What is known once there is a decision, whoever answers."""
    return [
        (b"x-shadow-request-id", journal.request_id.encode()),
        (b"x-shadow-policy", b"%d" % journal.policy_version),
        (b"x-shadow-confidence", b"%.4f" % journal.decision.confidence),
    ]


def answer_headers(
    pool: Pool, journal: Journal, target: Target, answering_model: str | None, cost_usd: Decimal
) -> Headers:
    """Who answered, how far above the predicted tier, and what all attempts cost together."""
    climbed = max(0, pool.rank(target.tier) - pool.rank(journal.decision.predicted))
    return [
        *decision_headers(journal),
        (b"x-shadow-tier", target.tier.encode()),
        (b"x-shadow-model", _visible(answering_model or target.model)),
        (b"x-shadow-escalations", b"%d" % climbed),
        (b"x-shadow-cost-usd", plain_decimal(cost_usd).encode()),
        *_dropped_header(journal, target),
    ]


def completed_headers(pool: Pool, journal: Journal, completed: Completed) -> Headers:
    """The same for a whole answer, whose cost is known and whose JSON was checked if it had to be JSON."""
    headers = [
        (b"content-type", completed.content_type),
        *answer_headers(pool, journal, completed.target, completed.answer.model, journal.cost_usd()),
        *request_id_header(journal, completed.request_id),
    ]
    if completed.validation is not None:
        headers.append((b"x-shadow-validation", completed.validation.encode()))
    return headers


def stream_headers(pool: Pool, journal: Journal, relay: Relay) -> Headers:
    """The same at the beginning of a stream, when its cost can only be estimated."""
    tokens = journal.features.conversation_tokens
    expected = expected_cost_usd(relay.target, tokens, journal.request.max_completion_tokens)
    return [
        (b"content-type", b"text/event-stream; charset=utf-8"),
        (b"cache-control", b"no-cache"),
        (b"x-accel-buffering", b"no"),
        *answer_headers(pool, journal, relay.target, relay.answer().model, journal.cost_usd() + expected),
        *request_id_header(journal, relay.request_id),
    ]


def request_id_header(journal: Journal, value: str | None) -> Headers:
    """The provider's own id of the request, for its support desk."""
    if not value:
        return []
    return [(dialect_named(journal.request.dialect).request_id_header(), _visible(value))]


def _dropped_header(journal: Journal, target: Target) -> Headers:
    """What of the request the answering model was not told, as its dialect has no word for it."""
    lost = journal.dropped.get(target.key) if journal.dropped else None
    return [(b"x-shadow-dropped", ",".join(lost)[:_LONGEST_HEADER].encode("ascii", "replace"))] if lost else []


def retry_after_header(seconds: float | None) -> Headers:
    """Whole seconds, rounded up."""
    return [] if seconds is None else [(b"retry-after", b"%d" % -int(-seconds // 1))]


def plain_decimal(value: Decimal) -> str:
    """A decimal without exponent and without trailing zeros."""
    return format(value.normalize() if value else Decimal(0), "f")


def _visible(value: str) -> bytes:
    """A header value from a foreign text: visible ASCII only."""
    value = value[:200]
    if value.isascii() and value.isprintable() and " " not in value:
        return value.encode()
    return "".join(c if "!" <= c <= "~" else "?" for c in value).encode()
