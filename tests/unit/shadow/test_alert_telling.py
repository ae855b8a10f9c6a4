"""People are told of an alert when it opens, gets worse and is over; and not each time while it flaps."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from shadow.alerting.telling import FLAP_WINDOW, SETTLED, Severity, Standing, Told, told_after, what_to_tell, words_of

START = datetime(2026, 3, 2, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


class Watched:
    """An alert, and what was said of it when."""

    def __init__(self) -> None:
        self.now = START
        self.is_open = False
        self.severity: Severity = "warning"
        self.told: Told | None = None
        self.told_severity: Severity | None = None
        self.changed_at: list[datetime] = []
        self.snoozed_until: datetime | None = None
        self.said: list[tuple[datetime, str]] = []

    def turn(self, is_open: bool, severity: Severity = "warning") -> None:
        if is_open != self.is_open:
            self.changed_at.append(self.now)
        self.is_open, self.severity = is_open, severity
        self.look()

    def passes(self, minutes: int) -> None:
        for _ in range(0, minutes, 10):
            self.now += 10 * MINUTE
            self.look()

    def look(self) -> None:
        if not self.changed_at:
            return
        what = what_to_tell(
            Standing(
                is_open=self.is_open,
                severity=self.severity,
                told=self.told,
                told_severity=self.told_severity,
                changes=sum(at > self.now - FLAP_WINDOW for at in self.changed_at),
                last_change_at=self.changed_at[-1],
                snoozed_until=self.snoozed_until,
                closed_by=None,
            ),
            self.now,
        )
        if what is not None:
            self.told, self.told_severity = told_after(what, is_open=self.is_open, before=self.told), self.severity
            self.said.append((self.now, what))

    @property
    def words(self) -> list[str]:
        return [what for _, what in self.said]


def test_it_is_told_when_it_opens_gets_worse_and_is_over_and_not_again_in_between() -> None:
    alert = Watched()
    for severity in ("warning", "warning", "critical", "warning", "critical"):
        alert.turn(True, severity)  # type: ignore[arg-type]
        alert.passes(60)
    alert.turn(False)
    alert.passes(600)
    assert alert.words == ["opened", "raised", "resolved"]


def test_one_that_flaps_is_told_of_once_and_again_when_it_has_settled() -> None:
    alert = Watched()
    for n in range(30):
        alert.turn(n % 2 == 0)
        alert.passes(20)
    assert alert.words == ["opened", "resolved", "reopened", "flapping"]
    alert.turn(True, "critical")
    assert alert.words[-1] == "raised", "that it is more severe is told all the same"
    alert.passes(400)
    assert alert.words[-1] == "settled"
    assert len(alert.said) == 6


def test_one_that_is_snoozed_is_told_of_at_the_end_unless_it_gets_worse() -> None:
    alert = Watched()
    alert.turn(True)
    alert.told, alert.snoozed_until = "snoozed", alert.now + 60 * MINUTE
    alert.passes(50)
    assert alert.words == ["opened"]
    alert.turn(True, "critical")
    alert.passes(30)
    assert alert.words == ["opened", "raised", "still_open"]


@given(
    st.lists(
        st.tuples(st.booleans(), st.sampled_from(["info", "warning", "critical"]), st.integers(1, 300)), max_size=60
    )
)
def test_whatever_happens_few_messages_come_and_the_last_one_is_right(
    steps: list[tuple[bool, Severity, int]],
) -> None:
    alert = Watched()
    for is_open, severity, minutes in steps:
        alert.turn(is_open, severity)
        alert.passes(minutes)
    for at, _ in alert.said:
        assert sum(at <= other < at + timedelta(hours=6) for other, _ in alert.said) <= 8
    alert.passes(round((FLAP_WINDOW + SETTLED).total_seconds() / 60))
    assert alert.told == (None if not alert.changed_at else "open" if alert.is_open else "closed")


def test_the_words_name_what_it_is_and_what_follows() -> None:
    said = words_of(
        "flapping",
        kind="gold_drift",
        key="rubric@1/accept",
        severity="warning",
        message="12 of 60 worse",
        since=START,
        closed_at=None,
        changes=4,
    )
    assert said.title == "Flapping: a judge has become worse at the gold set (rubric@1/accept)"
    assert "4 times in 24 hours and is open now" in said.body
    assert said.occasion == "opened"
