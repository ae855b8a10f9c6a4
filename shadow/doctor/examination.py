"""In which order are things looked at, and what is said when one of them is so broken that others can't be?"""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from shadow.doctor import channels, configuration, judging, machine, memory, providers, scorer, store
from shadow.doctor.findings import Finding, State, bad, guarded, ok
from shadow.doctor.processes import Running, running_roles
from shadow.errors import ConfigError
from shadow.settings import Settings, load

Check = Callable[[], Awaitable[Sequence[Finding]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Examination:
    """All findings, in the order they are best read, and the memory of the roles as figures."""

    findings: tuple[Finding, ...]
    memory: tuple[memory.RoleMemory, ...]

    @property
    def state(self) -> State:
        """The worst of all findings."""
        states = {finding.state for finding in self.findings}
        return "bad" if "bad" in states else "warn" if "warn" in states else "ok"


async def examine(
    config: Path, *, environ: Mapping[str, str] = os.environ, show: Callable[[str], None] = lambda _: None
) -> Examination:
    """Look at everything. show: is told what is being looked at. Never raises because something is broken.

    Cost: some 10 s, most of it for loading the embedding model; some hundred milliseconds while the roles run.
    """
    found: list[Finding] = []
    figures: list[memory.RoleMemory] = []
    running: list[Running] = []

    async def look(name: str, check: Check) -> None:
        show(name)
        found.extend(await guarded(name, check))

    async def processes() -> Sequence[Finding]:
        running.extend(running_roles(config))
        return []

    async def sizes() -> Sequence[Finding]:
        figures.extend(await memory.memory(running))
        return memory.findings(figures)

    await look("processes", processes)
    settings = _load(config, environ, found)
    if settings is not None:
        for name, check in _checks(settings, environ, running).items():
            await look(name, check)
        if _may_load_the_model(settings, found, running):
            await look(memory.JUDGE, memory.judge_at_work)
    await look("memory", sizes)
    return Examination(findings=tuple(found), memory=tuple(figures))


def _load(config: Path, environ: Mapping[str, str], found: list[Finding]) -> Settings | None:
    try:
        settings = load(config, environ)
    except ConfigError as exc:
        remedy = "correct it; what depends on the configuration was not looked at"
        found += [bad("configuration", line, remedy) for line in str(exc).splitlines()]
        return None
    tiers = ", ".join(settings.tier_names)
    found.append(ok("configuration", f"{config}: {len(settings.tiers)} tiers ({tiers}), mode {settings.routing.mode}"))
    return settings


def _checks(settings: Settings, environ: Mapping[str, str], running: Sequence[Running]) -> dict[str, Check]:
    async def later(result: Callable[[], Sequence[Finding]]) -> Sequence[Finding]:
        return result()

    return {
        "prices": lambda: later(lambda: configuration.prices(settings)),
        "keys": lambda: later(lambda: configuration.keys(settings, environ)),
        "access": lambda: later(lambda: configuration.access(settings, environ)),
        "routing": lambda: later(lambda: configuration.routing(settings)),
        "scorer": lambda: later(lambda: scorer.scorer(settings)),
        "data directory": lambda: later(lambda: machine.data_directory(settings)),
        "ports": lambda: later(lambda: machine.ports(settings, running)),
        "spool": lambda: later(lambda: machine.spool(settings, running)),
        "database": lambda: store.store(settings, running),
        "providers": lambda: providers.providers(settings, environ),
        "judges": lambda: later(lambda: judging.judges(settings, environ)),
        "channels": lambda: later(lambda: channels.channels(settings, environ)),
    }


def _may_load_the_model(settings: Settings, found: Sequence[Finding], running: Sequence[Running]) -> bool:
    """Not where it is not used or not installed; nor beside a worker that has it already: memory may be what is short."""
    installed = any(finding.name == "judge semantic" and finding.state == "ok" for finding in found)
    return "semantic" in settings.judges.panel and installed and not any(r.role == "worker" for r in running)
