"""Which options do several commands share?"""

from __future__ import annotations

from pathlib import Path

import click

from shadow.settings import Settings, load

config_option = click.option(
    "--config",
    type=click.Path(path_type=Path),
    default=Path("shadow.yaml"),
    envvar="SHADOW_CONFIG",
    show_default=True,
    help="The configuration file.",
)
json_option = click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout and nothing else.")


def settings_of(config: Path) -> Settings:
    """Load the configuration for a command. Raises: ConfigError."""
    return load(config)
