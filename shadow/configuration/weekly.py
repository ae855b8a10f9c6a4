"""When is the report of what got worse made, over what, and against what? The part `alerts.weekly`."""

from __future__ import annotations

from datetime import UTC, datetime

from apscheduler.triggers.cron import CronTrigger
from pydantic import Field, field_validator

from shadow.configuration.quality import Section

_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")


class WeeklySettings(Section):
    """The report of what got worse."""

    cron: str | None = Field(
        "0 6 * * mon",
        description="When, as five fields of cron in UTC (0 and 7 are Sunday); null: never. A run that was missed is made up"
        " once.",
    )
    days: float = Field(
        7.0,
        gt=0,
        le=92,
        description="Length of the period. Whole days end at midnight (UTC), anything else at a bucket.",
    )
    weeks_before: int = Field(
        4, ge=1, le=12, description="How many periods before it it is held against; fewer count where there are fewer."
    )

    wait_minutes: float = Field(
        60.0,
        ge=0,
        le=1440,
        description="How long after the end of the period the report waits at most for samples that are still to be judged.",
    )

    @field_validator("cron")
    @classmethod
    def _is_a_schedule(cls, cron: str | None) -> str | None:
        if cron is not None and trigger_of(cron).get_next_fire_time(None, datetime.now(UTC)) is None:
            raise ValueError(f"{cron!r} never comes")
        return cron


def trigger_of(cron: str) -> CronTrigger:
    """The trigger of five cron fields, in UTC. Raises ValueError in words for people.

    The library counts week days from Monday, cron from Sunday: they are named before it sees them.
    """
    fields = cron.split()
    if len(fields) != 5:
        raise ValueError(f"must have five fields (minute hour day month weekday), found {len(fields)}")
    minute, hour, day, month, weekday = fields
    try:
        return CronTrigger(
            minute=minute, hour=hour, day=day, month=month, day_of_week=_named_days(weekday), timezone="UTC"
        )
    except (ValueError, KeyError) as exc:
        raise ValueError(f"{cron!r} is no cron schedule: {exc}") from None


def _named_days(field: str) -> str:
    """`1-5` is `mon,tue,wed,thu,fri`; what is named already stays."""
    if field == "*":
        return field
    found: list[str] = []
    for part in field.lower().split(","):
        span, _, step = part.partition("/")
        first, dash, last = span.partition("-")
        low = 0 if first == "*" else _day(first)
        high = _day(last) if dash else 6 if first == "*" or step else low
        if step and (not step.isdigit() or int(step) < 1):
            raise ValueError(f"{step!r} is no step of week days")
        if high < low:
            high += 7
        found += [_DAYS[day % 7] for day in range(low, high + 1, int(step or 1))]
    return ",".join(dict.fromkeys(found))


def _day(word: str) -> int:
    if word in _DAYS:
        return _DAYS.index(word)
    if not word.isdigit() or int(word) > 7:
        raise ValueError(f"{word!r} is no week day")
    return int(word)
