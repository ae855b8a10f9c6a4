"""What does the configuration say about watching pinned models? The section `pins`."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from shadow.configuration.quality import Section


class CanarySettings(Section):
    """Small prompts that every pinned model is asked on a schedule; off by default."""

    every_minutes: float | None = Field(
        None, gt=0, le=7 * 24 * 60, description="How often each model is asked, as in 60; null: never."
    )
    file: Path | None = Field(
        None,
        description="JSON Lines with `id` and `prompt`, `system` and `max_tokens` at will; null: the 24 shipped ones.",
    )
    budget_usd_per_day: float = Field(
        0.5, ge=0, description="Cap on what canaries may cost per UTC day, worst case reserved first."
    )
    baseline_runs: int = Field(
        8,
        ge=4,
        le=50,
        description="First runs of a model, which later ones are held against: they tell how much it varies.",
    )
    alpha: float = Field(
        0.05, gt=0, lt=1, description="Probability of any false alarm in a quarter, over all models, prompts and runs."
    )
    temperature: float | None = Field(
        0.0, ge=0, le=2, description="Temperature asked for; null: not named, for models that refuse it."
    )
    logprobs: bool = Field(False, description="Ask for log-probabilities, where the provider knows them.")
    timeout_seconds: float = Field(30.0, gt=0, description="Time limit of one answer.")


class PinSettings(Section):
    """Whether what answers under a pinned model's name is still what was pinned."""

    canary: CanarySettings = Field(default_factory=CanarySettings, description="Prompts that show another behaviour.")
