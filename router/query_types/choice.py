"""Which classifier of query types does the configuration ask for?"""

from __future__ import annotations

from pathlib import Path

from router.embedding.choice import shared_embedder
from router.query_types import QueryTypes
from router.query_types.examples import read_examples
from router.settings import QueryTypeSettings


def query_types_for(settings: QueryTypeSettings) -> QueryTypes | None:
    """The classifier, or None where it is off. Cost: up to a second. Raises: ConfigInvalid, EmbeddingUnavailable."""
    if settings.classifier == "off":
        return None
    # Here and not above: a router without it does not load NumPy.
    from router.query_types.nearest import NearestType

    examples = read_examples(Path(settings.examples) if settings.examples else None)
    return NearestType.of(examples, shared_embedder(settings.embedding), unknown_share=settings.unknown_share)
