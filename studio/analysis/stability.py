"""How far repeats of the same judgement agree, and what their majority says."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from studio.analysis.intervals import of_items, share
from studio.core.errors import InputError
from studio.core.evaluation import Figure, ItemStability, Judged, Stability
from studio.core.labels import Decision
from studio.core.verdict import Status


def stability(groups: Sequence[Sequence[Judged]]) -> Stability:
    """From the repeats of each example, one group per example. Raises InputError for a group without any."""
    items = tuple(_item(group) for group in groups)
    # One judgement cannot disagree with itself: it says nothing about stability.
    repeated = [item for item in items if item.repeats > 1]
    none = "no example was judged more than once"
    rates = np.array([[item.flip_rate] for item in repeated], dtype=np.float64).reshape(-1, 1)
    n = len(repeated)
    mean = (
        Figure("flip_rate", float(rates.mean()), n, of_items(rates, lambda sums: sums[:, 0] / n))
        if n
        else Figure("flip_rate", None, 0, reason=none)
    )
    if n and mean.interval is None:
        mean = replace(mean, reason="all examples flip equally often, so resampling gives no interval")
    return Stability(
        repeats=max((item.repeats for item in items), default=0),
        items=items,
        changed=share("changed", sum(item.changed for item in repeated), n, none),
        flip_rate=mean,
        ties=sum(item.tie for item in items),
    )


def majority(group: Sequence[Judged]) -> Judged:
    """The outcome of most repeats; see :class:`ItemStability`."""
    return _item(group).majority


def _item(group: Sequence[Judged]) -> ItemStability:
    if not group:
        raise InputError("An example has no repeats.", hint="Judge it at least once.")
    outcomes = Counter(str(item.status if item.decision is None else item.decision) for item in group).most_common()
    chosen, tie = _majority(group)
    return ItemStability(
        group[0].id, len(group), tuple(outcomes), 1 - outcomes[0][1] / len(group), tie=tie, majority=chosen
    )


def _majority(group: Sequence[Judged]) -> tuple[Judged, bool]:
    """The majority of the verdicts; a tie between decisions asks for a person.

    Where more than half of the repeats gave no verdict there is none, for the most frequent reason. The labels are
    those of more than half of the repeats that decided so, the probability is the mean of those that have one.
    """
    verdicts = [item for item in group if item.decision is not None]
    if 2 * len(verdicts) < len(group) or not verdicts:
        status = Counter(item.status for item in group if item.decision is None).most_common(1)[0][0]
        return replace(group[0], status=status, decision=None, labels=(), p_violates=None), False
    ranked = Counter(item.decision for item in verdicts).most_common()
    tie = len(ranked) > 1 and ranked[0][1] == ranked[1][1]
    decision = Decision.NEEDS_REVIEW if tie else ranked[0][0]
    agreeing = [item for item in verdicts if item.decision is decision]
    counts = Counter(label for item in agreeing for label in item.labels)
    labels = tuple(label for label, count in counts.items() if 2 * count > len(agreeing))
    chances = [item.p_violates for item in verdicts if item.p_violates is not None]
    mean = sum(chances) / len(chances) if chances else None
    return replace(group[0], status=Status.OK, decision=decision, labels=labels, p_violates=mean), tie
