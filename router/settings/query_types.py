"""What may be said about telling the type of a request?"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from router.settings.values import Share, Strict


class QueryTypeSettings(Strict):
    """How the type of a request is told where no hint says it. A hint always wins."""

    classifier: Literal["centroid", "off"] = Field(
        "off",
        description="`off`: a request without a hint is `unknown`. `centroid`: the type whose examples are nearest by meaning, or"
        " `unknown`; rules see it.",
    )
    embedding: Literal["static", "minilm"] = Field(
        "static",
        description="`static`: 0.05 ms a request. `minilm`: right more often, 4 ms a request; needs the extra `minilm`.",
    )
    examples: str | None = Field(
        None,
        min_length=1,
        description="YAML file of types with examples, instead of the built-in ones or beside them (`builtin: true`).",
    )
    unknown_share: Share = Field(
        0.1,
        description="Requests no nearer to a type than this share of the examples when held out are `unknown`;"
        " higher: fewer wrong types, more `unknown`; 0: never unknown.",
    )
