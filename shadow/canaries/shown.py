"""How is a model's last canary run shown? Each prompt with the first answers and the newest one, and what the test says."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from shadow.canaries.prompts import Canaries
from shadow.store import canaries
from shadow.store.canaries import CanaryAnswer, CanaryRun
from shadow.store.engine import AsyncConnection


@dataclass(frozen=True, slots=True, kw_only=True)
class CanaryRow:
    """A prompt. first: (answer, how often), the most frequent first; now: None where it was not answered or is deleted."""

    prompt_id: str
    prompt: str
    first: tuple[tuple[str, int], ...]
    now: str | None
    changed: tuple[str, ...]  # aspects


@dataclass(frozen=True, slots=True, kw_only=True)
class CanaryView:
    """The newest run that changed, else the newest one, beside the first ones."""

    run: CanaryRun
    first_runs: int
    rows: tuple[CanaryRow, ...]


async def view_of(connection: AsyncConnection, asked: Canaries, provider: str, model: str) -> CanaryView | None:
    """None where the model was never asked. Changed prompts first, then in the order of the file."""
    runs = [
        run
        for run in await canaries.last_runs(connection, each=50)
        if (run.provider, run.model) == (provider, model) and run.state in ("first", "compared")
    ]
    if not runs:
        return None
    run = next((one for one in runs if one.changed), runs[0])
    first = await canaries.first_answers(connection, provider, model, run.version)
    now = await canaries.answers_of(connection, run.id)
    texts = {canary.id: canary.prompt for canary in asked.prompts}
    before: dict[str, Counter[str]] = {}
    for answers in first.values():
        for answer in answers:
            if answer.answer is not None:
                before.setdefault(answer.prompt_id, Counter())[answer.answer] += 1
    changed = changed_aspects(run)
    ids = [*texts, *sorted({*now, *before} - texts.keys())]
    rows = [
        CanaryRow(
            prompt_id=name,
            prompt=texts.get(name, ""),
            first=tuple(before.get(name, Counter()).most_common()),
            now=now.get(name, CanaryAnswer(prompt_id=name, outcome="none")).answer,
            changed=tuple(changed.get(name, ())),
        )
        for name in ids
    ]
    return CanaryView(run=run, first_runs=len(first), rows=tuple(sorted(rows, key=lambda row: not row.changed)))


def changed_aspects(run: CanaryRun) -> dict[str, list[str]]:
    """prompt -> aspects in which its answer is unlike all the first ones, of the aspects that the test says have changed."""
    found: dict[str, list[str]] = {}
    for look in run.looks:
        for prompt in look["changed"] if look["p"] <= look["level"] else ():
            found.setdefault(prompt, []).append(look["aspect"])
    return found


def run_text(run: CanaryRun | None, *, is_on: bool) -> str:
    """What to make of a model's newest run, in a few words."""
    if run is None:
        return "not asked yet" if is_on else "off"
    said = {
        "first": "learning how much it varies",
        "failed": f"{run.answered} prompts answered, too few",
        "shed": "no money left today",
        "compared": "as at first",
    }[run.state]
    return f"changed: {len(changed_aspects(run))} prompts" if run.changed else said


def run_json(run: CanaryRun) -> dict[str, Any]:
    """As values that `json.dumps` takes."""
    return {**asdict(run), "ran_at": run.ran_at.isoformat(), "cost_usd": str(run.cost_usd)}


def newest_by_model(runs: Sequence[CanaryRun]) -> Mapping[tuple[str, str], CanaryRun]:
    """The newest run of each model. runs: newest first by model."""
    return {(run.provider, run.model): run for run in reversed(runs)}
