"""The `shadow` command: which sub-commands are there? Each is loaded only when it is called."""

from __future__ import annotations

import importlib
import os
import sys

import click

from shadow.errors import ConfigError, ShadowError

COMMANDS = {
    "up": ("shadow.cli.up", "up", "Run all roles under one supervisor."),
    "router": ("shadow.cli.up", "router", "Run the inline router and its intake."),
    "worker": ("shadow.cli.up", "worker", "Run a worker: mirrors and judges."),
    "scheduler": ("shadow.cli.up", "scheduler", "Run a scheduler: roll-ups, console, control API."),
    "demo": ("shadow.cli.demo", "demo", "Watch the whole loop at work on simulated or local models."),
    "lab": ("shadow.cli.lab", "lab", "The same world on a fast clock: estimates against the known truth."),
    "db": ("shadow.cli.db", "db", "Migrations of the store."),
    "report": ("shadow.cli.report", "report", "Accuracy, escalation and cost per success, with intervals."),
    "regressions": ("shadow.cli.regressions", "regressions", "Did anything get worse than in the weeks before?"),
    "export": ("shadow.cli.export", "export", "Savings and costs as CSV and JSON files, with intervals."),
    "judge": ("shadow.cli.judge", "judge", "Judge a file of pairs offline."),
    "judgements": ("shadow.cli.judgements", "judgements", "Read recorded judge texts; how good were their judges?"),
    "train": ("shadow.cli.train", "train", "Fit the router's scorer on logged outcomes."),
    "scorer": ("shadow.cli.scorer", "scorer", "Scorers trained anew: list, show, adopt, reject."),
    "tune": ("shadow.cli.tune", "tune", "Whether thresholds may go down, with proof, and what it saves."),
    "evaluate": ("shadow.cli.evaluate", "evaluate", "How good a trained scorer is on outcomes."),
    "replay": ("shadow.cli.replay", "replay", "The whole loop on logged outcomes, against the truth."),
    "label": ("shadow.cli.label", "label", "Human labels by file."),
    "streams": ("shadow.cli.streams", "streams", "Has a model become worse since its baseline?"),
    "pins": ("shadow.cli.pins", "pins", "Is what answers still what was pinned?"),
    "policy": ("shadow.cli.policy", "policy", "Threshold policies: history, apply, roll back."),
    "audit": ("shadow.cli.audit", "audit", "Who decided what, and whether that was changed since."),
    "alerts": ("shadow.cli.alerts", "alerts", "What is wrong: list, acknowledge, snooze, close, test the channels."),
    "upgrade": (
        "shadow.cli.upgrade",
        "upgrade",
        "Pinned-model upgrades: propose, status, approve, promote, roll back.",
    ),
    "token": ("shadow.cli.token", "token", "Who may use the console and decide: create, list, revoke."),
    "grafana": ("shadow.cli.grafana", "grafana", "Provision Grafana; check panels and alert rules."),
    "doctor": ("shadow.cli.doctor", "doctor", "What works, what does not, what to do."),
}


class _Lazy(click.Group):
    """Lists commands without importing them: the help must not wait for the judges."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, attribute, _ = COMMANDS[cmd_name]
        command = getattr(importlib.import_module(module), attribute)
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, _, text) in COMMANDS.items()])


@click.group(cls=_Lazy, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="shadowtier", prog_name="shadow")
def shadow() -> None:
    """Shadow-mode evaluation and quality monitoring for tiered LLM traffic."""


def main() -> None:
    """Entry point: a user's mistake is one clear line, never a stack trace.

    Exit codes: 0 fine, 1 the finding is bad, 2 wrong use.
    """
    from judges.errors import JudgeError
    from router.errors import RouterError

    try:
        # Without standalone mode click hands an exit code back instead of exiting with it.
        code = shadow.main(standalone_mode=False, prog_name="shadow")
        sys.exit(code if isinstance(code, int) else 0)
    except click.exceptions.Abort:
        sys.exit(130)
    except click.exceptions.NoArgsIsHelpError as exc:
        exc.show()
        sys.exit(2)
    except click.ClickException as exc:
        click.echo(_one_line(exc), err=True)
        sys.exit(2)
    except (ShadowError, RouterError, JudgeError) as exc:
        for line in str(exc).splitlines():
            click.echo(
                line if isinstance(exc, ConfigError) and line.startswith("shadow ") else f"shadow: {line}", err=True
            )
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:  # whoever read our output has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(141)


def _one_line(exc: click.ClickException) -> str:
    """What is wrong and, unless it is a file or a value that the command itself looked at, where to read how it is used."""
    message = " ".join(exc.format_message().split())
    ctx = exc.ctx if isinstance(exc, click.UsageError) else None
    if exc.__cause__ is not None or ctx is None:
        return f"shadow: {message}"
    return f"{ctx.command_path}: {message.removesuffix('.')} (see `{ctx.command_path} --help`)"


if __name__ == "__main__":
    main()
