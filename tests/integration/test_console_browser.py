"""A person opens the console: the page is whole, marks are seen, hostile text stays text, and it refreshes under their eyes.

Where Debian's chromium is installed, a real browser looks at it; elsewhere an HTML parser does, on the same assertions.
"""

from __future__ import annotations

import asyncio
import json
import socket
import threading
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, Protocol

import httpx
import pytest
import uuid_utils
import uvicorn

from router.contracts import Exchange
from shadow.console.app import create_console
from shadow.sampling.draws import Draw, Target
from shadow.settings import LabelSettings, Settings
from shadow.store import alerts, samples
from shadow.store.console_samples import last_samples
from shadow.store.engine import AsyncEngine, engine_for, utc_now
from shadow.store.samples import Answer

pytestmark = pytest.mark.slow

CHROMIUM = Path("/usr/bin/chromium")
QUIET_BROWSER = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)


@dataclass(frozen=True, slots=True)
class Seen:
    """A page as it was seen. problems: what a browser complained about."""

    title: str
    text: str
    marks: tuple[str, ...]
    tags: frozenset[str]
    problems: tuple[str, ...] = ()


class Reader(Protocol):
    """Looks at a page, whatever with."""

    def see(self, url: str) -> Seen: ...

    def label(self, url: str) -> list[str]: ...

    def attend(self, url: str) -> None: ...


class Parser(HTMLParser):
    """Title, text, marks and tags of a document."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.title, self.text = "", ""
        self.marks: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        if tag not in {"meta", "link", "img", "br"}:
            self.open.append(tag)
        if tag == "mark":
            self.marks.append("")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, f"</{tag}> closes nothing"

    def handle_data(self, data: str) -> None:
        self.title += data if "title" in self.open and "svg" not in self.open else ""
        self.text += data
        if "mark" in self.open:
            self.marks[-1] += data


class PlainReader:
    """No browser here: the document as it is sent."""

    def see(self, url: str) -> Seen:
        with urllib.request.urlopen(url, timeout=20) as answer:
            document = answer.read().decode()
        parser = Parser()
        parser.feed(document)
        assert parser.open == []
        return Seen(title=parser.title, text=parser.text, marks=tuple(parser.marks), tags=frozenset(parser.tags))

    def label(self, url: str) -> list[str]:
        """What the page's script would do, without it."""
        with httpx.Client(base_url=url, trust_env=False) as client:
            client.put("/api/v1/labels/reviewer", json={"name": "mira"}).raise_for_status()
            seen = []
            for undo in (True, False, False):
                page = client.get("/labels").text
                item = page.partition('data-item="')[2].partition('"')[0]
                whiches = [part.partition('"')[0] for part in page.split('data-which="')[1:]]
                words = [{"which": which, "label": i} for i, which in enumerate(whiches)]
                seen.append(item)
                if item:
                    client.post(f"/api/v1/labels/items/{item}", json={"answers": words}).raise_for_status()
                if undo:
                    assert client.delete("/api/v1/labels/last").json() == {"item_id": item}
            return seen

    def attend(self, url: str) -> None:
        """What the buttons of the page about alerts would do, without them."""
        with httpx.Client(base_url=url, trust_env=False) as client:
            number = client.get("/alerts").text.partition('data-alert="')[2].partition('"')[0]
            client.put("/api/v1/labels/reviewer", json={"name": "mira"}).raise_for_status()
            for act, body in (("ack", {}), ("snooze", {"hours": 4})):
                client.post(f"/api/v1/alerts/{number}/{act}", json=body).raise_for_status()


