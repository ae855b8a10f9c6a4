"""Does a configuration with LLM judges become a panel that asks them, within what was reserved, and never an answer's kin?"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from judges.contracts import Comparison
from judges.errors import JudgeError
from router.testing.provider import FakeProvider, answering
from shadow.doctor import judging as doctor
from shadow.errors import ConfigError
from shadow.judging import comparisons
from shadow.panels import panels_of
from shadow.prompts import Question
from shadow.sampling import Target
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
    assert (said.judgments[-1].judge, said.judgments[-1].verdict) == ("pairwise@1", "accept")
    assert said.cost_usd == 2 * (100 + 2 * 10) * Decimal("0.000001")
    assert said.cost_usd <= panels.worst_case_usd([CASE])
    assert [judge.name.partition("@")[0] for judge in panels.free.judges] == ["structured", "lexical"]
    (again,) = await panels.paid.judge([CASE])
    assert again.cost_usd == 0
    assert "from the cache" in again.judgments[-1].rationale


async def test_a_judge_behind_anthropics_own_dialect_is_asked_the_same(provider: FakeProvider) -> None:
    provider.always("claude-x", answering("Other.\nVERDICT: FIRST"))
    panels = panels_of(settings(provider.base_url, kind="anthropic"), {})
    assert panels.paid is not None
    (said,) = await panels.paid.judge([CASE])
    assert said.judgments[-1].rationale.startswith("the two orders disagree")


async def test_several_models_decide_by_majority(provider: FakeProvider) -> None:
    for name, word in (("claude-x", "ACCEPT"), ("qwen-y", "ACCEPT"), ("mistral-z", "REJECT")):
        provider.always(name, answering(f"VERDICT: {word}"))
    asked = [model("claude-x"), model("qwen-y"), model("mistral-z")]
    panels = panels_of(settings(provider.base_url, panel=["rubric"], model=None, models=asked), {})
    assert panels.paid is not None
    (said,) = await panels.paid.judge([CASE])
    assert (said.judgments[-1].judge, said.judgments[-1].verdict) == ("rubric@2", "accept")


def test_the_worst_case_counts_calls_models_attempts_and_the_longest_quotation() -> None:
    one = panels_of(settings("http://127.0.0.1:9/v1"), {}).worst_case_usd([CASE])
    three = [model("claude-x"), model("qwen-y"), model("mistral-z")]
    assert panels_of(settings("http://127.0.0.1:9/v1", model=None, models=three), {}).worst_case_usd([CASE]) == 3 * one
    both = settings("http://127.0.0.1:9/v1", panel=["rubric", "pairwise"])
    assert panels_of(both, {}).worst_case_usd([CASE]) == one * 3 / 2
    panels = panels_of(both, {})
    long, longer = (Comparison(prompt="Q", answer="x" * n, reference="R") for n in (20_000, 2_000_000))
    assert panels.worst_case_usd([CASE]) < panels.worst_case_usd([long]) == panels.worst_case_usd([longer])


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
    found = comparisons(sample, answers, Question(prompt="Q", context=None, schema=None))
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
    found = {c.answer: c for _, c in comparisons(sample, answers, Question(prompt="Q", context=None, schema=None))}
    assert (found["A"].reference, found["R2"].reference) == ("R1", "R1")
    assert {c.families for c in found.values()} == {frozenset({"llama", "openai"})}


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
