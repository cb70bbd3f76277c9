"""What changed between two texts of a policy: lines first, words inside, and each change on its own.

Lines are matched with difflib's SequenceMatcher (longest matching blocks, no junk), then the words within changed
lines likewise. Every hunk can be made or taken back alone, which is what bisecting a flipped verdict needs.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import StrEnum

_LINE = re.compile(r"[^\n]*\n|[^\n]+")
_WORD = re.compile(r"\w+|[^\S\n]+|\n|[^\w\s]")
_MOST_COMPARISONS = 4_000_000
"""Pairs up to which all are looked at: of words in one hunk, which is shown as a whole beyond, and of equal lines."""


class Change(StrEnum):
    """What happened to a piece of text."""

    SAME = "same"
    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"


@dataclass(frozen=True, slots=True)
class Piece:
    """A run of words of one hunk that is the same, added or removed."""

    change: Change
    text: str


@dataclass(frozen=True, slots=True)
class Hunk:
    """One change of whole lines: ``old`` at ``old_start`` in the old text became ``new`` at ``new_start`` in the new.

    Offsets are in characters, lines count from 1. ``pieces`` in order give ``old`` without the added ones and ``new``
    without the removed ones.
    """

    change: Change
    old_start: int
    new_start: int
    old_line: int
    new_line: int
    old: str
    new: str
    pieces: tuple[Piece, ...]


def diff(old: str, new: str) -> tuple[Hunk, ...]:
    """The changes that make ``new`` out of ``old``, in order; none when they are equal."""
    before, after = _LINE.findall(old), _LINE.findall(new)
    at_old, at_new = _offsets(before), _offsets(after)
    hunks = []
    # Of thousands of equal lines each could stand for each: then the frequent ones anchor no match.
    frequent = _pairs(before, after) > _MOST_COMPARISONS
    for kind, i1, i2, j1, j2 in SequenceMatcher(None, before, after, autojunk=frequent).get_opcodes():
        if kind == "equal":
            continue
        for a1, a2, b1, b2 in _line_by_line(i1, i2, j1, j2):
            gone, come = "".join(before[a1:a2]), "".join(after[b1:b2])
            change = Change.CHANGED if gone and come else Change.REMOVED if gone else Change.ADDED
            hunks.append(Hunk(change, at_old[a1], at_new[b1], a1 + 1, b1 + 1, gone, come, tuple(_pieces(gone, come))))
    return tuple(hunks)


def apply(old: str, hunks: Iterable[Hunk]) -> str:
    """The old text with these hunks of its diff made and the others not."""
    return _replaced(old, ((hunk.old_start, hunk.old, hunk.new) for hunk in hunks))


def revert(new: str, hunks: Iterable[Hunk]) -> str:
    """The new text with these hunks of its diff taken back and the others left."""
    return _replaced(new, ((hunk.new_start, hunk.new, hunk.old) for hunk in hunks))


def _offsets(lines: list[str]) -> list[int]:
    """Where each line starts, and where the last one ends."""
    at = [0]
    for line in lines:
        at.append(at[-1] + len(line))
    return at


def _pairs(before: list[str], after: list[str]) -> int:
    """How many pairs of equal lines there are."""
    known = Counter(before)
    return sum(known[line] for line in after)


def _line_by_line(i1: int, i2: int, j1: int, j2: int) -> Iterator[tuple[int, int, int, int]]:
    """As many lines in place of as many: each pair is a change of its own, so that each can be tried alone."""
    if i2 - i1 == j2 - j1:
        for step in range(i2 - i1):
            yield i1 + step, i1 + step + 1, j1 + step, j1 + step + 1
    else:
        yield i1, i2, j1, j2


def _pieces(old: str, new: str) -> Iterator[Piece]:
    """The words of a hunk that stayed, went and came."""
    before, after = _WORD.findall(old), _WORD.findall(new)
    if not before or not after or len(before) * len(after) > _MOST_COMPARISONS:
        if old:
            yield Piece(Change.REMOVED, old)
        if new:
            yield Piece(Change.ADDED, new)
        return
    for kind, i1, i2, j1, j2 in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if kind == "equal":
            yield Piece(Change.SAME, "".join(before[i1:i2]))
            continue
        if i2 > i1:
            yield Piece(Change.REMOVED, "".join(before[i1:i2]))
        if j2 > j1:
            yield Piece(Change.ADDED, "".join(after[j1:j2]))


def _replaced(text: str, changes: Iterable[tuple[int, str, str]]) -> str:
    """``text`` with each ``(start, from, to)`` made. Raises ValueError when it is not the text that was compared."""
    parts, at = [], 0
    for start, wanted, instead in sorted(changes, key=lambda change: (change[0], change[0] + len(change[1]))):
        if start < at or not text.startswith(wanted, start):
            raise ValueError("these hunks do not belong to this text")
        parts += [text[at:start], instead]
        at = start + len(wanted)
    return "".join([*parts, text[at:]])
