"""What happens when a client rates an answer or asks for a better one?

The rating is recorded and confirmed (202). With `retry` the same request goes to the tier above the one that served it, and
the response is that of an ordinary completion, recorded as an exchange of its own (`extra["retry_of"]`, reason `feedback`).
Where keys are asked for, only the key that made a request may speak about it, for as long as the request is remembered.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

import orjson

from router.asgi import JSON, Client
from router.dialects.known import dialect_named
from router.errors import RequestRejected
from router.feedback import MAX_BODY_BYTES, Feedback, FeedbackRecorder, read_feedback
from router.feedback_memory import Remembered, RequestMemory
from router.feedback_retry import Retry
from router.inline import Inline
from router.pool import Pool
from router.telemetry import Telemetry


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedbackDesk:
    """Takes feedback. memory: None where nothing is remembered, so that nothing can be answered again."""

    inline: Inline
    pool: Pool
    recorder: FeedbackRecorder | None
    memory: RequestMemory | None
    telemetry: Telemetry

    async def take(self, client: Client, *, feedback_id: str, key_id: str | None, forwarded: Mapping[str, str]) -> None:
        """Read, record and answer. feedback_id: a new UUIDv7. Raises: RequestRejected, ClientGone."""
        body = await client.read_body(MAX_BODY_BYTES)
        feedback = read_feedback(body, feedback_id=feedback_id, at=datetime.now(UTC), key_id=key_id)
        known = self.memory.find(feedback.request_id) if self.memory is not None else None
        if known is not None and known.key_id != key_id:
            raise RequestRejected(
                403,
                "This request was made with another key; only that one may rate it.",
                code="not_your_request",
                param="request_id",
                kind="permission_error",
            )
        if self.recorder is None or not await self.recorder.record_feedback(feedback):
            raise RequestRejected(
                503, "The feedback could not be recorded; send it again.", code="not_recorded", kind="server_error"
            )
        self.telemetry.feedback(known.served_tier if known else "unknown", feedback.rating or "retry")
        if not feedback.retry:
            said = {"request_id": feedback.request_id, "rating": feedback.rating, "recorded": True}
            await client.respond(202, orjson.dumps(said), [JSON])
            return
        await self._answer_again(client, feedback, known, request_id=feedback_id, forwarded=forwarded)

    async def _answer_again(
        self,
        client: Client,
        feedback: Feedback,
        known: Remembered | None,
        *,
        request_id: str,
        forwarded: Mapping[str, str],
    ) -> None:
        if known is None:
            raise RequestRejected(
                410,
                "The feedback is recorded, but the request is no longer known here: send it again, with the tier of"
                " your choice as `model`.",
                code="request_forgotten",
                param="request_id",
            )
        above = self.pool.tiers[self.pool.rank(known.served_tier) + 1 :]
        if not above:
            raise RequestRejected(
                409,
                f"The feedback is recorded, but {known.served_tier!r} is the top tier: nobody better can be asked.",
                code="no_higher_tier",
                param="retry",
            )
        await self.inline.serve(
            client,
            dialect_named(known.dialect).read_request(known.body),
            request_id=request_id,
            pin=None,
            hints=known.hints,
            key_id=known.key_id,
            forwarded=forwarded,
            retry=Retry(of=feedback.request_id, tier=above[0]),
        )
