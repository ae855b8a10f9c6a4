"""How are the committed Grafana files made? `python -m shadow.grafana.generate` writes them; a test compares them."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import yaml

from shadow.grafana.dashboard import dashboard
from shadow.grafana.files import dashboard_file, grafana_directory
from shadow.grafana.rules import notification_file, rule_file

_RULES = "# Made by `python -m shadow.grafana.generate`. One rule per kind of alert, each with its runbook: docs/runbooks.md.\n"
_NOTIFICATION = """\
# Made by `python -m shadow.grafana.generate`. Who is told by Grafana: one webhook, its address from Grafana's environment.
# The policy replaces the whole tree of this Grafana: where others use it, leave this file out and route `service = shadowtier`.
"""


def dashboard_text() -> str:
    """The dashboard's file, byte for byte."""
    return json.dumps(dashboard(), indent=2, ensure_ascii=False) + "\n"


def files() -> dict[Path, str]:
    """Every generated file with its content."""
    alerting = grafana_directory() / "provisioning" / "alerting"
    return {
        dashboard_file(): dashboard_text(),
        alerting / "rules.yaml": _RULES + yaml.safe_dump(rule_file(), sort_keys=False, width=120, allow_unicode=True),
        alerting / "notification.yaml": _NOTIFICATION + yaml.safe_dump(notification_file(), sort_keys=False),
    }


def main() -> None:
    """Write the files where they are committed."""
    for path, text in files().items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        sys.stdout.write(f"{path}\n")


if __name__ == "__main__":
    main()
