"""When is somebody told about an alert, and in which words? Opened, worse, over; and only once while it flaps. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from shadow.alerting.kinds import title_of

Severity = Literal["info", "warning", "critical"]
#: What somebody was told last. snoozed: they asked not to be told for some time.
Told = Literal["open", "closed", "flapping", "snoozed"]
What = Literal["opened", "reopened", "raised", "resolved", "flapping", "settled", "still_open"]

RANK = {"info": 0, "warning": 1, "critical": 2}
#: One that is open again this soon is the same one.
REJOIN = timedelta(hours=24)
#: With more openings and closings than this within the window it is flapping, until nothing has changed for as long as settled.
FLAP_WINDOW, FLAP_CHANGES, SETTLED = timedelta(hours=24), 3, timedelta(hours=6)


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """An alert as it stands. changes: openings and closings within the flap window; told, told_severity: what was said last."""

    is_open: bool
    severity: Severity
    told: Told | None
    told_severity: Severity | None
    changes: int
    last_change_at: datetime
    snoozed_until: datetime | None
    closed_by: str | None


def what_to_tell(now: Standing, at: datetime) -> What | None:
    """What somebody should be told now; None: nothing."""
    worse = now.is_open and now.told_severity is not None and RANK[now.severity] > RANK[now.told_severity]
    if now.snoozed_until is not None and now.snoozed_until > at:
        return "raised" if worse else None
    if not now.is_open and (now.told in {None, "closed"} or now.closed_by is not None):
        return None
    if now.told == "flapping":
        settled = at - now.last_change_at >= SETTLED
        return "settled" if settled else "raised" if worse else None
    if now.changes > FLAP_CHANGES and now.told != "snoozed":
        is_news = worse or (now.told == "open") != now.is_open
        return "flapping" if is_news else None
    if not now.is_open:
        return "resolved"
    if now.told == "snoozed":
        return "still_open"
    if now.told == "open":
        return "raised" if worse else None
    return "reopened" if now.told == "closed" else "opened"


def told_after(what: What, *, is_open: bool, before: Told | None) -> Told:
    """What somebody knows once that is said."""
    if what == "flapping":
        return "flapping"
    if what == "raised" and before in {"flapping", "snoozed"}:
        return before  # still flapping, or still to be left alone, but known to be more severe
    return "open" if is_open else "closed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """A message about an alert. occasion: by which channels choose what they want."""

    title: str
    body: str
    occasion: Literal["opened", "raised", "resolved"]


def words_of(
    what: What,
    *,
    kind: str,
    key: str,
    severity: Severity,
    message: str,
    since: datetime,
    closed_at: datetime | None,
    changes: int,
) -> Words:
    """The message. since: the last opening. Instants are written in UTC."""
    heads = {
        "opened": severity.capitalize(),
        "reopened": f"{severity.capitalize()}, open again",
        "raised": f"{severity.capitalize()} now",
        "resolved": "Resolved",
        "flapping": "Flapping",
        "settled": "Settled, still open" if closed_at is None else "Settled, resolved",
        "still_open": f"{severity.capitalize()}, still open",
    }
    lines = [message if closed_at is None else f"It was: {message}"]
    if what == "flapping":
        hours, quiet = FLAP_WINDOW.total_seconds() / 3600, SETTLED.total_seconds() / 3600
        lines.append(
            f"It opened or closed {changes} times in {hours:.0f} hours and is {'open' if closed_at is None else 'closed'} now. "
            f"The next message comes when nothing has changed for {quiet:.0f} hours, or when it becomes more severe."
        )
    lines.append(
        f"Open since {_clock(since)}." if closed_at is None else f"Open {_clock(since)} to {_clock(closed_at)}."
    )
    if what == "raised":
        occasion: Literal["opened", "raised", "resolved"] = "raised"
    elif what == "resolved" or (what == "settled" and closed_at is not None):
        occasion = "resolved"
    else:
        occasion = "opened"
    return Words(title=f"{heads[what]}: {title_of(kind)} ({key})", body="\n".join(lines), occasion=occasion)


def _clock(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"