class BrowserReader:
    """A real browser; afterwards it has refreshed itself once. It lives in a thread: its event loop would block the tests'."""

    def __init__(self, thread: ThreadPoolExecutor, browser: Any) -> None:
        self._thread, self._browser = thread, browser

    def see(self, url: str) -> Seen:
        return self._thread.submit(self._see, url).result(90)

    def _see(self, url: str) -> Seen:
        with self._browser.new_context(viewport={"width": 390, "height": 844}) as context:
            page = context.new_page()
            problems: list[str] = []
            page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
            page.on("pageerror", lambda error: problems.append(str(error)))
            page.goto(url)
            if page.locator("body").get_attribute("data-refresh"):
                self._watch_a_refresh(page)
            return Seen(
                title=page.title(),
                text=page.locator("body").text_content(),
                marks=tuple(page.locator("mark").all_text_contents()),
                tags=frozenset(
                    page.evaluate("[...new Set([...document.querySelectorAll('*')].map(e => e.localName))]")
                ),
                problems=tuple(problems),
            )

    def label(self, url: str) -> list[str]:
        return self._thread.submit(self._label, url).result(90)

    def _label(self, url: str) -> list[str]:
        """Both answers by keyboard, undo, both again, the next item; then nothing waits. Returns the items in that order."""
        with self._browser.new_context(viewport={"width": 390, "height": 844}) as context:
            page = context.new_page()
            page.set_default_timeout(20_000)
            page.goto(f"{url}/labels")
            page.fill("#reviewer-name", "mira")
            page.keyboard.press("Enter")
            seen = []
            for after in ("U", None, None):
                page.wait_for_selector("#item, #nothing-left")
                item = page.locator("#item").get_attribute("data-item") if page.locator("#item").count() else ""
                seen.append(item)
                if not item:
                    continue
                assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "wider than the phone"
                assert page.locator("#save").is_disabled()
                page.keyboard.press("1")
                page.keyboard.press("Enter")  # the other answer has no label yet
                page.keyboard.press("9")
                assert page.locator('[aria-checked="true"]').all_inner_texts() == ["Accept", "Reject"]
                page.keyboard.press("Enter")
                page.wait_for_selector(f'#item:not([data-item="{item}"]), #nothing-left')
                if after is not None:
                    page.keyboard.press(after)
                    page.wait_for_selector(f'#item[data-item="{item}"]')
            return seen

    def attend(self, url: str) -> None:
        self._thread.submit(self._attend, url).result(90)

    def _attend(self, url: str) -> None:
        """Acknowledge and snooze the alert, by buttons; the page asks for a name first."""
        with self._browser.new_context(viewport={"width": 390, "height": 844}) as context:
            page = context.new_page()
            page.set_default_timeout(20_000)
            page.goto(f"{url}/alerts")
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "wider than the phone"
            page.click('[data-act="ack"]')
            page.wait_for_selector("#problem:not(:empty)")
            page.fill("#alert-name", "mira")
            page.click('[data-act="ack"]')
            page.wait_for_selector("#who")
            page.click('[data-act="snooze"]')
            page.wait_for_selector('[data-act="unsnooze"]')

    def _watch_a_refresh(self, page: Any) -> None:
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "the page is wider than the phone"
        page.evaluate("scrollTo(0, 900); document.querySelector('main > *').dataset.old = 'yes'")
        page.wait_for_selector("[data-old]", state="detached", timeout=30_000)
        assert page.evaluate("scrollY") == 900
        assert page.locator("#live").get_attribute("data-state") == "on"


@pytest.fixture(scope="module")
def reader() -> Iterator[Reader]:
    """A browser where there is one, else the parser."""
    if not CHROMIUM.exists():
        yield PlainReader()
        return
    from playwright.sync_api import sync_playwright

    with ThreadPoolExecutor(max_workers=1) as thread:
        playwright = thread.submit(lambda: sync_playwright().start()).result(60)
        launch = playwright.chromium.launch
        browser = thread.submit(launch, executable_path=str(CHROMIUM), args=list(QUIET_BROWSER)).result(60)
        yield BrowserReader(thread, browser)
        thread.submit(browser.close).result(60)
        thread.submit(playwright.stop).result(60)


@contextmanager
def listening(database_url: str, settings: Settings) -> Iterator[str]:
    """A console that really listens."""
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    ready = threading.Event()
    servers: list[uvicorn.Server] = []

    async def serve() -> None:
        engine = engine_for(database_url)
        app = create_console(settings, engine)
        server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="off", ws="none"))
        servers.append(server)
        ready.set()
        await server.serve(sockets=[listener])
        await engine.dispose()

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    assert ready.wait(20)
    yield f"http://127.0.0.1:{port}"
    servers[0].should_exit = True
    thread.join(20)


@pytest.fixture(scope="module")
def console_url(filled_database_url: str, console_config: Settings) -> Iterator[str]:
    """A console on some hours of traffic."""
    with listening(filled_database_url, console_config) as url:
        yield url


