"""Two evaluations on the same examples: whether one is better, by how much at least, and which examples flipped."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import sqrt

import numpy as np
from scipy import stats  # type: ignore[import-untyped]  # comes without types

from studio.analysis.intervals import RESAMPLES, SEED, Floats, Statistic, of_items, share, wilson
from studio.analysis.tables import NO_ITEMS, NO_NEGATIVES, NO_POSITIVES, f1_of
from studio.core.evaluation import LEVEL, Change, Comparison, Difference, Figure, Flip, Interval, Judged
from studio.core.labels import Decision

NEWCOMBE = "Newcombe's paired score interval"
_ALPHA = 1 - LEVEL

Pair = tuple[Judged, Judged]


def compare(before: Sequence[Judged], after: Sequence[Judged]) -> Comparison:
    """Compare by the examples that both have and whose decision is known; a non-verdict is not right.

    The word is "better" or "worse" only where McNemar's exact test finds p < 0.05: of comparisons of two that are
    equally good at least 95 in 100 say "same".
    """
    known = {item.id: item for item in before if item.expected is not None}
    others = {item.id: item for item in after if item.expected is not None}
    pairs = [(item, others[key]) for key, item in known.items() if key in others]
    accuracy = _paired("accuracy", pairs, NO_ITEMS)
    p = 1.0 if accuracy.p is None else accuracy.p
    change = Change.SAME
    if p < _ALPHA and accuracy.value:
        change = Change.BETTER if accuracy.value > 0 else Change.WORSE
    verdicts = [pair for pair in pairs if pair[0].decision is not None and pair[1].decision is not None]
    bad = [pair for pair in verdicts if pair[0].expected is Decision.VIOLATES]
    fine = [pair for pair in verdicts if pair[0].expected is not Decision.VIOLATES]
    flips = [Flip(a.id, a.expected, a, b) for a, b in pairs if a.expected and _outcome(a) != _outcome(b)]
    return Comparison(
        n=len(pairs),
        change=change,
        words=_words(change, p, accuracy),
        p=p,
        accuracy=accuracy,
        over_verdicts=_paired("accuracy over verdicts", verdicts, NO_ITEMS),
        others=(
            _paired("recall", bad, NO_POSITIVES, _flagged),
            _paired("specificity", fine, NO_NEGATIVES, lambda item: not _flagged(item)),
            _resampled("precision", verdicts),
            _resampled("f1", verdicts),
        ),
        got_better=tuple(flip for flip in flips if flip.after.right),
        got_worse=tuple(flip for flip in flips if flip.before.right),
        both_wrong=tuple(flip for flip in flips if not flip.before.right and not flip.after.right),
        only_before=len(known) - len(pairs),
        only_after=len(others) - len(pairs),
    )


def mcnemar(only_before: int, only_after: int) -> float:
    """The exact two-sided p of McNemar's test, from the pairs that only one side gets right (Psychometrika 1947)."""
    n = only_before + only_after
    return float(stats.binomtest(only_before, n, 0.5).pvalue) if n else 1.0


def newcombe(both: int, only_after: int, only_before: int, neither: int) -> Interval:
    """The interval of the difference (after minus before) of paired shares: Newcombe, Stat. Med. 1998, method 10.

    Each share's Wilson limits are put together, less what the correlation of the pairs takes off.
    """
    n = both + only_after + only_before + neither
    after, before = both + only_after, both + only_before
    one, two = wilson(after, n), wilson(before, n)
    product = after * (n - after) * before * (n - before)
    phi = 0.0
    if product:
        cross = both * neither - only_after * only_before
        # Newcombe's correction for continuity, for positive correlation only.
        phi = (max(cross - n / 2, 0) if cross > 0 else cross) / sqrt(product)
    d, p1, p2 = (after - before) / n, after / n, before / n

    def part(first: float, second: float) -> float:
        return sqrt(max(0.0, first**2 - 2 * phi * first * second + second**2))

    return Interval(d - part(p1 - one.low, two.high - p2), d + part(one.high - p1, p2 - two.low), NEWCOMBE)


def _right(item: Judged) -> bool:
    return item.right


def _flagged(item: Judged) -> bool:
    return item.decision is Decision.VIOLATES


