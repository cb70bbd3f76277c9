"""Searching a text by words or by a regular expression, in bounded time whatever the pattern."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass

from PySide6.QtCore import QRegularExpression, QRegularExpressionMatch

_STEPS = 1_000_000
"""Steps of one match after which it is given up: about 20 ms. Without an end, ``(a+)+$`` would stop the window."""
_LONGEST_S = 0.25
_LIMIT = f"(*LIMIT_MATCH={_STEPS})"
_OPTIONS = (
    QRegularExpression.PatternOption.CaseInsensitiveOption
    | QRegularExpression.PatternOption.MultilineOption
    | QRegularExpression.PatternOption.UseUnicodePropertiesOption
)
_REFERENCE = re.compile(r"\\(?:g<(?P<name>\w+)>|(?P<digit>\d)|(?P<escaped>.))|\$(?P<dollar>\d)")
_ESCAPES = {"n": "\n", "t": "\t"}


@dataclass(frozen=True, slots=True)
class Found:
    """What a search came to: the matches, and what is wrong with the pattern, empty when nothing is."""

    matches: tuple[QRegularExpressionMatch, ...] = ()
    problem: str = ""

    @property
    def places(self) -> list[tuple[int, int]]:
        """Each match as its position and length, as Qt counts."""
        return [(match.capturedStart(), match.capturedLength()) for match in self.matches]


def search(text: str, words: str, *, is_pattern: bool) -> Found:
    """All places of ``words`` in ``text``, without regard to case. Matches of nothing are none."""
    if not words:
        return Found()
    pattern = QRegularExpression(_LIMIT + (words if is_pattern else QRegularExpression.escape(words)), _OPTIONS)
    if not pattern.isValid():
        at = max(1, pattern.patternErrorOffset() - len(_LIMIT))
        return Found(problem=f"Not a pattern: {pattern.errorString()}, at character {at}.")
    until, found, end = time.monotonic() + _LONGEST_S, [], 0
    matches = pattern.globalMatch(text)
    while matches.hasNext():
        match = matches.next()
        end = match.capturedEnd()
        if match.capturedLength():
            found.append(match)
        if time.monotonic() > until:
            return Found(problem=_TOO_SLOW)
    # A match that was given up ends the walk like the end of the text does; asked alone, it says so.
    return Found(tuple(found)) if pattern.match(text, end).isValid() else Found(problem=_TOO_SLOW)


_TOO_SLOW = "This pattern takes too long on this text. Say more exactly what it repeats."


def expanded(match: QRegularExpressionMatch, replacement: str) -> str:
    r"""The replacement of one match: ``\1``, ``$1`` and ``\g<name>`` stand for its groups, ``\n`` for a new line."""

    def of(reference: re.Match[str]) -> str:
        group = reference["digit"] or reference["dollar"]
        if group:
            return match.captured(int(group))
        if reference["name"]:
            return match.captured(reference["name"])
        return _ESCAPES.get(reference["escaped"], reference["escaped"])

    return _REFERENCE.sub(of, replacement)
