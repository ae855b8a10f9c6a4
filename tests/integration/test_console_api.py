"""The control API answers from a filled store, and says clearly what is wrong with a request."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import sqlalchemy as sa

from shadow.console.app import create_console
from shadow.settings import Settings
from shadow.store.engine import AsyncEngine, engine_for
from shadow.store.schema import rollup_queue

pytestmark = pytest.mark.slow

NOBODY = "01900000-0000-7000-8000-000000000000"


def client_for(engine: AsyncEngine, settings: Settings) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(create_console(settings, engine))
    return httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8081")


@pytest.fixture
async def client(filled_engine: AsyncEngine, console_config: Settings) -> AsyncIterator[httpx.AsyncClient]:
    async with client_for(filled_engine, console_config) as made:
        yield made


async def got(client: httpx.AsyncClient, path: str, **params: Any) -> Any:
    answer = await client.get(f"/api/v1{path}", params=params)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/json"
    return answer.json()


async def refused(client: httpx.AsyncClient, status: int, method: str, path: str, **options: Any) -> dict[str, Any]:
    answer = await client.request(method, f"/api/v1{path}", **options)
    assert answer.status_code == status, answer.text
    error: dict[str, Any] = answer.json()["error"]
    assert set(error) == {"type", "message", "param"}
    assert "Traceback" not in answer.text
    return error


async def test_metrics_hold_every_figure_with_its_interval(client: httpx.AsyncClient) -> None:
    found = await got(client, "/metrics")
    assert [tier["tier"] for tier in found["tiers"]] == ["fast", "balanced", "frontier"]
    for tier in [*found["tiers"], found["overall"]]:
        accuracy = tier["accuracy"]
        assert (
            0.5 < accuracy["corrected"]["low"] <= accuracy["corrected"]["value"] <= accuracy["corrected"]["high"] <= 1
        )
        assert accuracy["mirrored"] > accuracy["labelled"] > 0
        assert 0.5 < accuracy["coverage"]["value"] < 1
        assert tier["cost_per_success_usd"]["low"] <= tier["cost_per_success_usd"]["value"]
    fast, _, frontier = found["tiers"]
    assert fast["accuracy"]["raw"]["corrected"] is False
    assert frontier["accuracy"]["raw"] is None
    assert frontier["self_consistency"]["value"] > 0.5
    assert sum(e["value"] for e in fast["escalations"].values()) == pytest.approx(fast["escalation_rate"]["value"])
    assert found["savings"]["net_usd"]["low"] < found["savings"]["net_usd"]["value"]
    assert found["shadow_spend"]["mirror_usd"] > found["shadow_spend"]["judge_usd"] > 0
    funnel = found["funnel"]
    assert funnel["sampled"] == sum(n for state, n in funnel.items() if state not in {"sampled", "labelled"})
    assert min(funnel.values()) > 0


async def test_metrics_of_a_window_before_all_traffic_say_that_there_was_none(client: httpx.AsyncClient) -> None:
    found = await got(client, "/metrics", days=1e-6)
    assert found["overall"]["requests"] == 0
    assert found["overall"]["accuracy"]["undefined"]["corrected"]["words"] == "no requests in this window"


async def test_requests_are_paged_newest_first_without_loss_or_repeat(client: httpx.AsyncClient) -> None:
    seen: list[str] = []
    started: list[str] = []
    page: dict[str, Any] = await got(client, "/requests", limit=300)
    while True:
        seen += [row["request_id"] for row in page["items"]]
        started += [row["started_at"] for row in page["items"]]
        if page["next"] is None:
            break
        page = await got(client, "/requests", limit=300, cursor=page["next"])
    assert len(seen) == len(set(seen)) == 700
    assert started == sorted(started, reverse=True)


async def test_requests_can_be_filtered(client: httpx.AsyncClient) -> None:
    filters = {"tier": "fast", "user": "user-0", "feature": "support", "status": "answered"}
    rows = (await got(client, "/requests", limit=500, **filters))["items"]
    assert rows
    for row in rows:
        assert (row["served_tier"], row["user_id"], row["feature"], row["status"]) == tuple(filters.values())
        assert isinstance(row["cost_usd"], float)
    assert (await got(client, "/requests", tier="no such tier"))["items"] == []
    failed = (await got(client, "/requests", status="failed", limit=500))["items"]
    assert failed
    assert all(row["served_tier"] is None and row["attempts"] for row in failed)


async def test_requests_say_whether_they_were_sampled(client: httpx.AsyncClient) -> None:
    rows = (await got(client, "/requests", limit=500))["items"]
    sampled = {row["request_id"] for row in rows if row["sampled"]}
    known = {row["sample_id"] for row in (await got(client, "/samples", limit=500))["items"]}
    assert sampled
    assert sampled <= known


async def test_samples_are_listed_and_filtered(client: httpx.AsyncClient) -> None:
    rejected = (await got(client, "/samples", verdict="reject", tier="fast", arm="up", limit=500))["items"]
    assert rejected
    for row in rejected:
        assert (row["verdict"], row["served_tier"], row["arm"]) == ("reject", "fast", "up")
        assert 0 <= row["probability"] < 0.5
        assert 0 < row["pi"] <= 1
    first = await got(client, "/samples", limit=10)
    second = await got(client, "/samples", limit=10, cursor=first["next"])
    ids = [row["sample_id"] for row in first["items"] + second["items"]]
    assert len(set(ids)) == 20


async def test_a_sample_shows_all_its_answers_judgments_and_labels(client: httpx.AsyncClient) -> None:
    rows = (await got(client, "/samples", state="judged", arm="up", limit=500))["items"]
    labelled = next(row for row in rows if row["labelled"])
    found = await got(client, f"/samples/{labelled['sample_id']}")
    assert found["sample"] == labelled
    assert found["prompt"]
    served, *others = found["answers"]
    assert served["served"]
    assert others
    assert not any(answer["served"] for answer in others)
    for answer in found["answers"]:
        assert {said["judge"] for said in answer["judgments"]} == {"structured@1", "lexical@1"}
        assert answer["completion"]
    assert served["labels"][0]["reviewer"] == "mira"


async def test_judgments_can_be_filtered(client: httpx.AsyncClient) -> None:
    rows = await got(client, "/judgments", judge="lexical@1", verdict="reject", limit=20)
    assert rows
    assert {(row["judge"], row["verdict"]) for row in rows} == {("lexical@1", "reject")}
    some = rows[0]["sample_id"]
    assert {row["sample_id"] for row in await got(client, "/judgments", sample_id=some)} == {some}


async def test_policies_are_listed_with_the_one_in_force_first(client: httpx.AsyncClient) -> None:
    newest, first = await got(client, "/policies")
    assert (newest["version"], newest["in_force"], newest["author"]) == (2, True, "mira")
    assert newest["thresholds"] == {"fast": 0.82, "balanced": 0.6}
    assert (first["origin"], first["in_force"]) == ("config", False)


async def test_spend_adds_up_by_tier_user_feature_and_query_type(client: httpx.AsyncClient) -> None:
    found = await got(client, "/spend", days=2, users=500)
    answered = sum(row["cost_usd"] for row in found["by_tier"])
    for key in ("by_feature", "by_query_type"):
        assert sum(row["cost_usd"] for row in found[key]) == pytest.approx(answered)
    assert found["total_usd"] == pytest.approx(answered + found["unanswered"]["cost_usd"])
    assert [row["name"] for row in found["by_mode"]] == ["route"]
    assert (await got(client, "/spend", days=2, mode="observe"))["total_usd"] == 0
    assert sum(row["cost_usd"] for row in found["by_user"]) == pytest.approx(found["total_usd"])
    assert [row["cost_usd"] for row in found["by_user"]] == sorted(
        (r["cost_usd"] for r in found["by_user"]), reverse=True
    )
    ledger = {row["purpose"]: row for row in found["shadow"]["days"]}
    assert (ledger["mirror"]["spent_usd"], ledger["judge"]["spent_usd"]) == (1.84, 0.37)
    assert found["shadow"]["mirror_cap_usd_per_day"] == 20.0


async def test_a_label_is_stored_once_per_reviewer_and_reopens_its_bucket(
    client: httpx.AsyncClient, filled_engine: AsyncEngine
) -> None:
    sample = (await got(client, "/samples", state="judged", arm="up", limit=1))["items"][0]["sample_id"]
    label = {"sample_id": sample, "which": "served", "label": 1, "reviewer": "ada"}
    for value in (1, 0):
        answer = await client.post("/api/v1/labels", json=label | {"label": value})
        assert answer.status_code == 201
        assert answer.json()["labelled_at"]
    rows = await got(client, "/labels", reviewer="ada", sample_id=sample)
    assert [(row["label"], row["sample_id"]) for row in rows] == [(0, sample)]
    async with filled_engine.connect() as connection:
        assert await connection.scalar(sa.select(sa.func.count()).select_from(rollup_queue)) == 1


@pytest.mark.parametrize(
    ("change", "param"),
    [
        ({"label": 2}, "label"),
        ({"label": True}, "label"),
        ({"label": None}, "label"),
        ({"reviewer": "  "}, "reviewer"),
        ({"reviewer": "a\u0000b"}, "reviewer"),
        ({"sample_id": "x"}, "sample_id"),
        ({"which": ""}, "which"),
        ({"extra": 1}, "extra"),
    ],
)
async def test_a_label_that_makes_no_sense_is_refused(
    client: httpx.AsyncClient, change: dict[str, Any], param: str
) -> None:
    label = {"sample_id": NOBODY, "which": "served", "label": 1, "reviewer": "ada"} | change
    error = await refused(client, 422, "POST", "/labels", json=label)
    assert error["param"] == param
    assert param in error["message"]


async def test_a_label_on_nothing_is_not_found(client: httpx.AsyncClient) -> None:
    label = {"sample_id": NOBODY, "which": "served", "label": 1, "reviewer": "ada"}
    assert NOBODY in (await refused(client, 404, "POST", "/labels", json=label))["message"]


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'"x"', b"\xff\xfe", b'{"reviewer": "\\ud800"}'])
async def test_a_body_that_is_no_label_is_refused(client: httpx.AsyncClient, body: bytes) -> None:
    await refused(client, 422, "POST", "/labels", content=body, headers={"content-type": "application/json"})


@pytest.mark.parametrize(
    ("path", "status"),
    [
        (f"/samples/{NOBODY}", 404),
        ("/samples/x", 422),
        ("/nothing", 404),
        ("/requests?limit=0", 422),
        ("/requests?limit=501", 422),
        ("/requests?limit=x", 422),
        ("/requests?status=happy", 422),
        ("/requests?cursor=x", 422),
        ("/requests?cursor=AAAA", 422),
        ("/requests?user=%00", 422),
        ("/samples?cursor=%F0%9F%92%A9", 422),
        ("/samples?verdict=maybe", 422),
        ("/metrics?days=0", 422),
        ("/metrics?days=nan", 422),
        ("/metrics?days=1e9", 422),
    ],
)
async def test_a_request_that_makes_no_sense_gets_an_error_in_json(
    client: httpx.AsyncClient, path: str, status: int
) -> None:
    assert (await refused(client, status, "GET", path))["message"]


async def test_a_method_that_is_not_served_is_named(client: httpx.AsyncClient) -> None:
    assert "DELETE" in (await refused(client, 405, "DELETE", "/labels"))["message"]


async def test_the_api_describes_itself(client: httpx.AsyncClient) -> None:
    paths = (await got(client, "/openapi.json"))["paths"]
    wanted = ("metrics", "requests", "samples", "samples/{sample_id}", "judgments", "labels", "policies", "spend")
    assert {f"/api/v1/{name}" for name in wanted} <= set(paths)
    assert "/" not in paths


async def test_a_store_that_cannot_be_reached_is_said_to_be_so(console_config: Settings) -> None:
    engine = engine_for("postgresql://postgres@127.0.0.1:9/nowhere")
    async with client_for(engine, console_config) as client:
        for path in ("/metrics", "/requests", "/samples", "/spend", "/policies"):
            error = await refused(client, 503, "GET", path)
            assert error["type"] == "store_unavailable"
        page = await client.get("/")
        assert page.status_code == 503
        assert "The store cannot be read" in page.text
        assert (await client.get("/healthz")).text == "ok\n"
    await engine.dispose()


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "", "localhost@evil.example", "[::1"])
async def test_a_host_name_that_is_not_ours_gets_nothing(client: httpx.AsyncClient, host: str) -> None:
    for path in ("/", "/api/v1/metrics", "/healthz", "/static/console.css"):
        answer = await client.get(path, headers={"host": host})
        assert answer.status_code == 400
        assert answer.json()["error"]["type"] == "unknown_host"


@pytest.mark.parametrize("host", ["localhost:8081", "127.0.0.1", "[::1]:8081", "LOCALHOST"])
async def test_loopback_names_are_ours(client: httpx.AsyncClient, host: str) -> None:
    assert (await client.get("/healthz", headers={"host": host})).status_code == 200


async def test_a_configured_host_name_is_ours(filled_engine: AsyncEngine, console_config: Settings) -> None:
    app = create_console(console_config, filled_engine, allowed_hosts=["shadow.internal"])
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://shadow.internal:8081") as client:
        assert (await client.get("/healthz")).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"origin": "http://evil.example"},
        {"origin": "null"},
    ],
)
async def test_another_site_cannot_write(client: httpx.AsyncClient, headers: dict[str, str]) -> None:
    label = {"sample_id": NOBODY, "which": "served", "label": 1, "reviewer": "ada"}
    assert (await refused(client, 403, "POST", "/labels", json=label, headers=headers))["type"] == "cross_site"


async def test_the_console_itself_may_write(client: httpx.AsyncClient) -> None:
    label = {"sample_id": NOBODY, "which": "served", "label": 1, "reviewer": "ada"}
    own = {"sec-fetch-site": "same-origin", "origin": "http://127.0.0.1:8081"}
    await refused(client, 404, "POST", "/labels", json=label, headers=own)


async def test_many_readers_at_once_are_all_answered(client: httpx.AsyncClient) -> None:
    answers = await asyncio.gather(
        *(client.get("/") for _ in range(12)), *(client.get("/api/v1/spend") for _ in range(12))
    )
    assert {answer.status_code for answer in answers} == {200}


async def test_ids_are_uuids_in_their_usual_spelling(client: httpx.AsyncClient) -> None:
    row = (await got(client, "/requests", limit=1))["items"][0]
    assert str(uuid.UUID(row["request_id"])) == row["request_id"]
