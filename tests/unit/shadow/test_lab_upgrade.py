"""Do proposed upgrades end as they should where the truth is known?"""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from shadow.cli.lab import lab


@pytest.mark.parametrize(
    ("scenario", "end"), [("upgrade-better", "approved"), ("upgrade-same", "approved"), ("upgrade-worse", "harmed")]
)
def test_upgrades_end_as_they_should_and_rarely_wrongly_at_the_boundary(scenario: str, end: str) -> None:
    done = CliRunner().invoke(lab, ["--scenario", scenario, "--repeat", "25", "--seed", "2", "--json"])
    assert done.exit_code == 0, done.output
    found = json.loads(done.output)
    assert [row["met"] for row in found["rows"]] == [True, True]
    assert found["ends"][end] == found["rows"][0]["share"]
    example = found["example"]
    assert example["pairs"]["labelled"] > 0
    assert example["labels_alone"]["interval"]["n"] == example["pairs"]["labelled"]
    assert example["cost_ratio"]["value"] == pytest.approx(0.5)
