"""What did come of each fault? Runs the cases on real sockets, holds them to what is promised, and prints a table.

python -m router.testing.fault_table
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import httpx
import orjson
import structlog

from router.contracts import Exchange
from router.settings import RouterSettings
from router.testing.completions import MODEL_SUFFIX
from router.testing.configured import router_settings
from router.testing.fault_cases import CASES, MODES, Case, Mode
from router.testing.provider import FakeProvider
from router.testing.server import RunningRouter

_MESSAGES = [{"role": "user", "content": "What is the capital of France?"}]
_AT_ONCE = 6  # cases that run at the same time, each with a provider and a router of its own


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What came of a case in one mode. problems: what is not as promised."""

    case: str
    mode: Mode
    outcome: str
    attempts: tuple[str, ...]
    seconds: float
    problems: tuple[str, ...]


def run_all(cases: Sequence[Case] = CASES) -> list[Row]:
    """Every case in every mode, several at a time. Cost: some 30 s, nearly all of it waiting."""
    pairs = [(case, mode) for case in cases for mode in MODES]
    # Where milliseconds are promised nothing else runs beside it.
    alone = {(case.name, mode): run(case, mode) for case, mode in pairs if case.again_seconds}
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return list(pool.map(lambda pair: alone.get((pair[0].name, pair[1])) or run(*pair), pairs))


def run(case: Case, mode: Mode) -> Row:
    """One request to a faulty provider, then two to a healthy one."""
    problems: list[str] = []
    with tempfile.TemporaryDirectory() as directory, FakeProvider() as provider:
        for model in case.models:
            provider.then(model, *case.script)
            if case.always is not None:
                provider.always(model, case.always)
        with RunningRouter(_settings(provider.base_url), Path(directory)) as router, httpx.Client(timeout=20) as client:
            began = time.monotonic()
            answer = _ask(client, router, mode, case)
            seconds = time.monotonic() - began
            if case.again_seconds is not None:
                gap = provider.seen_at[1] - provider.seen_at[0]
                if not case.again_seconds[0] <= gap <= case.again_seconds[1]:
                    problems.append(f"asked again after {gap:.3f} s")
            provider.heal()
            problems += _afterwards(client, router, case, mode)
            router.stop()
            exchanges = router.exchanges()
    outcome = _outcome(answer, mode)
    problems += _problems(case, mode, answer, outcome, exchanges, seconds)
    attempts = tuple(f"{a.model} {a.outcome}" for a in exchanges[0].attempts) if exchanges else ()
    return Row(case=case.name, mode=mode, outcome=outcome, attempts=attempts, seconds=seconds, problems=tuple(problems))


def _settings(base_url: str) -> RouterSettings:
    settings = router_settings(base_url)
    top = settings.tiers[1].models[0].model_copy(update={"context_tokens": 1_280_000})
    return settings.model_copy(
        update={"tiers": (settings.tiers[0], settings.tiers[1].model_copy(update={"models": (top,)}))}
    )


def _ask(client: httpx.Client, router: RunningRouter, mode: Mode, case: Case, *, model: str = "auto") -> httpx.Response:
    body = {"model": model, "messages": _MESSAGES, "stream": mode != "whole", **case.body}
    headers = {"x-shadow-hold": "full"} if mode == "held" else {}
    return client.post(f"{router.base_url}/chat/completions", json=body, headers=headers)


def _outcome(answer: httpx.Response, mode: Mode) -> str:
    """What the client sees, in a few words."""
    if answer.status_code != 200:
        return f"error {answer.status_code}: {orjson.loads(answer.content)['error']['message'][:60]}"
    model = answer.headers["x-shadow-model"].removesuffix(MODEL_SUFFIX)
    if mode == "whole":
        orjson.loads(answer.content)["choices"][0]["message"]
        return f"answer of {model}"
    last = answer.content.rstrip().rpartition(b"\n")[2].removeprefix(b"data: ")
    if last == b"[DONE]":
        return f"answer of {model}"
    return f"in-band error {orjson.loads(last)['error']['code']}"


