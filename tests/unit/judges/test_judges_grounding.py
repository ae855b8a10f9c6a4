"""Do the judges see what an answer adds to its sources, and in which place?"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from judges.consistency import consistency
from judges.contracts import Comparison, Judgment, Marker
from judges.errors import JudgeError
from judges.facts import facts_of, known
from judges.glued import parted
from judges.grounding import grounding
from judges.language import language_of, wrong_language
from judges.lexical import LexicalJudge
from judges.markers import find_markers
from judges.nli import NliJudge
from judges.registry import build_panel
from judges.schema import broken_schema

REPORT = (
    "Summarise this report in one sentence. Keep person, firm, place, date and amount.\n\n"
    "On 14 August a burst pipe flooded the archive of Northwind Traders in Aarhus. Mateo Alvarez, the caretaker, shut off the "
    "water; the damage is put at 61,600 euros. Yusuf Demir brought soup for the helpers, and only 29 boxes of old folders were "
    "carried upstairs in time before the cellar was closed for good."
)
SUMMARY = "On 14 August a burst pipe flooded Northwind Traders' archive in Aarhus; Mateo Alvarez put the damage at 61,600 euros."


def compared(answer: str, reference: str | None = SUMMARY, prompt: str = REPORT, **more: Any) -> Comparison:
    return Comparison(prompt=prompt, answer=answer, reference=reference, **more)


def lexical(comparison: Comparison) -> float:
    return LexicalJudge()._score(comparison)[0] or 0.0


def kinds(answer: str, **more: Any) -> dict[str, Marker]:
    return {m.kind: m for m in find_markers(Comparison(**{"prompt": "Tell me.", "answer": answer} | more))}


def test_facts_are_numbers_dates_and_names_with_their_places() -> None:
    text = "On 14 August 2020 Mateo Alvarez paid 61,600 euros in Aarhus for 3 boxes."
    found = facts_of(text)
    assert [(f.kind, text[f.start : f.end].strip()) for f in found] == [
        ("date", "14 August 2020"),
        ("name", "Mateo Alvarez"),
        ("number", "61,600 euros"),
        ("name", "Aarhus"),
    ]
    assert known("Alvarez came on 2020-08-14 with 61600").has(found[0])
    assert all(known("Alvarez came on 2020-08-14 with 61600").has(f) for f in found[:3])


@pytest.mark.parametrize(
    ("answer", "field"),
    [
        (SUMMARY.replace("Mateo Alvarez", "Lena Hoffmann"), "invented"),
        (SUMMARY.replace("61,600", "16,600"), "invented"),
        (SUMMARY.replace("14 August", "15 August"), "invented"),
        (SUMMARY.replace("Mateo Alvarez", "Yusuf Demir"), "swapped"),
    ],
)
def test_a_swapped_name_number_or_date_is_noticed_in_free_text(answer: str, field: str) -> None:
    assert len(getattr(consistency(compared(answer)), field)) == 1
    assert lexical(compared(answer)) < lexical(compared(SUMMARY + " So it was."))


def test_a_fact_left_out_and_a_denial_are_noticed() -> None:
    assert consistency(compared("A pipe flooded an archive.")).missing == 1.0
    said = Comparison(
        prompt="Was the bridge opened?",
        answer="The bridge was not opened on time.",
        reference="The bridge was opened on time.",
    )
    assert consistency(said).denied == 1


def test_details_beyond_the_reference_are_no_fault_where_nothing_was_given_to_read() -> None:
    said = Comparison(
        prompt="Who wrote Emma?",
        answer="Jane Austen wrote Emma in 1815, in Chawton.",
        reference="Jane Austen wrote Emma.",
    )
    assert consistency(said).invented == ()
    assert consistency(said).swapped == ()


def test_an_answer_keeps_to_a_graph_of_statements_or_names_something_else_instead() -> None:
    prompt = "[Human]: Who directed The Ice Storm? "
    context = "The Ice Storm is directed by Ang Lee. The Ice Storm is written by Rick Moody."
    kept = grounding(Comparison(prompt=prompt, context=context, answer="Ang Lee did, from the novel by Rick Moody."))
    other = grounding(Comparison(prompt=prompt, context=context, answer="It was directed by Steven Spielberg."))
    assert kept is not None
    assert other is not None
    assert (kept.unused, kept.instead) == (0.0, False)
    assert (other.unused, other.instead) == (1.0, True)
    assert kept.log_odds > 0 > other.log_odds
    assert grounding(Comparison(prompt=prompt, answer="x")) is None


RECORDS = """Use only this record.

