"""Does the doctor see a scorer that could not decide, and say what is known of one that can?"""

import json

import numpy as np
import pytest

from router.features import extract_features
from router.scorers.model_directory import save_model
from shadow.doctor.configuration import used_providers
from shadow.doctor.scorer import scorer
from shadow.settings import parse
from shadow.training.fit import design, fit


def settings(**chosen):
    price = {"input_usd_per_mtok": 1, "output_usd_per_mtok": 2}
    tiers = [{"name": name, "models": [{"provider": "p", "model": f"{name}-1", "price": price}]} for name in ("a", "b")]
    return parse(
        {
            "providers": {name: {"base_url": "http://127.0.0.1:9/v1"} for name in ("p", "small")},
            "tiers": tiers,
            "routing": {"thresholds": {"a": 0.8}, "scorer": chosen},
        },
        source="tests",
    )


@pytest.fixture
def directory(tmp_path):
    asked = [extract_features({"messages": [{"role": "user", "content": "word " * at}]}) for at in range(1, 31)]
    successes = np.array([[at % 2, 1] for at in range(30)], dtype=float)
    save_model(fit(design(asked), successes, ("a", "b"), seed=0).model, tmp_path / "model")
    return tmp_path / "model"


def test_a_model_that_fits_is_named_with_its_origin(directory):
    about = json.loads((directory / "model.json").read_text())
    about |= {"version": "v7", "data": {"rows": 30}, "held_out": {"learned": {"apgr": {"value": 0.61}}}}
    (directory / "model.json").write_text(json.dumps(about))
    (found,) = scorer(settings(kind="learned", model_dir=str(directory)))
    assert found.state == "ok"
    assert "version v7 from 30 requests, APGR 0.610" in found.detail


def test_a_model_that_cannot_be_used_is_one_finding_with_a_remedy(directory, tmp_path):
    (directory / "weights.npz").write_bytes(b"cut short")
    for place, said in ((directory, "damaged"), (tmp_path / "none", "cannot be read")):
        (found,) = scorer(settings(kind="learned", model_dir=str(place)))
        assert (found.state, said in found.detail, "shadow train" in found.remedy) == ("bad", True, True)


def test_a_small_model_needs_a_price(directory):
    asked = {"kind": "llm", "provider": "small", "model": "nobody-knows-it"}
    (found,) = scorer(settings(**asked))
    assert (found.state, found.remedy[:10]) == ("bad", "add price:")
    price = {"input_usd_per_mtok": 0.05, "output_usd_per_mtok": 0.1}
    (found,) = scorer(settings(**asked, price=price))
    assert (found.state, "$0.05 in" in found.detail) == ("ok", True)
    assert "small" in used_providers(settings(**asked))


def test_the_heuristic_needs_nothing():
    (found,) = scorer(settings(kind="heuristic"))
    assert found.state == "ok"
