"""The console's pages show what the store holds, escape what clients wrote, and run nothing that is not theirs."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import httpx
import pytest

from shadow import rollup
from shadow.console.app import create_console
from shadow.settings import Settings
from shadow.store import challengers, policies, proposals
from shadow.store.console_samples import divergent_pairs, last_samples
from shadow.store.engine import AsyncEngine, utc_now
from shadow.store.exchanges import insert_exchanges

pytestmark = pytest.mark.slow


@pytest.fixture
async def client(filled_engine: AsyncEngine, console_config: Settings) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(create_console(console_config, filled_engine))
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost:8081") as made:
        yield made


@pytest.fixture
async def new_client(empty_engine: AsyncEngine, console_config: Settings) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(create_console(console_config, empty_engine))
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost:8081") as made:
        yield made


async def test_the_overview_shows_the_same_figures_as_the_api(client: httpx.AsyncClient) -> None:
    page = (await client.get("/")).text
    found = (await client.get("/api/v1/metrics")).json()
    for tier in found["tiers"]:
        corrected = tier["accuracy"]["corrected"]
        assert f"<strong>{100 * corrected['value']:.1f}\u202f%</strong>" in page
        assert f"{100 * corrected['low']:.1f} – {100 * corrected['high']:.1f}\u202f%" in page
        assert f"{tier['accuracy']['mirrored']} mirrored" in page
    for heading in ("What is flowing", "Escalation rate", "Cost per success", "The funnel", "The last divergent pairs"):
        assert heading in page
    noise = next(row for row in found["noise_floor"] if row["tier"] == "fast" and row["query_type"] is None)
    assert f"frontier differs from itself on {noise['floor']['value']:.1%}" in page
    assert noise["excess"] is not None
    assert "Policy 2 is in force" in page
    assert "serves from a confidence of <strong>0.82</strong>" in page


async def test_what_clients_and_models_wrote_is_escaped(client: httpx.AsyncClient, filled_engine: AsyncEngine) -> None:
    async with filled_engine.connect() as connection:
        rows = await last_samples(connection, filters={"query_type": "classification", "verdict": "reject"}, limit=1)
    page = (await client.get(f"/samples/{rows[0].sample_id}")).text
    assert "&lt;script&gt;document.title" in page
    assert "<script>document" not in page
    assert "<img src=x" not in page


@pytest.mark.parametrize("path", ["/", "/samples/x", "/api/v1/metrics", "/static/console.css", "/nothing"])
async def test_every_answer_forbids_foreign_code_and_frames(client: httpx.AsyncClient, path: str) -> None:
    headers = (await client.get(path)).headers
    policy = dict(part.strip().split(" ", 1) for part in headers["content-security-policy"].split(";"))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == "'self'"
    assert policy["frame-ancestors"] == policy["base-uri"] == "'none'"
    assert headers["x-frame-options"] == "DENY"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"


async def test_pages_hold_no_inline_script_or_style(client: httpx.AsyncClient) -> None:
    page = (await client.get("/")).text
    assert 0 < page.count("<script") == page.count('<script src="/static/')
    for forbidden in (" style=", "<style", " onclick", "javascript:"):
        assert forbidden not in page


async def test_static_files_are_served(client: httpx.AsyncClient) -> None:
    for name, kind in (("console.css", "text/css"), ("refresh.js", "text/javascript"), ("mark.svg", "image/svg+xml")):
        answer = await client.get(f"/static/{name}")
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith(kind)
    assert (await client.get("/static/../app.py")).status_code == 404


async def test_divergent_pairs_stand_side_by_side_with_what_judges_said(
    client: httpx.AsyncClient, filled_engine: AsyncEngine
) -> None:
    async with filled_engine.connect() as connection:
        pairs = await divergent_pairs(connection, 6)
    assert len(pairs) == 6
    page = (await client.get("/")).text
    for pair in pairs:
        assert pair.reference is not None
        assert pair.sample.verdict == "reject"
        assert f'href="/samples/{pair.sample.sample_id}"' in page
    assert "the answer contradicts the reference on a stated fact" in page
    assert '<mark title="unsupported number">' in page


@pytest.mark.parametrize("path", ["/samples/01900000-0000-7000-8000-000000000000", "/samples/x", "/samples/%00"])
async def test_a_sample_that_is_not_there_gets_a_page_that_says_so(client: httpx.AsyncClient, path: str) -> None:
    answer = await client.get(path)
    assert answer.status_code == 404
    assert "No such sample" in answer.text


async def test_the_window_can_be_chosen(client: httpx.AsyncClient) -> None:
    day = (await client.get("/?hours=24")).text
    assert '<a href="/?hours=24" aria-current="page">1 day</a>' in day
    assert (await client.get("/?hours=0")).status_code == 422


async def test_an_empty_store_tells_a_newcomer_what_to_do(new_client: httpx.AsyncClient) -> None:
    answer = await new_client.get("/")
    assert answer.status_code == 200
    assert "Nothing has flowed yet" in answer.text
    assert "http://127.0.0.1:8080/v1" in answer.text


async def test_traffic_without_figures_yet_shows_when_they_come(
    new_client: httpx.AsyncClient, empty_engine: AsyncEngine, one_exchange: object
) -> None:
    async with empty_engine.begin() as connection:
        await insert_exchanges(connection, [one_exchange])  # type: ignore[list-item]
    page = (await new_client.get("/")).text
    assert "Requests are arriving. Figures are computed every 15 min" in page
    assert "No policy stored yet" in page
    assert page.count("not known") >= 3


async def test_figures_that_are_not_identified_are_explained_in_words(
    new_client: httpx.AsyncClient, empty_engine: AsyncEngine, console_config: Settings, one_exchange: object
) -> None:
    from shadow.store.rollup_queue import mark

    async with empty_engine.begin() as connection:
        await insert_exchanges(connection, [one_exchange])  # type: ignore[list-item]
        await mark(connection, [utc_now() - timedelta(minutes=30)])
        await policies.adopt_configured(connection, thresholds=console_config.routing.thresholds, band=0.05)
    await rollup.compute_and_publish(empty_engine, console_config)
    page = (await new_client.get("/")).text
    assert "nothing was mirrored yet" in page
    assert "no requests in this window" in page
    assert "too few mirrored pairs to price the top tier" in page
    assert "Policy 1 is in force" in page


async def test_proposals_and_challengers_are_shown_with_what_became_of_them(
    new_client: httpx.AsyncClient, empty_engine: AsyncEngine
) -> None:
    assert "Nothing was proposed yet" in (await new_client.get("/proposals")).text
    now = utc_now()
    async with empty_engine.begin() as connection:
        kept = await proposals.propose(
            connection, status="certified", base_version=1, thresholds={"fast": 0.82}, by_query_type={}, evidence={}
        )
        await proposals.decide(connection, kept, state="rejected", by="<ann>", reason="a launch is near")
        made = await challengers.begin(
            connection, champion="champion@1", trained_from=now - timedelta(days=28), cut_off_at=now, now=now
        )
    page = (await new_client.get("/proposals")).text
    assert "fast 0.820" in page
    assert "&lt;ann&gt;: a launch is near" in page
    assert "champion@1" in page
    assert f'data-label="challenger">{made}<' in page
