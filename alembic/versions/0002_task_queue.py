"""The task queue of the worker: procrastinate's own tables, in a schema of their own.

Revision: 0002. Follows: 0001.
"""

from __future__ import annotations

from alembic import op
from procrastinate.schema import SchemaManager

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.execute("CREATE SCHEMA procrastinate")
    # The functions in the script name their tables without a schema; workers connect with the same search path.
    op.execute("SET LOCAL search_path = procrastinate")
    op.get_bind().connection.cursor().execute(SchemaManager.get_schema().encode())
    op.execute("RESET search_path")


def downgrade() -> None:
    op.execute("DROP SCHEMA procrastinate CASCADE")
