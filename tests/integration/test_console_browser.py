"""A person opens the console: the page is whole, marks are seen, hostile text stays text, and it refreshes under their eyes.

Where Debian's chromium is installed, a real browser looks at it; elsewhere an HTML parser does, on the same assertions.
"""

from __future__ import annotations

import asyncio
import socket
import threading
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, Protocol

import pytest
import uvicorn

from shadow.console.app import create_console
from shadow.settings import Settings
from shadow.store.console_samples import last_samples
from shadow.store.engine import AsyncEngine, engine_for

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


@pytest.fixture(scope="module")
def console_url(filled_database_url: str, console_config: Settings) -> Iterator[str]:
    """A console that really listens."""
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    ready = threading.Event()
    servers: list[uvicorn.Server] = []

    async def serve() -> None:
        engine = engine_for(filled_database_url)
        app = create_console(console_config, engine)
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
