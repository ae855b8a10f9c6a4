"""After which judges may a panel stop? Stages of judges in the order they are asked: those that cost next to nothing are one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from judges.contracts import Judge

#: Judges of likeness. Where the structured judge has understood both answers, likeness of their texts is no evidence.
LIKENESS = frozenset({"lexical", "semantic"})
#: Asked always: what they find is shown, not only counted. They cost nothing.
ALWAYS = frozenset({"markers"})
_NEXT_TO_NOTHING = frozenset({"structured", "lexical", "markers"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """Judges asked one after the other, with a decision after the last. key: names all judges up to here: what is certified
    holds for what these leave undecided, and for nothing else."""

    key: str
    judges: tuple[Judge, ...]


def stages_of(judges: Sequence[Judge]) -> tuple[Stage, ...]:
    """The stages of a panel: a run of judges that cost next to nothing is one, each of the others is one by itself."""
    runs: list[list[Judge]] = []
    for judge in judges:
        cheap = kind_of(judge.name) in _NEXT_TO_NOTHING
        if runs and cheap and kind_of(runs[-1][-1].name) in _NEXT_TO_NOTHING:
            runs[-1].append(judge)
        else:
            runs.append([judge])
    asked: list[str] = []
    found: list[Stage] = []
    for run in runs:
        asked += [judge.name for judge in run]
        found.append(Stage(key="+".join(asked), judges=tuple(run)))
    return tuple(found)


def kind_of(name: str) -> str:
    """The judge's name without its version."""
    return name.partition("@")[0]
