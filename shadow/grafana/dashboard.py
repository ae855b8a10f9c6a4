"""What is on the dashboard, and where? The three metrics with intervals, what they rest on, and what it all costs."""

from __future__ import annotations

from typing import Any

from shadow.grafana.files import query
from shadow.grafana.panels import DATASOURCE, Panel, band, bars, gauge_bars, lines, row, stat, table

UID = "shadowtier-quality"
FOLDER_UID = "shadowtier"
FOLDER_TITLE = "Shadowtier"
WIDTH = 24


def dashboard() -> dict[str, Any]:
    """The dashboard as Grafana's JSON. The same every time: ids follow the order, the UID never changes."""
    return {
        "uid": UID,
        "title": "Shadowtier: quality and cost",
        "description": "How good is each tier, what is moved up and why, and what does a success cost? "
        "Every figure with its interval and what it rests on.",
        "tags": ["shadowtier"],
        "timezone": "utc",
        "schemaVersion": 39,
        "version": 1,
        "editable": False,
        "graphTooltip": 1,
        "refresh": "1m",
        "time": {"from": "now-24h", "to": "now"},
        "timepicker": {},
        "fiscalYearStartMonth": 0,
        "weekStart": "",
        "links": [],
        "annotations": {"list": []},
        "templating": {"list": [_tier_variable(), _mode_variable()]},
        "panels": _placed(_rows()),
    }


def _rows() -> list[tuple[Panel, int, list[Panel]]]:
    """Headings, the height of what follows, and the panels, which share the width."""
    return [
        (row("All tiers"), 5, _headlines()),
        (row("What is flowing"), 8, _flow()),
        (row("Tier $tier", repeat="tier"), 8, _metrics()),
        (row("What the figures rest on"), 8, _evidence()),
        (row("What of the divergence is noise"), 8, _noise()),
        (row("Money"), 8, _money()),
    ]


def _headlines() -> list[Panel]:
    return [
        stat(
            "Accuracy",
            "accuracy_overall",
            unit="percentunit",
            decimals=1,
            description="Share of all requests answered acceptably, verdicts put right by human labels, with the ends "
            "of its 95 % interval. Empty where it is not identified: a tier has no labels yet.",
        ),
        stat(
            "Escalation rate",
            "escalation_overall",
            unit="percentunit",
            decimals=1,
            description="Share of requests served above the tier predicted for them. Every request is counted: it is exact.",
        ),
        stat(
            "Cost per success",
            "cost_per_success_overall",
            unit="currencyUSD",
            description="All spend on answering over accepted completions, with the ends of its 95 % interval. "
            "`high` is empty where it is unbounded.",
        ),
        stat(
            "Net savings",
            "savings",
            unit="currencyUSD",
            description="What the window's requests would have cost on the top tier, less what they did cost, less mirrors "
            "and judges; with the ends of its 95 % interval. Empty where too few pairs are priced.",
        ),
        stat(
            "Requests",
            "requests_total",
            unit="short",
            description="Requests in the chosen time, by how they ended.",
        ),
    ]


def _flow() -> list[Panel]:
    return [
        bars(
            "Requests a minute by tier",
            "requests_by_tier",
            unit="short",
            description="Requests by the tier that served them, per minute, one column a roll-up bucket.",
        ),
        gauge_bars(
            "Escalations by reason",
            "escalation_by_reason",
            unit="short",
            rows=True,
            description="Requests predicted for the chosen tiers and served above them, by the first reason that moved them.",
        ),
    ]


def _metrics() -> list[Panel]:
    return [
        band(
            "Accuracy of $tier",
            "accuracy_by_tier",
            unit="percentunit",
            value="accuracy",
            maximum=1,
            description="Corrected by human labels, with its 95 % interval as a band; dashed: judges only, uncorrected. "
            "A gap means not identified: the top tier needs labels, as it has no better reference.",
        ),
        lines(
            "Escalation rate from $tier",
            "escalation_by_tier",
            unit="percentunit",
            description="Of the requests predicted for this tier, the share served above it, in all and by reason. Exact.",
        ),
        band(
            "Cost per success of $tier",
            "cost_per_success_by_tier",
            unit="currencyUSD",
            value="cost",
            description="Spend on this tier's requests over its accepted completions, with the 95 % interval as a band.",
        ),
    ]


