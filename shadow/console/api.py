"""What can a program ask the control API? The routes under `/api/v1`, put together."""

from __future__ import annotations

from fastapi import APIRouter

from shadow.console.answers import ErrorBody
from shadow.console.api_alerts import add_alert_routes
from shadow.console.api_audit import add_audit_routes
from shadow.console.api_gold import add_gold_routes
from shadow.console.api_labels import add_label_routes
from shadow.console.api_regressions import add_regression_routes
from shadow.console.api_samples import add_sample_routes
from shadow.console.api_scorers import add_scorer_routes
from shadow.console.api_spend import add_spend_routes
from shadow.console.api_tables import add_table_routes
from shadow.console.api_traffic import add_traffic_routes
from shadow.console.api_upgrades import add_upgrade_routes
from shadow.console.failed_logins import FailedLogins
from shadow.console.login import add_session_routes
from shadow.console.pin_page import add_pin_routes
from shadow.console.stream_page import add_stream_routes
from shadow.settings import Settings
from shadow.store.engine import AsyncEngine


def api_routes(settings: Settings, engine: AsyncEngine, failures: FailedLogins) -> APIRouter:
    """The routes, relative to `/api/v1`."""
    routes = APIRouter(responses={status: {"model": ErrorBody} for status in (401, 403, 422, 503)})
    add_traffic_routes(routes, settings, engine)
    add_spend_routes(routes, settings, engine)
    add_table_routes(routes, settings, engine)
    add_sample_routes(routes, engine)
    add_label_routes(routes, settings, engine)
    add_alert_routes(routes, engine)
    add_gold_routes(routes, engine)
    add_regression_routes(routes, settings, engine)
    add_scorer_routes(routes, engine)
    add_audit_routes(routes, settings, engine)
    add_pin_routes(routes, settings, engine)
    add_stream_routes(routes, settings, engine)
    add_upgrade_routes(routes, settings, engine)
    add_session_routes(routes, settings, engine, failures)
    return routes
