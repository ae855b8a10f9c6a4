"""What may be said about where the confidence in each tier comes from?"""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from router.settings.tiers import PriceSettings
from router.settings.values import ModelName, Strict

_ONLY_OF = {
    "learned": ("model_dir",),
    "llm": ("provider", "model", "price", "deadline_ms", "max_characters"),
}


class ScorerSettings(Strict):
    """How the confidence in each tier is estimated. Thresholds belong to a scorer: after a change of kind set them anew."""

    kind: Literal["heuristic", "learned", "llm"] = Field(
        "heuristic",
        description="`heuristic`: a rule of thumb on the text. `learned`: a model made by `shadow train`."
        " `llm`: a small model is asked while the client waits; the heuristic where it does not answer in time.",
    )
    model_dir: str | None = Field(
        None,
        min_length=1,
        description="Directory of the trained model, for kind `learned`; its tiers must be these tiers.",
    )
    provider: str | None = Field(None, description="For kind `llm`: a key of `providers`.")
    model: ModelName | None = Field(None, description="For kind `llm`: the id of the small model.")
    price: PriceSettings | None = Field(None, description="Of that model; null: looked up when the router starts.")
    deadline_ms: int = Field(100, ge=10, le=5000, description="For kind `llm`: the longest wait for its reply.")
    max_characters: int = Field(
        2000, ge=200, le=20_000, description="For kind `llm`: a longer message is shown with its middle left out."
    )

    @model_validator(mode="after")
    def _fits_its_kind(self) -> ScorerSettings:
        if self.kind == "learned" and self.model_dir is None:
            raise ValueError("kind learned needs model_dir, the directory that `shadow train --out` has written")
        if self.kind == "llm" and (self.provider is None or self.model is None):
            raise ValueError("kind llm needs provider (a key of `providers`) and model (the small model's id)")
        for kind, names in _ONLY_OF.items():
            # A value that is the default may come from settings that were written out in full.
            useless = [name for name in names if getattr(self, name) != type(self).model_fields[name].default]
            if self.kind != kind and useless:
                raise ValueError(f"{useless[0]} is for kind {kind}, but the kind is {self.kind}")
        return self
