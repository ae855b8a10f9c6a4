"""Every kind of alert that is opened anywhere has a title, a runbook that says what to do, and a line in the guide."""

from __future__ import annotations

import ast
import importlib
import re
from pathlib import Path

from shadow.alarms.service import ALARMS
from shadow.alert_kinds import RUNBOOKS, TITLES, anchor_of

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
    assert set(sections) == set(TITLES)
    for kind, text in sections.items():
        for part in ("**Means**", "**Look**", "**Do**"):
            assert part in text, f"{kind}: what about {part}?"
    linked = re.findall(r"\(#(\w+)\)", runbooks)
    assert set(linked) <= set(sections)
    guide = (ROOT / "docs" / "alerts.md").read_text(encoding="utf-8")
    assert [kind for kind in TITLES if f"`{kind}`" not in guide] == []
    assert RUNBOOKS.endswith("docs/runbooks.md")
    assert anchor_of("gold_drift") == "#gold_drift"
