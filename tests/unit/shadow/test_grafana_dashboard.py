"""The committed dashboard is what the code makes, and every panel explains itself."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from grafana_foundation_sdk.models.dashboard import Dashboard

from shadow.grafana.dashboard import UID, dashboard
from shadow.grafana.files import grafana_directory
from shadow.grafana.generate import dashboard_text
from shadow.grafana.rules import rules

ROOT = Path(__file__).resolve().parents[3]
MADE = dashboard()
PANELS: list[dict[str, Any]] = [panel for panel in MADE["panels"] if panel["type"] != "row"]


def test_grafanas_own_model_of_a_dashboard_reads_it() -> None:
    read = Dashboard.from_json(json.loads(dashboard_text()))
    assert read.uid == UID
    assert read.panels is not None
    assert len(read.panels) == len(MADE["panels"])


def test_uids_and_ids_are_unique() -> None:
    files = list((grafana_directory() / "dashboards").glob("*.json"))
    uids = [json.loads(path.read_text(encoding="utf-8"))["uid"] for path in files]
    assert sorted(uids) == sorted(set(uids)) == [UID]
    ids = [panel["id"] for panel in MADE["panels"]]
    assert sorted(ids) == sorted(set(ids))


@pytest.mark.parametrize("panel", PANELS, ids=lambda panel: str(panel["title"]))
def test_a_panel_has_a_title_a_description_a_unit_and_the_datasource(panel: dict[str, Any]) -> None:
    assert panel["title"]
    assert len(panel["description"]) > 40
    assert panel["description"].endswith(".")
    assert panel["datasource"] == {"type": "grafana-postgresql-datasource", "uid": "shadowtier-postgres"}
    assert all(target["datasource"] == panel["datasource"] and target["rawSql"] for target in panel["targets"])


def test_titles_are_unique() -> None:
    titles = [panel["title"] for panel in PANELS]
    assert sorted(titles) == sorted(set(titles))


def test_panels_do_not_overlap_and_fill_their_rows() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in MADE["panels"]:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & taken
        taken |= cells
    assert len(taken) == 24 * (max(y for _, y in taken) + 1)


def test_the_intervals_of_accuracy_and_cost_are_bands() -> None:
    filled = {
        panel["title"]
        for panel in PANELS
        for override in panel["fieldConfig"]["overrides"]
        for change in override["properties"]
        if override["matcher"]["options"] == "high" and (change["id"], change["value"]) == ("custom.fillBelowTo", "low")
    }
    assert filled == {"Accuracy of $tier", "Cost per success of $tier", "Noise floor"}


def test_every_query_file_is_used() -> None:
    used = {target["rawSql"] for panel in PANELS for target in panel["targets"]}
    used |= {variable["query"] for variable in MADE["templating"]["list"]}
    asked = [(rule["labels"]["kind"], rule["data"][0]["model"]["rawSql"]) for rule in rules()]
    used |= {sql.replace(f"'{kind}'", "'{kind}'") for kind, sql in asked}
    files = {path.read_text(encoding="utf-8").strip() for path in (grafana_directory() / "queries").glob("*.sql")}
    assert files == used


def test_the_provisioned_datasource_is_the_one_that_panels_name_and_holds_no_secret() -> None:
    text = (ROOT / "grafana/provisioning/datasources/shadowtier.yaml").read_text(encoding="utf-8")
    (source,) = yaml.safe_load(text)["datasources"]
    assert (source["type"], source["uid"]) == ("grafana-postgresql-datasource", "shadowtier-postgres")
    for value in (source["url"], source["user"], source["jsonData"]["database"], *source["secureJsonData"].values()):
        assert re.fullmatch(r"\$\{SHADOW_DB_[A-Z]+\}", value)


def test_compose_sets_what_the_provisioning_refers_to() -> None:
    folder = ROOT / "grafana/provisioning"
    wanted = set(
        re.findall(r"\$\{(\w+)\}", "".join(path.read_text(encoding="utf-8") for path in folder.rglob("*.yaml")))
    )
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
    assert wanted
    assert wanted <= set(compose["services"]["grafana"]["environment"])


def test_the_provisioned_dashboards_are_read_from_the_folder_that_compose_mounts() -> None:
    text = (ROOT / "grafana/provisioning/dashboards/shadowtier.yaml").read_text(encoding="utf-8")
    (provider,) = yaml.safe_load(text)["providers"]
    assert provider["options"]["path"] == "${SHADOW_DASHBOARDS}"
    assert provider["folderUid"] == "shadowtier"
