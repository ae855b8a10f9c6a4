"""What is a task? A prompt whose right answer is known, a writer of right and wrong completions, and an exact grader."""

from __future__ import annotations

import random
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal

from shadow.lab.tasks.lapses import Style, lapse, refusal

Kind = Literal["extraction", "classification", "arithmetic", "order_status", "short_qa", "summary"]
#: How often a wrong draft is written anew before the writer gives up and refuses instead.
_DRAFTS = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Task(ABC):
    """One question of the lab. `user` identifies it: no two tasks of a world share it.

    difficulty: in [0, 1], what makes the task hard, as far as its text shows it. answer: the canonical right answer.
    response_format: the OpenAI `response_format` of the request, or None.
    """

    kind: ClassVar[Kind]

    id: str
    feature: str
    difficulty: float
    user: str
    answer: str
    system: str | None = None
    response_format: Mapping[str, Any] | None = None

    @property
    def messages(self) -> list[dict[str, str]]:
        """The conversation as sent."""
        head = [] if self.system is None else [{"role": "system", "content": self.system}]
        return [*head, {"role": "user", "content": self.user}]

    @abstractmethod
    def draft_right(self, style: Style, rng: random.Random) -> str:
        """A right answer in the wording of the style."""

    @abstractmethod
    def draft_wrong(self, style: Style, rng: random.Random) -> str:
        """An answer of the same shape that is subtly wrong. In rare cases a draft may turn out right: `write` sees to it."""

    @abstractmethod
    def check(self, answer: str) -> bool:
        """True if the answer is right. Reads any text, that of a real model too; never raises."""

    def write(self, success: bool, style: Style, rng: random.Random) -> str:
        """A completion that is right or wrong as asked. The grader has the last word on a wrong one.

        Weaker styles also lapse now and then: they refuse, break off or say next to nothing.
        """
        if success:
            return self.draft_right(style, rng)
        for _ in range(_DRAFTS):
            text = self.draft_wrong(style, rng)
            text = lapse(text, style, rng) or text
            if not self.check(text):
                return text
        return refusal(rng)


def with_id(task: Task, task_id: str) -> Task:
    """The same task under another id."""
    return replace(task, id=task_id)


#: Draws a task from nothing but the stream.
Generator = Callable[[random.Random], Task]
