"""What does the configuration say about training the scorer anew? The section `challenger`."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from shadow.configuration.quality import Section


class ChallengerSettings(Section):
    """The closed loop: a scorer trained anew from the store, compared on later requests, proposed; off by default."""

    every_hours: float | None = Field(
        None, gt=0, description="How often a challenger is trained, as in 168; null: never. Texts must be kept."
    )
    days: float = Field(28.0, gt=0, le=400, description="Window that it learns from, up to its cut-off.")
    min_requests: int = Field(500, ge=200, description="Fewest usable mirrored requests to train on.")
    embedding: Literal["none", "static", "minilm"] = Field(
        "none", description="Vector of the text beside its signs and pieces; minilm costs the router 3 ms a request."
    )
    min_pairs: int = Field(
        300,
        ge=50,
        description="Pairs with the top tier, of each tier below it and from after the cut-off, at which champion and challenger"
        " are first compared; again at twice and four times as many.",
    )
    compare_days: float = Field(
        56.0, gt=0, le=400, description="A challenger that has not proved better by then is dropped."
    )
