"""What the list shows of an example and of what came of it, light enough for a hundred thousand of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from studio.core.evaluation import Judged
from studio.core.golden import GoldenExample, GoldenQuery
from studio.core.labels import Decision

PAGE = 64
"""Rows that are read at a time: about two screenfuls."""


class Mark(StrEnum):
    """What can be asked of examples by what came of them."""

    WRONG = "wrong"
    NO_VERDICT = "no_verdict"
    UNSTABLE = "unstable"
    BETTER = "better"
    WORSE = "worse"
    BOTH_WRONG = "both_wrong"
    DUPLICATE = "duplicate"
    CONTRADICTING = "contradicting"


@dataclass(frozen=True, slots=True)
class Row:
    """An example in the list. ``source`` is where it came from, in a few words."""

    id: str
    title: str
    expected: Decision | None
    labels: tuple[str, ...]
    tags: tuple[str, ...]
    source: str
    held_out: bool


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of an example. ``got`` None: no verdict; ``agree`` of ``repeats`` judgements gave the same answer."""

    got: Decision | None
    right: bool
    labels: tuple[str, ...] = ()
    repeats: int = 1
    agree: int = 1

    @property
    def unstable(self) -> bool:
        """Whether the repeats do not agree."""
        return self.agree < self.repeats


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the list is to show: what the workspace can find, and marks and a cell of the matrix on top of it.

    ``marks`` are taken together: an example with one of them is wanted. ``only`` None does not narrow.
    """

    query: GoldenQuery = field(default_factory=lambda: GoldenQuery(held_out=False))
    marks: frozenset[Mark] = frozenset()
    only: frozenset[str] | None = None

    @property
    def narrows(self) -> bool:
        """Whether anything but the part of the set was asked for."""
        return bool(self.marks or self.only is not None or self.query != GoldenQuery(held_out=self.query.held_out))

    def pick(self, ids: Iterable[str], marked: Mapping[Mark, frozenset[str]]) -> list[str]:
        """Those of the ids that marks and cell want, in their order."""
        found = [*ids]
        if self.marks:
            any_of = frozenset[str]().union(*(marked.get(mark, frozenset()) for mark in self.marks))
            found = [key for key in found if key in any_of]
        return found if self.only is None else [key for key in found if key in self.only]


def row_of(example: GoldenExample) -> Row:
    """What the list shows of an example."""
    return Row(
        id=example.id,
        title=example.content.title,
        expected=example.expected,
        labels=example.labels,
        tags=example.tags,
        source=example.source,
        held_out=example.held_out,
    )


def outcome_of(judged: Judged, repeats: int = 1, agree: int = 1) -> Outcome:
    """What came of an example, from its majority and how many repeats agree."""
    return Outcome(judged.decision, judged.right, judged.labels, repeats, agree)
