"""How does a running Grafana learn of us? Datasource, folder, dashboard and alert rules, put there over its HTTP API."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from shadow.alerting.kinds import RUNBOOKS
from shadow.errors import ConfigError, ShadowError
from shadow.grafana.dashboard import FOLDER_TITLE, FOLDER_UID
from shadow.grafana.files import read_dashboard
from shadow.grafana.panels import DATASOURCE
from shadow.grafana.rules import GROUP, rule_group


class GrafanaError(ShadowError):
    """Grafana can't be reached, or refuses what it is asked."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Database:
    """The store as Grafana reaches it. No repr: it holds a password."""

    host: str
    port: int
    name: str
    user: str
    password: str
    sslmode: str


def database_of(url: str) -> Database:
    """The parts of a postgresql:// URL. Raises: ConfigError where it names no host that another machine could reach."""
    parts = urlsplit(url)
    try:
        port = parts.port or 5432
    except ValueError:
        raise ConfigError("database.url: the port is not a number") from None
    if not parts.scheme.startswith("postgres") or not parts.hostname:
        raise ConfigError(
            "grafana push: Grafana needs a database that it can reach over the network: set database.url, or give --database-url"
        )
    return Database(
        host=parts.hostname,
        port=port,
        name=unquote(parts.path.strip("/")) or "postgres",
        user=unquote(parts.username or "postgres"),
        password=unquote(parts.password or ""),
        sslmode=parse_qs(parts.query).get("sslmode", ["disable"])[0],
    )


def push(
    *,
    url: str,
    credential: str | tuple[str, str],
    database: Database,
    runbook_url: str = RUNBOOKS,
    timeout_seconds: float = 10.0,
) -> list[str]:
    """Provision; returns what was done, a line each. Safe to run again. Raises: GrafanaError, ConfigError.

    Contact points and notification policies are left alone: the rules carry `service = shadowtier` to be routed by.
    """
    import niquests
    from grafana_client.api import GrafanaApi
    from grafana_client.client import GrafanaException, TokenAuth

    if urlsplit(url).scheme not in {"http", "https"} or not urlsplit(url).hostname:
        raise ConfigError(f"grafana push: {url!r} is no address; give one like http://127.0.0.1:3000")
    auth: Any = TokenAuth(credential) if isinstance(credential, str) else credential  # type: ignore[no-untyped-call]
    try:
        api = GrafanaApi.from_url(url, credential=auth, timeout=timeout_seconds)
        with closing(api.client.s):
            return [
                _put_datasource(api, database),
                _put_folder(api),
                _put_dashboard(api, url),
                _put_rules(api, runbook_url),
            ]
    except GrafanaException as exc:
        raise GrafanaError(f"{url}: {_explained(exc.status_code, str(exc.message))}") from exc
    except niquests.exceptions.RequestException as exc:
        raise GrafanaError(f"{url}: cannot be reached: {type(exc).__name__}") from exc


def _explained(status: int, message: str) -> str:
    if status == 401:
        return "the token (or password) is not accepted; create a service account token with the role Admin"
    if status == 403:
        return f"the token's role may not do this; it needs to write datasources, folders, dashboards and alert rules ({message})"
    return message or f"status {status}"


def _put_datasource(api: Any, database: Database) -> str:
    wanted = {
        "uid": DATASOURCE["uid"],
        "name": "Shadowtier",
        "type": DATASOURCE["type"],
        "access": "proxy",
        "url": f"[{database.host}]:{database.port}" if ":" in database.host else f"{database.host}:{database.port}",
        "user": database.user,
        "secureJsonData": {"password": database.password},
        "jsonData": {
            "database": database.name,
            "sslmode": database.sslmode,
            "postgresVersion": 1500,
            "timescaledb": False,
            "maxOpenConns": 5,
            "maxIdleConns": 2,
        },
    }
    if _exists(api.datasource.get_datasource_by_uid, DATASOURCE["uid"]):
        api.datasource.update_datasource_by_uid(DATASOURCE["uid"], wanted)
        return "datasource Shadowtier: replaced"
    api.datasource.create_datasource(wanted)
    return "datasource Shadowtier: created"


def _put_folder(api: Any) -> str:
    if _exists(api.folder.get_folder, FOLDER_UID):
        return f"folder {FOLDER_TITLE}: there already"
    api.folder.create_folder(FOLDER_TITLE, FOLDER_UID)
    return f"folder {FOLDER_TITLE}: created"


def _put_dashboard(api: Any, url: str) -> str:
    content = {**read_dashboard(), "id": None}
    answer = api.dashboard.update_dashboard({"dashboard": content, "folderUid": FOLDER_UID, "overwrite": True})
    return f"dashboard {content['title']!r}: {url.rstrip('/')}{answer.get('url', '')}"


def _put_rules(api: Any, runbook_url: str) -> str:
    group = rule_group(runbook_url=runbook_url)
    api.alertingprovisioning.update_rule_group(FOLDER_UID, GROUP, group, disable_provenance=True)
    return f"alert rules: {len(group['rules'])} in group {GROUP}; route the label service = shadowtier as you like"


def _exists(look_up: Any, uid: str) -> bool:
    from grafana_client.client import GrafanaException

    try:
        look_up(uid)
    except GrafanaException as exc:
        if exc.status_code == 404:
            return False
        raise
    return True
