"""Judged items for the tests, by hand and at random."""

from __future__ import annotations

import random
from collections.abc import Sequence

from studio.core.evaluation import Judged
from studio.core.labels import Decision, Label, LabelDecision
from studio.core.verdict import Status

ALLOWED, VIOLATES, REVIEW = Decision.ALLOWED, Decision.VIOLATES, Decision.NEEDS_REVIEW
LABELS = (
    Label("A0", LabelDecision.ALLOW),
    Label("V1", LabelDecision.VIOLATE),
    Label("V2", LabelDecision.VIOLATE),
    Label("R1", LabelDecision.REVIEW),
)


def judged(number: int, expected: Decision | None, got: Decision | Status, **more: object) -> Judged:
    """One item; ``got`` is a decision or the status of a non-verdict."""
    decision = got if isinstance(got, Decision) else None
    status = got if isinstance(got, Status) else Status.OK
    return Judged(str(number), expected, status, decision, **more)  # type: ignore[arg-type]  # the tests' own keywords


def table(tp: int, fp: int, fn: int, tn: int, silent_bad: int = 0, silent_fine: int = 0) -> list[Judged]:
    """Items that make up a table of two classes, and some without a verdict."""
    kinds = (
        [(VIOLATES, VIOLATES)] * tp
        + [(ALLOWED, VIOLATES)] * fp
        + [(VIOLATES, ALLOWED)] * fn
        + [(ALLOWED, ALLOWED)] * tn
        + [(VIOLATES, Status.UNPARSED)] * silent_bad
        + [(ALLOWED, Status.REFUSED)] * silent_fine
    )
    return [judged(number, *kind) for number, kind in enumerate(kinds)]


def at_random(seed: int, n: int, labels: Sequence[Label] = LABELS) -> list[Judged]:
    """Items with decisions, sets of labels and probabilities, right more often than not."""
    rng = random.Random(seed)
    items = []
    for number in range(n):
        expected = rng.choice(list(Decision))
        got = expected if rng.random() < 0.7 else rng.choice(list(Decision))
        true = rng.sample([label.id for label in labels], rng.randint(1, 2))
        found = true if rng.random() < 0.6 else rng.sample([label.id for label in labels], rng.randint(0, 2))
        p = min(1.0, max(0.0, rng.gauss(0.7 if expected is VIOLATES else 0.3, 0.2)))
        items.append(
            judged(number, expected, got, expected_labels=tuple(true), labels=tuple(found), p_violates=round(p, 2))
        )
    return items
