"""Which label fits the message? Support tickets, reviews and requests to an assistant, with the labels in the prompt."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import ClassVar

from shadow.lab.tasks.classification_messages import SCHEMES
from shadow.lab.tasks.contracts import Kind, Task
from shadow.lab.tasks.grading import says
from shadow.lab.tasks.lapses import Style
from shadow.lab.tasks.names import PEOPLE, PRODUCTS

_FRAMES: dict[Style, tuple[str, ...]] = {
    "terse": ("{label}", "{label}", "{label}.", "Label: {label}"),
    "plain": (
        "The label is {label}.",
        "Label: {label}",
        "This is {label}.",
        "I would file this under {label}.",
        "My choice: {label}",
    ),
    "thorough": (
        "**{label}**",
        "Label: **{label}**",
        "The best fitting label is **{label}**.",
        "Reading the message, the writer {why}. The label that fits best is **{label}**.",
        "Label: {label}\n\nReason: the writer {why}.",
        'The writer {why}, so I would choose "{label}".',
        "**{label}**. What decides it: the writer {why}.",
    ),
}
_GREETINGS = ("Hello,", "Hi there,", "Good morning,", "Dear team,", "Hey,", "To whom it may concern,")
_CLOSINGS = ("Thanks, {name}", "Regards, {name}", "Best wishes, {name}", "{name}", "Please get back to me soon. {name}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Classification(Task):
    """A message, the labels to choose from, and why each might be chosen."""

    kind: ClassVar[Kind] = "classification"

    labels: tuple[str, ...]
    reasons: tuple[tuple[str, str], ...]

    def draft_right(self, style: Style, rng: random.Random) -> str:
        return self._frame(self.answer, style, rng)

    def draft_wrong(self, style: Style, rng: random.Random) -> str:
        return self._frame(rng.choice([label for label in self.labels if label != self.answer]), style, rng)

    def check(self, answer: str) -> bool:
        """Right if the right label is the only one named: an answer that hedges between labels is wrong."""
        return {label for label in self.labels if says(answer, label)} == {self.answer}

    def _frame(self, label: str, style: Style, rng: random.Random) -> str:
        text = rng.choice(_FRAMES[style]).format(label=label, why=dict(self.reasons)[label])
        return text.capitalize() if style == "terse" and rng.random() < 0.3 else text


def generate(rng: random.Random) -> Task:
    """A message; a second matter in it, mentioned in passing, makes it harder."""
    scheme = rng.choice(SCHEMES)
    names = tuple(scheme.messages)
    label = rng.choice(names)
    product, person = rng.choice(PRODUCTS), rng.choice(PEOPLE)
    sentences = [text.format(product=product) for text in rng.sample(scheme.messages[label], rng.randint(1, 2))]
    distractors = rng.choice((0, 0, 1, 2))
    for other in rng.sample([name for name in names if name != label], distractors):
        sentences.insert(rng.randrange(len(sentences) + 1), rng.choice(scheme.passing[other]).format(product=product))
    message = f"{rng.choice(_GREETINGS)} {' '.join(sentences)} {rng.choice(_CLOSINGS).format(name=person)}"
    labels = list(names)
    rng.shuffle(labels)
    return Classification(
        id="",
        feature=scheme.feature,
        difficulty=round((distractors * 2 + (len(sentences) - distractors == 1)) / 5, 3),
        user=f"{scheme.task} Choose one of: {', '.join(labels)}. Answer with the label.\n\nMessage: {message}",
        answer=label,
        labels=tuple(labels),
        reasons=tuple(scheme.reasons.items()),
    )
