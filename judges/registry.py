"""Which judges are there, and how is a panel built from their names?"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from judges.calibration import Calibration, read_calibration, shipped_calibration
from judges.contracts import Judge
from judges.embedding import Embedder
from judges.engines import Engine, default_embedder
from judges.errors import JudgeError, UnknownJudge
from judges.panel import Panel
from judges.verdicts import Target, Thresholds

#: Cheapest first: the order in which a panel asks, whatever the order of the names it was built from.
KNOWN = ("structured", "lexical", "markers", "semantic", "nli", "rubric", "pairwise")
#: Those that ask a language model, and cost money.
PAID = ("rubric", "pairwise")
DEFAULT = ("structured", "lexical", "semantic", "markers")


def build_panel(
    names: Sequence[str],
    *,
    paid: Mapping[str, Judge] | None = None,
    calibration: Calibration | Path | None = None,
    thresholds: Thresholds | None = None,
    target: Target | None = None,
    threads: int = 1,
    engine: Engine = "auto",
    embedding_model: str | Path | None = None,
    nli_model: str | Path | None = None,
) -> Panel:
    """A panel of these judges, cheapest first.

    paid: the judges of PAID by name, made by whoever knows the models. calibration: None for the shipped one, a directory
    that `shadow judge --fit` wrote, or one already read. target: what its certificate
    has to promise to count. threads: of the embedding engine. engine, embedding_model: see
    `judges.engines`. nli_model: name or path of a cross-encoder; given, the judge `nli` is asked, too. Raises: UnknownJudge,
    BadCalibration, JudgeError where a judge is named without the model it needs.
    """
    if nli_model is not None:
        names = [*names, "nli"]
    for name in names:
        if name not in KNOWN:
            raise UnknownJudge(name, KNOWN)
    if isinstance(calibration, Path):
        calibration = read_calibration(calibration)
    judges = [
        _build(name, paid or {}, nli_model, lambda: default_embedder(engine, model=embedding_model, threads=threads))
        for name in KNOWN
        if name in names
    ]
    return Panel(judges, calibration=calibration or shipped_calibration(), thresholds=thresholds, target=target)


def _build(
    name: str, paid: Mapping[str, Judge], nli_model: str | Path | None, embedder: Callable[[], Embedder]
) -> Judge:
    """The judge of this name; imported here, so that a panel loads only what it asks."""
    from judges.lexical import LexicalJudge
    from judges.markers import MarkersJudge
    from judges.nli import CrossEncoderClassifier, NliJudge
    from judges.semantic import SemanticJudge
    from judges.structured import StructuredJudge

    if name in PAID:
        if name not in paid:
            raise JudgeError(f"the judge `{name}` needs a model: address, name and price")
        return paid[name]
    if name == "semantic":
        return SemanticJudge(embedder())
    if name == "nli":
        if nli_model is None:
            raise JudgeError("the judge `nli` needs a model: name or path of a cross-encoder")
        return NliJudge(CrossEncoderClassifier(nli_model))
    free: dict[str, type[Judge]] = {"structured": StructuredJudge, "lexical": LexicalJudge, "markers": MarkersJudge}
    return free[name]()
