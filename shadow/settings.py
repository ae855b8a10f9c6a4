"""What does the configuration file say? Every key, with its default; a missing file or an unknown key is an error that names it.

Order of precedence: environment (`SHADOW__SECTION__KEY`), then the file, then the defaults here.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, Self

import platformdirs
import yaml
from pydantic import Field, ValidationError, model_validator

from router.auth import is_loopback
from router.settings import RouterSettings
from shadow.configuration.alerts import AlertSettings
from shadow.configuration.auth import AuthSettings
from shadow.configuration.challenger import ChallengerSettings
from shadow.configuration.pins import PinSettings
from shadow.configuration.quality import JudgeModelSettings, JudgeSettings, LabelSettings, Section
from shadow.configuration.upgrades import UpgradeSettings
from shadow.errors import ConfigError
from shadow.sampling.draws import Rates

__all__ = ["JudgeModelSettings", "JudgeSettings", "LabelSettings", "Section", "Settings", "load", "parse"]


class SamplingSettings(Section):
    """Which requests are mirrored, and within which limits."""

    up: float = Field(
        0.05,
        ge=0,
        le=1,
        description="Share of requests below the top tier that are mirrored upwards; in mode observe, also of those"
        " decided for a tier that did not serve.",
    )
    down: float = Field(
        0.01, ge=0, le=1, description="Share of requests above the bottom tier mirrored to a cheaper one."
    )
    intermediate_share: float = Field(
        0.20, ge=0, lt=1, description="Share of up-arm samples mirrored to a tier between instead of the reference."
    )
    all_tiers_share: float = Field(0.20, ge=0, le=1, description="Share of up-arm samples run on every tier.")
    control_share: float = Field(
        0.10, ge=0, le=1, description="Share of up-arm samples for which the reference is asked twice: the noise floor."
    )
    control_top: float = Field(
        0.01, ge=0, le=1, description="Share of top-tier requests that the top tier is asked again."
    )
    allocation: Literal["uniform", "budgeted"] = Field(
        "uniform",
        description="`uniform`: `up` is the share of every stratum. `budgeted`: what that would spend goes, from the next UTC"
        " day on, to the strata (tier, query type, band) of which the last 28 days leave most to learn.",
    )
    seed: str = Field("shadow", description="Seed of the draw. Changing it draws other requests.")
    budget_usd_per_day: float = Field(
        20.0, ge=0, description="Cap on mirror spend per UTC day, worst case reserved first."
    )
    max_completion_tokens: int = Field(1024, ge=1, description="Token limit of a shadow completion.")
    timeout_seconds: float = Field(60.0, gt=0, description="Time limit of one mirrored call.")
    max_attempts: int = Field(
        4, ge=1, le=20, description="How often a mirror job is tried before the sample counts as failed."
    )
    retry_wait_seconds: int = Field(2, ge=0, description="Wait before the second try; doubles with each further one.")
    concurrency: int = Field(8, ge=1, le=256, description="Mirrored calls in flight per worker.")
    store_text: Literal["full", "redacted", "none"] = Field(
        "full", description="What is kept of sampled texts once they are judged."
    )

    @model_validator(mode="after")
    def _arms_are_disjoint(self) -> Self:
        if self.up + self.down > 1 or self.control_top + self.down > 1:
            raise ValueError("up + down and control_top + down must not exceed 1")
        return self


class DatabaseSettings(Section):
    """Where the store is."""

    url: str | None = Field(
        None, description="postgresql:// URL; null starts the embedded PostgreSQL in the data directory."
    )


class RollupSettings(Section):
    """How often figures are computed, and over what."""

    bucket_seconds: int = Field(
        900, ge=15, le=86400, multiple_of=15, description="Width of a bucket: a multiple of 15 s that divides a day."
    )
    every_seconds: float = Field(900.0, gt=0, description="How often changed buckets are computed.")
    window_days: float = Field(28.0, gt=0, description="Window of the published figures.")
    watermark_seconds: float = Field(
        3600.0, ge=0, description="How long after a UTC day's end its buckets are compacted into one row per key."
    )

    @model_validator(mode="after")
    def _divides_a_day(self) -> Self:
        if 86400 % self.bucket_seconds:
            raise ValueError("bucket_seconds must divide 86400, so that buckets start at midnight")
        return self


class RetentionSettings(Section):
    """How long rows are kept. Sums by day, labels, reviewers' checks, prices, policies and the ledger stay for good."""

    texts_days: int | None = Field(
        30,
        ge=1,
        description="Texts of sampled requests: bodies, answers, what judges quote, users' comments. UTC days; null: for good.",
    )
    rows_days: int | None = Field(
        400,
        ge=1,
        description="Rows without texts: exchanges, samples, answers, judgments, feedback. Figures stay. Null: for good.",
    )
    labels_days: int | None = Field(
        None, ge=1, description="Labels, with the samples that they are about; at least rows_days. Null: for good."
    )
    spend_days: int | None = Field(
        400, ge=1, description="Spend by user and by session; by feature, key and tier it stays. Null: for good."
    )
    buckets_days: int = Field(
        45, ge=2, description="Sums by bucket of days that are compacted. Windows that begin earlier begin at midnight."
    )
    every_seconds: float = Field(3600.0, gt=0, description="How often the leader deletes what is due.")
    batch_rows: int = Field(500, ge=1, le=10000, description="Samples, or other rows, deleted in one transaction.")

    @model_validator(mode="after")
    def _texts_go_first(self) -> Self:
        if self.rows_days is not None and (self.texts_days is None or self.texts_days > self.rows_days):
            raise ValueError("texts_days must not exceed rows_days: texts go first")
        if self.labels_days is not None and (self.rows_days is None or self.labels_days < self.rows_days):
            raise ValueError("labels_days must be at least rows_days: labels hang on samples")
        return self


