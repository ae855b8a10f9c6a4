"""What is there to be asked, and how likely does each tier get it right? The truth that estimates are held against."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from shadow.lab.seeds import derive, stream
from shadow.lab.tasks import arithmetic, classification, extraction, order_status, short_qa, summary
from shadow.lab.tasks.contracts import Generator, Kind, Task, with_id
from shadow.lab.tiers import TIERS, LabTier
from shadow.lab.tokens import TOKENS_PER_MESSAGE, token_counter

#: The kinds, their generators and their shares of the pool.
GENERATORS: Mapping[Kind, tuple[Generator, float]] = {
    "classification": (classification.generate, 0.22),
    "order_status": (order_status.generate, 0.20),
    "short_qa": (short_qa.generate, 0.20),
    "extraction": (extraction.generate, 0.16),
    "arithmetic": (arithmetic.generate, 0.12),
    "summary": (summary.generate, 0.10),
}
KINDS: tuple[Kind, ...] = tuple(GENERATORS)
#: Spread, in log-odds, of what makes an item hard for all tiers alike without showing in its text.
_HIDDEN_SPREAD = 0.5
_ATTEMPTS_PER_ITEM = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Tables:
    """The world as arrays. Rows are items in the order of `World.items`, columns tiers, cheapest first.

    probability: of a right answer. cost_usd: of one call, by the list price, with the length of a typical right answer.
    kind: index into `KINDS`. difficulty: in [0, 1].
    """

    probability: npt.NDArray[np.float64]
    cost_usd: npt.NDArray[np.float64]
    prompt_tokens: npt.NDArray[np.int64]
    completion_tokens: npt.NDArray[np.int64]
    kind: npt.NDArray[np.int64]
    difficulty: npt.NDArray[np.float64]


class World:
    """A finite pool of distinct tasks and the known skill of each tier at each of them: the same for the same seed and size."""

    def __init__(self, seed: int = 1, items: int = 1200, tiers: Sequence[LabTier] = TIERS) -> None:
        self.seed = seed
        self.tiers = tuple(tiers)
        self.items: tuple[Task, ...] = _draw_items(seed, items)
        self._by_user = {_normal(task.user): index for index, task in enumerate(self.items)}
        self._probability = self._draw_probability()

    def __len__(self) -> int:
        return len(self.items)

    def tier_index(self, name: str) -> int | None:
        """The position of a tier, by its name or its model id; None if the lab has no such tier."""
        return next((i for i, tier in enumerate(self.tiers) if name in (tier.name, tier.model)), None)

    def index_of(self, prompt: str | Iterable[Mapping[str, Any]]) -> int | None:
        """The item asked by a conversation, by its last user message, or by a text that ends in it; None if there is none."""
        text = _normal(prompt if isinstance(prompt, str) else last_user_text(prompt))
        found = self._by_user.get(text)
        if found is None and isinstance(prompt, str):
            found = next((index for user, index in self._by_user.items() if text.endswith(user)), None)
        return found

    def find(self, prompt: str | Iterable[Mapping[str, Any]]) -> Task | None:
        """As `index_of`, the task itself."""
        index = self.index_of(prompt)
        return None if index is None else self.items[index]

    def truth(self, prompt: str | Iterable[Mapping[str, Any]], answer: str) -> bool | None:
        """Whether the answer is right; None for a question that is not of this world."""
        task = self.find(prompt)
        return None if task is None else task.check(answer)

    def success_probability(self, item: int, tier: int) -> float:
        """The chance that the tier (by position, cheapest first) answers the item right, independently at every call."""
        return float(self._probability[item, tier])

    def draw_success(self, item: int, tier: int, rng: random.Random) -> bool:
        """Whether a call succeeds this time."""
        return rng.random() < self.success_probability(item, tier)

    def tables(self) -> Tables:
        """The whole truth for vectorised work. Cost: writes and counts one answer per item and tier, about a second in all."""
        count = token_counter()
        prompts = [[message["content"] for message in task.messages] for task in self.items]
        prompt_tokens = np.array(
            [sum(count(texts)) + TOKENS_PER_MESSAGE * len(texts) for texts in prompts], dtype=np.int64
        )
        completion_tokens = np.empty(self._probability.shape, dtype=np.int64)
        for column, tier in enumerate(self.tiers):
            completion_tokens[:, column] = count(
                [task.write(True, tier.style, stream(self.seed, "typical", task.id, tier.name)) for task in self.items]
            )
        prices_in = np.array([float(tier.input_usd_per_mtok) for tier in self.tiers])
        prices_out = np.array([float(tier.output_usd_per_mtok) for tier in self.tiers])
        return Tables(
            probability=self._probability.copy(),
            cost_usd=(prompt_tokens[:, None] * prices_in + completion_tokens * prices_out) / 1e6,
            prompt_tokens=prompt_tokens,
            completion_tokens=completion_tokens,
            kind=np.array([KINDS.index(task.kind) for task in self.items], dtype=np.int64),
            difficulty=np.array([task.difficulty for task in self.items]),
        )

    def _draw_probability(self) -> npt.NDArray[np.float64]:
        """log-odds = those of the skill - slope * (difficulty - .5) + what is hidden in the item."""
        skill = np.array([[tier.skill[task.kind] for tier in self.tiers] for task in self.items])
        slope = np.array([tier.slope for tier in self.tiers])
        difficulty = np.array([task.difficulty for task in self.items])
        hidden = np.random.default_rng(derive(self.seed, "hidden")).normal(0.0, _HIDDEN_SPREAD, len(self.items))
        odds = np.log(skill / (1 - skill)) - slope * (difficulty[:, None] - 0.5) + hidden[:, None]
        return np.asarray(1 / (1 + np.exp(-odds)), dtype=np.float64)


def last_user_text(messages: Iterable[Mapping[str, Any]]) -> str:
    """The text of the last user message; text parts of a multi-part message are joined."""
    content: Any = next((m.get("content") for m in reversed(list(messages)) if m.get("role") == "user"), "")
    if isinstance(content, list):
        return "\n".join(str(part.get("text", "")) for part in content if isinstance(part, dict))
    return content if isinstance(content, str) else ""


def _normal(text: str) -> str:
    return " ".join(text.split())


def _draw_items(seed: int, items: int) -> tuple[Task, ...]:
    if items < len(GENERATORS):
        raise ValueError(f"a world needs at least {len(GENERATORS)} items, one of each kind; {items} were asked for")
    drawn: list[Task] = []
    seen: set[str] = set()
    counts = {kind: max(int(items * share), 1) for kind, (_, share) in GENERATORS.items()}
    counts["classification"] += items - sum(counts.values())
    for kind, (generate, _) in GENERATORS.items():
        rng = stream(seed, "items", kind)
        wanted = len(drawn) + counts[kind]
        for _ in range(counts[kind] * _ATTEMPTS_PER_ITEM):
            if len(drawn) == wanted:
                break
            task = generate(rng)
            if _normal(task.user) not in seen:
                seen.add(_normal(task.user))
                drawn.append(with_id(task, f"{kind}-{len(drawn):05d}"))
        if len(drawn) < wanted:
            raise ValueError(
                f"no more than {counts[kind] + len(drawn) - wanted} distinct tasks of kind {kind} exist; ask for fewer items"
            )
    stream(seed, "order").shuffle(drawn)
    return tuple(drawn)
