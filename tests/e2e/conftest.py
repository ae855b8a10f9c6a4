"""What do end-to-end tests share? The running product, and a way to ask its store."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest

from shadow.store.embedded import attach
from shadow.store.engine import libpq_url
from shadow.testing import Product, running_product


@pytest.fixture
def product() -> Iterator[Product]:
    """`shadow up` on simulated providers."""
    with running_product() as running:
        yield running


@pytest.fixture
def stored(product: Product) -> Callable[[str], list[tuple[Any, ...]]]:
    """Ask the product's store; an empty list while it can't be reached."""

    def ask(statement: str) -> list[tuple[Any, ...]]:
        url = attach(product.directory)
        if url is None:
            return []
        try:
            with psycopg.connect(libpq_url(url), autocommit=True, connect_timeout=3) as connection:
                return connection.execute(statement.encode()).fetchall()
        except psycopg.OperationalError:
            return []

    return ask
