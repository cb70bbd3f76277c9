"""Writes the held-out cases that ``moderation-studio models check-demo`` runs: 400, and the flips that they have.

python -m resources.demo_model.write_check resources/demo_model/check.jsonl
"""

from __future__ import annotations

import json
import random
import sys
from dataclasses import asdict
from pathlib import Path

from resources.demo_model.cases import TEST, DemoCase, flip, make_case

SEED = 20261123
COUNT = 400


def line(case: DemoCase, flip_of: int | None) -> str:
    """One case as a line of JSON; ``flip_of`` is the number of the line (from 1) that it flips."""
    return json.dumps(
        {
            "policy": asdict(case.policy),
            "content": asdict(case.content),
            "effort": case.effort,
            "expected": case.expected_decision,
            "labels": list(case.expected_labels),
            "flip_of": flip_of,
        },
    )


def lines() -> list[str]:
    """All lines."""
    rng = random.Random(SEED)
    made: list[str] = []
    for _ in range(COUNT):
        case = make_case(rng, TEST)
        before = len(made)
        made.append(line(case, None))
        other = flip(case)
        if other and other.expected_decision is not case.expected_decision:
            made.append(line(other, before + 1))
    return made


def main() -> None:
    """The command."""
    made = lines()
    Path(sys.argv[1]).write_text("\n".join(made) + "\n", encoding="utf-8", newline="\n")
    print(f"{COUNT} cases and {len(made) - COUNT} flips")


if __name__ == "__main__":
    main()
