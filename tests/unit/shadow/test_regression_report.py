"""Does the report name what got worse, say of the rest what could have been seen, and come when it is due, once?"""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import pytest

from shadow.configuration.weekly import trigger_of
from shadow.errors import ConfigError
from shadow.regressions.building import period_before, period_up_to, week_of
from shadow.regressions.findings import findings
from shadow.regressions.message import title
from shadow.regressions.page import standalone
from shadow.regressions.schedule import last_due
from shadow.regressions.text import markdown, text_lines
from shadow.settings import parse
from shadow.store.cell_sums import CellRow, Spread

TIERS = ("fast", "top")
NO_SESSIONS = Spread(alone=1.0, in_cells=1.0, together=1.0, cells=1000, sessions=1000)


def row(tier: str, kind: str, feature: str, pairs: int, bad: int, *, model: str = "m-1") -> CellRow:
    p = np.repeat([0.97, 0.04], [pairs - bad, bad])
    return CellRow(
        tier=tier,
        query_type=kind,
        feature=feature,
        model=model,
        requests=20.0 * pairs,
        sampled=1.1 * pairs,
        judged=float(pairs),
        w=20.0 * pairs,
        wp=20.0 * float(p.sum()),
        ww=400.0 * pairs,
        wwp=400.0 * float(p.sum()),
        wwpp=400.0 * float((p * p).sum()),
    )


def week(*, qa_bad: int = 40, model: str = "m-1") -> list[CellRow]:
    return [
        row("fast", "qa", "help <b>*desk*</b>", 600, qa_bad, model=model),
        row("fast", "code", "", 600, 42),
        row("top", "qa", "", 300, 6),
        row("top", "code", "", 30, 1),
    ]


def report(*weeks: list[CellRow], spread: Spread = NO_SESSIONS) -> dict[str, Any]:
    period = week_of(date(2026, 11, 16), weeks_before=len(weeks) - 1)
    return findings(weeks, spread, period=period, mode="route", tiers=TIERS)


def test_a_cell_that_got_worse_is_named_with_its_change_its_new_model_and_the_way_to_its_pairs() -> None:
    found = report(*[week()] * 4, week(qa_bad=100, model="m-2"))
    (worse,) = found["cells"]["worse"]
    assert (worse["tier"], worse["query_type"]) == ("fast", "qa")
    assert worse["change"]["low"] < worse["change"]["value"] < worse["change"]["high"] < 0
    assert worse["new_models"] == ["m-2"]
    assert len(worse["by_week"]) == 5
    assert "feature=help+%3Cb%3E%2Adesk%2A%3C%2Fb%3E" in worse["pairs"]["path"]
    assert found["headline"].startswith("1 of 3 tested cells got worse: fast/qa/help")
    assert {one["kind"] for one in found["marginals"]["worse"]} <= {"tier", "query_type", "feature", "all"}
    assert found["cells"]["not_testable"][0]["reason"] == "few_verdicts_now"
    assert json.loads(json.dumps(found)) == found
    text = "\n".join(text_lines(found, address="https://shadow.example.org"))
    assert "WORSE  fast / qa / help" in text
    assert "pairs: https://shadow.example.org/pairs?tier=fast" in text
    assert "new in this period: m-2 (100% of requests)" in text
    assert "help \\<b\\>\\*desk\\*" in markdown(found)
    page = standalone(found, address="https://shadow.example.org")
    assert "help &lt;b&gt;" in page
    assert "<b>" not in page
    assert page.count("<svg") > 6
    assert "http" not in page.replace("https://shadow.example.org", "").replace("http-equiv", "")


