"""What is measured, and how is it hurt? `shadow up` on one core, with clients and providers on the other.

Two providers: clients are served by one alone, mirrors ask the other alone. So whatever happens to the second, only the shadow
side can carry it to a client.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psycopg
from loopback.processes import LOAD_CORE, SERVER_CORE, process

from shadow.lab.config import demo_config, demo_yaml
from shadow.store.embedded import attach
from shadow.store.engine import libpq_url
from shadow.testing import Product, free_port

_HAVE_RETRIES_NOW = "update procrastinate_jobs set scheduled_at = now() where status = 'todo' and scheduled_at > now()"
CONDITIONS = ("healthy", "hanging", "refusing")


@dataclass(slots=True)
class Provider:
    """A provider of the lab on a fixed port, as a process that can be stopped, killed and started again."""

    port: int
    options: list[str]
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = [sys.executable, "-m", "shadow.lab.provider", "--port", str(self.port), "--items", "200"]
        self.process = subprocess.Popen([*command, *self.options], stdout=subprocess.PIPE)
        assert self.process.stdout is not None
        self.process.stdout.readline()  # it says when it is ready

    def end(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            assert self.process.stdout is not None
            self.process.stdout.close()
            self.process = None

    def yield_the_core(self) -> None:
        """In the world outside it runs on a machine of its own: here it may not take time from clients."""
        assert self.process is not None
        os.sched_setscheduler(self.process.pid, os.SCHED_IDLE, os.sched_param(0))


@dataclass(slots=True)
class Bed:
    """The running product and its two providers. `sampling` in force is what the intake was started with."""

    product: Product
    content: dict[str, Any]
    shadow_provider: Provider
    condition: str = "healthy"

    def set_sampling(self, rate: float) -> None:
        """Draw from the requests at another rate: a new configuration file, and a new intake, which is what draws.

        Router, worker, scheduler and database go on as they are.
        """
        sampling = {**self.content["sampling"], "up": rate}
        self.product.config.write_text(demo_yaml({**self.content, "sampling": sampling}))
        intake = self.product.role("intake")
        if intake is not None:
            intake.terminate()

    def set_condition(self, condition: str) -> None:
        """What the shadow provider does from now on."""
        provider = self.shadow_provider
        if provider.process is None:
            provider.start()
            provider.yield_the_core()
        assert provider.process is not None
        provider.process.send_signal(signal.SIGSTOP if condition == "hanging" else signal.SIGCONT)
        if condition == "refusing":
            provider.end()
        self.condition = condition

    def drain(self, seconds: float = 60.0) -> None:
        """With the provider well again, wait until the shadow side has nothing left to do."""
        self.set_condition("healthy")
        spool = self.product.directory / "spool"
        url = attach(self.product.directory)
        assert url is not None
        path = "-c search_path=public,procrastinate"
        with psycopg.connect(libpq_url(url), autocommit=True, options=path) as database:
            deadline = time.monotonic() + seconds
            while time.monotonic() < deadline:
                # Retries that are due later are of no interest to us: have them now.
                database.execute(_HAVE_RETRIES_NOW)
                waiting = database.execute(
                    "select count(*) from samples where state in ('sampled', 'mirrored')"
                ).fetchone()
                if not any(spool.glob("*.jsonl")) and waiting == (0,):
                    return
                time.sleep(0.2)
        raise SystemExit(f"{waiting} samples were still waiting after {seconds:g} s")

    def samples(self) -> dict[str, int]:
        """Samples by state, since the beginning."""
        url = attach(self.product.directory)
        assert url is not None
        with psycopg.connect(libpq_url(url)) as database:
            return dict(database.execute("select state, count(*) from samples group by state").fetchall())

    def processor_seconds(self) -> dict[str, float]:
        """CPU time used so far, by role."""
        seconds = {}
        for role in ("router", "worker", "scheduler", "intake"):
            process = self.product.role(role)
            if process is not None:
                seconds[role] = sum(process.cpu_times()[:2])
        server = self.product.postmaster()
        if server is not None:
            times = server.cpu_times()
            alive = [sum(one.cpu_times()[:2]) for one in server.children()]
            seconds["database"] = times.user + times.system + times.children_user + times.children_system + sum(alive)
        return seconds


@contextlib.contextmanager
def bed(provider_ms: float) -> Iterator[Bed]:
    """Start everything, stop it after the block. provider_ms: how long the clients' provider takes, always."""
    directory = Path(tempfile.mkdtemp(prefix="shadowtier-"))
    directory.chmod(0o711)  # PostgreSQL's user must get through when we are root
    os.sched_setaffinity(0, {LOAD_CORE})
    scale = provider_ms / 15  # the lab's fast tier takes 15 ms
    primary = Provider(free_port(), ["--latency-scale", str(scale), "--latency-spread", "0"])
    shadowed = Provider(free_port(), [])
    try:
        primary.start()
        shadowed.start()
        shadowed.yield_the_core()
        content = configuration(primary.port, shadowed.port, directory / "data")
        config = directory / "shadow.yaml"
        config.write_text(demo_yaml(content))
        command = [sys.executable, "-m", "shadow.cli.main", "up", "--config", str(config)]
        with config.with_name("log").open("w") as log, process(command, SERVER_CORE, stderr=log) as child:
            server = content["server"]
            product = Product(
                process=child,
                config=config,
                directory=directory / "data",
                port=server["port"],
                control_port=server["control_port"],
                provider_url=f"http://127.0.0.1:{shadowed.port}/v1",
            )
            addresses = (f"{server['port']}/readyz", f"{server['control_port']}/healthz")
            product.until(lambda: all(answers(f"http://127.0.0.1:{address}") for address in addresses), 90)
            yield Bed(product=product, content=content, shadow_provider=shadowed)
    finally:
        primary.end()
        shadowed.end()
        shutil.rmtree(directory, ignore_errors=True)


def configuration(primary_port: int, shadow_port: int, data_dir: Path) -> dict[str, Any]:
    """The demo's, but every request is served by the cheapest tier, at a provider of its own, and figures are summed up
    every 15 minutes, as they are by default."""
    content = demo_config(
        provider_url=f"http://127.0.0.1:{shadow_port}/v1",
        data_dir=data_dir,
        port=free_port(),
        control_port=free_port(),
        sampling=0.0,
    )
    own: Mapping[str, Any] = {**content["providers"]["lab"], "base_url": f"http://127.0.0.1:{primary_port}/v1"}
    content["providers"]["clients"] = own
    content["tiers"][0]["models"][0]["provider"] = "clients"
    content["routing"] |= {"thresholds": {"fast": 0.0, "mid": 0.0}, "band": 0.0}
    content["sampling"] |= {"budget_usd_per_day": 100_000}
    del content["rollup"]
    return content


def answers(url: str) -> bool:
    with contextlib.suppress(httpx.HTTPError):
        return httpx.get(url, timeout=1, trust_env=False).status_code == 200
    return False


def cpu_used(before: Mapping[str, float], after: Mapping[str, float], seconds: float) -> dict[str, float]:
    """Share of a core, by role. A role that was restarted in between counts from its restart."""
    shares = {}
    for role, used in after.items():
        earlier = before.get(role, 0.0)
        shares[role] = (used - (earlier if used >= earlier else 0.0)) / seconds
    return shares