@pytest.fixture
async def two_to_label(empty_engine: AsyncEngine, one_exchange: Exchange) -> list[str]:
    """Two samples that were drawn for a label, with both their answers."""
    ids = [str(uuid_utils.uuid7()) for _ in range(2)]
    target = Target(tier="frontier", repeat=0, pi=0.5)
    drawn = Draw(
        arm="up",
        reference_tier="frontier",
        targets=(target,),
        pi=0.5,
        eta=1.0,
        label_drawn=True,
        counts_for_accuracy=True,
    )
    async with empty_engine.begin() as connection:
        for position, request_id in enumerate(ids):
            at = one_exchange.started_at + timedelta(minutes=position)
            sampled = replace(one_exchange, request_id=request_id, started_at=at)
            await samples.insert_samples(connection, [(sampled, drawn, "What is due?")])
            other = Answer(tier="frontier", repeat=0, served=False, pi=0.5, outcome="ok", completion="Nothing is.")
            await samples.save_answer(connection, request_id, other)
            await samples.set_state(connection, request_id, "judged")
    return ids


@pytest.fixture
async def hostile_sample(filled_engine: AsyncEngine) -> str:
    """A sample whose prompt and completion hold a script."""
    async with filled_engine.connect() as connection:
        rows = await last_samples(connection, filters={"query_type": "classification", "verdict": "reject"}, limit=1)
    return rows[0].sample_id


def test_the_overview_is_whole(reader: Reader, console_url: str) -> None:
    seen = reader.see(f"{console_url}/")
    assert seen.title == "Shadowtier"
    for words in (
        "What is flowing",
        "Accuracy",
        "Escalation rate",
        "Cost per success",
        "The funnel",
        "Policy 2 is in force",
    ):
        assert words in seen.text
    assert {"svg", "circle", "rect", "table"} <= seen.tags
    assert seen.marks
    assert seen.problems == ()


def test_hostile_text_stays_text(reader: Reader, console_url: str, hostile_sample: str) -> None:
    seen = reader.see(f"{console_url}/samples/{hostile_sample}")
    assert seen.title == "Sample · Shadowtier"
    assert "<script>document.title='owned'</script>" in seen.text
    assert seen.problems == ()


def test_the_parser_sees_what_a_browser_sees(reader: Reader, console_url: str, hostile_sample: str) -> None:
    url = f"{console_url}/samples/{hostile_sample}"
    plain, seen = PlainReader().see(url), reader.see(url)
    assert (plain.title, plain.marks) == (seen.title, seen.marks)
    assert plain.tags - {"meta"} <= seen.tags | {"tbody"}


def test_a_reviewer_labels_both_answers_takes_it_back_and_goes_on(
    reader: Reader, database_url: str, console_config: Settings, two_to_label: list[str]
) -> None:
    first, second = two_to_label
    settings = console_config.model_copy(update={"labels": LabelSettings(gold_share=0)})
    with listening(database_url, settings) as url:
        assert reader.label(url) == [first, first, second]
        with urllib.request.urlopen(f"{url}/api/v1/labels?reviewer=mira", timeout=20) as answer:
            rows = json.load(answer)
    assert sorted((row["sample_id"], row["label"]) for row in rows) == [
        (i, n) for i in sorted(two_to_label) for n in (0, 1)
    ]


async def test_an_alert_is_acknowledged_and_snoozed_by_buttons(
    reader: Reader, empty_engine: AsyncEngine, database_url: str, console_config: Settings
) -> None:
    async with empty_engine.begin() as connection:
        said = "<b>12 of 60</b> worse"
        await alerts.open_alert(
            connection, kind="gold_drift", key="k", severity="critical", message=said, details={}, now=utc_now()
        )
    with listening(database_url, console_config) as url:
        await asyncio.to_thread(reader.attend, url)
        with urllib.request.urlopen(f"{url}/alerts", timeout=20) as answer:
            page = answer.read().decode()
    async with empty_engine.connect() as connection:
        (alert,) = await alerts.last_alerts(connection)
    assert (alert.acknowledged_by, alert.snoozed_by, alert.is_snoozed(utc_now())) == ("mira", "mira", True)
    assert "&lt;b&gt;12 of 60" in page
    assert "<b>12" not in page