def test_a_quiet_week_says_so_in_one_line_with_what_could_have_been_seen() -> None:
    found = report(*[week()] * 5)
    assert title(found) == "Regressions, 16 to 22 Nov 2026: quiet"
    assert found["headline"].startswith("Quiet: none of 3 tested cells got worse; drops from ")
    assert found["headline"].count("\n") == 0
    assert "would have been found with power .8" in found["headline"]
    assert all(one["detectable"] >= 0.02 for one in found["cells"]["quiet"])
    clustered = report(*[week()] * 5, spread=Spread(alone=1.0, in_cells=1.9, together=2.5, cells=300, sessions=200))
    assert clustered["cells"]["tested"] == 3
    for one, other in zip(found["cells"]["quiet"], clustered["cells"]["quiet"], strict=True):
        assert one["detectable"] < other["detectable"]


def test_what_cannot_be_tested_is_said_as_such() -> None:
    assert "no verdicts of the weeks before" in report([], [], week())["headline"]
    assert "no requests in this period" in report(week(), [])["headline"]
    few = report([row("fast", "qa", "", 50, 2)], [row("fast", "qa", "", 40, 9)])
    assert few["headline"].startswith("Nothing could be tested: a cell needs to be worth 100 verdicts on either side")
    assert few["headline"].endswith("the largest is worth 40.")
    assert standalone(report([], []))
    assert text_lines(few)


def test_weeks_end_at_midnight_and_the_one_that_runs_includes_today() -> None:
    at = datetime(2026, 11, 23, 6, 0, tzinfo=UTC)
    found = period_before(at, days=7, weeks_before=4, bucket_seconds=900)
    assert (found.since, found.until) == (datetime(2026, 11, 16, tzinfo=UTC), datetime(2026, 11, 23, tzinfo=UTC))
    assert found.starts[0] == datetime(2026, 10, 19, tzinfo=UTC)
    assert period_up_to(at, days=7, weeks_before=4).since == datetime(2026, 11, 17, tzinfo=UTC)
    minutes = period_before(at + timedelta(seconds=31), days=1 / 1440, weeks_before=2, bucket_seconds=15)
    assert minutes.until == at + timedelta(seconds=30)
    assert minutes.starts[0] == at - timedelta(seconds=150)


@pytest.mark.parametrize(
    ("cron", "expected"),
    [
        ("0 6 * * 1", "2026-11-16 06:00"),  # Monday, as in cron
        ("0 6 * * 0", "2026-11-22 06:00"),
        ("0 6 * * fri-sun", "2026-11-22 06:00"),
        ("30 2 * * 2-5/2", "2026-11-19 02:30"),
        ("*/10 * * * *", "2026-11-23 05:50"),
        ("0 0 29 2 *", "2024-02-29 00:00"),
        ("15 3 1 * *", "2026-11-01 03:15"),
    ],
)
def test_the_last_run_of_any_schedule_is_found(cron: str, expected: str) -> None:
    found = last_due(trigger_of(cron), datetime(2026, 11, 23, 5, 59, tzinfo=UTC))
    assert found is not None
    assert f"{found:%Y-%m-%d %H:%M}" == expected


def test_the_very_minute_of_a_run_counts() -> None:
    at = datetime(2026, 11, 23, 6, 0, tzinfo=UTC)
    assert last_due(trigger_of("0 6 * * mon"), at) == at


@pytest.mark.parametrize(
    "cron", ["0 6 * *", "61 6 * * 1", "0 6 * * 8", "0 6 * * mon/x", "0 0 30 2 *", "nonsense of five wrong fields"]
)
def test_what_is_no_schedule_is_named(cron: str) -> None:
    content = {
        "providers": {"lab": {"base_url": "http://127.0.0.1:9/v1"}},
        "tiers": [
            {
                "name": n,
                "models": [
                    {"provider": "lab", "model": n, "price": {"input_usd_per_mtok": 1, "output_usd_per_mtok": 1}}
                ],
            }
            for n in TIERS
        ],
        "routing": {"thresholds": {"fast": 0.8}},
        "alerts": {"weekly": {"cron": cron}},
    }
    with pytest.raises(ConfigError, match=r"alerts\.weekly\.cron"):
        parse(content, source="tests")