class TuningSettings(Section):
    """Threshold tuning: `shadow tune`, and the scheduler every `every_hours`."""

    mode: Literal["review", "auto"] = Field(
        "review", description="`review` waits for a person, `auto` applies within guard rails."
    )
    epsilon: float = Field(0.03, gt=0, lt=1, description="Tolerated loss of accuracy against the top tier.")
    delta: float = Field(0.1, gt=0, lt=1, description="Probability with which epsilon may be broken.")
    max_step: float = Field(
        0.05, gt=0, le=1, description="How far a threshold may fall in one step; only in mode `auto`."
    )
    min_samples: int = Field(300, ge=1, description="Fewest pairs a proposal may rest on.")
    cooldown_hours: float = Field(24.0, ge=0, description="Time between two changes; only in mode `auto`.")
    window_days: float = Field(
        28.0, gt=0, le=400, description="How far back evidence goes, at most to the last new model."
    )
    per_query_type: bool = Field(
        True, description="Thresholds of its own for a query type with 1,000 judged pairs or more."
    )
    every_hours: float = Field(24.0, gt=0, description="How often the scheduler looks for a proposal.")


class Settings(RouterSettings):
    """The whole file: the router's sections and those of the shadow side."""

    sampling: SamplingSettings = Field(default_factory=SamplingSettings, description="What is mirrored.")
    labels: LabelSettings = Field(default_factory=LabelSettings, description="What reviewers are asked.")
    judges: JudgeSettings = Field(default_factory=JudgeSettings, description="Who judges.")
    rollup: RollupSettings = Field(default_factory=RollupSettings, description="How often figures are computed.")
    retention: RetentionSettings = Field(
        default_factory=RetentionSettings, description="How long rows and texts are kept."
    )
    tuning: TuningSettings = Field(default_factory=TuningSettings, description="How thresholds may move.")
    challenger: ChallengerSettings = Field(
        default_factory=ChallengerSettings, description="How the scorer is trained anew."
    )
    alerts: AlertSettings = Field(default_factory=AlertSettings, description="Who is told what is wrong.")
    upgrades: UpgradeSettings = Field(
        default_factory=UpgradeSettings, description="How pinned models are replaced by others."
    )
    pins: PinSettings = Field(default_factory=PinSettings, description="Whether pinned models stay what they were.")
    auth: AuthSettings = Field(default_factory=AuthSettings, description="Who may use the console and decide.")
    database: DatabaseSettings = Field(default_factory=DatabaseSettings, description="Where the store is.")
    data_dir: Path | None = Field(
        None, description="Spool, embedded database and policy; null: the user data directory."
    )

    @model_validator(mode="after")
    def _judge_is_reachable(self) -> Self:
        for model in self.judges.asked:
            if model.provider not in self.providers:
                raise ValueError(f"judges.model.provider: unknown provider {model.provider!r}")
        return self

    @property
    def tier_names(self) -> tuple[str, ...]:
        return tuple(tier.name for tier in self.tiers)

    @property
    def asks_for_tokens(self) -> bool:
        """Whether console and commands want a token: always where other machines can reach them."""
        return self.auth.required or not is_loopback(self.server.host)

    @property
    def rates(self) -> Rates:
        s = self.sampling
        return Rates(
            up=s.up,
            down=s.down,
            intermediate_share=s.intermediate_share,
            all_tiers_share=s.all_tiers_share,
            control_share=s.control_share,
            control_top=s.control_top,
            label=self.labels.rate,
            label_top=self.labels.top_rate,
        )

    @property
    def directory(self) -> Path:
        """The data directory in force."""
        return (self.data_dir or Path(platformdirs.user_data_dir("shadowtier"))).expanduser().absolute()


