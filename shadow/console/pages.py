"""Which pages are there for people, and what leads to them?"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

import jinja2
from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse

from shadow.access.identity import current
from shadow.alerting.kinds import title_of
from shadow.console import overview, trend, wording
from shadow.console.alert_page import add_alert_page
from shadow.console.audit_page import add_audit_page
from shadow.console.judge_page import add_judge_page
from shadow.console.label_pages import add_label_pages
from shadow.console.login import add_login_page
from shadow.console.money import ROWS, Money, load_money
from shadow.console.page_route import page_route
from shadow.console.pair_page import add_pair_page
from shadow.console.pin_page import add_pin_page
from shadow.console.proposal_page import add_proposal_page
from shadow.console.readable import readable
from shadow.console.regression_pages import add_regression_pages
from shadow.console.spans import pieces
from shadow.console.stream_page import add_stream_page
from shadow.console.upgrade_page import add_upgrade_pages
from shadow.errors import StoreError
from shadow.going_live.reading import load_going_live
from shadow.going_live.text import going_live_json
from shadow.regressions import page as regression_page
from shadow.regressions.headline import points as signed_points
from shadow.reports.noise_text import in_short, points, sentence
from shadow.settings import Settings
from shadow.store.console_samples import sample_detail
from shadow.store.console_session import reading
from shadow.store.engine import AsyncEngine, utc_now
from shadow.store.spend import Dimension

TEMPLATES = Path(__file__).parent / "templates"
#: Windows that the page offers beside the configured one.
WINDOWS_HOURS = (1.0, 24.0, 168.0)
TIER_COLOURS = 6
#: What the head of every page leads to: path, word, and the templates that belong there.
PAGES = (
    ("/", "overview", {"overview.html", "sample.html", "pair_list.html", "going_live.html"}),
    ("/regressions", "regressions", {"regressions.html"}),
    ("/streams", "streams", {"streams.html"}),
    ("/alerts", "alerts", {"alert_page.html"}),
    ("/money", "money", {"money.html"}),
    ("/judges", "judges", {"judges.html"}),
    ("/labels", "labels", {"labels.html", "label_name.html", "label_agreement.html"}),
    ("/proposals", "proposals", {"proposals.html"}),
    ("/upgrades", "upgrades", {"upgrades.html", "upgrade.html"}),
    ("/pins", "pins", {"pins.html", "canaries.html"}),
    ("/audit", "audit", {"audit.html"}),
)


def page_routes(settings: Settings, engine: AsyncEngine) -> APIRouter:
    """The pages, server-rendered; all but labelling work without JavaScript."""
    templates = _templates(settings)
    configured = settings.rollup.window_days * 24.0
    windows = [*(hours for hours in WINDOWS_HOURS if hours < configured), configured]

    def render(name: str, status: int = 200, **values: Any) -> HTMLResponse:
        found = templates.get_template(name).render(template=name, pages=PAGES, **values)
        return HTMLResponse(found, status_code=status)

    def unreadable(exc: StoreError) -> HTMLResponse:
        text = f"{exc}. The router serves all the same, and what it records is delivered later."
        return render("message.html", 503, title="The store cannot be read", text=text)

    routes = APIRouter(include_in_schema=False, default_response_class=HTMLResponse, route_class=page_route(unreadable))

    @routes.get("/")
    async def first_page(hours: Annotated[float, Query(gt=0, le=9600)] = configured) -> HTMLResponse:
        found = await overview.load_overview(engine, settings, now=utc_now(), window=timedelta(hours=hours))
        return render("overview.html", page=found, hours=hours, windows=windows)

    @routes.get("/money")
    async def money_page(by: Dimension = "user", days: Annotated[float, Query(gt=0, le=400)] = 7) -> HTMLResponse:
        page = await load_money(engine, settings, by=by, days=days, now=utc_now())
        return render("money.html", most=ROWS, **{name: getattr(page, name) for name in Money.__dataclass_fields__})

    add_alert_page(routes, settings, engine, render=render)
    add_login_page(routes, render=render)
    add_judge_page(routes, settings, engine, render=render)
    add_pin_page(routes, settings, engine, render=render)
    add_proposal_page(routes, settings, engine, render=render)
    add_stream_page(routes, settings, engine, render=render)

    @routes.get("/going-live")
    async def going_live_page() -> HTMLResponse:
        async with reading(engine) as connection:
            found = await load_going_live(connection, settings)
        return render("going_live.html", found=going_live_json(found), top=found.top_tier)

    add_regression_pages(routes, settings, engine, render=render)
    add_pair_page(routes, engine, render=render)
    add_label_pages(routes, settings, engine, render=render)
    add_audit_page(routes, settings, engine, render=render)
    add_upgrade_pages(routes, settings, engine, render=render)

    @routes.get("/samples/{sample_id}")
    async def sample_page(sample_id: str) -> HTMLResponse:
        try:
            async with reading(engine) as connection:
                found = await sample_detail(connection, str(uuid.UUID(sample_id)))
        except ValueError:
            found = None
        if found is None:
            return render("message.html", 404, title="No such sample", text="It may have been deleted since.")
        return render("sample.html", detail=found, now=utc_now())

    return routes


def refusal_page(settings: Settings) -> Callable[[int, str, str], HTMLResponse]:
    """Makes pages that say why somebody may not see something."""
    templates = _templates(settings)

    def page(status: int, title: str, text: str) -> HTMLResponse:
        values = {"template": "message.html", "pages": PAGES, "title": title, "text": text}
        return HTMLResponse(templates.get_template("message.html").render(**values), status_code=status)

    return page


def _templates(settings: Settings) -> jinja2.Environment:
    templates = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,  # prompts and completions are untrusted
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    for function in (
        wording.percent,
        wording.percent_interval,
        wording.usd,
        wording.count,
        wording.clock,
        wording.ago,
        wording.duration,
        wording.plain,
        title_of,
        pieces,
        readable,
        overview.why_no_accuracy,
        overview.why_no_cost,
        overview.why_no_savings,
        in_short,
        points,
        sentence,
    ):
        templates.globals[function.__name__] = function
    position = {name: i for i, name in enumerate(settings.tier_names)}
    templates.globals["tier_class"] = lambda name: f"t{position[name] % TIER_COLOURS}" if name in position else "tx"
    templates.globals["settings"] = settings
    templates.globals |= {"week_height": regression_page.WEEK_HEIGHT, "signed_points": signed_points}
    templates.globals["acting_identity"] = current
    templates.globals["sees_texts"] = lambda: (me := current()) is None or me.may("reviewer")
    templates.globals |= {"trend_width": f"{trend.WIDTH:.0f}", "trend_height": f"{trend.HEIGHT:.0f}"}
    return templates
