"""Does the demo's configuration hold, and does it spread the lab's traffic over the tiers?"""

from collections import Counter
from decimal import Decimal
from pathlib import Path

import pytest
import yaml

from router.contracts import Hints, Policy
from router.features import extract_features
from router.gate import Gate
from router.rules import Rules
from router.scorers.heuristic import HeuristicScorer
from shadow.lab.config import LocalEndpoint, demo_config, demo_yaml
from shadow.lab.world import World
from shadow.settings import parse

URL = "http://127.0.0.1:9/v1"


def settings(**options):
    config = demo_config(provider_url=URL, data_dir=Path("data"), **options)
    return parse(yaml.safe_load(demo_yaml(config)), source="demo")


def test_the_configuration_is_accepted_and_prices_survive_the_file_exactly():
    found = settings()
    assert found.tier_names == ("fast", "mid", "frontier")
    prices = [tier.models[0].price.input_usd_per_mtok for tier in found.tiers]
    assert prices == [Decimal("0.1"), Decimal("0.8"), Decimal(5)]
    assert found.rates.up == 0.05
    assert found.rates.control_top > found.rates.up


@pytest.mark.parametrize("sampling", [0.0, 0.05, 0.3, 0.995, 1.0])
def test_every_sampling_rate_is_possible(sampling):
    rates = settings(sampling=sampling).rates
    assert rates.up == sampling
    assert rates.up + rates.down <= 1
    assert rates.control_top + rates.down <= 1


def test_a_local_model_alone_serves_the_cheap_tier_and_costs_nothing():
    local = LocalEndpoint(base_url="http://127.0.0.1:8/v1", model="small", context_tokens=2048)
    fast = settings(local=local).tiers[0]
    assert [(m.provider, m.model, m.context_tokens) for m in fast.models] == [("local", "small", 2048)]
    assert fast.models[0].price.output_usd_per_mtok == 0


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_heuristic_scorer_spreads_the_traffic_over_all_tiers(seed):
    found = settings()
    scorer = HeuristicScorer.of(found.tier_names)
    windows = {tier.name: tier.models[0].context_tokens for tier in found.tiers}
    gate = Gate.of(found.tier_names, windows, Rules.of(()))
    policy = Policy(version=0, thresholds=found.routing.thresholds, band=found.routing.band)
    world = World(seed)
    chosen = Counter()
    for task in world.items:
        features = extract_features({"messages": task.messages, "response_format": task.response_format})
        decision = gate.decide(
            features=features, hints=Hints(), query_type="unknown", scores=scorer.scores(features), policy=policy
        )
        chosen[decision.chosen] += 1
    shares = {tier: n / len(world) for tier, n in chosen.items()}
    assert 0.60 <= shares["fast"] <= 0.78
    assert 0.14 <= shares["mid"] <= 0.30
    assert 0.05 <= shares["frontier"] <= 0.16
