"""Is the type of a request told from examples, left open where nothing is near, and is a bad file explained?"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from router.chat import read_chat_request
from router.contracts import Hints, Policy
from router.decider import Decider
from router.embedding.choice import embedder_for
from router.errors import ConfigInvalid
from router.gate import Gate
from router.query_types.centroids import Centroids
from router.query_types.choice import query_types_for
from router.query_types.examples import read_examples
from router.query_types.nearest import NearestType
from router.rules import Rules
from router.settings import QueryTypeSettings, RuleSettings

TIERS = ("fast", "top")


class Directions:
    """An embedder for which each text is a direction of its own: "east-3" is nearly east."""

    name = "directions"
    version = "1"
    dimensions = 8

    def embed(self, text: str) -> NDArray[np.float32]:
        side, _, number = text.partition("-")
        vector = np.full(8, 0.02, dtype=np.float32)
        vector[("east", "north", "up").index(side) if side in ("east", "north", "up") else 6] = 1
        vector[3 + (int(number or 0) % 3)] += 0.3
        return vector / np.float32(np.linalg.norm(vector))


EXAMPLES = {side: [f"{side}-{i}" for i in range(6)] for side in ("east", "north", "up")}


class Always:
    """A classifier with one opinion, and how often it was asked."""

    def __init__(self, said: str) -> None:
        self.said = said
        self.asked = 0

    def classify(self, text: str) -> str:
        self.asked += 1
        return self.said


class Fixed:
    """Scores and a policy that choose the cheap tier."""

    def scores(self, features: object) -> dict[str, float]:
        return {"fast": 0.99, "top": 1.0}

    def current(self) -> Policy:
        return Policy(version=0, thresholds={"fast": 0.5}, band=0.0)


def decider(query_types: Always | None) -> Decider:
    rule = RuleSettings.model_validate({"name": "sums", "when": {"query_type": "math"}, "tier": "top"})
    gate = Gate.of(TIERS, dict.fromkeys(TIERS, 100_000), Rules.of([rule]))
    return Decider(gate=gate, scorer=Fixed(), policy=Fixed(), query_types=query_types)


BODY = b'{"model": "auto", "messages": [{"role": "user", "content": "What is 3 + 4?"}]}'


async def test_a_rule_sees_the_classified_type_and_the_record_says_who_told_it() -> None:
    decided = await decider(Always("math")).decide(read_chat_request(BODY), Hints(), None)
    assert (decided.query_type, decided.query_type_source) == ("math", "classifier")
    assert (decided.decision.chosen, decided.decision.rule) == ("top", "sums")


async def test_a_hint_wins_and_the_classifier_is_not_asked() -> None:
    classifier = Always("math")
    decided = await decider(classifier).decide(read_chat_request(BODY), Hints(query_type="chat"), None)
    assert (decided.query_type, decided.query_type_source) == ("chat", "hint")
    assert decided.decision.chosen == "fast"
    assert classifier.asked == 0


@pytest.mark.parametrize("classifier", [None, Always("unknown")])
async def test_where_nobody_knows_the_type_is_unknown_and_nobody_said_it(classifier: Always | None) -> None:
    decided = await decider(classifier).decide(read_chat_request(BODY), Hints(), None)
    assert (decided.query_type, decided.query_type_source) == ("unknown", "none")


def test_a_text_gets_the_type_of_the_nearest_examples() -> None:
    classifier = NearestType.of(EXAMPLES, Directions(), unknown_share=0.1)
    assert [classifier.classify(f"{side}-7") for side in EXAMPLES] == list(EXAMPLES)


def test_a_text_far_from_all_examples_is_unknown_unless_that_is_switched_off() -> None:
    assert NearestType.of(EXAMPLES, Directions(), unknown_share=0.1).classify("elsewhere") == "unknown"
    assert NearestType.of(EXAMPLES, Directions(), unknown_share=0).classify("elsewhere") in EXAMPLES


def test_what_varies_inside_every_group_counts_less() -> None:
    """Two groups differ a little along one axis, and all examples vary a lot along another."""

    def some(rng: np.random.Generator, count: int) -> tuple[NDArray[np.float32], list[str]]:
        groups = ["left", "right"] * (count // 2)
        points = np.column_stack([rng.normal(0, spread, count) for spread in (0.1, 0.5, 0.02, 0.02)])
        points[:, 0] += [-0.2 if group == "left" else 0.2 for group in groups]
        points[:, 2] += 2
        return (points / np.linalg.norm(points, axis=1, keepdims=True)).astype(np.float32), groups

    ours, plain = [], []
    for seed in range(5):
        vectors, groups = some(np.random.default_rng(seed), 40)
        fresh, expected = some(np.random.default_rng(100 + seed), 200)
        centroids = Centroids(vectors, groups)
        means = {name: vectors[[group == name for group in groups]].mean(axis=0) for name in ("left", "right")}
        for vector, group in zip(fresh, expected, strict=True):
            ours.append(centroids.nearest(vector).group == group)
            plain.append((means["right"] @ vector > means["left"] @ vector) == (group == "right"))
    assert np.mean(ours) > np.mean(plain) + 0.05


@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 5)), min_size=2, max_size=30),
    st.integers(0, 2**32 - 1),
)
def test_whatever_the_examples_some_group_is_nearest_and_cosines_are_cosines(
    examples: list[tuple[str, int]], seed: int
) -> None:
    rng = np.random.default_rng(seed)
    directions = rng.normal(size=(6, 5)).astype(np.float32)
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    groups = [name for name, _ in examples]
    centroids = Centroids(directions[[place for _, place in examples]], groups)
    for vector in (*directions, np.zeros(5, dtype=np.float32)):
        nearest = centroids.nearest(vector)
        assert nearest.group in groups
        assert -1.001 <= nearest.cosine <= 1.001
        assert nearest.margin >= 0


def test_the_built_in_types_know_a_sum_from_a_joke() -> None:
    classifier = NearestType.of(read_examples(), embedder_for("static"), unknown_share=0.2)
    assert classifier.classify("Sarah has 15 apples and buys 7 more. How many apples does she have in total?") == "math"
    assert classifier.classify("Translate the following sentence into French: I am tired.") == "translation"
    assert classifier.classify("Write a SQL query that counts the orders of each customer.") == "data"
    assert classifier.classify("zxqv 0x9f ~~ blorp") == "unknown"


def test_off_loads_nothing_and_is_the_default() -> None:
    assert query_types_for(QueryTypeSettings()) is None


def test_types_of_ones_own_replace_the_built_in_ones_or_join_them(tmp_path: Path) -> None:
    path = tmp_path / "types.yaml"
    path.write_text("types:\n  refund: [Money back please, I want a refund]\n  greeting: [Hi, Hello]\n")
    assert list(read_examples(path)) == ["refund", "greeting"]
    path.write_text(
        "builtin: true\ntypes:\n  refund: [Money back please, I want a refund]\n  math: ['What is 7 * 6?', 2 + 2]\n"
    )
    joined = read_examples(path)
    assert joined["refund"] == ("Money back please", "I want a refund")
    assert joined["math"][-2:] == ("What is 7 * 6?", "2 + 2")
    assert set(read_examples()) < set(joined)


def test_the_configured_file_is_used(tmp_path: Path) -> None:
    path = tmp_path / "types.yaml"
    path.write_text("types:\n  refund: [Money back please, I want a refund]\n  greeting: [Good morning, Hello there]\n")
    classifier = query_types_for(QueryTypeSettings(classifier="centroid", examples=str(path), unknown_share=0))
    assert classifier is not None
    assert classifier.classify("Can I get my money back?") == "refund"


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("", "", "expected the key types"),
        ("- a\n- b\n", ":1", "expected the key types"),
        ("builtin: true\n", ":1", "types: is missing"),
        ("types: 3\n", ":1", "types: must be a mapping"),
        ("types:\n  a: [x, y]\n  b: [x, z]\nkind: 3\n", ":4", "kind: unknown key (known: builtin, types)"),
        ("builtin: maybe\ntypes:\n  a: [x, y]\n  b: [z, w]\n", ":1", "builtin: must be true or false"),
        ("types:\n  a: [x, y]\n  b: words\n", ":3", "types.b: must be a list"),
        ("types:\n  a: [x, y]\n  b:\n    - x\n    - 7\n", ":5", "types.b[1]: must be a text"),
        ("types:\n  a: [x, y]\n  b:\n    - x: y\n    - z\n", ":4", "types.b[0]: must be a text"),
        ("types:\n  a: [x, y]\n  b: [x]\n", ":3", "types.b: has 1 examples, at least 2"),
        ("types:\n  a: [x, y]\n  unknown: [x, z]\n", ":3", "types.unknown: is no name for a type"),
        ("types:\n  a: [x, y]\n  two words: [x, z]\n", ":3", "types.two words: is no name"),
        ("types:\n  a: [x, y]\n", "", "at least two types"),
        ("types:\n  a: [x, y\n", ":3", "this is no YAML"),
    ],
)
def test_a_bad_file_is_one_line_with_file_line_and_key(tmp_path: Path, text: str, line: str, says: str) -> None:
    path = tmp_path / "types.yaml"
    path.write_text(text)
    with pytest.raises(ConfigInvalid) as caught:
        read_examples(path)
    (problem,) = caught.value.problems
    assert problem.startswith(f"routing.query_types.examples: {path}{line}: ")
    assert says in problem


def test_a_missing_file_is_one_line_too(tmp_path: Path) -> None:
    with pytest.raises(ConfigInvalid, match=r"routing\.query_types\.examples: cannot read .*absent\.yaml"):
        read_examples(tmp_path / "absent.yaml")


def test_the_built_in_types_have_enough_different_examples() -> None:
    examples = read_examples()
    assert len(examples) >= 12
    texts = [text for of in examples.values() for text in of]
    assert len(set(texts)) == len(texts)
    assert min(map(len, examples.values())) >= 15
