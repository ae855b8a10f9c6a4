"""Do the lab's pairs hold what `shadow judge` reads, with labels that are the truth?"""

import orjson

from shadow.lab.pairs import lab_pairs, main
from shadow.lab.world import World


def test_labels_of_pairs_are_the_truth_of_answer_and_reference():
    world = World(2, items=200)
    pairs = list(lab_pairs(world, 400, seed=5))
    assert len({pair["id"] for pair in pairs}) == 400
    for pair in pairs:
        assert world.truth(pair["prompt"], pair["answer"]) is bool(pair["label"])
        assert world.truth(pair["messages"], pair["reference"]) is bool(pair["meta"]["reference_correct"])
    right = sum(pair["label"] for pair in pairs)
    assert 280 < right < sum(pair["meta"]["reference_correct"] for pair in pairs) < 400
    assert {pair["meta"]["answer_model"] for pair in pairs} == {"lab-fast-2026-05"}


def test_the_command_writes_one_json_line_per_pair_and_the_same_ones_again(capsys):
    texts = []
    for _ in range(2):
        assert main(["--pairs", "20", "--items", "60", "--served", "mid"]) == 0
        texts.append(capsys.readouterr().out)
    assert texts[0] == texts[1]
    assert [orjson.loads(line)["meta"]["answer_model"] for line in texts[0].splitlines()] == ["lab-mid-2026-05"] * 20


def test_an_unknown_tier_is_a_clear_line(capsys):
    assert main(["--served", "cheap", "--items", "60"]) == 2
    assert "known are fast, mid, frontier" in capsys.readouterr().err
