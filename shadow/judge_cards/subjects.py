"""Which judges get a card, and which of them can be measured here?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from judges.contracts import Comparison, Judge, Judgment
from judges.described import DESCRIBED, BlindSpot, description
from judges.engines import Engine, default_embedder, int8_installed
from judges.lexical import LexicalJudge
from judges.markers import MarkersJudge
from judges.nli import CrossEncoderClassifier, NliJudge
from judges.pairwise import PairwiseJudge
from judges.panel import Panel
from judges.registry import DEFAULT, build_panel
from judges.rubric import RubricJudge
from judges.semantic import SemanticJudge
from judges.structured import StructuredJudge
from shadow.judge_cards.scripted import ScriptedClassifier, ScriptedModel

#: What makes two comparisons the same to every judge.
ComparisonKey = tuple[str, str, str | None, str | None, str | None, str | None]
#: Judges behind a language model: their cards hold no figures on data, because none can be had without a model.
NEEDS_LANGUAGE_MODEL = ("rubric", "pairwise")
#: Judges that run a model on the machine for every pair, which takes long enough to measure them on fewer.
LOADS_A_MODEL = ("semantic", "nli", "panel")


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """A judge to be measured. engines: more than one only for the semantic judge; the first is what runs by default.

    scripted: whether its model is a script, so that only the judge's own time can be measured.
    """

    name: str
    version: str
    engines: dict[str, Callable[[], Judge]]
    scripted: bool = False
    not_measured: tuple[str, ...] = field(default=())


def subjects(names: Sequence[str] = DESCRIBED, *, nli_model: str | None = None) -> list[Subject]:
    """One per judge, in the order of the registry; the panel last, without engines: it is made of the others."""
    return [_subject(name, nli_model) for name in DESCRIBED if name in names]


def _subject(name: str, nli_model: str | None) -> Subject:
    if name in NEEDS_LANGUAGE_MODEL:
        reply = "VERDICT: ACCEPT 0.9" if name == "rubric" else "VERDICT: EQUAL"
        kind: type[RubricJudge | PairwiseJudge] = RubricJudge if name == "rubric" else PairwiseJudge
        why = "agreement with people, calibration and latency of a language model: none was asked for this card"
        return Subject(
            name=name,
            version=kind.name,
            engines={"": lambda: kind([ScriptedModel([reply])])},
            scripted=True,
            not_measured=(why,),
        )
    if name == "nli":
        if nli_model is None:
            why = "everything on data: no cross-encoder was named (`NLI=<name or path> make judge-cards` measures one)"
            return Subject(
                name=name,
                version=NliJudge.name,
                engines={"": lambda: NliJudge(ScriptedClassifier())},
                scripted=True,
                not_measured=(why,),
            )
        return Subject(
            name=name, version=NliJudge.name, engines={nli_model: lambda: NliJudge(CrossEncoderClassifier(nli_model))}
        )
    if name == "semantic":
        known: tuple[Engine, ...] = ("int8", "torch") if int8_installed() else ("torch",)
        missing = () if int8_installed() else ("the int8 engine: it is not installed",)
        return Subject(
            name=name,
            version=SemanticJudge.name,
            engines={engine: _semantic(engine) for engine in known},
            not_measured=missing,
        )
    if name == "panel":
        return Subject(name=name, version=Panel.name, engines={})
    free: dict[str, type[Judge]] = {"structured": StructuredJudge, "lexical": LexicalJudge, "markers": MarkersJudge}
    made = free[name]
    return Subject(name=name, version=str(made.name), engines={"": made})


def _semantic(engine: Engine) -> Callable[[], Judge]:
    return lambda: SemanticJudge(default_embedder(engine))


async def examples_said(name: str) -> list[tuple[BlindSpot, str, float | None]]:
    """What the judge of this name says about the example of each of its blind spots: verdict and score."""
    spots = description(name).blind_spots
    said: list[tuple[BlindSpot, str, float | None]] = []
    if name == "panel":
        concluded = await build_panel(DEFAULT).judge([spot.example for spot in spots])
        return [(spot, one.verdict, one.probability) for spot, one in zip(spots, concluded, strict=True)]
    if name in NEEDS_LANGUAGE_MODEL:
        kind: type[RubricJudge | PairwiseJudge] = RubricJudge if name == "rubric" else PairwiseJudge
        for spot in spots:
            (judgment,) = await kind([ScriptedModel(spot.replies)]).judge([spot.example])
            said.append((spot, judgment.verdict, judgment.score))
        return said
    (subject,) = subjects([name])
    judgments = await next(iter(subject.engines.values()))().judge([spot.example for spot in spots])
    return [(spot, one.verdict, one.score) for spot, one in zip(spots, judgments, strict=True)]


class Remembered:
    """A judge that says again what it said before, so that a panel can be measured without asking twice."""

    def __init__(self, name: str, said: dict[ComparisonKey, Judgment]) -> None:
        self._name = name
        self._said = said

    @property
    def name(self) -> str:
        return self._name

    async def judge(self, comparisons: Sequence[Comparison]) -> list[Judgment]:
        """One judgment per comparison, same order. Raises: KeyError for one that was never judged."""
        return [self._said[key_of(c)] for c in comparisons]


def key_of(comparison: Comparison) -> ComparisonKey:
    """The texts of a comparison."""
    c = comparison
    return (c.prompt, c.answer, c.reference, c.context, c.query_type, c.finish_reason)
