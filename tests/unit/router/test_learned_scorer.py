"""Does a model directory survive the way to disk and back, is a damaged one refused, and are scores what they should be?"""

import json
import math
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from router.app import create_app
from router.contracts import Features
from router.embedding.choice import shared_embedder
from router.embedding.remembered import RememberedEmbedder
from router.errors import ConfigInvalid, EmbeddingUnavailable, ModelUnusable
from router.features import extract_features
from router.scorers.choice import scorer_for
from router.scorers.heuristic import HeuristicScorer
from router.scorers.learned import LearnedScorer
from router.scorers.model_directory import EmbeddingNeeded, LinearModel, load_model, save_model
from router.scorers.signs import read_signs
from router.scorers.text_vector import SIGN_NAMES, piece_buckets, sign_values, token_buckets, tokens_of
from router.settings import ScorerSettings
from router.testing.configured import router_settings

SIGNS = len(SIGN_NAMES)
ROOT = Path(__file__).parents[3]


def asked(text, **fields):
    return extract_features({"messages": [{"role": "user", "content": text}], **fields})


def a_model(tiers=("fast", "top"), *, seed=0, size=1.0, buckets=64):
    rng = np.random.default_rng(seed)
    return LinearModel(
        tiers=tuple(tiers),
        sign_mean=rng.normal(size=SIGNS),
        sign_scale=rng.uniform(0.1, 3, SIGNS),
        sign_weights=size * rng.normal(size=(SIGNS, len(tiers))),
        piece_weights=(size * rng.normal(size=(buckets, len(tiers)))).astype(np.float32),
        vector_weights=np.zeros((0, len(tiers)), dtype=np.float32),
        embedding=None,
        bias=rng.normal(size=len(tiers)),
        slope=float(rng.uniform(0.3, 2)),
        shift=rng.normal(size=len(tiers)),
        provenance={"version": "v1", "data": {"rows": 3}},
    )


def steps(weight):
    """A model of one sign only: the length in words, `weight` logits of the cheap tier for each standard deviation."""
    weights = np.zeros((SIGNS, 2))
    weights[0, 0] = weight
    return LinearModel(
        tiers=("fast", "top"),
        sign_mean=np.zeros(SIGNS),
        sign_scale=np.full(SIGNS, 3.0),
        sign_weights=weights,
        piece_weights=np.zeros((8, 2), dtype=np.float32),
        vector_weights=np.zeros((0, 2), dtype=np.float32),
        embedding=None,
        bias=np.array([1.0, 3.0]),
        slope=1.0,
        shift=np.zeros(2),
        provenance={},
    )


@given(
    text=st.text(max_size=300),
    seed=st.integers(0, 50),
    size=st.sampled_from([0.0, 1.0, 100.0]),
    tiers=st.integers(2, 4),
)
def test_every_score_is_a_number_in_the_unit_interval_and_the_top_tier_has_one(text, seed, size, tiers):
    names = [f"t{at}" for at in range(tiers)]
    scorer = LearnedScorer(a_model(names, seed=seed, size=size))
    scores = scorer.scores(asked(text))
    assert list(scores) == names
    assert all(0 <= score <= 1 for score in scores.values())
    assert scores[names[-1]] == 1.0
    assert all(0 < chance < 1 for chance in scorer.chances(asked(text)).values())


@given(
    words=st.lists(st.integers(0, 400), min_size=2, max_size=6),
    weight=st.floats(-3, -0.1),
)
def test_where_length_alone_counts_against_the_cheap_tier_confidence_falls_with_length(words, weight):
    scorer = LearnedScorer(steps(weight))
    confidences = [scorer.scores(asked("word " * count))["fast"] for count in sorted(words)]
    assert confidences == sorted(confidences, reverse=True)


def test_the_chance_is_the_formula():
    model, features = a_model(), asked("How many 3s are in 33? Prove it.")
    signs = read_signs(features)
    away = np.clip((np.array(sign_values(features, signs)) - model.sign_mean) / model.sign_scale, -4, 4)
    buckets = piece_buckets(signs, 64)
    pieces = model.piece_weights[buckets].sum(axis=0) / math.sqrt(len(buckets))
    logit = model.slope * (model.bias + away @ model.sign_weights + pieces) + model.shift
    found = LearnedScorer(model).chances(features)
    assert list(found.values()) == pytest.approx((1 / (1 + np.exp(-logit))).tolist(), rel=1e-5)


