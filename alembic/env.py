"""How are migrations run? With an advisory lock, so that two processes never migrate at once, and with a lock timeout."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import context

from shadow.store import (  # noqa: F401 - their tables belong to the metadata, too
    schema_access,
    schema_alerts,
    schema_audit,
    schema_challengers,
    schema_judges,
    schema_labels,
    schema_money,
    schema_pins,
    schema_regressions,
    schema_rollups,
    schema_upgrades,
    schema_watch,
)
from shadow.store.schema import metadata

MIGRATION_LOCK = 7_305_808_869_229_538  # any constant; the same for every process

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=metadata, compare_type=True)
with context.begin_transaction():
    connection.execute(sa.text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": MIGRATION_LOCK})
    connection.execute(sa.text("SET LOCAL lock_timeout = '10s'"))
    context.run_migrations()
