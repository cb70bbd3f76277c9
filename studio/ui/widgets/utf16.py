"""Positions: Qt counts UTF-16 units, Python counts characters; they differ after the first emoji."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable

_LAST_SINGLE = "\uffff"


def to_qt(text: str) -> Callable[[int], int]:
    """A function from Python positions in ``text`` to Qt's."""
    wide = [at for at, char in enumerate(text) if char > _LAST_SINGLE] if text and max(text) > _LAST_SINGLE else []
    if not wide:
        return lambda at: at
    return lambda at: at + bisect_left(wide, at)


def from_qt(text: str) -> Callable[[int], int]:
    """A function from Qt's positions in ``text`` to Python's."""
    wide = [at for at, char in enumerate(text) if char > _LAST_SINGLE] if text and max(text) > _LAST_SINGLE else []
    if not wide:
        return lambda at: at
    in_qt = [at + number for number, at in enumerate(wide)]
    return lambda at: at - bisect_left(in_qt, at)