@settings(max_examples=25)
@given(seed=st.integers(0, 1000), tiers=st.integers(2, 4), text=st.text(max_size=80))
def test_a_model_comes_back_from_disk_as_it_was(tmp_path_factory, seed, tiers, text):
    directory = tmp_path_factory.mktemp("model") / "new" / "deeper"
    model = a_model([f"t{at}" for at in range(tiers)], seed=seed)
    save_model(model, directory)
    again = load_model(directory)
    assert again.provenance == model.provenance
    assert (again.tiers, again.slope) == (model.tiers, model.slope)
    assert LearnedScorer(again).scores(asked(text)) == LearnedScorer(model).scores(asked(text))


@given(data=st.data())
def test_a_damaged_weights_file_is_refused_wherever_the_damage_is(tmp_path_factory, data):
    directory = tmp_path_factory.mktemp("damaged")
    save_model(a_model(), directory)
    content = bytearray((directory / "weights.npz").read_bytes())
    at = data.draw(st.integers(0, len(content) - 1))
    if data.draw(st.booleans()):
        content = content[:at]
    else:
        content[at] ^= data.draw(st.integers(1, 255))
    (directory / "weights.npz").write_bytes(content)
    with pytest.raises(ModelUnusable, match=r"weights\.npz: damaged"):
        load_model(directory)


def edited(directory, **changes):
    about = json.loads((directory / "model.json").read_text())
    (directory / "model.json").write_text(json.dumps({**about, **changes}))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"format": 99}, "train it again"),
        ({"kind": "forest"}, "train it again"),
        ({"signs": ["length"]}, "other text features"),
        ({"tiers": ["fast"]}, "shape"),
        ({"tiers": [1, 2]}, "two tiers"),
        ({"buckets": 3}, "shape"),
        ({"buckets": None}, "damaged"),
        ({"calibration": {"slope": -1}}, "above 0"),
        ({"calibration": None}, "damaged"),
        ({"weights_sha256": "0"}, "damaged"),
        ({"embedding": "static"}, "damaged"),
    ],
)
def test_a_description_that_does_not_fit_is_one_clear_line(tmp_path, changes, said):
    save_model(a_model(), tmp_path)
    edited(tmp_path, **changes)
    with pytest.raises(ModelUnusable, match=said) as caught:
        load_model(tmp_path)
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize("content", ["", "{", "[]", "null", '{"format": 1}'])
def test_a_file_that_is_no_description_is_refused(tmp_path, content):
    (tmp_path / "model.json").write_text(content)
    with pytest.raises(ModelUnusable, match=r"model\.json"):
        load_model(tmp_path)


def test_numbers_that_are_none_are_refused(tmp_path):
    broken = a_model()
    broken.bias[0] = math.nan
    save_model(broken, tmp_path)
    with pytest.raises(ModelUnusable, match="bias"):
        load_model(tmp_path)


def learned(directory, tiers=None):
    settings = router_settings(
        "http://127.0.0.1:9/v1", tiers=tiers, routing={"scorer": {"kind": "learned", "model_dir": str(directory)}}
    )
    return create_app(settings, policy=None, recorder=None, environ={})


def test_the_router_starts_with_a_model_for_its_tiers(tmp_path):
    save_model(a_model(), tmp_path)
    assert isinstance(
        scorer_for(ScorerSettings(kind="learned", model_dir=str(tmp_path)), ("fast", "top")), LearnedScorer
    )
    learned(tmp_path)


def test_the_router_does_not_start_without_its_model_or_with_that_of_other_tiers(tmp_path):
    with pytest.raises(ConfigInvalid, match=r"routing\.scorer\.model_dir: .*model\.json cannot be read: No such file"):
        learned(tmp_path)
    save_model(a_model(("top", "fast")), tmp_path)
    with pytest.raises(ConfigInvalid, match="was trained for the tiers top, fast, configured are fast, top"):
        learned(tmp_path)


