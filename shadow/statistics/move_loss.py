"""What is lost by serving a tier's requests from a cheaper one, by human labels, and is that shown to be less than a margin?

Pairs come from arms: sets of requests that were drawn on their own, each fit to say it alone. Judges look at an answer against
another reference in each arm, and another share of each arm is labelled, so that what verdicts add is only right if both phases
mix the arms alike: an arm counts with its labels in either phase.

The proof is studentised, on the two-phase estimate with one more labelled pair of loss 1: it holds for many labels only
(asymptotic), and takes requests for independent of each other: sums do not know sessions.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from shadow.statistics.difference import calibrated, fit_difference, mean_difference, upper_tail
from shadow.statistics.estimate import Estimate
from shadow.statistics.pair_sums import PAIR_FIELDS, PairSums

#: Fewest labelled pairs from which on labels, not judges, say what a move loses.
MIN_LABELS_SHOWN = 30
#: Fewest pairs of a confidence band that is weighted by its own requests; else the bands are taken together.
MIN_BAND_PAIRS = 5
_COUNTS = ("pairs", "judged", "labelled")


def loss_sums(arms: Iterable[Sequence[tuple[float, PairSums]]]) -> PairSums | None:
    """All arms as one, with D turned round: the loss of the other tier. None where no pair is labelled.

    arms: for each the bands' (requests, sums of accept(other) - accept(served)). Bands count with their requests, arms with
    their labelled pairs. Arms without labels are left out.
    """
    labelled = [one for bands in arms if (one := _arm(bands)) is not None]
    total = sum(one.labelled for one in labelled)
    if not labelled:
        return None
    return PairSums.total(_reweighted(one, one.labelled / total, 1.0) for one in labelled)


def labelled_loss(sums: PairSums, *, level: float = 0.95) -> Estimate | None:
    """The mean loss with its interval, corrected by labels. sums: of `loss_sums`. None below two labels."""
    found = mean_difference([(1.0, sums)], level=level)
    return found if isinstance(found, Estimate) else None


def loss_p_value(sums: PairSums, *, margin: float) -> float:
    """P-value of "the mean loss is the margin or more". sums: of `loss_sums`. Asymptotic; 1 without a label."""
    fit = fit_difference(sums, pseudo_loss=1.0)
    return 1.0 if fit is None else upper_tail(fit.mean, fit.variance, fit.draws, margin)


def _arm(bands: Sequence[tuple[float, PairSums]]) -> PairSums | None:
    """One arm's pairs, total weight 1 in either phase."""
    if any(requests > 0.0 and sums.pairs < MIN_BAND_PAIRS for requests, sums in bands):
        bands = [(1.0, PairSums.total(sums for _, sums in bands))]
    sums = calibrated(bands)
    drawn, seen = sums.w + sums.u_w, sums.v + sums.u_v
    if drawn <= 0.0 or seen <= 0.0:
        return None
    # What was drawn for a label by a constant chance too few counts that much more: see `shadow.store.rollup_sql`.
    return _turned(_reweighted(sums, 1.0 / drawn, drawn / seen))


def _reweighted(sums: PairSums, factor: float, label_factor: float) -> PairSums:
    """All weights times a factor, those of labels times another one besides; counts stay."""
    values = {}
    for name in PAIR_FIELDS:
        letters = "" if name in _COUNTS else name.removeprefix("u_")
        ws, vs = letters.count("w"), letters.count("v")
        values[name] = getattr(sums, name) * factor ** (ws + vs) * label_factor**vs
    return PairSums(**values)


def _turned(sums: PairSums) -> PairSums:
    """The sums of -D."""
    values = {}
    for name in PAIR_FIELDS:
        letters = "" if name in _COUNTS else name.removeprefix("u_")
        odd = (letters.count("d") + letters.count("y")) % 2
        values[name] = -getattr(sums, name) if odd else getattr(sums, name)
    return PairSums(**values)
