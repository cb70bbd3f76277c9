"""The numbers of figures in words, for cards and tooltips; names and meanings are the report's."""

from __future__ import annotations

from studio.core.evaluation import Figure, Scores, Stability
from studio.core.figure_words import FIGURES
from studio.core.targets import targets_from

_OVER_VERDICTS = frozenset({"precision", "recall", "f1", "fpr"})
ORDER = ("decision_accuracy", "precision", "recall", "f1", "fpr", "mcc", "no_verdict", "changed")
LESS_IS_BETTER = frozenset({"fpr", "no_verdict", "changed"})
_NOT_PER_CENT = frozenset({"mcc", "kappa"})


def figure(name: str, scores: Scores, stability: Stability | None) -> Figure | None:
    """The figure of a card; Cohen's kappa stands in for stability where nothing was repeated."""
    if name == "no_verdict":
        return scores.no_verdict
    if name == "changed":
        return None if stability is None else stability.changed
    return scores.three_way.get(name) if name == "decision_accuracy" else scores.binary.get(name)


def targets(policy_targets: tuple[tuple[str, float], ...]) -> dict[str, float]:
    """The bounds that a policy sets for the cards' figures; ``accuracy`` stands on the card of the right decision."""
    found = {target.key: target.bound for target in targets_from(dict(policy_targets))}
    if "accuracy" in found:
        found.setdefault("decision_accuracy", found["accuracy"])
    return found


def number(name: str, value: float | None) -> str:
    """A figure's value alone: ``94.2 %``, or ``0.87`` for what is no share."""
    if value is None:
        return "–"
    return f"{value:.2f}" if name in _NOT_PER_CENT else f"{100 * value:.1f} %"


def target_words(name: str, bound: float) -> str:
    """A target's bound, as short as it was written: ``90 %``."""
    return f"{bound:g}" if name in _NOT_PER_CENT else f"{100 * bound:g} %"


def detail(name: str, shown: Figure) -> str:
    """What stands behind a value: ``226 of 240, between 90.4 and 96.6``."""
    if shown.value is None:
        return f"Cannot be told: {shown.reason}" if shown.reason else "Cannot be told"
    of = f"{shown.k} of {shown.n}" if shown.k is not None else f"{shown.n} examples"
    if shown.interval is None:
        return of
    low, high = shown.interval.low, shown.interval.high
    if name in _NOT_PER_CENT:
        return f"{of}, {low:.2f} to {high:.2f}"
    return f"{of}, {100 * low:.1f} to {100 * high:.1f}"


def short(name: str, shown: Figure) -> str:
    """The same with as few letters as a card has room for: ``226 of 240, 90 to 97``."""
    if shown.value is None:
        return "Cannot be told"
    of = f"{shown.k:,} of {shown.n:,}" if shown.k is not None else f"of {shown.n:,}"
    if shown.interval is None:
        return of
    low, high = shown.interval.low, shown.interval.high
    return f"{of}, {low:.2f} to {high:.2f}" if name in _NOT_PER_CENT else f"{of}, {100 * low:.0f} to {100 * high:.0f}"


def explained(name: str, shown: Figure) -> str:
    """The whole of a figure, for the tooltip and for screen readers."""
    method = "" if shown.interval is None else f" The interval is {shown.interval.method}, 95 %."
    title, meaning = FIGURES[name]
    over = " Over verdicts only." if name in _OVER_VERDICTS else ""
    return f"{title}: {number(name, shown.value)}, {detail(name, shown)}. {meaning}{over}{method}"
