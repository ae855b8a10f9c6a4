"""Which version is the schema at, and how does it get to the newest? Alembic, driven from Python; there is no ini file."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

import shadow
from shadow.errors import StoreError
from shadow.store.engine import psycopg_url

_PACKAGE = Path(shadow.__file__).parent


def migrations_directory() -> Path:
    """`shadow/_migrations` in a wheel, `alembic/` beside the package in a checkout."""
    for candidate in (_PACKAGE / "_migrations", _PACKAGE.parent / "alembic"):
        if (candidate / "env.py").is_file():
            return candidate
    raise StoreError("the migrations are missing from this installation; reinstall shadowtier")


def upgrade(url: str, *, revision: str = "head") -> str:
    """Bring the database at `url` to `revision`; returns the revision reached. Safe to run from many processes at once."""
    engine = sa.create_engine(psycopg_url(url), poolclass=sa.NullPool, connect_args={"connect_timeout": 10})
    config = _config()
    try:
        with engine.begin() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, revision)
        return current(url) or "nothing"
    except sa.exc.DBAPIError as exc:
        raise _translated(exc) from exc
    finally:
        engine.dispose()


def current(url: str) -> str | None:
    """The revision that the database is at, None for an empty one."""
    engine = sa.create_engine(psycopg_url(url), poolclass=sa.NullPool, connect_args={"connect_timeout": 10})
    try:
        with engine.connect() as connection:
            return MigrationContext.configure(connection).get_current_revision()
    except sa.exc.DBAPIError as exc:
        raise _translated(exc) from exc
    finally:
        engine.dispose()


def head() -> str:
    """The newest revision that this installation knows."""
    return ScriptDirectory.from_config(_config()).get_current_head() or "nothing"


def is_known(revision: str) -> bool:
    """Whether this installation has that revision, so that it can bring the database on from there."""
    return any(script.revision == revision for script in ScriptDirectory.from_config(_config()).walk_revisions())


def _translated(exc: sa.exc.DBAPIError) -> StoreError:
    said = (str(exc.orig).splitlines() or [type(exc.orig).__name__])[0]
    if isinstance(exc, sa.exc.OperationalError):
        return StoreError(f"the database cannot be reached: {said}")
    return StoreError(f"the database refuses: {said}")  # an unknown option of the URL, a missing privilege


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(migrations_directory()))
    return config
