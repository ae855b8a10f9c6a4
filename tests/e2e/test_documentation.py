"""Does everything that the documents tell a reader to type work as it stands there, and does every link lead somewhere?"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import httpx
import psycopg
import pytest
import yaml

from router.query_types.examples import read_examples
from shadow.settings import parse
from shadow.store.engine import engine_for, libpq_url
from shadow.store.exchanges import ensure_partitions
from shadow.testing import Product, free_port, running_product

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
BIN = Path(sys.executable).parent
HELP = "help"


@dataclass(frozen=True, slots=True, kw_only=True)
class StandIn:
    """What is run in place of a documented command. instead: HELP asks for its help and looks for each option there."""

    instead: str
    why: str


#: Documented command (or its beginning) -> what the test runs. Whatever is not here is run as it stands.
STAND_INS = {
    "shadow judge pairs": StandIn(instead=HELP, why="the file is the reader's; test_judge_file_and_command.py runs it"),
    "shadow judge --from-store": StandIn(instead=HELP, why="needs labelled samples; test_judges_in_store.py runs it"),
    "shadow alerts test": StandIn(instead=HELP, why="needs a channel; test_alert_lifecycle.py tries two"),
    "shadow alerts ack": StandIn(instead=HELP, why="needs an alert; test_alert_lifecycle.py has one"),
    "shadow alerts snooze": StandIn(instead=HELP, why="needs an alert; test_alert_lifecycle.py has one"),
    "shadow alerts unsnooze": StandIn(instead=HELP, why="needs an alert; test_alert_lifecycle.py has one"),
    "shadow alerts close": StandIn(instead=HELP, why="needs an alert; test_alert_lifecycle.py has one"),
    "shadow upgrade propose": StandIn(instead=HELP, why="needs providers of the reader's; test_upgrades.py proposes"),
    "shadow upgrade status 1": StandIn(instead=HELP, why="needs a proposal; test_upgrade_command.py shows one"),
    "shadow upgrade approve": StandIn(instead=HELP, why="needs weeks of pairs; test_upgrades.py approves"),
    "shadow upgrade promote": StandIn(instead=HELP, why="needs an approval; test_upgrades.py promotes"),
    "shadow upgrade rollback": StandIn(instead=HELP, why="needs a switch; test_upgrades.py takes one back"),
    "shadow pins accept": StandIn(instead=HELP, why="needs a model of the reader's; test_model_pins.py accepts one"),
    "shadow scorer show": StandIn(instead=HELP, why="needs a challenger, which needs weeks of traffic"),
    "shadow scorer adopt": StandIn(instead=HELP, why="needs a proposed challenger"),
    "shadow scorer reject": StandIn(instead=HELP, why="needs a waiting challenger"),
    "shadow replay outcomes": StandIn(instead=HELP, why="minutes of work; test_replay_command.py runs it"),
    "shadow label gold import": StandIn(
        instead=HELP, why="the file is the reader's; the tests of the gold set import one"
    ),
    "make demo": StandIn(
        instead="shadow demo --seconds 4 --sampling 0.2 --directory {scratch}/demo --port {port} --control-port {control_port}",
        why="runs until Ctrl-C, and on ports that may be taken",
    ),
    "make test": StandIn(instead="make help", why="it runs this test"),
    "shadow up": StandIn(
        instead=HELP, why="runs until Ctrl-C; the product that these tests talk to is this very command"
    ),
    "shadow router": StandIn(instead=HELP, why="runs until Ctrl-C; test_router_without_database.py starts it"),
    "shadow worker": StandIn(instead=HELP, why="runs until Ctrl-C; a role of the running product"),
    "shadow scheduler": StandIn(instead=HELP, why="runs until Ctrl-C; a role of the running product"),
    "shadow grafana push": StandIn(
        instead=HELP, why="needs a Grafana; test_grafana_push.py pushes to a stand-in of its API"
    ),
    "docker compose up": StandIn(
        instead="{python} -m check_jsonschema --builtin-schema vendor.compose-spec {root}/docker-compose.yml",
        why="needs a Docker engine; test_compose_file.py looks at the rest",
    ),
    "cp docs/shadow.example.yaml": StandIn(
        instead="cp {root}/docs/shadow.example.yaml {scratch}/copy.yaml", why="the running product's own file must stay"
    ),
    "shadow train outcomes": StandIn(
        instead=HELP, why="needs outcomes of the reader's; test_training.py trains on a file"
    ),
    "shadow train --from-store": StandIn(
        instead=HELP, why="needs days of traffic; test_train_from_store.py trains on a filled store"
    ),
    "shadow evaluate": StandIn(instead=HELP, why="needs outcomes of the reader's; test_training.py evaluates"),
    "cp .env.example": StandIn(instead="cp {root}/.env.example {scratch}/.env", why="the checkout must stay as it is"),
}
#: Commands whose finding may be bad in a store that is seconds old.
MAY_FIND_FAULT = {"shadow grafana check": {0, 1}}


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A fenced block. line: of its first line."""

    page: Path
    line: int
    language: str
    text: str

    def __str__(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"


def blocks_of(page: Path) -> Iterator[Block]:
    language, start, lines = None, 0, []
    for number, line in enumerate(page.read_text(encoding="utf-8").splitlines(), start=1):
        if line.startswith("```") and language is None:
            language, start, lines = line.removeprefix("```").strip(), number + 1, []
        elif line.startswith("```"):
            yield Block(page=page, line=start, language=language or "", text="\n".join(lines))
            language = None
        else:
            lines.append(line)
    assert language is None, f"{page}: a block is not closed"


BLOCKS = [block for page in PAGES for block in blocks_of(page)]


def written_in(language: str) -> list[Block]:
    return [block for block in BLOCKS if block.language == language]


COMMANDS = [
    pytest.param(command, id=f"{block}: {command}"[:100])
    for block in written_in("sh")
    for line in block.text.splitlines()
    if (command := re.sub(r"\s+#.*", "", line).strip())
]


@pytest.fixture(scope="module")
def product() -> Iterator[Product]:
    with running_product() as running:
        yield running


@pytest.fixture
def folder(product: Product) -> Path:
    """Where the reader of the documents stands: `shadow.yaml` is the configuration of what runs."""
    assert product.config.name == "shadow.yaml"
    return product.config.parent


def run(command: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS", "DEMO_", "SHADOW"))
    }
    environment = {**kept, "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}", "GRAFANA_TOKEN": "token"}
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=180, check=False
    )


