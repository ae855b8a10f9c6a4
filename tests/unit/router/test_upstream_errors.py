"""Has every foreign error a name here, and is Retry-After read in all its spellings?"""

import random

import aiohttp
import pytest

from router.auth import KeyRing
from router.errors import HostNotAllowed, RequestRejected, UpstreamFailed
from router.retries import FIRST_PAUSE_SECONDS, PATIENCE_SECONDS, pause_seconds
from router.upstream import parse_retry_after, translated

KINDS = {"connect", "reset", "timeout", "cut", "bad_body"}


def every_subclass(kind):
    yield kind
    for sub in kind.__subclasses__():
        yield from every_subclass(sub)


def raised(kind):
    """An instance, whatever its constructor wants and its text needs."""
    return type(kind.__name__, (kind,), {"__init__": lambda self: None, "__str__": lambda self: "text"})()


@pytest.mark.parametrize("kind", sorted(set(every_subclass(aiohttp.ClientError)), key=lambda kind: kind.__name__))
def test_every_error_of_the_client_library_is_translated(kind):
    error = raised(kind)
    assert translated(error, waiting="timeout").kind in KINDS
    assert translated(error, waiting="idle", started=True).kind in {*KINDS, "idle"}


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (TimeoutError(), "first_token"),
        (ConnectionResetError(), "reset"),
        (aiohttp.ServerDisconnectedError(), "reset"),
        (aiohttp.ConnectionTimeoutError(), "connect"),
        (aiohttp.ClientPayloadError(), "cut"),
        (ValueError("bad address"), "connect"),
    ],
)
def test_the_common_ones_have_the_expected_names(error, kind):
    assert translated(error, waiting="first_token").kind == kind


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"Retry-After": "7"}, 7.0),
        ({"Retry-After": "0.5"}, 0.5),
        ({"Retry-After": "-3"}, 0.0),
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": "nan"}, None),
        ({"Retry-After": "inf"}, None),
        ({"retry-after-ms": "250", "Retry-After": "9"}, 0.25),
        ({"Retry-After": "Thu, 01 Jan 1970 00:01:40 GMT"}, 60.0),
        ({"Retry-After": "Thu, 01 Jan 1970 00:00:10 GMT"}, 0.0),
    ],
)
def test_retry_after_is_read_in_all_its_spellings(headers, seconds):
    assert parse_retry_after(headers, 40.0) == seconds


RNG = random.Random(1)


def pause(failure, *, retries=0, left=60.0, alone=False):
    return pause_seconds(failure, retries=retries, left_seconds=left, alone=alone, rng=random.Random(1))


def test_pauses_grow_with_jitter_and_retry_after_replaces_them():
    busy = UpstreamFailed("http_503", http_status=503)
    for retries in range(4):
        ceiling = FIRST_PAUSE_SECONDS * 2**retries
        assert all(ceiling / 2 <= pause(busy, retries=retries) <= ceiling for _ in range(20))
    named = UpstreamFailed("http_429", http_status=429, retry_after_seconds=1.5)
    assert all(
        1.5 < pause_seconds(named, retries=retries, left_seconds=60, alone=False, rng=RNG) <= 1.55
        for retries in range(4)
    )


def test_come_back_at_once_is_not_taken_at_its_word():
    named = UpstreamFailed("http_429", http_status=429, retry_after_seconds=0.0)
    assert pause(named) > 0
    assert all(pause(named, retries=retries) <= 0.2 for retries in range(4))


def test_a_pause_beyond_patience_or_deadline_means_moving_on():
    late = UpstreamFailed("http_429", http_status=429, retry_after_seconds=PATIENCE_SECONDS + 1)
    assert pause(late) is None
    assert pause(late, alone=True) > PATIENCE_SECONDS + 1
    assert pause(late, alone=True, left=1.0) is None


@pytest.mark.parametrize("kind", ["timeout", "first_token", "bad_body", "error_event", "http_401", "http_302"])
def test_what_will_not_pass_is_not_asked_again(kind):
    status = int(kind[5:]) if kind.startswith("http_") else None
    assert pause(UpstreamFailed(kind, http_status=status)) is None


@pytest.mark.parametrize("kind", ["cut", "error_event"])
def test_a_broken_answer_is_asked_for_again_only_where_nobody_else_is_left(kind):
    assert pause(UpstreamFailed(kind, http_status=200)) is None
    assert pause(UpstreamFailed(kind, http_status=200), alone=True) is not None


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost", "127.8.8.8", "[::1]"])
def test_loopback_needs_no_key(host):
    assert KeyRing.of({}, host=host).check([]) is None


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.1", "example.com"])
def test_anything_else_does(host):
    with pytest.raises(HostNotAllowed):
        KeyRing.of({"SHADOW_API_KEYS": " , "}, host=host)
    ring = KeyRing.of({"SHADOW_API_KEYS": "one,two"}, host=host)
    assert ring.check([(b"authorization", b"Bearer one")]) != ring.check([(b"authorization", b"bearer two")])
    assert ring.check([(b"x-api-key", b"one")]) == ring.check([(b"authorization", b"Bearer one")])
    for wrong in (b"", b"Bearer", b"Bearer ", b"one", b"Bearer three", b"Basic one"):
        with pytest.raises(RequestRejected):
            ring.check([(b"authorization", wrong)])
    for headers in ([], [(b"x-api-key", b"three")], [(b"authorization", b"Bearer three"), (b"x-api-key", b"one")]):
        with pytest.raises(RequestRejected):
            ring.check(headers)