def _outcome(item: Judged) -> str:
    return str(item.status if item.decision is None else item.decision)


def _paired(name: str, pairs: Sequence[Pair], nothing: str, good: Callable[[Judged], bool] = _right) -> Difference:
    n = len(pairs)
    first = [good(a) for a, _ in pairs]
    second = [good(b) for _, b in pairs]
    before, after = share(name, sum(first), n, nothing), share(name, sum(second), n, nothing)
    if not n:
        return Difference(name, before, after, None, None, reason=nothing)
    both = sum(a and b for a, b in zip(first, second, strict=True))
    lost, won = sum(first) - both, sum(second) - both
    interval = newcombe(both, won, lost, n - both - won - lost)
    return Difference(name, before, after, (won - lost) / n, interval, mcnemar(lost, won))


def _resampled(name: str, pairs: Sequence[Pair]) -> Difference:
    """The difference of precision or F1, which are no shares of the same items, by resampling pairs."""
    rows = np.array([_counts(a) + _counts(b) for a, b in pairs], dtype=np.float64).reshape(-1, 6)

    def value(sums: Floats) -> Floats:
        tp, fp, fn = sums.T
        if name == "f1":
            return f1_of(tp, fp, fn)
        found: Floats = tp / np.where(tp + fp > 0, tp + fp, np.nan)
        return found

    sums = rows.sum(axis=0)[None, :]
    first, second = float(value(sums[:, :3])[0]), float(value(sums[:, 3:])[0])
    before, after = _figure(name, first, len(rows)), _figure(name, second, len(rows))
    if before.value is None or after.value is None:
        return Difference(name, before, after, None, None, reason="one side does not have it")

    def gained(parts: Floats) -> Floats:
        return value(parts[:, 3:]) - value(parts[:, :3])

    interval = of_items(rows, gained)
    reason = "" if interval else "every resample gives the same difference"
    return Difference(name, before, after, second - first, interval, exchanged(rows, gained), reason)


def exchanged(rows: Floats, gained: Statistic) -> float:
    """The two-sided p of exchanging before and after within pairs at random: Yeh, COLING 2000, after Noreen 1989.

    ``rows`` has the counts before in its first half of columns and those after in the second; ``gained`` is the
    difference, of column sums. An exchange that leaves no difference to reckon counts as a large one.
    """
    half = rows.shape[1] // 2
    turned = np.concatenate([rows[:, half:], rows[:, :half]], axis=1)
    # Pairs of a kind can be told apart by nothing: how many of them are exchanged is all that matters.
    kinds, counts = np.unique(rows[(rows != turned).any(axis=1)], axis=0, return_counts=True)
    if not len(kinds):
        return 1.0
    drawn = np.random.default_rng(SEED).binomial(counts, 0.5, (RESAMPLES, len(counts)))
    total = rows.sum(axis=0)
    step = np.concatenate([kinds[:, half:], kinds[:, :half]], axis=1) - kinds
    differences = np.abs(np.nan_to_num(gained(total + drawn @ step), nan=np.inf))
    as_large = int((differences >= abs(float(gained(total[None, :])[0])) - 1e-12).sum())
    return (1 + as_large) / (1 + RESAMPLES)


def _figure(name: str, value: float, n: int) -> Figure:
    if not np.isfinite(value):
        return Figure(name, None, n, reason="nothing was found to violate")
    return Figure(name, value, n)


def _counts(item: Judged) -> list[bool]:
    true, got = item.expected is Decision.VIOLATES, _flagged(item)
    return [true and got, got and not true, true and not got]


def _words(change: Change, p: float, accuracy: Difference) -> str:
    if accuracy.value is None or accuracy.interval is None:
        return "There is nothing to compare: no example has a known decision on both sides."
    low, high = 100 * accuracy.interval.low, 100 * accuracy.interval.high
    points = f"{100 * accuracy.value:+.1f} points, between {low:+.1f} and {high:+.1f}"
    shown = "p < 0.001" if p < 0.001 else f"p = {min(p, 0.999):.3f}" if 0.01 <= p < _ALPHA else f"p = {p:.2g}"
    if change is Change.SAME:
        return f"The same within noise ({shown}): {points}."
    return f"{change.capitalize()} ({shown}): {points}."
