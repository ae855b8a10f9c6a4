"""Does the simulated reviewer err as often as it says, and always in the same places?"""

import numpy as np
import pytest

from shadow.lab.reviewer import SimulatedReviewer
from shadow.statistics.reviewer import Reviewer


def test_a_reviewer_errs_three_times_in_a_hundred_either_way():
    reviewer = SimulatedReviewer(seed=2)
    for truth in (True, False):
        labels = [reviewer.label(f"sample-{i}", "served", truth) for i in range(20_000)]
        assert abs(np.mean(labels) - (0.97 if truth else 0.03)) < 0.005


def test_the_same_answer_gets_the_same_label_and_errors_of_two_reviewers_are_independent():
    one, other = SimulatedReviewer(name="one", error=0.5), SimulatedReviewer(name="other", error=0.5)
    ids = [f"s{i}" for i in range(2000)]
    first = [one.label(i, "served", True) for i in ids]
    assert first == [one.label(i, "served", True) for i in ids]
    assert set(first) == {0, 1}
    for again in ([other.label(i, "served", True) for i in ids], [one.label(i, "reference", True) for i in ids]):
        assert abs(np.corrcoef(first, again)[0, 1]) < 0.1


def test_a_perfect_reviewer_tells_the_truth():
    reviewer = SimulatedReviewer(error=0.0)
    assert [reviewer.label("x", "fast", truth) for truth in (True, False)] == [1, 0]


def test_a_gold_check_is_the_record_that_the_estimator_corrects_labels_with():
    record = SimulatedReviewer().gold_check(401, np.random.default_rng(1))
    assert isinstance(record, Reviewer)
    assert (record.gold_bad, record.gold_good) == (201, 200)
    big = SimulatedReviewer().gold_check(100_000, np.random.default_rng(1))
    assert big.false_accept_rate == pytest.approx(0.03, abs=0.004)
    assert big.false_reject_rate == pytest.approx(0.03, abs=0.004)
