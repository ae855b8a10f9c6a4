"""What can be typed after `shadow`? A page made from the commands themselves."""

from __future__ import annotations

from collections.abc import Iterator

import click

from shadow.cli.main import shadow

WIDTH = 100

HEADER = """\
# Command line

The help of every command, made from the commands (`make docs`).

- `--config` defaults to `$SHADOW_CONFIG`, else `shadow.yaml` in the current directory; see [configuration.md](configuration.md).
- `--json` prints one JSON object on stdout and nothing else.
- Exit codes: 0 all is well, 1 the finding is bad (a failed check, a bad line in a file), 2 wrong use (options, configuration,
  files), 130 interrupted.
"""


def page() -> str:
    """The whole page as Markdown."""
    parts = [HEADER]
    for name, help_text in helps():
        depth = "#" * (1 + len(name.split()))
        parts.append(f"{depth} `{name}`\n\n```text\n{help_text}\n```\n")
    return "\n".join(parts)


def helps() -> list[tuple[str, str]]:
    """(name, help) of the command and of all below it, in the order of the help."""
    return list(_helps(shadow, "shadow", None))


def _helps(command: click.Command, name: str, parent: click.Context | None) -> Iterator[tuple[str, str]]:
    context = click.Context(command, info_name=name.rpartition(" ")[2], parent=parent, terminal_width=WIDTH)
    context.help_option_names = ["-h", "--help"] if parent is None else parent.help_option_names
    yield name, command.get_help(context).rstrip()
    if isinstance(command, click.Group):
        for sub_name in command.list_commands(context):
            sub_command = command.get_command(context, sub_name)
            if sub_command is not None and not sub_command.hidden:
                yield from _helps(sub_command, f"{name} {sub_name}", context)