@pytest.mark.parametrize("command", COMMANDS)
def test_a_documented_command_works(command: str, folder: Path, tmp_path: Path) -> None:
    stand_in = next((value for beginning, value in STAND_INS.items() if command.startswith(beginning)), None)
    words = shlex.split(command)
    if stand_in is not None and stand_in.instead == HELP:
        options = [word for word in words if word.startswith("-")]
        name = words[: next((i for i, word in enumerate(words) if word.startswith("-")), len(words))]
        done = run([*name, "--help"], folder)
        assert [option for option in options if option not in done.stdout] == []
    elif stand_in is not None:
        places = {
            "scratch": tmp_path,
            "root": ROOT,
            "python": sys.executable,
            "port": free_port(),
            "control_port": free_port(),
        }
        words = shlex.split(stand_in.instead.format(**places))
        done = run(words, ROOT if words[0] == "make" else folder)
    else:
        done = run(words, folder)
    allowed = next((codes for beginning, codes in MAY_FIND_FAULT.items() if command.startswith(beginning)), {0})
    assert done.returncode in allowed, done.stdout + done.stderr
    assert "Traceback" not in done.stderr


def test_no_stand_in_is_left_over() -> None:
    documented = [str(parameter.values[0]) for parameter in COMMANDS]
    unused = [name for name in {**STAND_INS, **MAY_FIND_FAULT} if not any(one.startswith(name) for one in documented)]
    assert unused == []
    assert all(stand_in.why for stand_in in STAND_INS.values())


