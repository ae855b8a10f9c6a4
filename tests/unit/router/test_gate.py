"""Is the decision total, monotone and independent of the order of its inputs?"""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.contracts import Features, Hints, Policy
from router.gate import ANSWER_TOKENS, Gate
from router.rules import Rules
from router.settings import RuleSettings

TIERS = ("fast", "mid", "large", "top")
SHARES = st.floats(0, 1)
LEVELS = st.sampled_from(["low", "normal", "high"])
HINTS = st.builds(Hints, impact=LEVELS, error_tolerance=LEVELS, feature=st.sampled_from([None, "legal"]))
FEATURES = st.builds(
    Features,
    text=st.text(max_size=20),
    words=st.integers(0, 100),
    conversation_tokens=st.integers(0, 300_000),
    turns=st.integers(0, 9),
)
WINDOWS = st.fixed_dictionaries({tier: st.integers(256, 300_000) for tier in TIERS})
THRESHOLDS = st.fixed_dictionaries(dict.fromkeys(TIERS[:-1], SHARES))
SCORES = st.fixed_dictionaries({**dict.fromkeys(TIERS[:-1], SHARES), "top": st.just(1.0)})
LEGAL = RuleSettings.model_validate({"name": "legal", "when": {"feature": "legal"}, "tier": "large"})


def features(words=5, tokens=50):
    return Features(text="hello", words=words, conversation_tokens=tokens, turns=1)


def gate(*rules, windows=None):
    return Gate.of(TIERS, windows or dict.fromkeys(TIERS, 100_000), Rules.of(rules))


def policy(thresholds=None, band=0.05):
    return Policy(version=1, thresholds=thresholds or dict.fromkeys(TIERS[:-1], 0.8), band=band)


def decide(scores=None, *, hints=None, in_gate=None, **more):
    scores = scores or {"fast": 0.9, "mid": 0.95, "large": 0.97, "top": 1.0}
    return (in_gate or gate()).decide(
        features=more.pop("features", features()),
        hints=hints or Hints(),
        query_type="unknown",
        scores=scores,
        policy=more.pop("policy", policy()),
        **more,
    )


@given(
    request=FEATURES,
    hints=HINTS,
    scores=SCORES,
    thresholds=THRESHOLDS,
    band=SHARES,
    windows=WINDOWS,
    pinned=st.sampled_from([None, *TIERS]),
    limit=st.none() | st.integers(1, 100_000),
    discontent=st.booleans(),
)
def test_there_is_always_a_decision_and_a_reason_exactly_when_it_is_above_predicted(
    request, hints, scores, thresholds, band, windows, pinned, limit, discontent
):
    decision = gate(LEGAL, windows=windows).decide(
        features=request,
        hints=hints,
        query_type="unknown",
        scores=scores,
        policy=policy(thresholds, band),
        pinned=pinned,
        max_completion_tokens=limit,
        discontent=discontent,
    )
    assert decision.chosen in TIERS
    assert decision.confidence == scores[decision.predicted]
    assert (decision.reason is not None) == (TIERS.index(decision.chosen) > TIERS.index(decision.predicted))
    if pinned:
        assert decision.chosen == pinned


@given(
    request=FEATURES,
    hints=HINTS,
    scores=SCORES,
    thresholds=THRESHOLDS,
    band=SHARES,
    windows=WINDOWS,
    tier=st.sampled_from(TIERS[:-1]),
    better=SHARES,
    lower=SHARES,
    discontent=st.booleans(),
)
def test_a_higher_score_or_a_lower_threshold_never_makes_it_dearer(
    request, hints, scores, thresholds, band, windows, tier, better, lower, discontent
):
    def rank(new_scores, new_thresholds):
        decision = gate(windows=windows).decide(
            features=request,
            hints=hints,
            query_type="unknown",
            scores=new_scores,
            policy=policy(new_thresholds, band),
            discontent=discontent,
        )
        return TIERS.index(decision.chosen)

    before = rank(scores, thresholds)
    assert rank({**scores, tier: max(scores[tier], better)}, thresholds) <= before
    assert rank(scores, {**thresholds, tier: min(thresholds[tier], lower)}) <= before


@given(request=FEATURES, hints=HINTS, scores=SCORES, thresholds=THRESHOLDS, windows=WINDOWS, data=st.data())
def test_the_order_of_the_dictionaries_does_not_matter(request, hints, scores, thresholds, windows, data):
    def shuffled(mapping):
        return dict(data.draw(st.permutations(list(mapping.items()))))

    def chosen(scores, thresholds, windows):
        return gate(LEGAL, windows=windows).decide(
            features=request, hints=hints, query_type="unknown", scores=scores, policy=policy(thresholds)
        )

    assert chosen(scores, thresholds, windows) == chosen(shuffled(scores), shuffled(thresholds), shuffled(windows))


