"""Targets: what scores must reach, written such as ``f1=0.9`` or ``recall[SP4]=0.95``, and whether they do."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from studio.core.errors import InputError
from studio.core.evaluation import Figure, Scores, Stability

TWO_CLASS = (
    "accuracy", "precision", "recall", "specificity", "f1",
    "fpr", "fnr", "balanced_accuracy", "mcc", "kappa",
)  # fmt: skip
"""Figures of "violates" against the rest, or of one label against the rest with its id in brackets."""

OTHERS = (
    "decision_accuracy", "decision_macro_f1", "exact_match", "micro_f1", "macro_f1",
    "no_verdict", "changed", "flip_rate", "ece", "brier",
)  # fmt: skip

_LOWER_IS_BETTER = {"fpr", "fnr", "no_verdict", "changed", "flip_rate", "ece", "brier"}
_TARGET = re.compile(
    r"\s*(?P<name>[A-Za-z]\w*)\s*(?:\[(?P<label>[^\]]+)\])?\s*(?:=|>=|<=)\s*(?P<bound>\S+?)\s*(?P<percent>%)?\s*"
)
_HINT = "Write for example f1=0.9,recall[SP4]=0.95,fpr=0.05. Known are: " + ", ".join((*TWO_CLASS, *OTHERS)) + "."


class By(StrEnum):
    """What is held against a target: the worse end of the figure's interval, or the figure itself."""

    LOWER = "lower"
    POINT = "point"


@dataclass(frozen=True, slots=True)
class Target:
    """A figure's bound: at least ``bound``, or at most where less of it is better (``fpr``, ``no_verdict``...)."""

    name: str
    bound: float
    label: str = ""

    @property
    def at_most(self) -> bool:
        """Whether the figure must stay at or under the bound."""
        return self.name in _LOWER_IS_BETTER

    @property
    def key(self) -> str:
        """The figure as it is written in a target."""
        return f"{self.name}[{self.label}]" if self.label else self.name

    def __str__(self) -> str:
        return f"{self.key} {'<=' if self.at_most else '>='} {self.bound:g}"


@dataclass(frozen=True, slots=True)
class Check:
    """A target held against its figure. ``used`` is the number that decided; ``words`` says how it came out."""

    target: Target
    figure: Figure | None
    used: float | None
    met: bool
    words: str


def parse_targets(text: str) -> tuple[Target, ...]:
    """The targets in a list with commas. Raises InputError naming the part that cannot be read."""
    return tuple(_target(part, part) for part in _parts(text))


def targets_from(fields: Mapping[str, object]) -> tuple[Target, ...]:
    """The targets of a mapping from figure to bound, as front matter has it. Raises InputError."""
    return tuple(_target(f"{key}={bound}", f"{key}: {bound}") for key, bound in fields.items())


def check_targets(
    targets: Iterable[Target], scores: Scores, stability: Stability | None = None, *, by: By = By.LOWER
) -> tuple[Check, ...]:
    """Hold each target against its figure.

    A non-verdict counts as wrong here, for a label as a miss: a model that stays silent reaches no target.
    By :attr:`By.LOWER` the worse end of the interval must reach the bound, so that luck with few examples does not.
    A figure without an interval, by that rule, and one that does not exist are not met.
    """
    return tuple(_check(target, figure_of(target, scores, stability), by) for target in targets)


def figure_of(target: Target, scores: Scores, stability: Stability | None) -> Figure | None:
    """The figure that a target is about; None for a label or figure that the evaluation does not have."""
    if target.label:
        group = next((item for item in scores.labels_strict if item.label.casefold() == target.label.casefold()), None)
        return None if group is None else group.get(target.name)
    if target.name in TWO_CLASS:
        return scores.binary_strict.get(target.name)
    single = {"no_verdict": scores.no_verdict, "ece": scores.calibration.ece, "brier": scores.calibration.brier}
    if stability is not None:
        single |= {"changed": stability.changed, "flip_rate": stability.flip_rate}
    return single.get(target.name) or scores.three_way.get(target.name) or scores.multi.get(target.name)


def _check(target: Target, figure: Figure | None, by: By) -> Check:
    if figure is None:
        what = f"the policy has no label {target.label!r}" if target.label else "it was not measured"
        return Check(target, None, None, False, f"{target}: not met, {what}.")
    if figure.value is None:
        return Check(target, figure, None, False, f"{target}: not met, it cannot be told: {figure.reason}.")
    if by is By.POINT:
        used, what = figure.value, "it is"
    elif figure.interval is None:
        why = figure.reason or "it has none"
        return Check(target, figure, None, False, f"{target}: not met, {figure.value:.3f} without an interval: {why}.")
    else:
        used = figure.interval.high if target.at_most else figure.interval.low
        what = f"it is {figure.value:.3f}, and the {'upper' if target.at_most else 'lower'} end of its interval"
    met = used <= target.bound if target.at_most else used >= target.bound
    words = f"{target}: {'met' if met else 'not met'}, {what} {used:.3f} ({figure.n} items)."
    return Check(target, figure, used, met, words)


def _parts(text: str) -> list[str]:
    """The parts between commas that stand outside brackets."""
    return [part for part in re.split(r",(?![^\[]*\])", text) if part.strip()]


def _target(part: str, shown: str) -> Target:
    match = _TARGET.fullmatch(part)
    if match is None:
        raise InputError(f"The target {shown.strip()!r} cannot be read.", hint=_HINT)
    name, label = match["name"].casefold(), (match["label"] or "").strip()
    if name not in TWO_CLASS and (label or name not in OTHERS):
        which = f"for a label, {name!r}" if label else f"{name!r}"
        raise InputError(f"There is no figure {which} to set a target for.", hint=_HINT)
    try:
        bound = float(match["bound"]) / (100 if match["percent"] else 1)
    except ValueError:
        raise InputError(f"The target {shown.strip()!r} has no number.", hint=_HINT) from None
    if not -1 <= bound <= 1:
        raise InputError(f"The target {shown.strip()!r} is not between 0 and 1.", hint=_HINT)
    if f"{'>' if name in _LOWER_IS_BETTER else '<'}=" in part:
        raise InputError(
            f"The target {shown.strip()!r} goes the wrong way.",
            hint=f"Of {name} {'less' if name in _LOWER_IS_BETTER else 'more'} is better; write {name}={bound:g}.",
        )
    return Target(name, bound, label)
