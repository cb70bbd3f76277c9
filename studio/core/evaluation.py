"""What an evaluation on golden examples is made of: what was judged, the figures about it, and what a set may promise.

Plain data, so that windows, commands and reports can hold it without loading the libraries that reckon it. A figure
that cannot be had is None with its reason, never 0.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from studio.core.labels import Decision
from studio.core.verdict import Status

LEVEL = 0.95
"""The level of all intervals: 19 of 20 such intervals hold the true value."""


@dataclass(frozen=True, slots=True)
class Judged:
    """One golden example and what became of it.

    ``labels`` is empty where the example names none. ``p_violates`` is the probability in [0, 1] that the model gave to
    violating, None when unknown.
    """

    id: str
    expected: Decision | None
    status: Status
    decision: Decision | None = None
    expected_labels: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    p_violates: float | None = None
    tags: tuple[str, ...] = ()

    @property
    def right(self) -> bool:
        """Whether a verdict was given and its decision is the expected one."""
        return self.decision is not None and self.decision is self.expected


@dataclass(frozen=True, slots=True)
class Interval:
    """From ``low`` to ``high`` at :data:`LEVEL`; ``method`` names how it was reckoned."""

    low: float
    high: float
    method: str


@dataclass(frozen=True, slots=True)
class Figure:
    """One number about ``n`` items: a share ``k`` of ``n`` where ``k`` is given.

    ``value`` is None when the figure does not exist, and ``interval`` when none can be had; ``reason`` says why.
    """

    name: str
    value: float | None
    n: int
    interval: Interval | None = None
    k: int | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class FigureSet:
    """Figures about the same question. ``label`` is "" for the decision, else the label that is told from the rest.

    ``tp, fp, fn, tn`` are counts of items; they are all 0 for figures that are not about two classes.
    """

    name: str
    figures: tuple[Figure, ...]
    label: str = ""
    tp: int = 0
    fp: int = 0
    fn: int = 0
    tn: int = 0

    def get(self, name: str) -> Figure | None:
        """The figure of that name."""
        return next((figure for figure in self.figures if figure.name == name), None)


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell of a confusion matrix with the ids of the examples in it."""

    expected: str
    got: str
    ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Confusion:
    """A confusion matrix: a row for each expected value, a column for each that was got; empty cells are left out."""

    rows: tuple[str, ...]
    columns: tuple[str, ...]
    cells: tuple[Cell, ...]

    def ids(self, expected: str, got: str) -> tuple[str, ...]:
        """The examples in a cell."""
        return next((cell.ids for cell in self.cells if (cell.expected, cell.got) == (expected, got)), ())


@dataclass(frozen=True, slots=True)
class Curve:
    """The points of a curve, and the area under it. ROC: false against true positive rate; PR: recall, precision."""

    x: tuple[float, ...]
    y: tuple[float, ...]
    area: Figure


@dataclass(frozen=True, slots=True)
class Bin:
    """One bin of a reliability diagram: the mean probability said, and the share that really violates."""

    said: float
    true: Figure


@dataclass(frozen=True, slots=True)
class Calibration:
    """How far the model's probability of "violates" can be trusted, on the ``n`` items that have one."""

    n: int
    roc: Curve | None
    pr: Curve | None
    bins: tuple[Bin, ...]
    ece: Figure
    brier: Figure
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Scores:
    """All figures about one evaluation.

    ``total`` examples of which ``unknown`` have no expected decision and are left out. ``no_verdict`` is the rate of
    non-verdicts, ``by_status`` the same for each reason. ``binary`` tells "violates" from the rest over verdicts only;
    ``binary_strict`` counts every non-verdict as wrong. ``three_way`` keeps the three decisions apart. ``multi`` is
    about whole sets of labels, over verdicts whose labels are known. ``labels`` has one set for each label, over
    verdicts only; in ``labels_strict`` a non-verdict is a miss where the label is expected, and left out elsewhere.
    """

    total: int
    unknown: int
    no_verdict: Figure
    by_status: tuple[Figure, ...]
    binary: FigureSet
    binary_strict: FigureSet
    three_way: FigureSet
    multi: FigureSet
    labels: tuple[FigureSet, ...]
    labels_strict: tuple[FigureSet, ...]
    decisions: Confusion
    label_pairs: Confusion
    calibration: Calibration

    @property
    def known(self) -> int:
        """The examples that were judged and whose decision is known."""
        return self.total - self.unknown


@dataclass(frozen=True, slots=True)
class Threshold:
    """Where one automatic decision may begin, and what is promised about it.

    ``at`` is a probability of "violates", None when the promise cannot be made; ``reason`` says why, with numbers.
    ``rate`` was asked for; ``n`` examples bear the promise, ``needed`` would be the least. ``observed`` is the share
    of them that the threshold got wrong.
    """

    name: str
    at: float | None
    rate: float
    n: int
    needed: int
    observed: Figure | None
    promise: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Below ``allow.at`` content is allowed by itself, above ``flag.at`` it is flagged; all else goes to a person.

    The shares are of all examples that were given; non-verdicts and verdicts without a probability go to a person.
    """

    allow: Threshold
    flag: Threshold
    auto_allowed: Figure
    auto_flagged: Figure
    to_review: Figure
    assumption: str


class Change(StrEnum):
    """What a comparison says in one word."""

    BETTER = "better"
    WORSE = "worse"
    SAME = "same"


@dataclass(frozen=True, slots=True)
class Flip:
    """An example that the two sides judged differently."""

    id: str
    expected: Decision
    before: Judged
    after: Judged


@dataclass(frozen=True, slots=True)
class Difference:
    """A figure before and after, the difference with its interval, and the p of a paired test where there is one.

    Shares of the same items are tested by McNemar's exact test, precision and F1 by exchanging pairs.
    """

    name: str
    before: Figure
    after: Figure
    value: float | None
    interval: Interval | None
    p: float | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two evaluations on the same ``n`` examples; ``words`` says in a sentence what can be said.

    ``change`` and ``accuracy`` count a non-verdict as not right; ``over_verdicts`` leaves out pairs without two
    verdicts. ``only_before`` and ``only_after`` count the examples that only one side has.
    """

    n: int
    change: Change
    words: str
    p: float
    accuracy: Difference
    over_verdicts: Difference
    others: tuple[Difference, ...]
    got_better: tuple[Flip, ...]
    got_worse: tuple[Flip, ...]
    both_wrong: tuple[Flip, ...]
    only_before: int = 0
    only_after: int = 0


@dataclass(frozen=True, slots=True)
class ItemStability:
    """One example over its repeats: how often each outcome came, and what the majority says.

    ``outcomes`` are decisions, or statuses of non-verdicts, most frequent first. ``flip_rate`` is the share of repeats
    that differ from the most frequent outcome.
    """

    id: str
    repeats: int
    outcomes: tuple[tuple[str, int], ...]
    flip_rate: float
    tie: bool
    majority: Judged

    @property
    def changed(self) -> bool:
        """Whether not all repeats agree."""
        return len(self.outcomes) > 1


@dataclass(frozen=True, slots=True)
class Stability:
    """How far repeats agree: the share of examples that changed at all, and the mean flip rate over examples."""

    repeats: int
    items: tuple[ItemStability, ...]
    changed: Figure
    flip_rate: Figure
    ties: int


@dataclass(frozen=True, slots=True)
class Cluster:
    """Failures of one kind: what was expected, what was got, and what the examples have in common."""

    expected: str
    got: str
    ids: tuple[str, ...]
    tags: tuple[tuple[str, int], ...] = field(default=())
