"""Do the lab's tasks know right from wrong, whoever writes the answer?"""

import random
from difflib import SequenceMatcher

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shadow.lab.tasks.extraction import read_object
from shadow.lab.tasks.lapses import LAPSE_SHARE, STYLES
from shadow.lab.world import GENERATORS, KINDS, World

kinds = st.sampled_from(KINDS)
styles = st.sampled_from(STYLES)
seeds = st.integers(min_value=0, max_value=2**63)


def draw(kind, seed):
    generate, _ = GENERATORS[kind]
    return generate(random.Random(seed))


@given(kind=kinds, style=styles, task_seed=seeds, answer_seed=seeds)
def test_a_right_answer_passes_and_a_wrong_one_fails_for_every_task_style_and_seed(kind, style, task_seed, answer_seed):
    task = draw(kind, task_seed)
    assert task.check(task.write(True, style, random.Random(answer_seed)))
    assert not task.check(task.write(False, style, random.Random(answer_seed)))


@given(kind=kinds, seed=seeds, text=st.text(max_size=300))
def test_a_grader_reads_any_text_without_raising(kind, seed, text):
    assert draw(kind, seed).check(text) in (True, False)


@given(kind=kinds, seed=seeds)
def test_the_same_seed_makes_the_same_task(kind, seed):
    assert draw(kind, seed) == draw(kind, seed)
    assert 0 <= draw(kind, seed).difficulty <= 1


@given(kind=kinds, seed=seeds)
def test_saying_nothing_or_repeating_the_question_is_never_right(kind, seed):
    task = draw(kind, seed)
    assert not task.check("")
    assert not task.check("I'm sorry, but I can't help with that.")
    if kind in ("classification", "extraction"):
        assert not task.check(task.user)


@pytest.mark.parametrize("kind", KINDS)
def test_wrong_drafts_are_wrong_by_themselves_nearly_always(kind):
    rng = random.Random(5)
    tasks = [draw(kind, seed) for seed in range(300)]
    slips = sum(task.check(task.draft_wrong(rng.choice(STYLES), rng)) for task in tasks)
    assert slips <= 9


def test_wrong_answers_look_like_answers_rather_than_like_lapses():
    world = World(3, items=300)
    rng = random.Random(6)
    for style in STYLES:
        wrong = [task.write(False, style, rng) for task in world.items]
        short = sum(len(text) < 4 or "I can't help" in text or "unable to" in text for text in wrong) / len(wrong)
        assert short <= LAPSE_SHARE[style] + 0.06


@pytest.mark.parametrize("kind", KINDS)
def test_right_answers_of_two_tiers_are_worded_differently(kind):
    rng = random.Random(7)
    tasks = [draw(kind, seed) for seed in range(60)]
    pairs = [(task.write(True, "terse", rng), task.write(True, "thorough", rng)) for task in tasks]
    assert all(terse != thorough for terse, thorough in pairs)
    if kind != "extraction":  # there only the layout of the JSON and the free note may differ
        likeness = [SequenceMatcher(None, terse, thorough).ratio() for terse, thorough in pairs]
        assert sum(likeness) / len(likeness) < 0.75


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("style", STYLES)
def test_a_tier_asked_again_varies_its_wording(kind, style):
    task = draw(kind, 3)
    assert len({task.write(True, style, random.Random(seed)) for seed in range(60)}) >= 2


@pytest.mark.parametrize("style", STYLES)
def test_every_answer_to_an_extraction_with_a_schema_is_json_of_that_schema_when_right(style):
    for seed in range(80):
        task = draw("extraction", seed)
        schema = task.response_format["json_schema"]["schema"]
        found = read_object(task.write(True, style, random.Random(seed)))
        assert found is not None
        assert set(found) == set(schema["required"]) == set(schema["properties"])


def test_the_facts_of_an_order_are_in_the_context_and_not_in_the_question():
    task = draw("order_status", 11)
    assert [message["role"] for message in task.messages] == ["system", "user"]
    assert task.order.date in task.messages[0]["content"]
    assert task.order.date not in task.messages[1]["content"]


def test_harder_tasks_are_longer_to_read():
    for kind in ("arithmetic", "summary", "extraction", "order_status"):
        tasks = [draw(kind, seed) for seed in range(300)]
        easy = [len(str(task.messages)) for task in tasks if task.difficulty <= 0.3]
        hard = [len(str(task.messages)) for task in tasks if task.difficulty >= 0.7]
        assert sum(hard) / len(hard) > sum(easy) / len(easy)
