"""How far may thresholds be lowered with proof that the loss stays below epsilon?

Learn-then-Test: the first half of the evidence proposes a path of policies (`policy_path`), the second half tests them in that
order, each at the full level delta, and stops at the first one that fails; the last one that passed is taken. Whatever the
path, a policy whose risk is epsilon or more is taken with probability delta at most: it would have to be the first such one on
the path, and that one is tested once. Source: Angelopoulos, Bates, Candes, Jordan, Lei 2021 (arXiv:2110.01052), fixed
sequence testing.

*Certified* needs labels on both answers; from verdicts alone a policy is *uncertified*: judges that err break epsilon more
often than promised, and more so with more data.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from shadow.statistics.estimate import Estimate
from shadow.statistics.paired_evidence import PairedEvidence, RoutedEvidence, routed
from shadow.statistics.pairs_needed import BETTING_FACTOR, more_pairs_needed
from shadow.statistics.policy_path import Path, policy_path
from shadow.statistics.risk import betting_risk_p_value, risk_estimate, studentised_risk_p_value
from shadow.statistics.routes import Requests, routes
from shadow.statistics.saving import mean_saving
from shadow.statistics.sums import BoolArray, FloatArray

MIN_LABELS = 200
MIN_PAIRS_PER_KIND = 500

Status = Literal["certified", "uncertified", "keep"]
Proof = Literal["betting", "studentised"]
Why = Literal[
    "within_epsilon",  # certified, or uncertified for want of labels
    "no_pairs",
    "too_few_pairs",
    "needs_down_mirroring",
    "nothing_cheaper",
    "risk_not_shown",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tested:
    """A policy that was tested on the second half. p_values: of all traffic, then of each constrained query type."""

    thresholds: FloatArray
    p_values: tuple[float, ...]
    passed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """What may be done with the thresholds, and why.

    thresholds: (kinds, T-1) of the policy that may be proposed, routes.BEYOND where a tier is not used; None for `keep`.
    proof: betting, valid at any size, or studentised, valid for many labels (`asymptotic`). p_value: of that policy for all
    traffic. risk, regret: of that policy on the second half with 95 % intervals, or, for `keep`, of the first cheaper policy
    that was tried; saving_usd: mean per request against all on the top tier, likewise. constrained: query types that were
    tested apart, each at delta / their number.
    pairs, labels: in the second half. coverage: share of the drawn pairs there in which both answers have a verdict; None
    without any. more_pairs: how many more drawn pairs, both halves together, would probably do (power .8); None where no
    number would (the loss itself is too large) or where it is not for want of pairs. more_labels: for `uncertified`, labelled
    pairs that are missing for a certificate to be tried.
    """

    status: Status
    why: Why
    epsilon: float
    delta: float
    thresholds: FloatArray | None = None
    proof: Proof | None = None
    p_value: float | None = None
    risk: Estimate | None = None
    regret: Estimate | None = None
    saving_usd: Estimate | None = None
    constrained: tuple[int, ...] = ()
    pairs: int = 0
    labels: int = 0
    coverage: float | None = None
    more_pairs: int | None = None
    more_labels: int = 0
    tested: tuple[Tested, ...] = ()
    path: Path | None = None

    @property
    def asymptotic(self) -> bool:
        """Whether the proof holds for many labels only."""
        return self.proof == "studentised"


def first_half(request_ids: Sequence[str], *, seed: str) -> BoolArray:
    """Which requests belong to the first half, shape (n,): a hash of (seed, request id), so it is the same every time."""
    digests = (hashlib.sha256(f"{seed}\x1f{name}\x1fhalf".encode()).digest()[0] for name in request_ids)
    return np.fromiter((digest % 2 == 0 for digest in digests), dtype=np.bool_, count=len(request_ids))


def certify(
    requests: Requests,
    evidence: PairedEvidence,
    costs_usd: FloatArray,
    *,
    in_first_half: BoolArray,
    epsilon: float,
    delta: float,
    per_kind: bool = False,
    proof: Proof | None = None,
    lowest: FloatArray | None = None,
) -> Certificate:
    """The cheapest policy whose risk is shown to be below epsilon, with probability of error at most delta.

    requests, evidence, costs_usd (n, T): rows in request order, in which the traffic is represented: a request that the
    sampler can't reach is a row with inclusion 0, not left out. Pass one request per session and day where sessions cluster.
    per_kind: each query type with at least 500 pairs in the second half has to keep epsilon, too, at delta / their number.
    With 200 labelled pairs in the second half the proof is from labels and the result may be certified; where all pairs are
    labelled, by betting. Otherwise it is from verdicts, by betting, and uncertified at best. proof: "studentised" takes that
    one also where all pairs are labelled: it needs half the pairs, but holds for many only. lowest: (kinds, T-1), thresholds
    that no policy goes below.
    Raises ValueError for shapes that do not fit and numbers out of range. Cost: that of `policy_path`, and O(n) per test.
    """
    if not (0.0 < epsilon < 1.0 and 0.0 < delta < 1.0):
        raise ValueError(f"epsilon and delta must lie in (0, 1), got {epsilon} and {delta}")
    first, second = np.flatnonzero(in_first_half), np.flatnonzero(~in_first_half)
    path = policy_path(requests.take(first), evidence.take(first), costs_usd[first], lowest=lowest)
    held = _Held(requests.take(second), evidence.take(second), costs_usd[second], epsilon, delta, per_kind, proof)
    return held.along(path)


class _Held:
    """The second half."""

    def __init__(
        self,
        requests: Requests,
        evidence: PairedEvidence,
        costs_usd: FloatArray,
        epsilon: float,
        delta: float,
        per_kind: bool,
        proof: Proof | None,
    ) -> None:
        self._requests, self._evidence, self._costs = requests, evidence, costs_usd
        self._epsilon, self._delta = epsilon, delta
        self._labels = evidence.labels
        self._by_labels = self._labels >= MIN_LABELS
        exact = not self._by_labels or (evidence.fully_labelled and proof != "studentised")
        self._proof: Proof = "betting" if exact else "studentised"
        known = evidence.judged.any(axis=1)
        if self._by_labels and evidence.labelled is not None:
            known = known | evidence.labelled.any(axis=1)
        self._pairs = int(known.sum())
        of_kind = np.bincount(requests.kind[known], minlength=requests.kinds)
        self._constrained = tuple(np.flatnonzero(of_kind >= MIN_PAIRS_PER_KIND).tolist()) if per_kind else ()

    def along(self, path: Path) -> Certificate:
        if self._pairs == 0:
            return self._keep("no_pairs", path, more=None)
        if len(path.policies) == 1:
            return self._keep("needs_down_mirroring" if path.unseen else "nothing_cheaper", path, more=None)
        tested: list[Tested] = []
        for policy in path.policies[1:]:
            tested.append(self._test(policy.thresholds))
            if not tested[-1].passed:
                break
        passed = [test for test in tested if test.passed]
        tried = passed[-1] if passed else tested[0]
        found = routed(self._evidence, routes(self._requests, tried.thresholds))
        risk = risk_estimate(found, labels=self._by_labels)
        if not passed:
            more = self._more_pairs(found)
            enough = self._pairs >= np.log(self._delta) / np.log1p(-self._epsilon)
            why: Why = "needs_down_mirroring" if found.unseen else "risk_not_shown" if enough else "too_few_pairs"
            return self._keep(why, path, more=more, tested=tested, risk=risk, found=found)
        return Certificate(
            status="certified" if self._by_labels else "uncertified",
            why="within_epsilon",
            epsilon=self._epsilon,
            delta=self._delta,
            thresholds=tried.thresholds,
            proof=self._proof,
            p_value=tried.p_values[0],
            risk=risk,
            regret=risk_estimate(found, labels=self._by_labels, regret=True),
            saving_usd=mean_saving(self._costs, found.tier, self._evidence.row_weights),
            constrained=self._constrained,
            pairs=self._pairs,
            labels=self._labels,
            coverage=self._coverage(),
            more_labels=0 if self._by_labels else MIN_LABELS - self._labels,
            tested=tuple(tested),
            path=path,
        )

    def _keep(
        self,
        why: Why,
        path: Path,
        *,
        more: int | None,
        tested: Sequence[Tested] = (),
        risk: Estimate | None = None,
        found: RoutedEvidence | None = None,
    ) -> Certificate:
        return Certificate(
            status="keep",
            why=why,
            epsilon=self._epsilon,
            delta=self._delta,
            proof=self._proof if tested else None,
            p_value=tested[0].p_values[0] if tested else None,
            risk=risk,
            regret=None if found is None else risk_estimate(found, labels=self._by_labels, regret=True),
            saving_usd=None if found is None else mean_saving(self._costs, found.tier, self._evidence.row_weights),
            constrained=self._constrained,
            pairs=self._pairs,
            labels=self._labels,
            coverage=self._coverage(),
            more_pairs=more,
            tested=tuple(tested),
            path=path,
        )

    def _test(self, thresholds: FloatArray) -> Tested:
        tier = routes(self._requests, thresholds)
        parts = [slice(None), *(self._requests.kind == kind for kind in self._constrained)]
        levels = [self._delta, *(self._delta / len(self._constrained) for _ in self._constrained)]
        p_values = tuple(self._p_value(routed(self._evidence.take(part), tier[part])) for part in parts)
        return Tested(
            thresholds=thresholds,
            p_values=p_values,
            passed=all(p <= level for p, level in zip(p_values, levels, strict=True)),
        )

    def _p_value(self, found: RoutedEvidence) -> float:
        if self._proof == "studentised":
            return studentised_risk_p_value(found, epsilon=self._epsilon)
        return betting_risk_p_value(found, epsilon=self._epsilon, labels=self._by_labels)

    def _more_pairs(self, found: RoutedEvidence) -> int | None:
        """For both halves together: the second one is half of them."""
        factor = BETTING_FACTOR if self._proof == "betting" else 1.0
        more = more_pairs_needed(found, labels=self._by_labels, epsilon=self._epsilon, delta=self._delta, factor=factor)
        return None if more is None else 2 * more

    def _coverage(self) -> float | None:
        drawn = self._evidence.drawn.sum()
        return float((self._evidence.judged & self._evidence.drawn).sum() / drawn) if drawn else None