@pytest.mark.parametrize(
    ("score", "hints", "chosen", "reason"),
    [
        (0.90, Hints(), "fast", None),
        (0.80, Hints(), "mid", "low_confidence"),
        (0.849, Hints(), "mid", "low_confidence"),
        (0.79, Hints(), "mid", None),  # predicted there: no escalation
        (0.90, Hints(impact="high"), "mid", "impact"),
        (0.82, Hints(impact="high"), "mid", "low_confidence"),  # one tier up, not two
        (0.79, Hints(error_tolerance="high"), "fast", None),
        (0.90, Hints(error_tolerance="high"), "fast", None),  # never below the cheapest
        (0.82, Hints(error_tolerance="high"), "fast", None),  # the band does not worry the tolerant
        (0.79, Hints(error_tolerance="high", impact="high"), "large", "impact"),
        (0.90, Hints(impact="low", error_tolerance="low"), "fast", None),
    ],
)
def test_band_impact_and_tolerance(score, hints, chosen, reason):
    decision = decide({"fast": score, "mid": 0.95, "large": 0.97, "top": 1.0}, hints=hints)
    assert (decision.chosen, decision.reason) == (chosen, reason)


@pytest.mark.parametrize(
    ("score", "hints", "chosen", "reason"),
    [
        (0.90, Hints(), "mid", "session"),
        (0.82, Hints(), "mid", "low_confidence"),  # one tier up, not two
        (0.90, Hints(impact="high"), "mid", "impact"),
        (0.90, Hints(error_tolerance="high"), "fast", None),
        (0.79, Hints(), "large", "session"),
        (0.90, Hints(feature="legal"), "large", "rule"),
    ],
)
def test_a_discontented_user_goes_one_tier_up_unless_something_else_did_or_decides(score, hints, chosen, reason):
    scores = {"fast": score, "mid": 0.95, "large": 0.97, "top": 1.0}
    decision = decide(scores, hints=hints, in_gate=gate(LEGAL), discontent=True)
    assert (decision.chosen, decision.reason) == (chosen, reason)


def test_a_pin_is_kept_whatever_the_user_feels():
    assert decide(pinned="fast", discontent=True).chosen == "fast"


@given(request=FEATURES, hints=HINTS, scores=SCORES, thresholds=THRESHOLDS, band=SHARES)
def test_discontent_never_makes_it_cheaper_and_moves_by_one_tier_at_most(request, hints, scores, thresholds, band):
    def rank(discontent):
        decision = gate(windows=dict.fromkeys(TIERS, 10**9)).decide(
            features=request,
            hints=hints,
            query_type="unknown",
            scores=scores,
            policy=policy(thresholds, band),
            discontent=discontent,
        )
        return TIERS.index(decision.chosen)

    assert 0 <= rank(True) - rank(False) <= 1


def test_a_band_of_nothing_is_off():
    assert decide({"fast": 0.8, "mid": 1.0, "large": 1.0, "top": 1.0}, policy=policy(band=0)).chosen == "fast"


def test_where_no_tier_reaches_its_threshold_the_top_one_is_predicted_with_full_confidence():
    decision = decide({"fast": 0.1, "mid": 0.1, "large": 0.1, "top": 1.0})
    assert (decision.predicted, decision.chosen, decision.confidence, decision.reason) == ("top", "top", 1.0, None)


def test_a_rule_wins_over_the_hints_up_and_down():
    down = RuleSettings.model_validate({"name": "cheap", "when": {"max_words": 9}, "tier": "fast"})
    decision = decide({"fast": 0, "mid": 0, "large": 0, "top": 1.0}, hints=Hints(impact="high"), in_gate=gate(down))
    assert (decision.chosen, decision.rule, decision.reason) == ("fast", "cheap", None)
    decision = decide(hints=Hints(feature="legal"), in_gate=gate(LEGAL))
    assert (decision.chosen, decision.rule, decision.reason) == ("large", "legal", "rule")


def test_a_conversation_that_does_not_fit_moves_up_with_its_reason():
    windows = {"fast": 1000, "mid": 2000, "large": 50_000, "top": 10_000}
    assert decide(features=features(tokens=1500), in_gate=gate(windows=windows)).chosen == "large"
    fits = decide(features=features(tokens=1500), in_gate=gate(windows=windows), max_completion_tokens=400)
    assert (fits.chosen, fits.reason) == ("mid", "context")
    nowhere = decide(features=features(tokens=90_000), in_gate=gate(windows=windows))
    assert (nowhere.chosen, nowhere.reason) == ("large", "context")


def test_the_first_reason_that_moved_it_up_is_the_one_given():
    windows = {"fast": 1000, "mid": 1000, "large": 50_000, "top": 50_000}
    decision = decide(
        {"fast": 0.81, "mid": 0.9, "large": 0.9, "top": 1.0},
        features=features(tokens=1500),
        in_gate=gate(windows=windows),
    )
    assert (decision.chosen, decision.reason) == ("large", "low_confidence")


def test_a_pin_is_kept_even_where_the_window_is_too_small():
    windows = {"fast": 1000, "mid": 2000, "large": 50_000, "top": 100_000}
    decision = decide(features=features(tokens=9000), in_gate=gate(windows=windows), pinned="fast")
    assert (decision.chosen, decision.reason) == ("fast", None)
    assert decide(pinned="top").reason == "pinned"


