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
        "gold_drift": "a judge has become worse at the gold set",
        "gold_tampered": "the gold set is not what was frozen",
        "accuracy_drop": "judged accuracy fell, or the judge changed",
        "silent_model_change": "another model answers than was pinned",
        "model_behaviour": "a model behaves otherwise under an unchanged name",
        "canary_unheard": "canary runs tell nothing",
        "model_fingerprint": "another build of a pinned model answers",
        "upgrade": "an upgrade of a pinned model waits, was stopped or was taken back",
        "model_retires": "a pinned model will be switched off",
    }
)


def title_of(kind: str) -> str:
    """What a kind is called."""
    return TITLES.get(kind, kind.replace("_", " "))


def anchor_of(kind: str) -> str:
    """Where its section in the runbooks is: `gold_drift` is at `#gold_drift`."""
    return f"#{kind}"
