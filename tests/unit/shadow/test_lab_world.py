"""Is the lab's truth known, fixed by its seed, and as different between tiers as it claims?"""

import numpy as np
import pytest

from shadow.lab.seeds import derive, stream, unit
from shadow.lab.tiers import TIERS
from shadow.lab.tokens import conversation_tokens, count_tokens, estimate_tokens
from shadow.lab.world import GENERATORS, KINDS, World, last_user_text


@pytest.fixture(scope="module")
def world():
    return World(1)


@pytest.fixture(scope="module")
def tables(world):
    return world.tables()


def test_a_world_is_the_same_for_the_same_seed_and_another_for_another():
    one, again, other = (World(seed, items=150) for seed in (1, 1, 2))
    assert again.items == one.items
    assert np.array_equal(again.tables().probability, one.tables().probability)
    assert {task.user for task in other.items} != {task.user for task in one.items}


def test_all_tasks_are_distinct_and_every_kind_has_its_share(world):
    assert len(world) == 1200
    assert len({task.user for task in world.items}) == len({task.id for task in world.items}) == 1200
    for kind, (_, share) in GENERATORS.items():
        assert abs(sum(task.kind == kind for task in world.items) / 1200 - share) < 0.01


def test_a_world_of_several_thousand_distinct_tasks_can_be_made():
    assert len(World(1, items=4000)) == 4000


def test_a_world_too_small_for_all_kinds_is_refused():
    with pytest.raises(ValueError, match="at least 6 items"):
        World(1, items=5)


def test_every_task_is_found_again_by_its_conversation_its_prompt_and_a_whole_conversation_as_text(world):
    for index, task in enumerate(world.items):
        assert world.index_of(task.messages) == index
        assert world.find(task.user) is task
    task = next(task for task in world.items if task.system)
    assert world.find(f"system: {task.system}\n\nuser:   {task.user}\n") is task
    assert world.find([{"role": "user", "content": [{"type": "text", "text": task.user}]}]) is task
    assert world.find("Tell me a joke.") is None
    assert world.find([]) is None


def test_the_last_user_message_counts():
    talk = [
        {"role": "user", "content": "one"},
        {"role": "assistant", "content": "x"},
        {"role": "user", "content": "two"},
    ]
    assert last_user_text([*talk, {"role": "tool", "content": "three"}]) == "two"
    assert last_user_text([{"role": "user", "content": None}]) == ""


def test_dearer_tiers_are_better_at_every_kind_and_the_cheap_one_is_weak_at_reckoning_and_summaries(tables):
    means = tables.probability.mean(axis=0)
    assert 0.80 <= means[0] <= 0.90
    assert 0.91 <= means[1] <= 0.95
    assert 0.965 <= means[2] <= 0.985
    by_kind = {kind: tables.probability[tables.kind == i].mean(axis=0) for i, kind in enumerate(KINDS)}
    assert all(np.all(np.diff(row) > 0) for row in by_kind.values())
    assert {kind for kind, row in by_kind.items() if row[0] < 0.75} == {"arithmetic", "summary"}


def test_harder_items_are_answered_right_less_often(world, tables):
    slopes = [
        np.corrcoef(tables.difficulty[tables.kind == index], tables.probability[tables.kind == index, column])[0, 1]
        for column in range(len(world.tiers))
        for index in range(len(KINDS))
    ]
    assert max(slopes) < 0
    assert np.mean(slopes) < -0.35


def test_draws_follow_the_known_probability(world, tables):
    rng = stream(9)
    for column in range(3):
        drawn = [world.draw_success(item, column, rng) for item in range(1200) for _ in range(10)]
        expected = tables.probability[:, column].mean()
        assert abs(np.mean(drawn) - expected) < 4 * np.sqrt(expected * (1 - expected) / 12000)


def test_written_answers_carry_the_drawn_truth(world):
    rng = stream(10)
    for item, task in enumerate(world.items):
        success = world.draw_success(item, item % 3, rng)
        assert task.check(task.write(success, TIERS[item % 3].style, rng)) is success


def test_dearer_tiers_cost_more_and_say_more(tables):
    assert np.all(np.diff(tables.cost_usd.mean(axis=0)) > 0)
    assert np.all(np.diff(tables.completion_tokens.mean(axis=0)) > 0)
    assert tables.prompt_tokens.min() > 0


def test_a_tier_is_found_by_name_and_by_model_id(world):
    assert world.tier_index("mid") == world.tier_index("lab-mid-2026-05") == 1
    assert world.tier_index("other") is None
    assert TIERS[0].system_fingerprint == "fp_lab_fast_2026_05"
    assert str(TIERS[2].cost_usd(1000, 100)) == "0.0075"


def test_streams_of_other_names_are_independent_and_parts_do_not_run_together():
    assert derive("ab", "c") != derive("a", "bc")
    assert stream(1, "a").random() == stream(1, "a").random() != stream(1, "b").random()
    assert 0 <= unit("x") < 1


def test_tokens_are_counted_and_the_estimate_is_near(world):
    texts = [task.user for task in world.items[:200]]
    counted = sum(count_tokens(text) for text in texts)
    assert abs(sum(map(estimate_tokens, texts)) / counted - 1) < 0.15
    assert conversation_tokens(["one two", "three"]) == count_tokens("one two") + count_tokens("three") + 8


def test_the_truth_of_an_answer_is_known_for_questions_of_this_world_only(world):
    task = world.items[0]
    assert world.truth(task.user, task.write(True, "plain", stream(1))) is True
    assert world.truth(task.messages, task.write(False, "plain", stream(1))) is False
    assert world.truth("Tell me a joke.", "No.") is None
