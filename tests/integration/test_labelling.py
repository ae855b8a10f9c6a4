"""A reviewer's queue: who is asked what, blind and in which order; words are stored once, and counted only where they may be."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import httpx
import pytest
import sqlalchemy as sa
import uuid_utils

from shadow import rollup
from shadow.console.app import create_console
from shadow.labels.agreement import load_agreement
from shadow.settings import LabelSettings, Settings
from shadow.store import gold, labels
from shadow.store.engine import AsyncEngine, utc_now
from shadow.store.gold import GoldItem

pytestmark = pytest.mark.slow
HOSTILE = "\u202eedoc\u202c <b onclick='x()'>**bold**</b>"
START = utc_now() - timedelta(hours=3)


class Store:
    """Puts samples into the store, a minute apart."""

    def __init__(self, engine: AsyncEngine) -> None:
        self.engine, self.number = engine, 0

    async def run(self, statement: str, **values: Any) -> list[Any]:
        async with self.engine.begin() as connection:
            result = await connection.execute(sa.text(statement), values)
            return [tuple(row) for row in result] if result.returns_rows else []

    async def sample(
        self, *, drawn: bool = True, state: str = "judged", prompt: str = "Where is it?", **more: Any
    ) -> str:
        self.number += 1
        request_id = str(uuid_utils.uuid7())
        await self.run(
            "INSERT INTO samples (request_id, started_at, arm, served_tier, served_model, reference_tier, query_type, feature,"
            " band, policy_version, plan, counts_for_accuracy, pi, eta, label_drawn, state) VALUES (CAST(:id AS uuid), :at,"
            " 'up', 'fast', 'm', 'frontier', :query_type, '', 'in', 1, '[]', true, .5, :eta, :drawn, :state)",
            id=request_id,
            at=START + timedelta(minutes=self.number),
            drawn=drawn,
            state=state,
            eta=more.get("eta", 0.5),
            query_type=more.get("query_type", "status"),
        )
        await self.run(
            "INSERT INTO sample_texts (request_id, request_body, prompt) VALUES (CAST(:id AS uuid), :body, :prompt)",
            id=request_id,
            prompt=prompt,
            body=json.dumps({"messages": [{"role": "user", "content": prompt}]}) if prompt else "",
        )
        for tier, served in (("fast", True), ("frontier", False)):
            await self.run(
                "INSERT INTO answers (request_id, tier, repeat, served, pi, outcome, completion, verdict)"
                " VALUES (CAST(:id AS uuid), :tier, 0, :served, 1, 'ok', :text, 'accept')",
                id=request_id,
                tier=tier,
                served=served,
                text=f"answer of {self.number} {HOSTILE}" if served else f"other of {self.number}",
            )
        return request_id


@pytest.fixture
async def store(empty_engine: AsyncEngine) -> Store:
    return Store(empty_engine)


@pytest.fixture
async def client(store: Store, console_config: Settings) -> AsyncIterator[httpx.AsyncClient]:
    labelling = LabelSettings(second_share=1.0, doubt_ratio=2.0, gold_share=0.0)
    settings = console_config.model_copy(update={"labels": labelling})
    transport = httpx.ASGITransport(create_console(settings, store.engine))
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost:8081") as made:
        yield made


async def following(client: httpx.AsyncClient, reviewer: str) -> dict[str, Any] | None:
    answer = await client.get("/api/v1/labels/next", params={"reviewer": reviewer})
    assert answer.status_code in {200, 204}, answer.text
    return answer.json() if answer.status_code == 200 else None


async def say(client: httpx.AsyncClient, reviewer: str, item: dict[str, Any], *said: int | None) -> None:
    """One word per answer, in the order shown; the last one counts for the rest."""
    words = [
        {"which": answer["which"], "label": (label := said[min(i, len(said) - 1)])}
        | ({"reason": "expertise"} if label is None else {})
        for i, answer in enumerate(item["answers"])
    ]
    url = f"/api/v1/labels/items/{item['item_id']}"
    answer = await client.post(url, params={"reviewer": reviewer}, json={"answers": words})
    assert answer.status_code == 201, answer.text


async def test_drawn_samples_come_oldest_first_blind_and_in_an_order_of_the_reviewers_own(
    client: httpx.AsyncClient, store: Store
) -> None:
    wanted = [await store.sample() for _ in range(8)]
    await store.sample(drawn=False)
    await store.sample(state="sampled")  # still being mirrored
    await store.sample(prompt="")  # texts are not kept
    seen, orders = [], {"mira": [], "noa": []}
    for _ in wanted:
        item = await following(client, "mira")
        assert item == await following(client, "mira"), "the same until something is said"
        assert item is not None
        assert set(item) == {"item_id", "prompt", "context", "answers"}
        others = (await client.get("/api/v1/labels/next", params={"reviewer": "noa", "item": item["item_id"]})).json()
        for name, shown in (("mira", item), ("noa", others)):
            orders[name].append(shown["answers"][0]["text"].startswith("answer"))
        seen.append(item["item_id"])
        assert "fast" not in json.dumps(item)
        assert "frontier" not in json.dumps(item)
        await say(client, "mira", item, 1, 0)
    assert seen == wanted
    assert await following(client, "mira") is None
    assert orders["mira"] != orders["noa"]
    assert set(orders["mira"] + orders["noa"]) == {True, False}
    left = (await client.get("/api/v1/labels/progress", params={"reviewer": "mira"})).json()["left"]
    assert left == {"first": 0, "second": 0, "third": 0, "untold": 0, "textless": 1}
    rows = await store.run("SELECT DISTINCT request_id::text, tier FROM labels")
    assert len(rows) == 16


async def test_a_second_reviewer_is_asked_and_a_third_settles_a_dispute(
    client: httpx.AsyncClient, store: Store, console_config: Settings
) -> None:
    agreed, disputed = await store.sample(), await store.sample(query_type="billing")
    for reviewer, label in (("mira", 1), ("noa", 0)):
        for _ in range(2):
            item = await following(client, reviewer)
            assert item is not None
            await say(client, reviewer, item, 1 if item["item_id"] == agreed else label)
        assert await following(client, reviewer) is None, "nobody is asked about a sample twice"
    disputes = (await client.get("/api/v1/labels/disputes")).json()
    assert {(d["sample_id"], d["settled"]) for d in disputes} == {(disputed, None)}
    assert "mira" not in json.dumps(disputes), "who is to settle it must not know who said what"

    third = await following(client, "zoe")
    assert third is not None
    assert third["item_id"] == disputed
    await say(client, "zoe", third, 0)
    assert await following(client, "zoe") is None
    assert {d["settled"] for d in (await client.get("/api/v1/labels/disputes")).json()} == {0}
    found = (await client.get("/api/v1/labels/agreement")).json()
    assert (found["overall"]["agreed"]["value"], found["overall"]["agreed"]["n"], found["unsettled"]) == (0.5, 4, 0)
    assert found["by_query_type"]["billing"]["agreed"]["value"] == 0.0
    assert "Do reviewers agree?" in (await client.get("/labels/agreement")).text

    await rollup.compute(store.engine, console_config)
    first = await store.run("SELECT sum(u_vy) / sum(u_v), sum(labelled) FROM rollups")
    assert first == [(1.0, 2.0)], "figures rest on the first label of each answer, whatever came later"


async def test_what_two_reviewers_cannot_tell_is_asked_of_no_third(client: httpx.AsyncClient, store: Store) -> None:
    await store.sample()
    for reviewer in ("mira", "noa"):
        item = await following(client, reviewer)
        assert item is not None
        await say(client, reviewer, item, None)
        assert await following(client, reviewer) is None
    assert await following(client, "zoe") is None
    left = (await client.get("/api/v1/labels/progress", params={"reviewer": "zoe"})).json()["left"]
    assert left["untold"] == 1
    assert await store.run("SELECT count(*) FROM labels") == [(0,)]


async def test_the_last_words_can_be_taken_back_and_repeated_ones_change_nothing(
    client: httpx.AsyncClient, store: Store
) -> None:
    for _ in range(2):
        await store.sample()
    first = await following(client, "mira")
    assert first is not None
    await say(client, "mira", first, 1, None)
    before = await store.run("SELECT * FROM labels")
    await say(client, "mira", first, 1, None)
    assert await store.run("SELECT * FROM labels") == before
    await store.run("DELETE FROM rollup_queue")
    undone = await client.delete("/api/v1/labels/last", params={"reviewer": "mira"})
    assert undone.json() == {"item_id": first["item_id"]}
    assert await store.run("SELECT (SELECT count(*) FROM labels) + (SELECT count(*) FROM label_skips)") == [(0,)]
    assert await store.run("SELECT count(*) FROM rollup_queue") == [(1,)]
    assert await following(client, "mira") == first
    assert (await client.delete("/api/v1/labels/last", params={"reviewer": "mira"})).json() == {"item_id": None}
    url = f"/api/v1/labels/items/{first['item_id']}"
    for words, status in (
        ([{"which": "blind:000000000000", "label": 1}], 404),
        ([{"which": "served", "label": None}], 422),
        ([], 422),
    ):
        answer = await client.post(url, params={"reviewer": "mira"}, json={"answers": words})
        assert answer.status_code == status, answer.text
    assert (await client.get("/api/v1/labels/next")).status_code == 422


async def test_extra_samples_never_enter_the_figures_and_never_crowd_the_drawn_ones_out(
    client: httpx.AsyncClient, store: Store, console_config: Settings
) -> None:
    drawn = [await store.sample() for _ in range(2)]
    rated = [await store.sample(drawn=False) for _ in range(2)]
    doubted = [await store.sample(drawn=False, state="abstained", eta=0.4) for _ in range(12)]
    for request_id in rated:
        await store.run(
            "INSERT INTO feedback (request_id, source, key_id, feedback_id, at, requested_at, rating, signal, tier) VALUES"
            " (CAST(:id AS uuid), 'user', '', gen_random_uuid(), now(), now(), 'down', 'rated', 'fast')",
            id=request_id,
        )
    seen = []
    while (item := await following(client, "mira")) is not None:
        await say(client, "mira", item, int(item["item_id"] in drawn))
        seen.append(item["item_id"])
    assert seen[:4] == [rated[1], drawn[0], rated[0], drawn[1]]
    extra = set(seen[4:])
    assert extra <= set(doubted), "each with a chance of (2 * .4 - .4) / (1 - .4), as a hash of its id says"
    strata = dict(
        await store.run("SELECT request_id::text, stratum || ' ' || coalesce(eta::text, '-') FROM label_extras")
    )
    assert strata == dict.fromkeys(rated, "rated -") | dict.fromkeys(extra, "doubt 0.8")
    await rollup.compute(store.engine, console_config)
    assert await store.run("SELECT sum(u_vy) / sum(u_v), sum(labelled) FROM rollups") == [(1.0, 2.0)]


async def test_gold_items_look_like_samples_and_check_the_reviewer(store: Store, console_config: Settings) -> None:
    for _ in range(3):
        await store.sample()
    item = GoldItem(item_id="g1", prompt="2 + 2?", answer="5", reference="4", label=0, reference_label=1)
    async with store.engine.begin() as connection:
        version, new = await gold.freeze(connection, [item], by="mira", note="", now=utc_now())
        again, same = await gold.freeze(connection, [item], by="noa", note="", now=utc_now())
        assert (new, same, version == again) == (True, False, True)
    settings = console_config.model_copy(update={"labels": LabelSettings(gold_share=0.95)})
    transport = httpx.ASGITransport(create_console(settings, store.engine))
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost:8081") as client:
        seen = []
        while (shown := await following(client, "zoe")) is not None:
            assert set(shown) == {"item_id", "prompt", "context", "answers"}
            assert all(answer["which"].startswith("blind:") for answer in shown["answers"])
            seen.append(shown["item_id"])
            await say(client, "zoe", shown, 1)
        assert seen.count(item.key) == 1
        assert len(seen) == 4
    async with store.engine.connect() as connection:
        quality = await labels.reviewer_quality(connection)
        report = await load_agreement(connection, days=1, now=utc_now())
    assert quality is not None
    assert (quality.false_accepts, quality.gold_bad, quality.false_rejects, quality.gold_good) == (1, 1, 0, 1)
    assert [(row.reviewer, row.gold, row.gold_wrong) for row in report.reviewers] == [("zoe", 2, 1)]
    assert await store.run("SELECT count(*) FROM labels") == [(6,)], "gold items are no samples"


async def test_the_page_asks_for_a_name_escapes_texts_and_says_when_nothing_waits(
    client: httpx.AsyncClient, store: Store
) -> None:
    assert "Who labels?" in (await client.get("/labels")).text
    bad = await client.put("/api/v1/labels/reviewer", json={"name": " \u0007 "})
    assert bad.status_code == 422
    said = await client.put("/api/v1/labels/reviewer", json={"name": "Zoë \u5c71"})
    assert "HttpOnly" in said.headers["set-cookie"]
    assert "SameSite=strict" in said.headers["set-cookie"]
    assert "Nothing waits for you" in (await client.get("/labels")).text
    sample_id = await store.sample(prompt="x" * 9_000)
    page = (await client.get("/labels")).text
    assert "Zoë \u5c71" in page
    assert "1 left" in page
    assert "&lt;b onclick=" in page
    assert "<b onclick" not in page
    assert '<span class="hidden-character" title="right-to-left override">U+202E</span>' in page
    assert "5\u202f000 more characters" in page
    assert f'data-item="{sample_id}"' in page
    main = page.split("<main")[1].split("</main>")[0]
    for telling in ("fast", "frontier", "accept</span>", "verdict"):
        assert telling not in main
    foreign = await client.post(
        f"/api/v1/labels/items/{sample_id}", json={"answers": []}, headers={"sec-fetch-site": "cross-site"}
    )
    assert foreign.status_code == 403