def load(path: Path, environ: Mapping[str, str] | None = None) -> Settings:
    """The settings of a YAML file with the environment's overrides.

    Raises: ConfigError, one line per problem, each naming the key and what is wrong with it.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ConfigError(f"{path}: no such file; `docs/shadow.example.yaml` is one to start from") from None
    except (OSError, UnicodeDecodeError) as exc:
        raise ConfigError(f"{path}: cannot be read: {exc}") from None
    try:
        content = yaml.safe_load(text)
    except yaml.YAMLError as exc:
        mark = getattr(exc, "problem_mark", None)
        where = f", line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise ConfigError(f"{path}{where}: not YAML: {getattr(exc, 'problem', exc)}") from None
    if not isinstance(content, dict):
        raise ConfigError(f"{path}: must be a mapping of sections, found {type(content).__name__}")
    return parse(_overridden(content, os.environ if environ is None else environ), source=str(path))


def parse(content: Mapping[str, Any], *, source: str) -> Settings:
    """Validate a mapping. Raises: ConfigError."""
    try:
        return Settings.model_validate(content)
    except ValidationError as exc:
        raise ConfigError("\n".join(_explain(source, error) for error in exc.errors())) from None


def _overridden(content: dict[str, Any], environ: Mapping[str, str]) -> dict[str, Any]:
    """`SHADOW__SAMPLING__UP=0.1` sets `sampling: {up: 0.1}`; values are read as YAML."""
    for name, value in sorted(environ.items()):
        if not name.startswith("SHADOW__"):
            continue
        keys = name.removeprefix("SHADOW__").lower().split("__")
        place = content
        for key in keys[:-1]:
            place = place.setdefault(key, {}) if isinstance(place, dict) else place
            if place is None or not isinstance(place, dict):
                raise ConfigError(f"environment {name}: `{key}` is not a section that can be overridden")
        try:
            place[keys[-1]] = yaml.safe_load(value)
        except yaml.YAMLError:
            raise ConfigError(f"environment {name}: the value is not YAML") from None
    return content


def _explain(source: str, error: Any) -> str:
    key = ".".join(str(part) for part in error["loc"])
    message = str(error["msg"]).removeprefix("Value error, ")
    if error["type"] == "extra_forbidden":
        message = "unknown key" + _suggestion(error["loc"])
    elif error["type"] == "missing":
        message = "is required"
    return f"{source}: {key}: {message}" if key else f"{source}: {message}"


def _suggestion(location: tuple[int | str, ...]) -> str:
    """The nearest known key, for a typing slip."""
    from rapidfuzz import process

    model: Any = Settings
    for part in location[:-1]:
        field = getattr(model, "model_fields", {}).get(part)
        model = field.annotation if field is not None else None
    known = list(getattr(model, "model_fields", {}))
    best = process.extractOne(str(location[-1]), known, score_cutoff=70) if known else None
    return f"; did you mean `{best[0]}`?" if best else (f"; known are {', '.join(known)}" if known else "")
