"""Which kinds of alerts are there, what are they called, and where does it say what to do? The registry; nothing else.

Every kind that is opened anywhere stands here and has a section in docs/runbooks.md: a test compares them.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

RUNBOOKS = "https://github.com/shadowtier/shadowtier/blob/main/docs/runbooks.md"

#: kind -> what it is called in a title.
TITLES: Mapping[str, str] = MappingProxyType(
    {
        "accuracy_drop": "judged accuracy fell, or the judge changed",
        "backlog": "samples wait too long",
        "budget": "a day's budget for shadow work runs out",
        "channel_down": "a channel of messages takes nothing",
        "coverage": "too few samples get a verdict",
        "gold_drift": "a judge has become worse at the gold set",
        "gold_tampered": "the gold set is not what was frozen",
        "job_failing": "a job of the scheduler fails again and again",
        "judge_failures": "a judge is not reached",
        "late_records": "records of requests come late",
        "mirror_failures": "mirrors fail",
        "model_behaviour": "a model behaves otherwise under an unchanged name",
        "canary_unheard": "canary runs tell nothing",
        "model_down": "a model answers nothing",
        "model_fingerprint": "another build of a pinned model answers",
        "model_retires": "a pinned model will be switched off",
        "silent_model_change": "another model answers than was pinned",
        "upgrade": "an upgrade of a pinned model waits, was stopped or was taken back",
    }
)


def title_of(kind: str) -> str:
    """What a kind is called."""
    return TITLES.get(kind, kind.replace("_", " "))


def anchor_of(kind: str) -> str:
    """Where its section in the runbooks is: `gold_drift` is at `#gold_drift`."""
    return f"#{kind}"
