"""General knowledge, asked in one sentence: an entity is the answer."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import ClassVar

from shadow.lab.tasks.contracts import Kind, Task
from shadow.lab.tasks.grading import fold, says_any
from shadow.lab.tasks.knowledge import RELATIONS, Relation
from shadow.lab.tasks.lapses import Style

_LEADS = (
    "", "", "", "Quick question: ", "For a quiz tonight: ", "Please tell me, ", "Help me with my homework: ", "I forgot: ",
    "Just checking: ", "A guest asks: ", "For the pub quiz, round two: ", "My son wants to know: ", "Crossword clue: ",
)  # fmt: skip
_FRAMES: dict[Style, tuple[str, ...]] = {
    "terse": ("{answer}", "{answer}", "{answer}.", "It's {answer}."),
    "plain": ("{sentence}", "The answer is {answer}.", "That is {answer}.", "{sentence} That's the short answer."),
    "thorough": (
        "Good question! {sentence}",
        "{sentence} Let me know if you would like some background.",
        "The answer you are looking for is **{answer}**: {lower}",
        "Certainly. {sentence} I am confident about this one.",
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ShortQA(Task):
    """A fact of a relation: `subject` stands in it to `answer`."""

    kind: ClassVar[Kind] = "short_qa"

    subject: str
    relation: Relation

    def draft_right(self, style: Style, rng: random.Random) -> str:
        return self._frame(rng.choice(self.relation.spellings(self.answer)), style, rng)

    def draft_wrong(self, style: Style, rng: random.Random) -> str:
        return self._frame(rng.choice(self.relation.confusions(self.answer)), style, rng)

    def check(self, answer: str) -> bool:
        """Right if the entity is named and no other entity of the relation is, apart from those of the question."""
        relation, text, asked = self.relation, fold(answer), self.user.casefold()
        if not says_any(text, relation.spellings(self.answer), cased=relation.cased):
            return False
        return not any(
            says_any(text, relation.spellings(other), cased=relation.cased)
            for other in relation.confusions(self.answer)
            if other.casefold() not in asked
        )

    def _frame(self, answer: str, style: Style, rng: random.Random) -> str:
        sentence = rng.choice(self.relation.statements).format(subject=self.subject, answer=answer)
        sentence = sentence[0].upper() + sentence[1:]
        lower = sentence[0].lower() + sentence[1:] if sentence.startswith("The ") else sentence
        return rng.choice(_FRAMES[style]).format(answer=answer, sentence=sentence, lower=lower)


def generate(rng: random.Random) -> Task:
    """A question; relations that fewer people know make it harder."""
    relation = rng.choice(RELATIONS)
    subject, answer = rng.choice(relation.facts)
    question = rng.choice(relation.questions).format(subject=subject)
    lead = rng.choice(_LEADS)
    text = lead + (question[0].lower() + question[1:] if lead.endswith(", ") else question)
    rarity = relation.facts.index((subject, answer)) / len(relation.facts)
    return ShortQA(
        id="",
        feature=rng.choice(("help-search", "quiz-app")),
        difficulty=round(min(0.7 * relation.difficulty + 0.3 * rarity, 1.0), 3),
        user=f"{text} Answer briefly.",
        answer=answer,
        subject=subject,
        relation=relation,
    )