def test_kind_learned_needs_a_directory():
    with pytest.raises(ValueError, match="needs model_dir"):
        ScorerSettings(kind="learned")
    assert isinstance(scorer_for(ScorerSettings(), ("fast", "top")), HeuristicScorer)


def test_a_router_with_the_heuristic_does_not_load_numpy():
    program = (
        "import sys; from router.scorers.choice import scorer_for; from router.settings import ScorerSettings;"
        "import router.app; scorer_for(ScorerSettings(), ('a', 'b')); print('numpy' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


@given(text=st.text(max_size=200), buckets=st.integers(1, 1000))
def test_pieces_fall_into_the_buckets_there_are_once_for_each_token(text, buckets):
    features = Features(text=text, words=len(text.split()), conversation_tokens=0, turns=1)
    signs = read_signs(features)
    found = piece_buckets(signs, buckets)
    assert all(len(set(one)) == len(one) for one in (token_buckets(token, buckets) for token in tokens_of(signs)))
    assert len(found) == sum(len(token_buckets(token, buckets)) for token in tokens_of(signs))
    assert all(0 <= bucket < buckets for bucket in found)
    values = sign_values(features, signs)
    assert len(values) == SIGNS
    assert all(math.isfinite(value) for value in values)


def with_vectors(name="static", version="v1", dimensions=256):
    rng = np.random.default_rng(4)
    weights = rng.normal(size=(dimensions, 2)).astype(np.float32)
    return replace(a_model(), vector_weights=weights, embedding=EmbeddingNeeded(name=name, version=version))


def test_the_vector_of_the_text_counts_by_its_weights(tmp_path):
    engine = shared_embedder("static")
    model, text = with_vectors(version=engine.version), "Why is the sky blue?"
    save_model(model, tmp_path)
    assert load_model(tmp_path).embedding == model.embedding
    found = LearnedScorer.load(tmp_path, ("fast", "top")).chances(asked(text))
    plain = replace(model, vector_weights=np.zeros((0, 2), dtype=np.float32), embedding=None)
    without = LearnedScorer(plain).chances(asked(text))
    moved = engine.embed(text) @ model.vector_weights * model.slope
    logits = [math.log(chance / (1 - chance)) for chances in (found, without) for chance in chances.values()]
    assert logits[:2] == pytest.approx((np.array(logits[2:]) + moved).tolist(), abs=1e-4)


@pytest.mark.parametrize(
    ("model", "said"),
    [
        (with_vectors(version="of-last-year"), "trained on the embedding static@of-last-year, installed is static@"),
        (with_vectors(name="word2vec"), "needs the embedding word2vec@v1, which this version does not know"),
    ],
)
def test_another_embedding_is_one_clear_line(tmp_path, model, said):
    save_model(model, tmp_path)
    with pytest.raises(ModelUnusable, match=said) as caught:
        LearnedScorer.load(tmp_path, ("fast", "top"))
    assert len(str(caught.value).splitlines()) == 1


def test_a_missing_embedding_says_what_to_install(tmp_path, monkeypatch):
    save_model(with_vectors(name="minilm"), tmp_path)

    def missing(kind):
        raise EmbeddingUnavailable([f"the {kind} embedding needs onnxruntime: pip install 'shadowtier[minilm]'"])

    monkeypatch.setattr("router.scorers.learned.shared_embedder", missing)
    with pytest.raises(ModelUnusable, match=r"needs the embedding minilm@v1: .*pip install") as caught:
        LearnedScorer.load(tmp_path, ("fast", "top"))
    assert len(str(caught.value).splitlines()) == 1


def test_two_who_ask_about_the_same_text_share_one_vector():
    class Counting:
        name, version, dimensions = "static", "v1", 2
        asked = 0

        def embed(self, text):
            self.asked += 1
            return np.array([1.0, self.asked], dtype=np.float32)

    engine = Counting()
    shared, text = RememberedEmbedder(engine), "a text"
    first = shared.embed(text)
    assert shared.embed(text) is first
    assert shared.embed("another")[1] == 2
    assert engine.asked == 2
