"""Do two completions agree in their working, not only in what they end with?"""

from __future__ import annotations

from judges.quantities import number_values, strip_latex


def shared_numbers(one: str, other: str, *, ignore: str = "") -> float:
    """Jaccard overlap of the numbers in two texts, in [0, 1]; numbers of `ignore` (the question) count a quarter.

    Numbers that the question gives are in every working; those worked out tell more.
    """
    left, right = _rounded(one), _rounded(other)
    union = left | right
    if not union:
        return 0.0
    given = _rounded(ignore)
    weigh = {v: 0.25 if v in given else 1.0 for v in union}
    return sum(weigh[v] for v in left & right) / sum(weigh.values())


def _rounded(text: str) -> set[float]:
    return {float(f"{v:.4g}") for v in number_values(strip_latex(text))}
