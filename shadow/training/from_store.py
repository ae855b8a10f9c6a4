"""What do mirrored requests say about the tiers' chances of success?

An answer's outcome is the mean of its human labels, else the panel's calibrated probability that it is acceptable. The
reference's own answer usually has neither: it is what the others were held against. It is then taken to be as good as the
labelled answers of its tier are on average, or as right where fewer than LABELS_FOR_A_SHARE of them are labelled.
Weights are inverse inclusion probabilities, clipped at LARGEST_WEIGHT_RATIO times the median of the tier.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from router.contracts import Features
from router.features import extract_features
from shadow.judging.pair_file import normalised_prompt
from shadow.judging.prompts import chat_fields
from shadow.store.training_rows import JudgedAnswer, JudgedRequest
from shadow.training.observed import Observed
from shadow.training.resampling import Floats

FEWEST_REQUESTS = 200
FEWEST_OF_A_TIER = 50
LABELS_FOR_A_SHARE = 10
LARGEST_WEIGHT_RATIO = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Lesson:
    """Requests with what is known of them, ready for training, and how it came about.

    labels, verdicts, assumed: outcomes by where they come from. clipped: outcomes whose weight was. left_out: reason -> requests.
    """

    requests: tuple[Features, ...]
    observed: Observed
    labels: int
    verdicts: int
    assumed: int
    clipped: int
    left_out: Counter[str] = field(default_factory=Counter)

    def known_of(self, tier: str) -> int:
        return int((self.observed.weights[:, self.observed.tiers.index(tier)] > 0).sum())

    def data_hash(self) -> str:
        """SHA-256 of what training sees."""
        shown = [features.text for features in self.requests]
        total = hashlib.sha256(json.dumps(shown).encode())
        for array in (self.observed.successes, self.observed.weights, self.observed.costs_usd):
            total.update(np.nan_to_num(array, nan=-1.0).tobytes())
        return total.hexdigest()


@dataclass(slots=True, kw_only=True)
class _Rows:
    features: list[Features] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)
    successes: list[list[float]] = field(default_factory=list)
    weights: list[list[float]] = field(default_factory=list)
    costs_usd: list[list[float]] = field(default_factory=list)
    sources: Counter[str] = field(default_factory=Counter)


def lesson(
    found: Sequence[JudgedRequest], tiers: Sequence[str], *, wanted: Callable[[Features], bool] = lambda _: True
) -> Lesson:
    """What can be learned from these requests. tiers: as configured, cheapest first; answers of others are left out.

    wanted: which requests to take, by what was asked.
    """
    rows, left_out = _Rows(), Counter[str]()
    share = reference_share(found)
    for request in found:
        known = {answer.tier: answer for answer in request.answers if answer.tier in tiers}
        if not request.request_body:
            left_out["no text was kept"] += 1
        elif (features := features_of(request.request_body, request.dialect)) is None:
            left_out["the text that was kept is no request"] += 1
        elif not wanted(features):
            left_out["of the other half"] += 1
        elif not _take(rows, request, known, features, tiers, share):
            left_out["fewer than two tiers have a label or a verdict"] += 1
    weights = np.array(rows.weights, dtype=float).reshape(-1, len(tiers))
    clipped, times = _clipped(weights)
    return Lesson(
        requests=tuple(rows.features),
        observed=Observed(
            tiers=tuple(tiers),
            successes=np.array(rows.successes, dtype=float).reshape(-1, len(tiers)),
            weights=clipped,
            costs_usd=np.array(rows.costs_usd, dtype=float).reshape(-1, len(tiers)),
            lengths=np.array([len(features.text) for features in rows.features], dtype=float),
            clusters=tuple(
                normalised_prompt(features.text) or name for features, name in zip(rows.features, rows.ids, strict=True)
            ),
        ),
        labels=rows.sources["label"],
        verdicts=rows.sources["verdict"],
        assumed=rows.sources["assumed"],
        clipped=times,
        left_out=left_out,
    )


def reference_share(found: Iterable[JudgedRequest]) -> float:
    """How often a reference answer is right: the mean of its labels, 1 with too few of them."""
    said = [
        answer.label
        for request in found
        for answer in request.answers
        if answer.tier == request.reference_tier and answer.label is not None
    ]
    return sum(said) / len(said) if len(said) >= LABELS_FOR_A_SHARE else 1.0


def missing(learned: Lesson, *, days: float) -> str | None:
    """Why there is too little to learn from, and how much more it takes; None when there is enough."""
    have = len(learned.requests)
    if have < FEWEST_REQUESTS:
        more = FEWEST_REQUESTS - have
        pace = f", about {more * days / have:.0f} days at the present rate" if have else ""
        return f"{have} usable mirrored requests in {days:g} days, {FEWEST_REQUESTS} are needed: {more} more{pace}"
    for tier in learned.observed.tiers:
        if (of_tier := learned.known_of(tier)) < FEWEST_OF_A_TIER:
            return (
                f"{of_tier} outcomes of tier {tier} are known, {FEWEST_OF_A_TIER} are needed: {FEWEST_OF_A_TIER - of_tier} more"
                " (sampling.intermediate_share and sampling.down decide how often it is asked)"
            )
    return None


def without_texts(learned: Lesson, *, kept: str) -> str | None:
    """Why nothing can be learned where no text is; None where there is one. kept: `sampling.store_text`."""
    many = learned.left_out["no text was kept"]
    if learned.requests or not many:
        return None
    remedy = "set it to full or redacted and wait for new samples" if kept == "none" else "wait for new samples"
    return f"no text of the {many} mirrored requests was kept (sampling.store_text is {kept}): {remedy}"


def _take(
    rows: _Rows,
    request: JudgedRequest,
    known: dict[str, JudgedAnswer],
    features: Features,
    tiers: Sequence[str],
    share: float,
) -> bool:
    outcomes = {tier: _outcome(answer) for tier, answer in known.items()}
    decided = {tier: outcome for tier, outcome in outcomes.items() if outcome is not None}
    if decided and request.reference_tier in known and request.reference_tier not in decided:
        decided[request.reference_tier] = (share, "assumed")
    if len(decided) < 2:
        return False
    # The chance that a pair is seen is that of the mirrored answer in it; the served one has no other.
    mirrored = max((answer.pi for answer in known.values() if not answer.served), default=1.0)
    rows.features.append(features)
    rows.ids.append(request.request_id)
    rows.successes.append([decided[tier][0] if tier in decided else 0.0 for tier in tiers])
    rows.weights.append(
        [1 / (mirrored if known[tier].served else known[tier].pi) if tier in decided else 0.0 for tier in tiers]
    )
    rows.costs_usd.append([known[tier].cost_usd if tier in decided else float("nan") for tier in tiers])
    rows.sources.update(source for _, source in decided.values())
    return True


def _outcome(answer: JudgedAnswer) -> tuple[float, str] | None:
    if answer.label is not None:
        return answer.label, "label"
    return None if answer.probability is None else (answer.probability, "verdict")


def features_of(request_body: str, dialect: str) -> Features | None:
    """What a scorer reads of a recorded body; None where it is no request."""
    fields = chat_fields(request_body, dialect)
    features = extract_features(fields) if fields is not None else None
    return features if features is not None and features.turns else None


def _clipped(weights: Floats) -> tuple[Floats, int]:
    """The weights, none larger than LARGEST_WEIGHT_RATIO times the median of its tier, and how many were."""
    found, times = weights.copy(), 0
    for at in range(weights.shape[1]):
        positive = weights[:, at][weights[:, at] > 0]
        if len(positive):
            largest = LARGEST_WEIGHT_RATIO * float(np.median(positive))
            times += int((positive > largest).sum())
            found[:, at] = np.minimum(weights[:, at], largest)
    return found, times
