"""What does the configuration say about whom to ask how good an answer is? The sections `labels` and `judges`."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator


class Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class LabelSettings(Section):
    """How many requests human reviewers are asked about."""

    rate: float = Field(
        0.0025,
        gt=0,
        le=1,
        description="Share of the requests below the top tier put before a reviewer; drawn self-weighting from the samples.",
    )
    top_rate: float = Field(
        0.01,
        gt=0,
        le=1,
        description="The same for the top tier, of whose accuracy nothing is known without labels; at most control_top.",
    )
    second_share: float = Field(
        0.15,
        ge=0,
        le=1,
        description="Share of the drawn samples that a second reviewer labels as well: their agreement.",
    )
    doubt_ratio: float = Field(
        2.0,
        ge=1,
        le=5,
        description="How much likelier than others a sample is labelled on which the panel abstained; what that adds is a"
        " stratum of its own, in no estimate of accuracy. 1: nothing is added.",
    )
    gold_share: float = Field(
        0.08, ge=0, lt=1, description="Share of a reviewer's items that are gold: hidden checks of known truth."
    )
    gold_budget_usd_per_day: float = Field(
        2.0, ge=0, description="Cap on what judging the gold set may cost per UTC day; LLM judges only."
    )


class JudgeModelSettings(Section):
    """A model behind the judges `rubric` and `pairwise`."""

    provider: str = Field(description="Name of a provider in `providers`.")
    model: str = Field(description="Model id sent to that provider.")
    input_usd_per_mtok: float | None = Field(None, ge=0, description="Price override; unknown models need one.")
    output_usd_per_mtok: float | None = Field(None, ge=0, description="Price override; unknown models need one.")
    output: Literal["line", "json_schema"] = Field(
        "line",
        description="How it states its verdict: in a strict last line, or as an object of a JSON schema, where its provider"
        " enforces one (`response_format`).",
    )
    max_tokens: int = Field(400, ge=50, description="Token limit of a reply; models that think need more.")


class JudgeSettings(Section):
    """Who judges, in which order, and within which limits."""

    panel: tuple[str, ...] = Field(
        ("structured", "lexical", "semantic", "markers"),
        min_length=1,
        description="Judges, cheapest first; a later one is asked only while the panel is undecided.",
    )
    model: JudgeModelSettings | None = Field(
        None, description="The LLM judges' model; needed by `rubric` and `pairwise` in the panel."
    )
    models: tuple[JudgeModelSettings, ...] = Field(
        (), description="Several models instead of `model`: the verdict is that of more than half of them, else none."
    )
    allow_same_family: bool = Field(
        False,
        description="Ask a model about answers of its own family (gpt, claude, llama, ...), which it prefers. Off: it is left"
        " out, and where no model is left the LLM judges abstain.",
    )
    families: dict[str, str] = Field(
        {},
        description="Families of models whose ids do not tell, of tiers and judges alike: model id -> family or a known model of"
        " it, as in `prod-chat: gpt-4o`.",
    )
    deadline_seconds: float = Field(
        120.0, gt=0, description="Longest wait for one verdict of a model, retries and their waits included."
    )
    cache_entries: int = Field(
        10_000, ge=0, description="Verdicts of LLM judges that a worker remembers by a hash of the texts; 0: none."
    )
    cache_on_disk: bool = Field(
        False, description="Keep them in the data directory as well: hashes and verdicts, no texts."
    )
    budget_usd_per_day: float = Field(
        10.0, ge=0, description="Cap on judge spend per UTC day, worst case reserved first."
    )
    calibration: Path | None = Field(
        None, description="Directory written by `shadow judge --fit`; null: the shipped one."
    )
    target_agreement: float = Field(
        0.9,
        gt=0.5,
        lt=1,
        description="Share of decided pairs that is to agree with people. Thresholds that the calibration certifies for less do"
        " not count: verdicts are then cautious, and promise nothing.",
    )
    target_confidence: float = Field(0.9, gt=0.5, lt=1, description="Confidence of that, over the labels fitted on.")

    @model_validator(mode="after")
    def _panel_is_known(self) -> Self:
        known = ("structured", "lexical", "semantic", "markers", "rubric", "pairwise")
        for name in self.panel:
            if name not in known:
                raise ValueError(f"panel: unknown judge {name!r}; known are {', '.join(known)}")
        for name in ("rubric", "pairwise"):
            if name in self.panel and not self.asked:
                raise ValueError(f"panel: `{name}` needs judges.model")
        if self.model is not None and self.models:
            raise ValueError("give either `model` or `models`")
        named = [(m.provider, m.model) for m in self.models]
        if len(set(named)) < len(named):
            raise ValueError("models: the same model twice is no majority")
        return self

    @property
    def asked(self) -> tuple[JudgeModelSettings, ...]:
        """The models of the LLM judges, one or several."""
        return (self.model,) if self.model is not None else self.models
