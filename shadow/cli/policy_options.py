"""What must be said to change a policy: which threshold, who, and why?"""

from __future__ import annotations

from typing import Any

import click


class Threshold(click.ParamType):  # type: ignore[type-arg]
    """`tier=value`."""

    name = "TIER=VALUE"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, float]:
        if isinstance(value, tuple):
            return value
        tier, sign, number = str(value).partition("=")
        try:
            threshold = float(number)
        except ValueError:
            threshold = -1.0
        if not sign or not tier or not 0 <= threshold <= 1:
            self.fail(f"{value!r} is not TIER=VALUE with a value from 0 to 1", param, ctx)
        return tier, threshold


def _said(_ctx: click.Context, _param: click.Parameter, value: str) -> str:
    if not value.strip():
        raise click.BadParameter("say why: whoever looks at the history wants to know")
    return value.strip()


author_option = click.option(
    "--by", "--author", "author", help="Who decides; default: $USER, or the name of SHADOW_TOKEN's holder."
)
reason_option = click.option("--reason", required=True, callback=_said, help="Why; kept in the history.")
yes_option = click.option("--yes", "-y", is_flag=True, help="Do not ask.")