- order 11152: speaker, status in transit, carrier PostNord, date 9 July
- order 39732: yoga mat, status delayed, carrier UPS, date 14 December
- order 32689: phone case, status cancelled, carrier Hermes, date 19 May"""
GRAPH = "Good Will Hunting is written by Matt Damon. Good Will Hunting is starring Robin Williams."


@pytest.mark.parametrize(
    ("context", "request_text", "right", "wrong"),
    [
        (RECORDS, "Where is order 39732?", "Delayed, due on 14 December.", "Delayed, due on 19 May."),
        (RECORDS, "Where is order 39732?", "It is delayed.", "It is cancelled."),
        (GRAPH, "Did Matt Damon or Ben Affleck write it?", "It is written by Matt Damon.", "It is written by Ben Affleck."),
        (
            "Emma Stone met Kevin Hart in Rome. Paul Simon sang.", "Whom did she meet?", "Kevin Hart.", "She met Paul Hart.",
        ),
        ("The book has genre FantasyFantasy has examples: Eragon", "Which genre?", "It is Fantasy.", "It is Horror."),
    ],
)  # fmt: skip
def test_a_fact_in_the_place_of_another_counts_though_the_context_has_it_elsewhere(
    context: str, request_text: str, right: str, wrong: str
) -> None:
    held = [grounding(Comparison(prompt=request_text, answer=a, context=context)) for a in (right, wrong)]
    assert held[0] is not None
    assert held[1] is not None
    assert held[0].misplaced == ()
    assert held[0].log_odds > held[1].log_odds + 0.5


def test_words_that_ran_together_are_parted_and_names_are_left() -> None:
    assert parted("Dune has genre FantasyFantasy has") == "Dune has genre Fantasy. Fantasy has"
    assert parted("It is Fight ClubFight Club has", "Club") == "It is Fight Club. Fight Club has"
    assert parted("McDonald saw it on YouTube in 1919") == "McDonald saw it on YouTube in 1919"


def test_questions_claim_nothing() -> None:
    found = grounding(
        Comparison(prompt="Hi", context="Ang Lee directs.", answer="Do you like Quentin Tarantino? Ang Lee directs.")
    )
    assert found is not None
    assert [c.text for c in found.claims] == ["Ang Lee directs."]


def test_sources_made_up_are_marked_with_their_places() -> None:
    answer = (
        'See https://made.up/x and "the river rose by nine metres overnight" (Miller et al., 2019), doi:10.1234/abc.5 [3]. '
        "As an AI language model, I know 3 May 2011. Dragons conquered cities with burning catapults."
    )
    found = kinds(answer, context="The river rose.")
    wanted = {
        "unsupported_url",
        "unsupported_quote",
        "unsupported_citation",
        "unsupported_date",
        "unsupported_claim",
        "ai_disclaimer",
    }
    assert wanted <= set(found)
    for marker in found.values():
        assert answer[marker.start : marker.end].strip().startswith(marker.text[:20].strip())
    supported = kinds(
        '"The river rose by nine metres overnight," they said.',
        context="the river rose by nine metres overnight, they said",
    )
    assert "unsupported_quote" not in supported


def test_what_the_reference_puts_differently_is_marked() -> None:
    found = kinds(
        "It was founded by Ada Kranz.", reference="It was founded by Bo Lind.", context="Ada Kranz and Bo Lind met."
    )
    assert found["contradicts_reference"].text == "Ada Kranz"


@pytest.mark.parametrize(
    ("answer", "prompt", "language"),
    [
        (
            "Der Fluss ist in der Nacht gestiegen und die Menschen sind auf das Dach gegangen, weil es nicht anders ging.",
            "german",
            "German",
        ),
        ("Река поднялась ночью на девять метров, и люди ушли на крышу.", "russian", "Cyrillic"),
        (
            "The river rose in the night and the people went to the roof because there was no other way for them.",
            "",
            None,
        ),
        ("Paris", "", None),
    ],
)
def test_another_language_than_asked_in_is_marked_unless_one_was_asked_for(
    answer: str, prompt: str, language: str | None
) -> None:
    question = "Tell me what happened when the river rose in the night, and what the people of the town did about it."
    assert wrong_language(answer, question, None) == language
    if language:
        assert language_of(answer) == language
        assert kinds(answer, prompt=question)["wrong_language"].text == language
        assert wrong_language(answer, f"{question} Answer in {prompt}.", None) is None
        assert wrong_language(answer, question, answer) is None


@pytest.mark.parametrize(
    ("answer", "fault"),
    [
        ('{"name": "Ann", "age": 5, "tags": ["a"]}', None),
        ("Ann is five.", "no JSON"),
        ('{"name": "Ann"}', "age is missing"),
        ('{"name": "Ann", "age": "five"}', "age is no integer"),
        ('{"name": "Ann", "age": 5, "mood": "odd"}', "mood is none of the values allowed"),
        ('{"name": "Ann", "age": 5, "tags": ["a", 1]}', "tags[1] is no string"),
    ],
)
def test_a_broken_schema_is_named_by_its_place(answer: str, fault: str | None) -> None:
    schema = {
        "type": "object",
        "required": ["name", "age"],
        "properties": {
            "name": {"type": "string"},
            "age": {"type": "integer"},
            "mood": {"enum": ["good", "bad"]},
            "tags": {"type": "array", "items": {"type": "string"}},
        },
    }
    assert broken_schema(answer, schema) == fault
    assert ("broken_schema" in kinds(answer, schema=schema)) is (fault is not None)


class WordClassifier:
    """Entailed if all words are in the premise, contradicted if the premise says `not`, neutral otherwise."""

    def classify(self, pairs: Sequence[tuple[str, str]]) -> NDArray[np.float64]:
        rows = []
        for premise, claim in pairs:
            inside = set(claim.lower().strip(".").split()) <= set(premise.lower().strip(".").split())
            rows.append([0.9, 0.05, 0.05] if inside else [0.05, 0.05, 0.9] if "not" in premise else [0.05, 0.9, 0.05])
        return np.array(rows)


def nli(answer: str, context: str | None) -> Judgment:
    return asyncio.run(
        NliJudge(WordClassifier()).judge([Comparison(prompt="Q", answer=answer, reference=None, context=context)])
    )[0]


def test_a_cross_encoder_reads_claim_by_claim_and_marks_contradictions() -> None:
    kept, against, open_ = (
        nli("Cats sleep.", "Cats sleep."),
        nli("Cats sleep. Dogs fly.", "Cats sleep. Dogs do not fly."),
        nli("X", None),
    )
    assert (kept.verdict, open_.verdict) == ("accept", "abstain")
    assert (kept.score or 0) > (against.score or 0)
    assert nli("Dogs fly.", "Dogs do not bark.").markers[0].text == "Dogs fly."


def test_a_cross_encoder_is_asked_only_where_a_model_is_named() -> None:
    assert "nli@1" not in [j.name for j in build_panel(["structured", "lexical"]).judges]
    assert "nli@1" in [j.name for j in build_panel(["structured", "lexical"], nli_model="some/model").judges]
    with pytest.raises(JudgeError, match="needs a model"):
        build_panel(["nli"])
