"""What can go wrong in the router, and who is told?

RouterError
├── ConfigInvalid            the configuration contradicts itself: printed as lines, exit code 2
│   ├── PriceUnknown         a model without a price
│   ├── ApiKeyMissing        a provider's `api_key_env` names a variable that is not set
│   ├── HostNotAllowed       listening beyond loopback without SHADOW_API_KEYS
│   ├── ModelUnusable        the directory of the learned scorer is missing, damaged or made for other tiers
│   └── EmbeddingUnavailable an embedding is asked for whose package is not installed
├── StartFailed              the machine says no: one line, exit code 2
│   ├── PortTaken
│   └── DataDirNotWritable
├── RequestRejected          the client's mistake, answered as OpenAI error JSON (4xx)
├── UpstreamFailed           one attempt at one model failed; dispatch decides what happens next
├── AllFailed                no model of the plan answered: 429, 502, 503 or 504 for the client
├── ClientGone               the client hung up before its request was complete
├── LineUnreadable           a spool line is no exchange
└── PolicyUnreadable         the policy file is no policy
"""

# The names say what happened and read well in `except`; a suffix would add nothing.
# ruff: noqa: N818

from __future__ import annotations

from collections.abc import Sequence


class RouterError(Exception):
    """Root of everything the router raises on purpose."""


class ConfigInvalid(RouterError):
    """The configuration contradicts itself. `problems` holds one readable line for each contradiction."""

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(self.problems))


class PriceUnknown(ConfigInvalid):
    """At least one model has neither a price in the configuration nor one in the price table."""


class ApiKeyMissing(ConfigInvalid):
    """A provider names an environment variable for its key, and that variable is not set."""


class HostNotAllowed(ConfigInvalid):
    """The router would listen beyond this machine without asking anybody for a key."""


class ModelUnusable(ConfigInvalid):
    """The directory of a trained model is missing or damaged, or the model was trained for other tiers."""


class EmbeddingUnavailable(ConfigInvalid):
    """An embedding is asked for, and a package that it needs is not installed."""


class StartFailed(RouterError):
    """The router could not start for a reason outside its configuration. The message is one line for the operator."""


class PortTaken(StartFailed):
    """Somebody else listens on the address."""


class DataDirNotWritable(StartFailed):
    """The spool directory cannot be created or written."""


class RequestRejected(RouterError):
    """The client asked for something it cannot have. Rendered as OpenAI error JSON with `status`."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        code: str | None = None,
        param: str | None = None,
        kind: str = "invalid_request_error",
    ) -> None:
        self.status = status
        self.message = message
        self.code = code
        self.param = param
        self.kind = kind
        super().__init__(message)


class UpstreamFailed(RouterError):
    """One attempt failed.

    kind: "connect", "reset", "timeout", "first_token", "idle", "cut", "bad_body", "error_event" or "http_<status>".
    """

    def __init__(
        self,
        kind: str,
        detail: str = "",
        *,
        http_status: int | None = None,
        retry_after_seconds: float | None = None,
    ) -> None:
        self.kind = kind
        self.detail = detail
        self.http_status = http_status
        self.retry_after_seconds = retry_after_seconds
        super().__init__(f"{kind}: {detail}" if detail else kind)


class AllFailed(RouterError):
    """Nobody answered. `status` and `retry_after_seconds` are for the client; `kind` names the last failure."""

    def __init__(self, status: int, kind: str, message: str, *, retry_after_seconds: float | None = None) -> None:
        self.status = status
        self.kind = kind
        self.message = message
        self.retry_after_seconds = retry_after_seconds
        super().__init__(message)


class ClientGone(RouterError):
    """The client hung up before its request was complete: nothing to answer, nothing to record."""


class LineUnreadable(RouterError):
    """A line of the spool does not hold an exchange (torn by a crash, or written by something else)."""


class PolicyUnreadable(RouterError):
    """The policy file is not JSON of the expected shape, or does not fit the configured tiers."""
