"""What probability do the scores of several judges amount to? Curves per judge, weights per combination, base rates."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any

from judges.contracts import Judgment
from judges.errors import BadCalibration
from judges.monotone import Curve
from judges.verdicts import ANY, Certificate

FORMAT = 2
_OLD_FORMAT = 1  # without labels by query type and without a certificate
FILE_NAME = "calibration.json"
NO_TYPE = ""  # the key of requests whose query type nobody knows
_UNKNOWN_BASE_RATE = 0.5
_TRUST_UNFITTED = 0.7  # weight of log-odds that no labels back at all: of a judge's own, of judges never heard together
#: Weight of log-odds on a query type without labels, and how many labels of its own count as much as those of all the others.
TRUST_ELSEWHERE, BORROWED_LABELS = 0.85, 50
#: The same where there was only a context: how well an answer keeps to it means something else in every kind of text.
TRUST_UNREFERENCED = 0.3
_MOST = 0.995


@dataclass(frozen=True, slots=True, kw_only=True)
class Combination:
    """Log-odds = intercept + sum of weight x a judge's calibrated log-odds. Weights are never negative. n: labels behind it."""

    intercept: float
    weights: Mapping[str, float]
    n: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """Maps what judges said to P(a careful human accepts). Every table has query types as inner keys, `*` for all together.

    A judge whose name@version was never fitted is used with its own score, trusted less. provenance: data sets, counts, date.
    labels: how many it was fitted on. certificate: from where on its probabilities are verdicts; None where nobody asked.
    """

    base_rates: Mapping[str, float] = field(default_factory=dict)
    curves: Mapping[str, Mapping[str, Curve]] = field(default_factory=dict)
    combinations: Mapping[str, Mapping[str, Combination]] = field(default_factory=dict)
    provenance: Mapping[str, Any] = field(default_factory=dict)
    labels: Mapping[str, int] = field(default_factory=dict)
    certificate: Certificate | None = None

    def labels_of(self, query_type: str | None) -> int:
        """How many labels of this query type stand behind it; without one, how many without any type."""
        return self.labels.get(query_type or NO_TYPE, 0)

    def trust(self, query_type: str | None, *, unreferenced: bool = False) -> float:
        """What the log-odds count on this query type: 1 where its own labels back them, less where they are borrowed.

        unreferenced: the answer was held against a context only.
        """
        if not self.labels:
            return 1.0
        own, elsewhere = self.labels_of(query_type), TRUST_UNREFERENCED if unreferenced else TRUST_ELSEWHERE
        return (own + BORROWED_LABELS * elsewhere) / (own + BORROWED_LABELS)

    def is_borrowed(self, query_type: str | None) -> bool:
        """Whether what is said of this query type rests on labels of others more than on its own."""
        return self.labels_of(query_type) < BORROWED_LABELS

    def base_rate(self, query_type: str | None) -> float:
        """The share of answers that was acceptable where this was fitted: what is known without any evidence."""
        return float(_pick(self.base_rates, query_type, _UNKNOWN_BASE_RATE))

    def one(self, judgment: Judgment, query_type: str | None) -> float | None:
        """P(a careful human accepts) by one judge alone, None where it abstained."""
        if judgment.score is None:
            return None
        curve = _pick(self.curves.get(judgment.judge, {}), query_type, None)
        return expit(_TRUST_UNFITTED * logit(judgment.score)) if curve is None else curve(judgment.score)

    def combined(
        self, judgments: Sequence[Judgment], query_type: str | None, *, unreferenced: bool = False
    ) -> float | None:
        """P(a careful human accepts) by all that gave a score, None where none did.

        On a query type with few labels of its own it is drawn towards one half: what holds elsewhere need not hold here.
        """
        found = self._together(judgments, query_type)
        return None if found is None else expit(self.trust(query_type, unreferenced=unreferenced) * logit(found))

    def _together(self, judgments: Sequence[Judgment], query_type: str | None) -> float | None:
        scored = {j.judge: p for j in judgments if (p := self.one(j, query_type)) is not None}
        if not scored:
            return None
        combination = _pick(self.combinations.get(combination_key(scored), {}), query_type, None)
        if combination is None:
            if len(scored) == 1:
                return next(iter(scored.values()))
            base = logit(self.base_rate(query_type))
            together = base + sum(logit(p) - base for p in scored.values()) / math.sqrt(len(scored))
            return expit(_TRUST_UNFITTED * together)
        total = combination.intercept + sum(combination.weights[judge] * logit(p) for judge, p in scored.items())
        return expit(total)

    def to_json(self) -> dict[str, Any]:
        """The form kept in a file."""
        return {
            "format": FORMAT,
            "provenance": dict(self.provenance),
            "labels": dict(self.labels),
            "certificate": None if self.certificate is None else self.certificate.to_json(),
            "base_rates": dict(self.base_rates),
            "curves": {judge: {t: c.to_json() for t, c in by_type.items()} for judge, by_type in self.curves.items()},
            "combinations": {
                key: {t: {"intercept": c.intercept, "weights": dict(c.weights), "n": c.n} for t, c in by_type.items()}
                for key, by_type in self.combinations.items()
            },
        }


