"""How well do judges see the lab's truth? Pairs of answers in the format of `shadow judge`, with exact labels.

`python -m shadow.lab.pairs --pairs 2000 > pairs.jsonl`, then `shadow judge pairs.jsonl --group-by query_type`. With
`--without-reference` there is only the request to hold an answer against, as for the top tier's own answers.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from typing import Any

import orjson

from shadow.lab.seeds import stream
from shadow.lab.world import World


def lab_pairs(
    world: World, n: int, *, served: int = 0, reference: int = -1, seed: int = 1, alone: bool = False
) -> Iterator[dict[str, Any]]:
    """`n` pairs of items drawn with replacement. served, reference: tiers by position. label: is the served answer right?

    alone: the reference is left out.

    The reference is wrong now and then too, as often as its tier is: `meta.reference_correct` says when.
    """
    rng = stream(seed, "pairs", served, reference)
    top = reference % len(world.tiers)
    for number in range(n):
        item = rng.randrange(len(world))
        task = world.items[item]
        right, reference_right = world.draw_success(item, served, rng), world.draw_success(item, top, rng)
        yield {
            "id": f"lab-{seed}-{'alone-' if alone else ''}{number:06d}",
            "dataset": "lab (generated)",
            "messages": task.messages,
            "prompt": task.user,
            "context": task.system,
            "answer": task.write(right, world.tiers[served].style, rng),
            "reference": None if alone else task.write(reference_right, world.tiers[top].style, rng),
            "label": int(right),
            "query_type": task.kind,
            "meta": {
                "group": task.id,
                "answer_model": world.tiers[served].model,
                "reference_model": world.tiers[top].model,
                "reference_correct": int(reference_right),
            },
        }


def main(arguments: Sequence[str] | None = None) -> int:
    """Write pairs to the standard output."""
    parser = argparse.ArgumentParser(prog="python -m shadow.lab.pairs", description=__doc__)
    parser.add_argument("--pairs", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--items", type=int, default=1200, help="number of distinct tasks")
    parser.add_argument("--served", default="fast", help="tier of the answers")
    parser.add_argument("--reference", default="frontier", help="tier of the references")
    parser.add_argument("--without-reference", action="store_true", help="answers alone")
    options = parser.parse_args(arguments)
    world = World(options.seed, options.items)
    served, reference = world.tier_index(options.served), world.tier_index(options.reference)
    if served is None or reference is None:
        sys.stderr.write(f"unknown tier; known are {', '.join(tier.name for tier in world.tiers)}\n")
        return 2
    alone = options.without_reference
    for pair in lab_pairs(world, options.pairs, served=served, reference=reference, seed=options.seed, alone=alone):
        sys.stdout.write(orjson.dumps(pair).decode() + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
