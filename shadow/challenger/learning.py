"""How does a challenger come about, and where does it lie? Training for the scheduler; it takes seconds and no event loop."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shadow.errors import ConfigError
from shadow.settings import Settings

if TYPE_CHECKING:
    from shadow.store.training_rows import JudgedRequest

SEED = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Learned:
    """A trained challenger. training: for the record: what it learned from, and how it looked in five folds of that."""

    version: str
    data_sha256: str
    training: dict[str, Any]


def scorers_directory(settings: Settings) -> Path:
    """Where the scheduler keeps the models that it trains, one directory for each version."""
    return settings.directory / "scorers"


def model_directory(settings: Settings, version: str) -> Path:
    return scorers_directory(settings) / version


def forget(settings: Settings, version: str) -> None:
    """Remove the model of a challenger that was dropped."""
    shutil.rmtree(model_directory(settings, version), ignore_errors=True)


def champion_of(settings: Settings) -> str:
    """The scorer in force, by name. Raises: ModelUnusable."""
    wanted = settings.routing.scorer
    if wanted.kind == "learned" and wanted.model_dir is not None:
        from router.scorers.model_directory import load_model

        return f"learned {load_model(Path(wanted.model_dir)).provenance.get('version', 'of unknown version')}"
    return f"llm {wanted.provider}/{wanted.model}" if wanted.kind == "llm" else wanted.kind


def learn(found: Sequence[JudgedRequest], settings: Settings, *, challenger_id: int) -> Learned:
    """Train on these requests and write the model directory.

    Raises: ConfigError where there is too little to learn from or the directory can't be written, EmbeddingUnavailable.
    Cost: seconds of processor time for thousands of requests.
    """
    from router.embedding.choice import embedder_for
    from router.scorers.model_directory import save_model
    from shadow.training.from_store import lesson, missing, without_texts
    from shadow.training.trained import train_model

    wanted = settings.challenger
    learned = lesson(found, settings.tier_names)
    rows = len(learned.requests)
    problem = without_texts(learned, kept=settings.sampling.store_text) or missing(learned, days=wanted.days)
    if problem is None and rows < wanted.min_requests:
        problem = (
            f"{rows} usable mirrored requests in {wanted.days:g} days, challenger.min_requests is {wanted.min_requests}"
        )
    if problem is not None:
        raise ConfigError(problem)
    sha = learned.data_hash()
    version = f"{challenger_id}-{sha[:12]}"
    data = {
        "source": "store",
        "days": wanted.days,
        "sha256": sha,
        "rows": rows,
        "labels": learned.labels,
        "verdicts": learned.verdicts,
        "assumed": learned.assumed,
        "clipped_weights": learned.clipped,
        "left_out": dict(learned.left_out),
        "redacted": settings.sampling.store_text == "redacted",
        "seed": SEED,
    }
    engine = None if wanted.embedding == "none" else embedder_for(wanted.embedding)
    made = train_model(learned.requests, learned.observed, seed=SEED, embedder=engine, data=data, version=version)
    directory = model_directory(settings, version)
    try:
        save_model(made.model, directory)
    except OSError as exc:
        raise ConfigError(f"{directory}: cannot be written: {exc.strerror or exc}") from exc
    return Learned(version=version, data_sha256=sha, training={**data, "apgr_in_five_folds": dict(made.apgr)})
