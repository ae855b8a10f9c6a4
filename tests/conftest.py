"""What do tests share? One real PostgreSQL per run, and a freshly migrated database for whoever asks."""

from __future__ import annotations

import os
import shutil
import tempfile
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from shadow.store.embedded import EmbeddedPostgres

_TEMPLATE = "migrated"


@pytest.fixture
def open_directory() -> Iterator[Path]:
    """An empty directory with a short path that every user can reach and write to; pytest's own are closed to others."""
    directory = Path(tempfile.mkdtemp(prefix="shadowtier-"))
    directory.chmod(0o777)
    yield directory
    shutil.rmtree(directory)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The URL of a real PostgreSQL for this run (its `postgres` database: don't write there). fsync is off."""
    data_dir = Path(tempfile.mkdtemp(prefix="shadowtier-"))
    data_dir.chmod(0o711)
    try:
        with EmbeddedPostgres(data_dir, durable=False, niceness=0, settings={"max_connections": "100"}) as server:
            yield server.url
    finally:
        shutil.rmtree(data_dir)


@pytest.fixture(scope="session")
def new_database(postgres_server: str) -> Iterator[Callable[[], str]]:
    """Call it for the URL of a new, migrated, empty database. Migrations run once; each call costs a copy, 50 ms."""
    from shadow.store.migrate import upgrade

    with psycopg.connect(_for_psycopg(postgres_server), autocommit=True) as admin:
        admin.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(_TEMPLATE)))
        upgrade(_named(postgres_server, _TEMPLATE))

        def create() -> str:
            name = f"test_{uuid.uuid4().hex[:12]}"
            statement = "CREATE DATABASE {} TEMPLATE {}"
            admin.execute(sql.SQL(statement).format(sql.Identifier(name), sql.Identifier(_TEMPLATE)))
            return _named(postgres_server, name)

        yield create


@pytest.fixture
def database_url(new_database: Callable[[], str], postgres_server: str) -> Iterator[str]:
    """A migrated database for one test, as a `postgresql+psycopg://` URL. Gone afterwards, connections and all."""
    url = new_database()
    yield url
    _drop(postgres_server, url)


@pytest.fixture(scope="module")
def module_database_url(new_database: Callable[[], str], postgres_server: str) -> Iterator[str]:
    """A migrated database that the tests of one module share."""
    url = new_database()
    yield url
    _drop(postgres_server, url)


@pytest.fixture
def empty_database_url(postgres_server: str) -> Iterator[str]:
    """A database without any schema, for tests of the migrations themselves."""
    name = f"empty_{os.getpid()}_{uuid.uuid4().hex[:8]}"
    with psycopg.connect(_for_psycopg(postgres_server), autocommit=True) as admin:
        admin.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    url = _named(postgres_server, name)
    yield url
    _drop(postgres_server, url)


def _drop(postgres_server: str, url: str) -> None:
    name = url.partition("@/")[2].partition("?")[0]
    with psycopg.connect(_for_psycopg(postgres_server), autocommit=True) as admin:
        admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def _named(url: str, database: str) -> str:
    return url.replace("@/postgres?", f"@/{database}?")


def _for_psycopg(url: str) -> str:
    return url.replace("postgresql+psycopg://", "postgresql://")
