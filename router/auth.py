"""Who may use the router?

On loopback: everybody on the machine. Beyond it only with `SHADOW_API_KEYS` set, a comma-separated list; when it is set, keys
are asked for on loopback, too. Only hashes are kept and compared, in constant time. An exchange names its key by the first
twelve hexadecimal digits of the SHA-256.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from router.errors import HostNotAllowed, RequestRejected

VARIABLE = "SHADOW_API_KEYS"
_KEY_ID_LENGTH = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRing:
    """The accepted keys, as SHA-256 digests. Empty: no key is asked for."""

    digests: tuple[bytes, ...]

    @classmethod
    def of(cls, environ: Mapping[str, str], *, host: str) -> KeyRing:
        """Raises: HostNotAllowed when the host is reachable from elsewhere and there are no keys."""
        keys = [key.strip() for key in environ.get(VARIABLE, "").split(",") if key.strip()]
        if not keys and not is_loopback(host):
            raise HostNotAllowed(
                [
                    f"server.host: {host} is reachable from other machines; set {VARIABLE} to a comma-separated list of keys"
                ]
            )
        return cls(digests=tuple(hashlib.sha256(key.encode()).digest() for key in keys))

    def check(self, headers: Iterable[tuple[bytes, bytes]]) -> str | None:
        """The id of the key in the headers of a request; None where none is asked for. Raises: RequestRejected (401).

        A key comes as `Authorization: Bearer`, or as `x-api-key`, as Anthropic's clients send theirs.
        """
        if not self.digests:
            return None
        given = dict(headers)
        scheme, _, key = given.get(b"authorization", b"").partition(b" ")
        if scheme.lower() != b"bearer":
            key = given.get(b"x-api-key", b"")
        digest = hashlib.sha256(key.strip()).digest()
        known = [hmac.compare_digest(digest, accepted) for accepted in self.digests]  # all of them: constant time
        if not any(known):
            raise RequestRejected(
                401,
                "A valid key is needed: Authorization: Bearer <key>, or x-api-key: <key>.",
                code="invalid_api_key",
                kind="authentication_error",
            )
        return digest.hex()[:_KEY_ID_LENGTH]


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach it."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
