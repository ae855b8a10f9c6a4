"""Every kind of alert that is opened anywhere has a title, a runbook that says what to do, and a line in the guide."""

from __future__ import annotations

import ast
import importlib
import re
from pathlib import Path

from grafana_foundation_sdk.models.alerting import RuleGroup

from shadow.alarms.service import ALARMS
from shadow.alerting.kinds import RUNBOOKS, TITLES, anchor_of
from shadow.grafana.generate import files
from shadow.grafana.rules import WATCHDOGS, rule_file, rule_group

ROOT = Path(__file__).resolve().parents[3]


def opened_kinds() -> set[str]:
    """The kinds named by constants in calls of `open_alert`, and those of the alarms, which pass their own."""
    found = {alarm.kind for alarm in ALARMS}
    for path in sorted((ROOT / "shadow").rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        if "open_alert(" not in text:
            continue
        module = importlib.import_module(".".join(path.relative_to(ROOT).with_suffix("").parts))
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.Call) and getattr(node.func, "attr", getattr(node.func, "id", "")) == "open_alert":
                kind = next(keyword.value for keyword in node.keywords if keyword.arg == "kind")
                if isinstance(kind, ast.Constant):
                    found.add(str(kind.value))
                elif isinstance(kind, ast.Name) and hasattr(module, kind.id):
                    found.add(getattr(module, kind.id))
                elif isinstance(kind, ast.Attribute) and isinstance(kind.value, ast.Name) and kind.value.id != "alarm":
                    found.add(getattr(getattr(module, kind.value.id), kind.attr))
    return found


def test_every_kind_has_a_title_and_a_runbook_and_nothing_is_left_over() -> None:
    runbooks = (ROOT / "docs" / "runbooks.md").read_text(encoding="utf-8")
    sections = dict(re.findall(r"^## (\w+)\n(.*?)(?=^## |\Z)", runbooks, flags=re.MULTILINE | re.DOTALL))
    assert opened_kinds() <= set(TITLES)
    assert set(sections) == {*TITLES, *WATCHDOGS}
    for kind, text in sections.items():
        for part in ("**Means**", "**Look**", "**Do**"):
            assert part in text, f"{kind}: what about {part}?"
    linked = re.findall(r"\(#(\w+)\)", runbooks)
    assert set(linked) <= set(sections)
    guide = (ROOT / "docs" / "alerts.md").read_text(encoding="utf-8")
    assert [kind for kind in TITLES if f"`{kind}`" not in guide] == []
    assert RUNBOOKS.endswith("docs/runbooks.md")
    assert anchor_of("gold_drift") == "#gold_drift"


def test_every_kind_has_a_rule_of_grafanas_that_links_to_its_runbook() -> None:
    group = RuleGroup.from_json(rule_group(runbook_url="https://docs.example.org/r"))
    assert group.rules is not None
    links = {(rule.annotations or {})["runbook_url"] for rule in group.rules}
    assert links == {f"https://docs.example.org/r#{kind}" for kind in (*TITLES, *WATCHDOGS)}
    uids = [str(rule.uid) for rule in group.rules]
    assert len(set(uids)) == len(uids)
    assert all(re.fullmatch(r"[a-z0-9_-]{1,40}", uid) for uid in uids)
    assert all(rule.condition in {query.ref_id for query in rule.data or []} for rule in group.rules)


def test_the_committed_files_of_grafana_are_what_the_generator_makes() -> None:
    for path, text in files().items():
        assert path.read_text(encoding="utf-8") == text, "run python -m shadow.grafana.generate"
    summary = rule_file()["groups"][0]["rules"][0]["annotations"]["summary"]
    assert summary.endswith("({{ $$labels.key }})"), "Grafana would take one $ for the environment's"
    text = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
    assert "SHADOW_GRAFANA_WEBHOOK:" in text
