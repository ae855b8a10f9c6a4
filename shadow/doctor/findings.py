"""What is a finding, and how does a check that breaks become one?"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from judges.errors import JudgeError
from router.errors import RouterError
from shadow.errors import ShadowError

State = Literal["ok", "warn", "bad"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing looked at. remedy: what to do about it, "" where nothing is to be done. Holds no secret, ever."""

    name: str
    state: State
    detail: str
    remedy: str = ""


def ok(name: str, detail: str) -> Finding:
    return Finding(name=name, state="ok", detail=detail)


def warn(name: str, detail: str, remedy: str) -> Finding:
    return Finding(name=name, state="warn", detail=detail, remedy=remedy)


def bad(name: str, detail: str, remedy: str) -> Finding:
    return Finding(name=name, state="bad", detail=detail, remedy=remedy)


async def guarded(name: str, check: Callable[[], Awaitable[Sequence[Finding]]]) -> Sequence[Finding]:
    """What a check found. That it could not even look is a finding, too: a doctor does not die of the patient's illness."""
    try:
        return await check()
    except (ShadowError, RouterError, JudgeError) as exc:
        return [bad(name, line, "see the line itself") for line in str(exc).splitlines()]
    except Exception as exc:  # noqa: BLE001 - whatever it is, the other checks still have to run
        # The text of a foreign error may quote what it choked on, a key for instance; its kind says enough.
        return [bad(name, f"could not be looked at ({type(exc).__name__})", "run it again; if it stays, report it")]
