"""Does the router understand what real providers send? Every recorded answer, replayed over HTTP and read back from the record.

    python tests/benchmarks/wire_recordings.py RECORDINGS.jsonl[.gz] [--verbose] [--json]

A line is {"id", "provider", "url", "method", "status", "request_body", "response_headers", "response_body"}, bodies as text.
A loopback provider gives each recorded answer as it was (status, headers, bytes, in pieces of 97) to a real router, whose client
is first one of the same dialect, sending the recorded request, then one of the other, sending a plain one, so that each answer is
also translated. Of each it is checked: the router is well, the client gets an answer or a clear error, and the record says
the text, finish reason, tool calls and usage that a plain reading of the recording finds. Shapes that the router has no adapter
for are counted, not replayed. Exit code 1: something is not as it should be.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))
import httpx
from wire.recordings import Facts, Recording, facts_of, read_recordings

from router.contracts import Exchange
from router.testing.configured import router_settings
from router.testing.provider import FakeProvider, status, streaming
from router.testing.server import RunningRouter

PIECE_BYTES = 97
MODELS = {"openai": "recorded-openai", "anthropic": "recorded-anthropic"}
PATHS = {"openai": "/v1/chat/completions", "anthropic": "/v1/messages"}
PLAIN = {"max_tokens": 100, "messages": [{"role": "user", "content": "What did they say?"}]}


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """What came of one recording for one client. wrong: what is not as it should be."""

    recording: Recording
    client: str
    http_status: int
    outcome: str
    wrong: tuple[str, ...]


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("recordings", type=Path)
    parser.add_argument("--verbose", action="store_true", help="a line for everything that is wrong or an error")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(arguments)
    if not options.recordings.is_file():
        parser.error(f"{options.recordings} is no file")
    recordings = list(read_recordings(options.recordings))
    replays = replayed([recording for recording in recordings if recording.kind])
    report = _report(recordings, replays)
    print(json.dumps(report) if options.json else _text(report))
    if options.verbose:
        for replay in replays:
            if replay.wrong or replay.outcome != "answered":
                print(
                    f"{replay.recording.id} {replay.recording.provider}, {replay.client} client: {replay.outcome}"
                    f" ({replay.http_status}) {'; '.join(replay.wrong)}",
                    file=sys.stderr,
                )
    return 1 if report["wrong"] else 0


def replayed(recordings: Sequence[Recording]) -> list[Replay]:
    """Each recording for a client of either dialect."""
    chains = {"fast": [MODELS["openai"]], "top": [MODELS["anthropic"]]}
    with FakeProvider() as provider, tempfile.TemporaryDirectory() as directory:
        settings = router_settings(
            provider.base_url,
            tiers=chains,
            kinds={"top": "anthropic"},
            provider={"max_retries": 0, "timeout_seconds": 5, "first_token_seconds": 5},
            routing={"breaker": {"failures": 1_000_000, "tier_failures": 1_000_000}, "drop_unsupported": True},
        )
        asked: list[tuple[Recording, str, httpx.Response]] = []
        with (
            RunningRouter(settings, Path(directory)) as router,
            httpx.Client(base_url=router.url, timeout=20, trust_env=False) as client,
        ):
            for recording in recordings:
                _prepare(provider, recording)
                asked += [(recording, dialect, _ask(client, recording, dialect)) for dialect in PATHS]
            healthy = client.get("/healthz").status_code == 200
            exchanges = {exchange.request_id: exchange for exchange in router.exchanges()}
    return [
        _checked(recording, dialect, response, exchanges.get(response.headers.get("x-shadow-request-id", "")), healthy)
        for recording, dialect, response in asked
    ]


def _prepare(provider: FakeProvider, recording: Recording) -> None:
    assert recording.kind is not None
    answer = (
        streaming([recording.body], piece_bytes=PIECE_BYTES)
        if recording.streamed and recording.status == 200
        else status(recording.status, recording.body, recording.headers)
    )
    provider.always(MODELS[recording.kind], answer)


def _ask(client: httpx.Client, recording: Recording, dialect: str) -> httpx.Response:
    assert recording.kind is not None
    fields = recording.request if dialect == recording.kind and recording.request else PLAIN
    body = {**fields, "model": MODELS[recording.kind], "stream": recording.streamed}
    if not recording.streamed:
        body.pop("stream_options", None)
    return client.post(PATHS[dialect], json=body)


def _checked(
    recording: Recording, client: str, response: httpx.Response, exchange: Exchange | None, healthy: bool
) -> Replay:
    wrong = [] if healthy else ["the router is not well"]
    outcome = "unrecorded"
    if exchange is None:
        wrong.append(f"there is no record: {response.text[:200]}")
    else:
        outcome = exchange.status if exchange.status == "answered" else f"{exchange.status}: {exchange.error_kind}"
        wrong += _differences(recording, client, response, exchange)
    return Replay(
        recording=recording, client=client, http_status=response.status_code, outcome=outcome, wrong=tuple(wrong)
    )


def _differences(recording: Recording, client: str, response: httpx.Response, exchange: Exchange) -> list[str]:
    if exchange.error_kind == "internal":
        return ["the router crashed"]
    if recording.status != 200:
        said = response.json()
        told = [] if "error" in said and exchange.status == "failed" else ["an error did not arrive as one"]
        if client == recording.kind and response.status_code == recording.status < 500 and recording.status != 429:
            told += [] if response.content == recording.body else ["the provider's words were changed"]
        return told
    facts = facts_of(recording)
    if facts.error:
        return [] if exchange.status == "failed" else ["an error inside a stream was not seen"]
    if exchange.status != "answered":
        if client == "anthropic" and recording.kind == "openai" and _unspeakable(recording):
            return []
        return [f"no answer: {exchange.error_kind}"]
    wrong = [
        f"{name}: {found!r}, not {expected!r}"
        for name, found, expected in _pairs(facts, exchange, native=client == recording.kind)
        if found != expected
    ]
    if client == recording.kind and not recording.streamed and response.content != recording.body:
        wrong.append("the provider's bytes were changed")
    return wrong


def _pairs(facts: Facts, exchange: Exchange, *, native: bool) -> list[tuple[str, Any, Any]]:
    calls = json.loads(exchange.tool_calls) if exchange.tool_calls else []
    usage = None if exchange.extra.get("usage") == "estimated" else (exchange.prompt_tokens, exchange.completion_tokens)
    reason = {"function_call": "tool_calls", "eos": "stop"}.get(exchange.finish_reason or "", exchange.finish_reason)
    expected = {"function_call": "tool_calls", "eos": "stop"}.get(facts.finish_reason or "", facts.finish_reason)
    return [
        ("text", exchange.completion, facts.text if native else facts.text or facts.refusal),
        ("finish reason", reason, "tool_calls" if facts.tool_calls and not native else expected),
        ("tool calls", tuple(call["function"]["name"] for call in calls), facts.tool_calls),
        ("usage", usage, facts.usage),
    ]


def _unspeakable(recording: Recording) -> bool:
    """A tool call whose arguments are no JSON object: a message has no place for it."""
    for choice in json.loads(recording.body)["choices"] if not recording.streamed else ():
        for call in choice["message"].get("tool_calls") or ():
            try:
                if not isinstance(json.loads(call["function"]["arguments"] or "{}"), dict):
                    return True
            except ValueError:
                return True
    return False


def _report(recordings: Sequence[Recording], replays: Sequence[Replay]) -> dict[str, Any]:
    answered = [replay for replay in replays if replay.outcome == "answered"]
    facts = {r.id: facts_of(r) for r in recordings if r.kind and r.status == 200}
    known = [facts[replay.recording.id] for replay in answered]
    return {
        "recordings": len(recordings),
        "replayed": len({replay.recording.id for replay in replays}),
        "by_provider": dict(Counter(r.provider for r in recordings if r.kind).most_common()),
        "skipped": dict(Counter(r.skipped for r in recordings if not r.kind).most_common()),
        "replays": len(replays),
        "streamed": sum(replay.recording.streamed for replay in replays),
        "answered": len(answered),
        "with_usage": sum(fact.usage is not None for fact in known),
        "with_finish_reason": sum(fact.finish_reason is not None for fact in known),
        "with_tool_calls": sum(bool(fact.tool_calls) for fact in known),
        "errors": dict(Counter(replay.outcome for replay in replays if replay.outcome != "answered").most_common()),
        "wrong": sum(bool(replay.wrong) for replay in replays),
    }


def _text(report: dict[str, Any]) -> str:
    def named(counts: dict[str, int]) -> str:
        return ", ".join(f"{name} {count}" for name, count in counts.items()) or "none"

    return "\n".join(
        [
            f"{report['recordings']} recordings, {report['replayed']} replayed: {named(report['by_provider'])}",
            f"not replayed: {named(report['skipped'])}",
            f"{report['replays']} replays, each to a client of either dialect, {report['streamed']} of them streamed",
            f"answered {report['answered']}: with usage {report['with_usage']}, finish reason"
            f" {report['with_finish_reason']}, tool calls {report['with_tool_calls']}",
            f"errors: {named(report['errors'])}",
            f"wrong: {report['wrong']}",
        ]
    )


if __name__ == "__main__":
    sys.exit(main())
