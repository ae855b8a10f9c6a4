"""How is each proxy configured and started? One process on one core, before the same upstream, without database or logs."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import yaml
from loopback.processes import LOAD_CORE, SERVER_CORE, free_port, process, wait_until_listening
from loopback.upstream import whole_answer
from peers import install

Running = tuple[int, "subprocess.Popen[str]"]


@contextlib.contextmanager
def nginx_upstream(folder: Path) -> Iterator[int]:
    """A server that answers every request with the fixed completion, on the core of the load."""
    body = whole_answer().partition(b"\r\n\r\n")[2].decode()
    assert not set("'$\\") & set(body), "would need quoting in nginx's configuration"
    port = free_port()
    where = f"location / {{ default_type application/json; return 200 '{body}'; }}"
    with _nginx(folder / "upstream", port, where, "", LOAD_CORE):
        yield port


@contextlib.contextmanager
def nginx_proxy(folder: Path, upstream_port: int) -> Iterator[Running]:
    """A bare reverse proxy with kept-alive connections to the upstream: what is possible at all."""
    port = free_port()
    upstream = f"upstream fixed {{ server 127.0.0.1:{upstream_port}; keepalive 64; keepalive_requests 100000000; }}"
    where = 'location / { proxy_pass http://fixed; proxy_http_version 1.1; proxy_set_header Connection ""; }'
    with _nginx(folder / "proxy", port, where, upstream, SERVER_CORE) as child:
        yield port, child


@contextlib.contextmanager
def litellm(folder: Path, upstream_port: int, command: Path) -> Iterator[Running]:
    """One worker, its own cost table, nothing that phones home."""
    port = free_port()
    home = folder / "litellm"
    home.mkdir()
    model = {"model": "openai/fixed-1", "api_base": f"http://127.0.0.1:{upstream_port}/v1", "api_key": "unused"}
    content = {
        "model_list": [{"model_name": "auto", "litellm_params": model}],
        "litellm_settings": {"telemetry": False, "set_verbose": False},
        "general_settings": {"disable_spend_logs": True},
    }
    (home / "config.yaml").write_text(yaml.safe_dump(content))
    quiet = {
        "LITELLM_LOG": "ERROR",
        "LITELLM_MODE": "PRODUCTION",
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",
        # Clients need no key here, at none of the proxies.
        "LITELLM_DANGEROUSLY_PERMIT_WEAK_OR_UNSET_MASTER_KEY": "true",
    }
    options = ["--config", str(home / "config.yaml"), "--host", "127.0.0.1", "--port", str(port)]
    options += ["--num_workers", "1", "--telemetry", "False"]
    with (
        _logged(home) as log,
        process([str(command), *options], SERVER_CORE, cwd=home, env=_env(quiet), **log) as child,
    ):
        _await("LiteLLM", home, port, child)
        yield port, child


@contextlib.contextmanager
def portkey(folder: Path, command: list[str]) -> Iterator[Running]:
    """The Node server without its web page; requests name the upstream in headers (see `portkey_headers`)."""
    port = free_port()
    home = folder / "portkey"
    home.mkdir()
    quiet = {"NODE_ENV": "production", "TRUSTED_CUSTOM_HOSTS": "127.0.0.1,localhost"}
    command = [*command, f"--port={port}", "--headless"]
    with _logged(home) as log, process(command, SERVER_CORE, cwd=home, env=_env(quiet), **log) as child:
        _await("Portkey", home, port, child)
        yield port, child


def portkey_headers(upstream_port: int) -> dict[str, str]:
    return {"x-portkey-provider": "openai", "x-portkey-custom-host": f"http://127.0.0.1:{upstream_port}/v1"}


def portkey_version(command: list[str]) -> str:
    package = Path(command[-1]).parent.parent / "package.json"
    return str(json.loads(package.read_text())["version"])


@contextlib.contextmanager
def _nginx(home: Path, port: int, where: str, upstream: str, core: int) -> Iterator[subprocess.Popen[str]]:
    home.mkdir()
    temporary = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    paths = "".join(f"{name}_temp_path {home / name};\n" for name in temporary)
    (home / "nginx.conf").write_text(
        f"""daemon off; worker_processes 1; pid {home / "pid"}; error_log stderr crit;
events {{ worker_connections 1024; }}
http {{
access_log off; keepalive_requests 100000000; keepalive_timeout 600s; tcp_nodelay on; client_body_buffer_size 64k;
{paths}{upstream}
server {{ listen 127.0.0.1:{port} backlog=1024; {where} }}
}}
"""
    )
    command = [install.nginx(), "-e", "stderr", "-p", str(home), "-c", str(home / "nginx.conf")]
    with _logged(home) as log, process(command, core, **log) as child:
        _await("nginx", home, port, child)
        yield child


def _await(name: str, home: Path, port: int, child: subprocess.Popen[str]) -> None:
    """Until it listens. Raises: AbsentError with its last words."""
    try:
        wait_until_listening(port, child, 120)
    except SystemExit:
        words = [line for line in (home / "log").read_text(errors="replace").splitlines() if line.strip()]
        raise install.AbsentError(f"{name}: does not start: {(words or ['no output'])[-1].strip()[:200]}") from None


@contextlib.contextmanager
def _logged(home: Path) -> Iterator[dict[str, object]]:
    with (home / "log").open("w") as log:
        yield {"stdout": log, "stderr": subprocess.STDOUT}


def _env(extra: dict[str, str]) -> dict[str, str]:
    """The caller's environment without what configures our own product or a proxy's database."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("SHADOW_", "DATABASE_", "LITELLM_"))}
    return {**kept, **extra}
