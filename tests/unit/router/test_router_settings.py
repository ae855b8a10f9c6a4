"""Is a configuration that contradicts itself refused, with a line that helps?"""

import copy

import pytest
from pydantic import ValidationError

from router.errors import ConfigInvalid
from router.pool import endpoint
from router.settings import ProviderSettings, RouterSettings, check_routing, routing_problems

GOOD = {
    "providers": {"p": {"base_url": "https://api.example.com/v1/"}},
    "tiers": [
        {"name": "fast", "models": [{"provider": "p", "model": "a"}, {"provider": "p", "model": "b"}]},
        {"name": "top", "models": [{"provider": "p", "model": "c"}]},
    ],
    "routing": {
        "thresholds": {"fast": 0.85},
        "rules": [{"name": "legal", "when": {"feature": "legal"}, "tier": "top"}],
    },
}


def changed(path, value):
    fields = copy.deepcopy(GOOD)
    *parents, last = path
    at = fields
    for step in parents:
        at = at[step]
    if value is ...:
        del at[last]
    else:
        at[last] = value
    return fields


def test_the_good_one_has_its_defaults():
    settings = RouterSettings.model_validate(GOOD)
    assert settings.providers["p"].base_url == "https://api.example.com/v1"
    assert settings.providers["p"].max_retries == 2
    assert settings.server.max_body_bytes == 10 * 1024 * 1024
    assert settings.routing.alias == "auto"
    assert settings.routing.rules[0].when.feature == ("legal",)


@pytest.mark.parametrize(
    ("path", "value", "says"),
    [
        (["routing", "thresholds"], {"fast": 0.8, "quick": 0.5}, "unknown tier 'quick' (known: fast, top)"),
        (["routing", "thresholds"], {"fast": 0.8, "top": 0.5}, "'top' is the top tier"),
        (["routing", "thresholds"], {}, "no threshold for tier 'fast'"),
        (["routing", "observe_tier"], "slow", "routing.observe_tier: unknown tier 'slow'"),
        (["routing", "alias"], "fast", "'fast' is also the name of a tier"),
        (["routing", "rules", 0, "tier"], "slow", "rule 'legal' names the unknown tier 'slow'"),
        (["tiers", 1, "name"], "fast", "two tiers are called 'fast'"),
        (["tiers", 1, "models", 0, "provider"], "q", "unknown provider 'q' (known: p)"),
        (["tiers", 1, "models", 0, "model"], "a", "model 'a' is already in tier 'fast'"),
        (["tiers", 0, "models", 1, "model"], "a", "a at p is listed twice"),
        (["tiers", 0, "models", 1, "model"], "top", "has the name of a tier or of the alias"),
        (["tiers", 0, "models", 1, "model"], "auto", "has the name of a tier or of the alias"),
    ],
)
def test_each_contradiction_is_named(path, value, says):
    with pytest.raises(ValidationError) as caught:
        RouterSettings.model_validate(changed(path, value))
    assert says in str(caught.value)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (["tiers", 1], ...),
        (["tiers", 0, "models"], []),
        (["tiers", 0, "name"], "with space"),
        (["tiers", 0, "models", 0, "model"], "line\nbreak"),
        (["providers", "p", "base_url"], "api.example.com"),
        (["providers", "p", "base_url"], "https://"),
        (["providers", "p", "timeout_seconds"], 0),
        (["providers", "p", "api_key"], "inline"),
        (["routing", "thresholds", "fast"], 1.5),
        (["routing", "rules", 0, "when"], {}),
        (["routing", "rules", 0, "when"], {"featur": "x"}),
        (["routing", "scorer"], {"kind": "oracle"}),
        (["routing", "threshold"], {"fast": 0.5}),
        (["server"], {"port": 0}),
        (["tiers", 0, "models", 0, "price"], {"input_usd_per_mtok": -1, "output_usd_per_mtok": 1}),
    ],
)
def test_bad_values_and_unknown_keys_are_refused(path, value):
    with pytest.raises(ValidationError):
        RouterSettings.model_validate(changed(path, value))


def test_an_address_of_anthropic_ends_with_the_version():
    with pytest.raises(ValidationError, match="ends with the version: https://x/v1"):
        ProviderSettings.model_validate({"kind": "anthropic", "base_url": "https://x"})
    settings = ProviderSettings.model_validate({"kind": "anthropic", "base_url": "https://x/v1/"})
    assert endpoint(settings) == "https://x/v1/messages"


def test_all_problems_come_at_once():
    settings = RouterSettings.model_validate(GOOD)
    parts = (settings.providers, settings.tiers, settings.routing.model_copy(update={"thresholds": {"top": 0.5}}))
    assert len(routing_problems(*parts)) == 2
    with pytest.raises(ConfigInvalid) as caught:
        check_routing(*parts)
    assert len(caught.value.problems) == 2
    check_routing(settings.providers, settings.tiers, settings.routing)
