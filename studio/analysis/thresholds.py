"""Where automatic decisions may begin, by a wanted miss rate, with a promise that holds for content not seen yet.

Both rules rest on order statistics of the probabilities on held-out examples. A threshold at the k-th of ``n`` of them
is passed by a share of all such content that is at most Beta(k, n - k + 1), whatever the distribution (ties only lower
it). k is chosen from ``n`` alone, so choosing on these examples costs nothing.

* ``exact``: k is the largest for which the 95 % quantile of that Beta stays at or under the wanted rate. This quantile
  is the upper bound of Clopper and Pearson (Biometrika 1934) for k - 1 misses of n.
* ``conformal``: k is the largest whole number in rate * (n + 1); the rate then holds on average over the draw of the
  examples and of the new content. Angelopoulos, Bates, Fisch, Lei and Schuster, "Conformal risk control", ICLR 2024,
  for the loss "missed".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import ceil, floor, inf, log, log1p
from typing import Literal

from scipy import stats  # type: ignore[import-untyped]  # comes without types

from studio.analysis.intervals import share
from studio.core.errors import InputError
from studio.core.evaluation import LEVEL, Judged, Threshold, Thresholds
from studio.core.labels import Decision

Rule = Literal["exact", "conformal"]

ASSUMPTION = (
    "It holds for content that comes from the same source as the held-out examples, judged by the same model, policy "
    "and settings (the examples and the new content are exchangeable), and only while nobody writes the policy or "
    "tunes anything on these examples."
)


def choose(items: Sequence[Judged], *, miss: float, false_flag: float, rule: Rule = "exact") -> Thresholds:
    """Thresholds so that at most ``miss`` of violating content is allowed by itself, ``false_flag`` of other flagged.

    ``items`` are held-out ones. An example without an expected decision is left out; one without a probability would go
    to a person, so it is neither missed nor falsely flagged. Raises InputError for a rate that is not between 0 and 1.
    """
    for name, rate in (("miss rate", miss), ("rate of false flags", false_flag)):
        if not 0 < rate < 1:
            raise InputError(f"The wanted {name} is {rate}.", hint="Give a rate between 0 and 1, such as 0.01.")
    known = [item for item in items if item.expected is not None]
    bad = [item.p_violates for item in known if item.expected is Decision.VIOLATES]
    fine = [item.p_violates for item in known if item.expected is not Decision.VIOLATES]
    allow = _threshold("auto-allow", [inf if p is None else p for p in bad], miss, rule)
    # The same from the other end: what lies above a threshold lies below it with the sign turned.
    turned = _threshold("auto-flag", [inf if p is None else -p for p in fine], false_flag, rule)
    flag = replace(turned, at=None if turned.at is None else -turned.at)
    if allow.at is not None and flag.at is not None and allow.at > flag.at:
        # Where both would decide, flagging does: less is then allowed, so the promise about misses still holds.
        allow = _at(allow, flag.at, [inf if p is None else p for p in bad])
    allow, flag = _bounded(allow), _bounded(flag)
    certain = [item.p_violates for item in known if item.p_violates is not None]
    allowed = sum(allow.at is not None and p < allow.at for p in certain)
    flagged = sum(flag.at is not None and p > flag.at for p in certain)
    total, none = len(known), "no example was given"
    return Thresholds(
        allow,
        flag,
        share("auto_allowed", allowed, total, none),
        share("auto_flagged", flagged, total, none),
        share("to_review", total - allowed - flagged, total, none),
        ASSUMPTION,
    )


def needed(rate: float, rule: Rule) -> int:
    """How many examples the promise needs at least."""
    return ceil(log(1 - LEVEL) / log1p(-rate)) if rule == "exact" else ceil(1 / rate) - 1


def least_rate(n: int, rule: Rule) -> float:
    """The smallest rate that ``n`` examples can bear a promise about."""
    if n == 0:
        return 1.0
    return float(stats.beta.ppf(LEVEL, 1, n)) if rule == "exact" else 1 / (n + 1)


def rank(n: int, rate: float, rule: Rule) -> int:
    """The place (from 1) among ``n`` ordered probabilities at which the threshold may stand; 0 when nowhere."""
    if rule == "conformal":
        return min(n, floor(rate * (n + 1) + 1e-9))
    low, high = 0, n
    while low < high:
        middle = (low + high + 1) // 2
        if stats.beta.ppf(LEVEL, middle, n - middle + 1) <= rate:
            low = middle
        else:
            high = middle - 1
    return low


def _threshold(name: str, values: Sequence[float], rate: float, rule: Rule) -> Threshold:
    """Below which value at most ``rate`` of such content lies."""
    n, least = len(values), needed(rate, rule)
    what = "violating" if name == "auto-allow" else "not violating"
    done = "allowed" if name == "auto-allow" else "flagged"
    sure = (
        f"With {LEVEL:.0%} confidence over the draw of these examples, at most {rate:.2%} of {what} content is {done} "
        f"automatically (exact binomial bound, {n} examples)."
        if rule == "exact"
        else f"On average over the draw of these examples, at most {rate:.2%} of {what} content is {done} "
        f"automatically (conformal risk control, {n} examples)."
    )
    place = rank(n, rate, rule)
    if place == 0:
        reason = (
            f"To promise {rate:.2%} it takes at least {least:,} held-out examples that are {what}; there are {n:,}. "
            + (f"With {n:,} the least that can be promised is {least_rate(n, rule):.1%}." if n else "")
        ).strip()
        return Threshold(name, None, rate, n, least, None, "", reason)
    return _at(Threshold(name, None, rate, n, least, None, sure), sorted(values)[place - 1], values)


def _at(threshold: Threshold, at: float, values: Sequence[float]) -> Threshold:
    observed = share(f"observed[{threshold.name}]", sum(value < at for value in values), len(values), "")
    return replace(threshold, at=at, observed=observed)


def _bounded(threshold: Threshold) -> Threshold:
    """The threshold as a probability; beyond all of them where too few examples have one to set a limit."""
    return threshold if threshold.at is None else replace(threshold, at=min(1.0, max(0.0, threshold.at)))
