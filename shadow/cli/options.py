"""Which options do several commands share?"""

from __future__ import annotations

from pathlib import Path

import click
from rich.console import Console

config_option = click.option(
    "--config",
    type=click.Path(path_type=Path),
    default=Path("shadow.yaml"),
    envvar="SHADOW_CONFIG",
    show_default=True,
    help="The configuration file.",
)
json_option = click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout and nothing else.")


#: A report has nine columns; without a terminal there is no width to keep to.
REPORT_WIDTH = 138


def report_console(*, stderr: bool = False) -> Console:
    """A console that is wide enough for a report where the output is not a terminal."""
    console = Console(stderr=stderr, highlight=False)
    return console if console.is_terminal else Console(stderr=stderr, highlight=False, width=REPORT_WIDTH)
