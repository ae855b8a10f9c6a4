"""Where are the queries and the dashboards? `shadow/_grafana` in a wheel, `grafana/` beside the package in a checkout."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import shadow
from shadow.errors import ConfigError

_PACKAGE = Path(shadow.__file__).parent
DASHBOARD = "shadowtier.json"


def grafana_directory() -> Path:
    """The directory that holds queries, dashboards and provisioning. Raises: ConfigError for a broken installation."""
    for candidate in (_PACKAGE / "_grafana", _PACKAGE.parent / "grafana"):
        if (candidate / "queries").is_dir():
            return candidate
    raise ConfigError("the Grafana files are missing from this installation; reinstall shadowtier")


def query(name: str) -> str:
    """The SQL of one panel, with Grafana's macros in it."""
    return (grafana_directory() / "queries" / f"{name}.sql").read_text(encoding="utf-8").strip()


def dashboard_file() -> Path:
    return grafana_directory() / "dashboards" / DASHBOARD


def read_dashboard() -> dict[str, Any]:
    """The dashboard as it is installed."""
    content: dict[str, Any] = json.loads(dashboard_file().read_text(encoding="utf-8"))
    return content
