"""What are the panels made of? Plain Grafana JSON, one function per kind of panel; ids and places are given by the dashboard."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from shadow.grafana.files import query

DATASOURCE = {"type": "grafana-postgresql-datasource", "uid": "shadowtier-postgres"}
Panel = dict[str, Any]
Unit = Literal["percentunit", "currencyUSD", "short"]

#: Colours by field name, the same as on the console.
ACCENT, QUIET = "#2a9d8f", "#8b9099"


def stat(title: str, sql: str, *, unit: Unit, description: str, decimals: int | None = None) -> Panel:
    """The newest value of every field, side by side."""
    return _panel(
        "stat",
        title,
        sql,
        description,
        defaults={"unit": unit, "color": {"mode": "fixed", "fixedColor": ACCENT}, **_decimals(decimals)},
        overrides=[
            _override("byRegexp", "^(low|high|failed|cancelled)$", color={"mode": "fixed", "fixedColor": QUIET})
        ],
        options={
            "reduceOptions": {"calcs": ["lastNotNull"], "fields": "/^(?!time$).*$/", "values": False},
            "colorMode": "value",
            "graphMode": "none",
            "justifyMode": "auto",
            "orientation": "vertical",
            "textMode": "value_and_name",
            "wideLayout": True,
            "text": {},
        },
    )


def band(title: str, sql: str, *, unit: Unit, description: str, value: str, maximum: float | None = None) -> Panel:
    """A line with its interval as a band: fields `low` and `high`, the space between them filled."""
    return _panel(
        "timeseries",
        title,
        sql,
        description,
        form="time_series",
        defaults={
            "unit": unit,
            "custom": _lines(),
            "color": {"mode": "fixed", "fixedColor": QUIET},
            **({} if maximum is None else {"max": maximum}),
        },
        overrides=[
            _override("byName", value, color={"mode": "fixed", "fixedColor": ACCENT}),
            _override("byName", "judges only", **{"custom.lineStyle": {"fill": "dash", "dash": [6, 6]}}),
            _override(
                "byName",
                "low",
                **{"custom.lineWidth": 0, "custom.hideFrom": {"legend": True, "tooltip": False, "viz": False}},
            ),
            _override(
                "byName",
                "high",
                color={"mode": "fixed", "fixedColor": ACCENT},
                **{
                    "custom.lineWidth": 0,
                    "custom.fillBelowTo": "low",
                    "custom.fillOpacity": 18,
                    "custom.hideFrom": {"legend": True, "tooltip": False, "viz": False},
                },
            ),
        ],
        options=_LEGEND_BELOW,
    )


def lines(title: str, sql: str, *, unit: Unit, description: str, maximum: float | None = None) -> Panel:
    """One line per series."""
    top = {} if maximum is None else {"max": maximum}
    return _panel(
        "timeseries",
        title,
        sql,
        description,
        form="time_series",
        defaults={"unit": unit, "min": 0, "custom": _lines(), "color": {"mode": "palette-classic-by-name"}, **top},
        options=_LEGEND_BELOW,
    )


def bars(title: str, sql: str, *, unit: Unit, description: str) -> Panel:
    """Stacked columns over time, one colour per series."""
    custom = {**_lines(), "drawStyle": "bars", "fillOpacity": 80, "lineWidth": 0, "stacking": {"mode": "normal"}}
    return _panel(
        "timeseries",
        title,
        sql,
        description,
        form="time_series",
        defaults={"unit": unit, "min": 0, "custom": custom, "color": {"mode": "palette-classic-by-name"}},
        options=_LEGEND_BELOW,
    )


def gauge_bars(title: str, sql: str, *, unit: Unit, description: str, rows: bool = False) -> Panel:
    """Horizontal bars: one per field, or one per row of the answer."""
    fields = "" if rows else "/.*/"
    return _panel(
        "bargauge",
        title,
        sql,
        description,
        defaults={"unit": unit, "min": 0, "color": {"mode": "fixed", "fixedColor": ACCENT}},
        options={
            "reduceOptions": {"calcs": ["lastNotNull"], "fields": fields, "values": rows},
            "displayMode": "basic",
            "orientation": "horizontal",
            "showUnfilled": True,
            "valueMode": "color",
            "namePlacement": "auto",
            "sizing": "auto",
        },
    )


def table(title: str, sql: str, *, description: str, money: Sequence[str] = (), shares: Sequence[str] = ()) -> Panel:
    """Rows as they come. money: columns in USD; shares: columns in [-1, 1], shown in percent."""
    return _panel(
        "table",
        title,
        sql,
        description,
        defaults={"custom": {"align": "auto", "cellOptions": {"type": "auto"}}},
        overrides=[
            *(_override("byName", name, unit="currencyUSD", decimals=4) for name in money),
            *(_override("byName", name, unit="percentunit", decimals=1) for name in shares),
        ],
        options={"showHeader": True, "cellHeight": "sm"},
    )


def row(title: str, *, repeat: str | None = None) -> Panel:
    """A heading. repeat: the variable for each of whose values the row and its panels appear."""
    made: Panel = {"type": "row", "title": title, "collapsed": False, "panels": []}
    return made if repeat is None else {**made, "repeat": repeat}


_LEGEND_BELOW = {
    "legend": {"displayMode": "list", "placement": "bottom", "showLegend": True, "calcs": []},
    "tooltip": {"mode": "multi", "sort": "none"},
}


def _panel(
    kind: str,
    title: str,
    sql: str,
    description: str,
    *,
    defaults: Mapping[str, Any],
    options: Mapping[str, Any],
    overrides: Sequence[Mapping[str, Any]] = (),
    form: Literal["table", "time_series"] = "table",
) -> Panel:
    target = {
        "refId": "A",
        "datasource": DATASOURCE,
        "editorMode": "code",
        "format": form,
        "rawQuery": True,
        "rawSql": query(sql),
    }
    return {
        "type": kind,
        "title": title,
        "description": description,
        "datasource": DATASOURCE,
        "targets": [target],
        "fieldConfig": {"defaults": dict(defaults), "overrides": list(overrides)},
        "options": dict(options),
    }


def _override(matcher: str, name: str, **properties: Any) -> dict[str, Any]:
    return {
        "matcher": {"id": matcher, "options": name},
        "properties": [{"id": key, "value": value} for key, value in properties.items()],
    }


def _lines() -> dict[str, Any]:
    # A figure that was not identified leaves a gap: nothing is drawn across it.
    return {
        "drawStyle": "line",
        "lineInterpolation": "linear",
        "lineWidth": 2,
        "showPoints": "auto",
        "spanNulls": False,
    }


def _decimals(decimals: int | None) -> dict[str, int]:
    return {} if decimals is None else {"decimals": decimals}
