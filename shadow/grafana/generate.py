"""How is the committed dashboard made? `python -m shadow.grafana.generate` writes it; a test holds it against the code."""

from __future__ import annotations

import json
import sys

from shadow.grafana.dashboard import dashboard
from shadow.grafana.files import dashboard_file


def dashboard_text() -> str:
    """The file's content, byte for byte."""
    return json.dumps(dashboard(), indent=2, ensure_ascii=False) + "\n"


def main() -> None:
    """Write the dashboard where it is committed."""
    dashboard_file().parent.mkdir(parents=True, exist_ok=True)
    dashboard_file().write_text(dashboard_text(), encoding="utf-8")
    sys.stdout.write(f"{dashboard_file()}\n")


if __name__ == "__main__":
    main()
