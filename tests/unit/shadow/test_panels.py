"""Does a configuration with LLM judges become a panel that asks them, within what was reserved, and never an answer's kin?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from judges.contracts import Comparison
from judges.errors import JudgeError
from router.testing.provider import FakeProvider, answering, status
from shadow.doctor import judging as doctor
from shadow.errors import ConfigError
from shadow.judging.kinship import Kinship
from shadow.judging.mirrored import comparisons
from shadow.judging.panels import panels_of
from shadow.judging.prompts import Question
from shadow.sampling.draws import Target
from shadow.settings import Settings, parse
from shadow.store.samples import Answer, Sample

PRICE = {"input_usd_per_mtok": 1, "output_usd_per_mtok": 2}
CASE = Comparison(prompt="Tell me of it", answer="Berlin lies on it", reference="The river runs on through the town")


@pytest.fixture
def provider() -> Iterator[FakeProvider]:
    with FakeProvider() as running:
        yield running


def settings(base_url: str, *, kind: str = "openai", tier_model: str = "gpt-5-nano", **judging: Any) -> Settings:
    content = {
        "providers": {"lab": {"kind": kind, "base_url": base_url, "max_retries": 0}},
        "tiers": [
            {"name": name, "models": [{"provider": "lab", "model": f"{tier_model}-{name}", "price": PRICE}]}
            for name in ("small", "large")
        ],
        "routing": {"thresholds": {"small": 0.5}},
        "judges": {"panel": ["structured", "lexical", "pairwise"], "model": model("claude-x"), **judging},
    }
    return parse(content, source="test")


def model(name: str, **more: Any) -> dict[str, Any]:
    return {"provider": "lab", "model": name, **PRICE, **more}


async def test_pairwise_in_the_panel_is_asked_in_both_orders_and_its_cost_is_recorded(provider: FakeProvider) -> None:
    provider.always("claude-x", answering("Same.\nVERDICT: EQUAL", {"prompt_tokens": 100, "completion_tokens": 10}))
    panels = panels_of(settings(provider.base_url), {})
    assert panels.paid is not None
    (said,) = await panels.paid.judge([CASE])
    assert (said.judgments[-1].judge, said.judgments[-1].verdict) == ("pairwise@2", "accept")
    assert said.cost_usd == 2 * (100 + 2 * 10) * Decimal("0.000001")
    assert said.cost_usd <= panels.worst_case_usd([CASE])
    assert [judge.name.partition("@")[0] for judge in panels.free.judges] == ["structured", "lexical"]
    assert panels.spent is not None
    (broke,) = await panels.spent.judge([CASE])
    assert broke.judgments[-1].rationale == "not asked: today's budget of $10 for LLM judges is spent or reserved"
    assert (broke.judgments[-1].verdict, broke.cost_usd) == ("abstain", 0)
    (again,) = await panels.paid.judge([CASE])
    assert again.cost_usd == 0
    assert "from the cache" in again.judgments[-1].rationale


async def test_a_judge_behind_anthropics_own_dialect_is_asked_the_same(provider: FakeProvider) -> None:
    provider.always("claude-x", answering("Other.\nVERDICT: FIRST"))
    panels = panels_of(settings(provider.base_url, kind="anthropic"), {})
    assert panels.paid is not None
    (said,) = await panels.paid.judge([CASE])
    assert said.judgments[-1].rationale.startswith("the two orders disagree")


@pytest.mark.parametrize("kind", ["openai", "anthropic"])
async def test_a_provider_that_fails_costs_an_abstention_with_its_reason_and_then_nothing(
    provider: FakeProvider, kind: str
) -> None:
    provider.always("claude-x", status(503, b'{"error": {"message": "busy"}}'))
    panels = panels_of(settings(provider.base_url, kind=kind), {})
    assert panels.paid is not None
    said = [(await panels.paid.judge([CASE]))[0].judgments[-1] for _ in range(5)]
    assert {j.verdict for j in said} == {"abstain"}
    assert said[0].rationale == "unavailable: status 503: busy"
    assert "kept failing and is not asked" in said[-1].rationale
    assert len(provider.seen) <= 6


@pytest.mark.parametrize("kind", ["openai", "anthropic"])
async def test_a_key_that_no_header_can_hold_is_never_shown(provider: FakeProvider, kind: str) -> None:
    given = settings(provider.base_url, kind=kind)
    with_key = given.providers["lab"].model_copy(update={"api_key_env": "KEY"})
    panels = panels_of(given.model_copy(update={"providers": {"lab": with_key}}), {"KEY": "sk-gehe\u00efm"})
    assert panels.paid is not None
    (said,) = await panels.paid.judge([CASE])
    assert said.judgments[-1].rationale.endswith("the key is not usable")
    assert "sk-" not in said.judgments[-1].rationale


async def test_several_models_decide_by_majority(provider: FakeProvider) -> None:
    for name, word in (("claude-x", "ACCEPT"), ("qwen-y", "ACCEPT"), ("mistral-z", "REJECT")):
        provider.always(name, answering(f"VERDICT: {word}"))
    asked = [model("claude-x"), model("qwen-y"), model("mistral-z")]
    panels = panels_of(settings(provider.base_url, panel=["rubric"], model=None, models=asked), {})
    assert panels.paid is not None
    (said,) = await panels.paid.judge([CASE])
    assert (said.judgments[-1].judge, said.judgments[-1].verdict) == ("rubric@3", "accept")


def test_the_worst_case_counts_calls_models_attempts_and_the_longest_quotation() -> None:
    one = panels_of(settings("http://127.0.0.1:9/v1"), {}).worst_case_usd([CASE])
    three = [model("claude-x"), model("qwen-y"), model("mistral-z")]
    assert panels_of(settings("http://127.0.0.1:9/v1", model=None, models=three), {}).worst_case_usd([CASE]) == 3 * one
    both = settings("http://127.0.0.1:9/v1", panel=["rubric", "pairwise"])
    assert panels_of(both, {}).worst_case_usd([CASE]) == one * 3 / 2
    panels = panels_of(both, {})
    long, longer = (Comparison(prompt="Q", answer="x" * n, reference="R") for n in (2_000_000, 9_000_000))
    assert panels.worst_case_usd([CASE]) < panels.worst_case_usd([long]) == panels.worst_case_usd([longer])


QUESTION = Question(prompt="Q", context=None, schema=None)
KINSHIP = Kinship(settings("http://h/v1"))


def test_comparisons_carry_the_families_of_both_answers() -> None:
    sample = Sample(
        request_id="r",
        started_at=datetime(2026, 1, 1, tzinfo=UTC),
        served_tier="small",
        reference_tier="large",
        query_type="unknown",
        targets=(Target(tier="large", repeat=0, pi=1.0),),
        state="mirrored",
        request_body="{}",
        prompt="Q",
        dialect="openai",
        native_headers={},
    )
    answers = [
        Answer(tier="small", repeat=0, served=True, pi=1.0, outcome="ok", model="llama-3.3-70b", completion="A"),
        Answer(tier="large", repeat=0, served=False, pi=1.0, outcome="ok", model="gpt-5.4", completion="R"),
    ]
    found = comparisons(sample, answers, QUESTION, KINSHIP)
    assert [c.families for _, c in found] == [frozenset({"llama", "openai"}), frozenset({"openai"})]


def test_both_pairs_of_a_control_sample_are_held_against_the_first_reference_by_the_same_panel() -> None:
    sample = Sample(
        request_id="r",
        started_at=datetime(2026, 1, 1, tzinfo=UTC),
        served_tier="small",
        reference_tier="large",
        query_type="qa",
        targets=(Target(tier="large", repeat=0, pi=0.05), Target(tier="large", repeat=1, pi=0.005)),
        state="mirrored",
        request_body="{}",
        prompt="Q",
        dialect="openai",
        native_headers={},
    )
    asked = (("small", 0, "llama-3.3-70b", "A"), ("large", 0, "gpt-5.4", "R1"), ("large", 1, "gpt-5.4", "R2"))
    answers = [
        Answer(tier=tier, repeat=repeat, served=tier == "small", pi=1.0, outcome="ok", model=name, completion=text)
        for tier, repeat, name, text in asked
    ]
    found = {c.answer: c for _, c in comparisons(sample, answers, QUESTION, KINSHIP)}
    assert (found["A"].reference, found["R2"].reference) == ("R1", "R1")
    assert {c.families for c in found.values()} == {frozenset({"llama", "openai"})}


def answer_by(model: str, tier: str = "small") -> Answer:
    return Answer(tier=tier, repeat=0, served=True, pi=1.0, outcome="ok", model=model, completion="A")


def test_a_family_is_told_by_id_host_or_configuration_and_otherwise_by_nothing() -> None:
    at_home = settings("http://127.0.0.1/v1", tier_model="prod", families={"prod-small": "gpt-4o", "claude-x": "house"})
    kinship = Kinship(at_home)
    assert kinship.of_answer(answer_by("prod-small")) == {"openai"}
    assert kinship.of_answer(answer_by("prod-large-0806", "large")) == {"prod-large"}, "named itself otherwise"
    assert kinship.of_answer(answer_by("mistral-large", "large")) == {"mistral"}, "says itself what it is"
    assert kinship.of("claude-x") == {"house"}
    assert kinship.untold == ["prod-large"]
    azure = Kinship(settings("https://prod.openai.azure.com/v1", tier_model="prod"))
    assert azure.of_answer(answer_by("prod-small")) == {"openai"}
    (finding,) = (f for f in doctor.judges(at_home, {}) if "pairwise" in f.name)
    assert "nobody can tell the family of prod-large" in finding.detail


async def test_a_deployment_that_is_said_to_be_kin_is_not_asked(provider: FakeProvider) -> None:
    panels = panels_of(settings(provider.base_url, model=model("judge-7"), families={"judge-7": "gpt-5"}), {})
    assert panels.paid is not None
    (said,) = await panels.paid.judge([replace(CASE, families=frozenset({"openai"}))])
    assert said.judgments[-1].rationale == "no judge of another family than the answers' (openai)"
    assert provider.seen == []


def test_the_doctor_names_a_judge_of_the_answers_family() -> None:
    (finding,) = (
        f for f in doctor.judges(settings("http://h/v1", model=model("gpt-5-mini")), {}) if "pairwise" in f.name
    )
    assert "not about answers of the same family: gpt-5-mini" in finding.detail
    allowed = settings("http://h/v1", model=model("gpt-5-mini"), allow_same_family=True)
    for given in (allowed, settings("http://h/v1")):
        assert not any("family" in finding.detail for finding in doctor.judges(given, {}))


def test_the_cache_on_disk_is_in_the_data_directory(tmp_path: Path) -> None:
    content = settings("http://h/v1", cache_on_disk=True).model_copy(update={"data_dir": tmp_path / "data"})
    panels_of(content, {})
    assert (tmp_path / "data").is_dir()
    (tmp_path / "file").write_text("")
    with pytest.raises(JudgeError, match="cannot be used"):
        panels_of(content.model_copy(update={"data_dir": tmp_path / "file"}), {})


@pytest.mark.parametrize(
    ("judging", "words"),
    [
        ({"model": None}, "`pairwise` needs judges.model"),
        ({"models": [model("qwen-y")]}, "give either `model` or `models`"),
        ({"model": None, "models": [model("qwen-y"), model("qwen-y")]}, "the same model twice"),
        ({"model": model("qwen-y", output="xml")}, "judges.model.output"),
        ({"model": None, "models": [{"provider": "nobody", "model": "m"}]}, "unknown provider 'nobody'"),
    ],
)
def test_what_cannot_be_meant_is_said(judging: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        settings("http://h/v1", **judging)