def _afterwards(client: httpx.Client, router: RunningRouter, case: Case, mode: Mode) -> list[str]:
    """Does the same process serve on when the provider is well again?"""
    found: list[str] = []
    expected = "error 429" if case.paused else "answer of top-a"
    for _ in range(2):
        outcome = _outcome(_ask(client, router, mode, case, model="top"), mode)
        if not outcome.startswith(expected):
            found.append(f"afterwards: {outcome}")
    if client.get(f"{router.url}/healthz").status_code != 200:
        found.append("/healthz is not well")
    until = time.monotonic() + 3
    # The look itself is in progress while it is counted.
    while "shadow_requests_in_progress 1.0" not in client.get(f"{router.url}/metrics").text:
        if time.monotonic() > until:
            found.append("a request is still in progress")
            break
    return found


def _problems(
    case: Case, mode: Mode, answer: httpx.Response, outcome: str, exchanges: Sequence[Exchange], seconds: float
) -> list[str]:
    found: list[str] = []
    end, held = case.ends[mode], mode == "held"
    promised = {
        "answer": f"answer of {end.what}",
        "error": f"error {end.what}: No model could answer",
        "broken": f"in-band error {end.what}",
        "passed": f"error {end.what}: ",
    }[end.kind]
    if not outcome.startswith(promised):
        found.append(f"promised: {promised}")
    if end.kind == "passed" and "No model" in outcome:
        found.append("the provider's own words were promised")
    if not end.seconds[0] <= seconds <= end.seconds[1]:
        found.append(f"{seconds:.2f} s, promised {end.seconds[0]:g} to {end.seconds[1]:g}")
    ids = [exchange.request_id for exchange in exchanges]
    if len(ids) != 3 or len(set(ids)) != 3 or ids[0] != answer.headers["x-shadow-request-id"]:
        return [*found, f"{len(ids)} exchanges for 3 requests"]
    exchange = exchanges[0]
    outcomes = tuple(attempt.outcome for attempt in exchange.attempts)
    if outcomes != end.attempts:
        found.append(f"attempts {outcomes}, promised {end.attempts}")
    if (exchange.status == "answered") != (end.kind == "answer"):
        found.append(f"recorded as {exchange.status}")
    if end.kind == "answer" and exchange.served_model != end.what + MODEL_SUFFIX:
        found.append(f"served by {exchange.served_model}")
    if exchange.cost_usd != sum(attempt.cost_usd for attempt in exchange.attempts):
        found.append("the cost is not that of the attempts")
    said_something = {"ok", "empty", "schema"}
    if end.kind == "broken" or (held and case.ends["streamed"].kind == "broken"):
        said_something.add(outcomes[0])
    if free := [
        attempt.outcome for attempt in exchange.attempts if attempt.outcome in said_something and not attempt.cost_usd
    ]:
        found.append(f"attempts without cost: {free}")
    return found


def main() -> int:
    """Print the table; 1 when anything is not as promised."""
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    began = time.monotonic()
    rows = run_all()
    wide = max(len(row.case) for row in rows)
    for row in rows:
        mark = "ok " if not row.problems else "BAD"
        attempts = ", ".join(row.attempts)
        name = row.case if row.mode == MODES[0] else ""
        sys.stdout.write(
            f"{mark} {name:<{wide}}  {row.mode:<8}  {row.seconds:5.2f} s  {row.outcome:<32.32}  {attempts}\n"
        )
        sys.stdout.writelines(f"      ! {problem}\n" for problem in row.problems)
    bad = sum(bool(row.problems) for row in rows)
    sys.stdout.write(f"\n{len(rows)} rows, {bad} not as promised, {time.monotonic() - began:.0f} s\n")
    return 1 if bad else 0


if __name__ == "__main__":
    raise SystemExit(main())