@pytest.mark.parametrize("block", written_in("python"), ids=str)
def test_a_documented_program_runs_against_the_product(block: Block, product: Product, tmp_path: Path) -> None:
    address = "http://127.0.0.1:8080"  # with /v1 behind it for OpenAI's client, without for Anthropic's
    assert address in block.text
    text = block.text.replace(address, product.base_url.removesuffix("/v1"))
    done = run([sys.executable, "-W", "error", "-c", text], tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()


@pytest.mark.parametrize("block", written_in("yaml"), ids=str)
def test_a_documented_piece_of_configuration_is_one(block: Block, tmp_path: Path) -> None:
    piece = yaml.safe_load(block.text)
    if "types" in piece:  # examples of query types have a file of their own
        file = tmp_path / "examples.yaml"
        file.write_text(block.text, encoding="utf-8")
        assert set(piece["types"]) <= set(read_examples(file))
        return
    whole = yaml.safe_load((ROOT / "docs" / "shadow.example.yaml").read_text(encoding="utf-8"))
    if "price" in piece:  # a piece of a model
        whole["tiers"][0]["models"][0]["price"] = piece.pop("price")
    content = piece if {"providers", "tiers", "routing"} <= set(piece) else {**whole, **piece}
    assert parse(content, source=str(block)).tiers


@pytest.mark.parametrize("block", written_in("sql"), ids=str)
async def test_a_documented_statement_runs_on_the_store(block: Block, database_url: str) -> None:
    engine = engine_for(database_url)
    async with engine.begin() as connection:
        await ensure_partitions(connection, {date(2026, 9, 1)})
    await engine.dispose()
    with psycopg.connect(libpq_url(database_url), autocommit=True) as connection:
        for statement in filter(str.strip, block.text.split(";")):
            connection.execute(statement.encode())


def test_blocks_are_of_kinds_that_are_looked_at() -> None:
    kinds = {"sh", "python", "yaml", "sql", "text", ""}
    assert [str(block) for block in BLOCKS if block.language not in kinds] == []
    typed = [
        str(block) for block in BLOCKS if not block.language and re.search(r"^\s*(make|shadow) ", block.text, re.M)
    ]
    assert typed == [], "commands belong into a block of sh, where they are run"


def anchors_of(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    headings = re.findall(r"^#+ (.+)$", text, flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_and_picture_leads_somewhere(page: Path) -> None:
    text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    broken = []
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        other = (page.parent / path).resolve() if path else page
        if not other.exists() or (anchor and anchor not in anchors_of(other)):
            broken.append(target)
    assert broken == []


def test_every_page_can_be_reached_from_the_readme() -> None:
    reached, waiting = set(), [ROOT / "README.md"]
    while waiting:
        page = waiting.pop()
        if page in reached:
            continue
        reached.add(page)
        targets = re.findall(r"\]\(([^)\s#]+\.md)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))
        waiting += [(page.parent / target).resolve() for target in targets]
    assert [str(page.relative_to(ROOT)) for page in PAGES if page not in reached] == []


def test_the_metrics_that_the_documents_name_are_there(product: Product) -> None:
    page = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    section = page.partition("## What to watch")[2].partition("\n## ")[0]
    named = set(re.findall(r"`(\w+)(?:\{[a-z,]+\})?`", "".join(re.findall(r"^\| .+? \|", section, re.MULTILINE))))
    metrics = httpx.get(f"http://127.0.0.1:{product.port}/metrics", trust_env=False).text
    there = set(re.findall(r"^# TYPE (\w+) ", metrics, flags=re.MULTILINE))
    assert len(named) >= 10
    assert named - there == set()
