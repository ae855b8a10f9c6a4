"""How does a model get worse at one kind of question, under its own name? A share of its right answers turn out wrong."""

from __future__ import annotations

from shadow.lab.world import KINDS


def read_slips(body: object, models: frozenset[str]) -> dict[tuple[str, str], float]:
    """`{"<model>": {"<kind>": share}}`; models and kinds that are not named are as good as ever. Raises: ValueError."""
    if not isinstance(body, dict):
        raise ValueError("slips must be an object: model -> {kind: share}")
    found: dict[tuple[str, str], float] = {}
    for model, kinds in body.items():
        if model not in models:
            raise ValueError(f"unknown model {model}; known: {', '.join(sorted(models))}")
        if not isinstance(kinds, dict):
            raise ValueError(f"{model}: must be an object of kinds")
        for kind, share in kinds.items():
            if kind not in KINDS:
                raise ValueError(f"{model}: unknown kind {kind}; known: {', '.join(KINDS)}")
            if isinstance(share, bool) or not isinstance(share, int | float) or not 0 <= share <= 1:
                raise ValueError(f"{model}: {kind}: share must be a number from 0 to 1")
            found[model, kind] = float(share)
    return found