@given(
    request=FEATURES, hints=HINTS, scores=SCORES, thresholds=THRESHOLDS, windows=WINDOWS, limit=st.integers(1, 400_000)
)
def test_the_chosen_tier_has_room_for_conversation_and_answer_wherever_one_at_or_above_has(
    request, hints, scores, thresholds, windows, limit
):
    roomy = gate(LEGAL, windows=dict.fromkeys(TIERS, 10**9))
    narrow = gate(LEGAL, windows=windows)
    asked = {"hints": hints, "scores": scores, "policy": policy(thresholds), "features": request}
    wanted = TIERS.index(decide(**asked, in_gate=roomy, max_completion_tokens=limit).chosen)
    chosen = decide(**asked, in_gate=narrow, max_completion_tokens=limit).chosen
    needed = request.conversation_tokens + limit
    fitting = [tier for tier in TIERS[wanted:] if windows[tier] >= needed]
    if fitting:
        assert chosen == fitting[0]
    else:
        largest = max(windows[tier] for tier in TIERS[wanted:])
        assert chosen == [tier for tier in TIERS[wanted:] if windows[tier] == largest][-1]


@given(
    hints=HINTS,
    scores=SCORES,
    thresholds=THRESHOLDS,
    band=SHARES,
    tier=st.sampled_from(TIERS),
    tokens=st.integers(0, 9000),
)
def test_a_matching_rule_decides_whatever_the_scores_and_hints_say(hints, scores, thresholds, band, tier, tokens):
    rule = RuleSettings.model_validate({"name": "all", "when": {"min_words": 0}, "tier": tier})
    decision = decide(
        scores,
        hints=hints,
        in_gate=gate(rule),
        policy=policy(thresholds, band),
        features=features(tokens=tokens),
    )
    assert (decision.chosen, decision.rule) == (tier, "all")
    assert decision.reason == ("rule" if TIERS.index(tier) > TIERS.index(decision.predicted) else None)


@given(scores=SCORES, thresholds=THRESHOLDS, tier=st.sampled_from(TIERS), tokens=st.integers(0, 10**7))
def test_a_pin_decides_before_any_rule_and_any_window(scores, thresholds, tier, tokens):
    rule = RuleSettings.model_validate({"name": "all", "when": {"min_words": 0}, "tier": "large"})
    decision = decide(
        scores,
        in_gate=gate(rule, windows=dict.fromkeys(TIERS, 256)),
        policy=policy(thresholds),
        features=features(tokens=tokens),
        pinned=tier,
    )
    assert (decision.chosen, decision.rule) == (tier, None)


@given(scores=SCORES, thresholds=THRESHOLDS, wider=SHARES, band=SHARES)
def test_a_wider_band_never_makes_it_cheaper(scores, thresholds, band, wider):
    narrow = decide(scores, policy=policy(thresholds, min(band, wider))).chosen
    wide = decide(scores, policy=policy(thresholds, max(band, wider))).chosen
    assert TIERS.index(wide) >= TIERS.index(narrow)


def test_room_is_kept_for_an_answer_to_the_last_token():
    windows = {"fast": 1000, "mid": 2000, "large": 50_000, "top": 50_000}
    for tokens, limit, chosen in ((600, 400, "fast"), (601, 400, "mid"), (1000 - ANSWER_TOKENS, None, "fast")):
        assert (
            decide(features=features(tokens=tokens), in_gate=gate(windows=windows), max_completion_tokens=limit).chosen
            == chosen
        )
    assert decide(features=features(tokens=1001 - ANSWER_TOKENS), in_gate=gate(windows=windows)).chosen == "mid"


def test_an_answer_longer_than_every_window_is_left_to_the_topmost_of_the_largest():
    """The provider is the judge of it: its refusal reaches the client as it is."""
    windows = {"fast": 1000, "mid": 60_000, "large": 60_000, "top": 50_000}
    decision = decide(in_gate=gate(windows=windows), max_completion_tokens=10**9)
    assert (decision.chosen, decision.reason) == ("large", "context")


def test_a_rule_gives_way_to_a_conversation_that_does_not_fit_its_tier():
    windows = {"fast": 1000, "mid": 2000, "large": 2000, "top": 50_000}
    decision = decide(
        hints=Hints(feature="legal"), features=features(tokens=9000), in_gate=gate(LEGAL, windows=windows)
    )
    assert (decision.chosen, decision.rule, decision.reason) == ("top", "legal", "rule")


def test_the_thresholds_of_a_query_type_take_the_place_of_all_others():
    own = Policy(
        version=1,
        thresholds=dict.fromkeys(TIERS[:-1], 2.0),
        band=0.0,
        by_query_type={"unknown": dict.fromkeys(TIERS[:-1], 0.8)},
    )
    assert decide(policy=own).chosen == "fast"
    assert decide(policy=replace(own, by_query_type={"math": own.by_query_type["unknown"]})).chosen == "top"
