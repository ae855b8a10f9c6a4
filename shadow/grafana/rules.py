"""When does Grafana raise an alarm? A rule per kind of alert, and two that see what no alert can: nobody looks, nobody is told.

Rules read the alerts that the store holds: the same conditions, with their intervals and their way back, and each links to its
runbook. Severity and key are labels, so that a policy can route by them.
"""

from __future__ import annotations

from typing import Any

from shadow.alerting.kinds import RUNBOOKS, TITLES, anchor_of
from shadow.grafana.dashboard import FOLDER_TITLE, FOLDER_UID
from shadow.grafana.files import query
from shadow.grafana.panels import DATASOURCE

GROUP = "shadowtier"
CONTACT_POINT = "shadowtier"
INTERVAL_SECONDS = 60
#: Rules that stand on their own: name -> (what they are called, query, seconds above which they fire).
WATCHDOGS = {
    "scheduler_silent": ("no figures for an hour: the scheduler does not run", "alert_scheduler_silent", 3600),
    "messages_waiting": ("messages wait for an hour: nobody is told", "alert_messages_waiting", 3600),
}


def rules(*, runbook_url: str = RUNBOOKS) -> list[dict[str, Any]]:
    """The rules as Grafana's provisioning has them, but for folder and group."""
    kinds = [
        _rule(kind, title, query("alert_open").replace("{kind}", kind), 0, runbook_url)
        for kind, title in sorted(TITLES.items())
    ]
    return kinds + [_rule(name, title, query(sql), over, runbook_url) for name, (title, sql, over) in WATCHDOGS.items()]


def rule_group(*, runbook_url: str = RUNBOOKS) -> dict[str, Any]:
    """The group as Grafana's HTTP API takes it, one PUT for all rules."""
    own = {"folderUID": FOLDER_UID, "ruleGroup": GROUP, "orgID": 1}
    return {
        "title": GROUP,
        "folderUid": FOLDER_UID,
        "interval": INTERVAL_SECONDS,
        "rules": [{**rule, **own} for rule in rules(runbook_url=runbook_url)],
    }


def rule_file() -> dict[str, Any]:
    """The provisioning file of the rules."""
    group = {"orgId": 1, "name": GROUP, "folder": FOLDER_TITLE, "interval": f"{INTERVAL_SECONDS}s", "rules": rules()}
    found: dict[str, Any] = _escaped({"apiVersion": 1, "groups": [group]})
    return found


def notification_file() -> dict[str, Any]:
    """The provisioning file of contact point and notification policy. The policy is the whole tree of a Grafana."""
    receiver = {"uid": "shadowtier-webhook", "type": "webhook", "settings": {"url": "${SHADOW_GRAFANA_WEBHOOK}"}}
    by = ["grafana_folder", "alertname", "key"]
    return {
        "apiVersion": 1,
        "contactPoints": [{"orgId": 1, "name": CONTACT_POINT, "receivers": [receiver]}],
        "policies": [
            {
                "orgId": 1,
                "receiver": CONTACT_POINT,
                "group_by": by,
                "group_wait": "30s",
                "group_interval": "5m",
                "repeat_interval": "24h",
            }
        ],
    }


def _rule(name: str, title: str, sql: str, over: float, runbook_url: str) -> dict[str, Any]:
    asked = {
        "refId": "A",
        "relativeTimeRange": {"from": 600, "to": 0},
        "datasourceUid": DATASOURCE["uid"],
        "model": {
            "refId": "A",
            "datasource": DATASOURCE,
            "rawSql": sql,
            "rawQuery": True,
            "editorMode": "code",
            "format": "table",
        },
    }
    decided = {
        "refId": "B",
        "relativeTimeRange": {"from": 0, "to": 0},
        "datasourceUid": "__expr__",
        "model": {
            "refId": "B",
            "datasource": {"type": "__expr__", "uid": "__expr__"},
            "type": "threshold",
            "expression": "A",
            "conditions": [{"evaluator": {"type": "gt", "params": [over]}}],
        },
    }
    about = "" if name == "scheduler_silent" else " ({{ $labels.key }})"
    return {
        "uid": f"shadowtier-{name}",
        "title": f"Shadowtier: {title}",
        "condition": "B",
        "data": [asked, decided],
        # Nothing open is no row: that is how it should be. A query that fails is told as such.
        "noDataState": "OK",
        "execErrState": "Error",
        "for": "0s",
        "isPaused": False,
        "annotations": {"summary": f"{title}{about}", "runbook_url": f"{runbook_url}{anchor_of(name)}"},
        "labels": {"service": "shadowtier", "kind": name},
    }


def _escaped(value: Any) -> Any:
    """In files Grafana takes `$` for the environment's; two of them are one."""
    if isinstance(value, dict):
        return {name: _escaped(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_escaped(one) for one in value]
    return value.replace("$", "$$") if isinstance(value, str) else value