def _evidence() -> list[Panel]:
    return [
        gauge_bars(
            "Funnel",
            "funnel",
            unit="short",
            description="What became of the sampled requests: mirrored, judged, abstained, failed, shed (budget spent), waiting; "
            "labelled by a person. Nothing is silently missing.",
        ),
        lines(
            "Coverage by tier",
            "coverage",
            unit="percentunit",
            maximum=1,
            description="Share of samples with a verdict. Below 95 % the missing ones could move the figures: see the worst "
            "case on the console.",
        ),
        table(
            "Samples and labels by tier",
            "evidence",
            description="Requests of each tier in the chosen time, how many were mirrored for its accuracy, judged and labelled.",
        ),
    ]


def _noise() -> list[Panel]:
    return [
        band(
            "Noise floor",
            "noise_floor",
            unit="percentunit",
            value="noise",
            description="How often the reference's own second answer was not accepted against its first, with the 95 % "
            "interval as a band. Divergence below this is noise.",
        ),
        table(
            "Excess divergence",
            "excess_divergence",
            shares=["reference against itself", "tier against reference", "excess", "low", "high"],
            description="Requests that the reference answered twice: how often its own second answer was not accepted "
            "against its first, how often the tier's was not, and the difference with its 95 % interval, which is what "
            "differs beyond noise. By tier and query type, as of the newest figures; judged only. Empty below 30 pairs.",
        ),
    ]


def _money() -> list[Panel]:
    return [
        bars(
            "Spend on answering, by tier",
            "spend_by_tier",
            unit="currencyUSD",
            description="What answering cost, all attempts included, by serving tier and hour.",
        ),
        bars(
            "Shadow spend",
            "shadow_spend",
            unit="currencyUSD",
            description="What mirroring and judging cost by hour of the request. Its own ledger: no client is charged for it.",
        ),
        table(
            "Spend by feature and query type",
            "spend_by_feature",
            money=["spend"],
            description="The dearest combinations of feature and query type in the chosen time.",
        ),
    ]


def _placed(rows: list[tuple[Panel, int, list[Panel]]]) -> list[Panel]:
    placed: list[Panel] = []
    top = 0
    for heading, height, panels in rows:
        placed.append({**heading, "id": len(placed) + 1, "gridPos": {"x": 0, "y": top, "w": WIDTH, "h": 1}})
        top += 1
        ends = [round(WIDTH * i / len(panels)) for i in range(len(panels) + 1)]
        for i, panel in enumerate(panels):
            place = {"x": ends[i], "y": top, "w": ends[i + 1] - ends[i], "h": height}
            placed.append({**panel, "id": len(placed) + 1, "gridPos": place})
        top += height
    return placed


def _tier_variable() -> dict[str, Any]:
    shown = {"selected": True, "text": ["All"], "value": ["$__all"]}
    return _variable("tier", "Tier", "Tiers to show, cheapest first.", current=shown, include_all=True)


def _mode_variable() -> dict[str, Any]:
    """One mode at a time unless somebody asks for both: their figures are of different populations."""
    return _variable("mode", "Mode", "Requests of mode route, or those of mode observe.", current={}, include_all=False)


def _variable(name: str, label: str, description: str, *, current: dict[str, Any], include_all: bool) -> dict[str, Any]:
    return {
        "type": "query",
        "name": name,
        "label": label,
        "description": description,
        "datasource": DATASOURCE,
        "definition": query(f"variable_{name}"),
        "query": query(f"variable_{name}"),
        "refresh": 2,
        "sort": 0,
        "multi": True,
        "includeAll": include_all,
        "current": current,
        "options": [],
        "hide": 0,
        "regex": "",
        "skipUrlSync": False,
    }
