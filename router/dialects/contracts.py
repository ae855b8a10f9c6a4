"""What must a dialect be able to do?

A dialect is one vendor's way to ask for a completion over HTTP. Inside the router facts have one form, whoever said them:
`ChatRequest`, `Features`, `Answer` (tool calls and finish reasons in OpenAI's words). Only bytes differ.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from router.answers import Answer
    from router.chat import ChatRequest


class StreamReader(Protocol):
    """Follows one streamed answer, event by event, and gathers what was said."""

    began: bool  # something was said that a client has to see
    done: bool  # the provider said that the answer is complete; what comes behind is not looked at

    @property
    def finished(self) -> bool:
        """The model said that it is finished, whether or not the provider has said goodbye."""
        ...

    def take(self, event: bytes) -> Mapping[str, Any] | None:
        """The payload of an event; None for a comment, a keep-alive and the event that ends the stream.

        Raises: UpstreamFailed ("bad_body", "error_event").
        """
        ...

    def is_for_client(self, payload: Mapping[str, Any] | None) -> bool:
        """False for what we asked for and the client did not."""
        ...

    def answer(self) -> Answer:
        """What was said so far."""
        ...


class Dialect(Protocol):
    """One way to ask and to answer. Stateless."""

    name: str  # as recorded in `Exchange.dialect`
    end_event: bytes  # what ends a stream
    keep_alive: bytes  # what says in a stream that something will come
    native_headers: tuple[
        str, ...
    ]  # of a client, lower case: they belong to the request and go where the dialect is spoken

    def read_request(self, body: bytes) -> ChatRequest:
        """Check a client's body as far as we rely on it. Raises: RequestRejected (400) that names the field."""
        ...

    def read_answer(self, body: bytes) -> Answer:
        """Read an answer that was not streamed. Raises: UpstreamFailed ("bad_body")."""
        ...

    def reader(self, *, usage_wanted: bool) -> StreamReader:
        """Follow a streamed answer. usage_wanted: the client itself asked for a usage chunk."""
        ...

    def streamed(self, body: bytes, *, usage_wanted: bool) -> bytes:
        """A whole answer as the events of a stream, the end included. Raises: UpstreamFailed ("bad_body")."""
        ...

    def error_body(
        self, status: int, message: str, *, kind: str | None = None, code: str | None = None, param: str | None = None
    ) -> bytes:
        """An error for a client. kind: its type where the dialect leaves the choice."""
        ...

    def error_event(self, message: str, code: str) -> bytes:
        """An error inside a stream that has begun, in the shape that the dialect's clients raise."""
        ...

    def error_message(self, body: bytes) -> tuple[str, str | None]:
        """(what, code) of a provider's error body; never fails."""
        ...

    def request_id_header(self) -> bytes:
        """Name of the response header in which a client looks for the provider's id of a request."""
        ...

    def key_headers(self, api_key: str | None) -> dict[str, str]:
        """Headers that every call to a provider needs: its key, and the version of the API."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Translated:
    """A request in another dialect. fields: without a model id. lost: paths of what could not be carried over, in order."""

    fields: Mapping[str, Any]
    lost: tuple[str, ...] = ()


class StreamTranslator(Protocol):
    """Says one stream in another dialect. Feed it every payload, then ask for the end."""

    def take(self, payload: Mapping[str, Any]) -> bytes:
        """The events that this payload becomes; b"" for none. Raises: UpstreamFailed ("bad_body")."""
        ...

    def end(self) -> bytes:
        """The events that end the stream."""
        ...