def combination_key(judges: Sequence[str] | Mapping[str, Any]) -> str:
    """One name for a set of judges, whatever their order."""
    return "+".join(sorted(judges))


def logit(probability: float) -> float:
    """Log-odds, with certainty capped: no judge may outvote all others for ever."""
    capped = min(max(probability, 1 - _MOST), _MOST)
    return math.log(capped / (1 - capped))


def expit(log_odds: float) -> float:
    """The probability of log-odds."""
    return 1 / (1 + math.exp(-log_odds)) if log_odds > -700 else 0.0


def _pick(table: Mapping[str, Any], query_type: str | None, default: Any) -> Any:
    """The entry of this query type, else of all together, else the default."""
    if query_type is not None and query_type in table:
        return table[query_type]
    return table.get(ANY, default)


def shipped_calibration() -> Calibration:
    """The calibration that comes with the package; its provenance names the public sets behind it."""
    text = resources.files("judges").joinpath("calibrations", "default.json").read_text(encoding="utf-8")
    return _parse(text, "the shipped calibration")


def read_calibration(directory: Path) -> Calibration:
    """Read what `write_calibration` wrote. Raises: BadCalibration, naming the file and what is wrong with it."""
    path = directory / FILE_NAME
    try:
        return _parse(path.read_text(encoding="utf-8"), str(path))
    except FileNotFoundError as exc:
        raise BadCalibration(f"{path}: no such file; write one with `shadow judge --fit {directory}`") from exc
    except (OSError, UnicodeDecodeError) as exc:
        raise BadCalibration(f"{path}: cannot be read: {exc}") from exc


def write_calibration(calibration: Calibration, directory: Path) -> Path:
    """Write the calibration into a directory, made where missing, and return the file. Raises: BadCalibration."""
    path = directory / FILE_NAME
    try:
        directory.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(calibration.to_json(), indent=1) + "\n", encoding="utf-8")
    except OSError as exc:
        raise BadCalibration(f"{path}: cannot be written: {exc.strerror or exc}") from exc
    return path


def _parse(text: str, source: str) -> Calibration:
    try:
        value = json.loads(text)
        if value["format"] not in (_OLD_FORMAT, FORMAT):
            raise BadCalibration(
                f"{source}: format {value['format']} is not {FORMAT}; fit it again with `shadow judge --fit`"
            )
        if value["format"] == _OLD_FORMAT:
            value |= {"labels": _labels_behind(value["curves"]), "certificate": None}
        rates = {str(t): float(r) for t, r in value["base_rates"].items()}
        if not all(0 < r < 1 for r in rates.values()):
            raise BadCalibration(f"{source}: base rates have to lie within (0, 1)")
        combinations = {
            key: {t: _combination(key, c) for t, c in by_type.items()} for key, by_type in value["combinations"].items()
        }
        return Calibration(
            base_rates=rates,
            curves={
                judge: {t: Curve.from_json(c) for t, c in by_type.items()} for judge, by_type in value["curves"].items()
            },
            combinations=combinations,
            provenance=value["provenance"],
            labels={str(t): int(n) for t, n in value["labels"].items()},
            certificate=None if value["certificate"] is None else Certificate.from_json(value["certificate"]),
        )
    except (ValueError, KeyError, TypeError, AttributeError) as exc:
        raise BadCalibration(f"{source}: not a calibration file: {type(exc).__name__}: {exc}") from exc


def _combination(key: str, value: Mapping[str, Any]) -> Combination:
    weights = {str(judge): float(w) for judge, w in value["weights"].items()}
    if combination_key(weights) != key or not all(math.isfinite(w) and w >= 0 for w in weights.values()):
        raise ValueError(f"weights of {key} have to name its judges and be finite and not negative")
    return Combination(intercept=float(value["intercept"]), weights=weights, n=int(value["n"]))


def _labels_behind(curves: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> dict[str, int]:
    """Labels by query type as the older format's curves show them: those of the judge that was asked most."""
    found: dict[str, int] = {}
    for by_type in curves.values():
        for kind, curve in by_type.items():
            found[kind] = max(found.get(kind, 0), int(curve["n"]))
    return found
