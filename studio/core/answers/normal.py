"""Text made plain for reading: one kind of quote, dash, space and line break, and nothing invisible."""

from __future__ import annotations

import re
import unicodedata

OPTIONS = "\x00"
"""Stands where a text listed the possible answers, such as "(VALID or INVALID)"; never occurs in plain text."""
QUOTED = "\x01"
"""Stands where a text quoted something."""

# Zero-width, bidi and other format characters, variation selectors and tag characters, and our own two marks.
_INVISIBLE = re.compile(
    "[\x00\x01\u00ad\u20e3\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f"
    "\ufe00-\ufe0f\ufeff\U000e0000-\U000e0fff]"
)
_SAME = str.maketrans(
    {
        **dict.fromkeys("\u2018\u2019\u201a\u201b\u2032\u00b4", "'"),
        **dict.fromkeys("\u201c\u201d\u201e\u201f\u2033\u00ab\u00bb", '"'),
        **dict.fromkeys("\u2010\u2011\u2012\u2212", "-"),
        # Dashes between words are no hyphens, with or without spaces around them.
        **dict.fromkeys("\u2013\u2014\u2015\u2500", " - "),
        **dict.fromkeys("\u2192\u21d2\u27a1\u2794\u279c\u27f6\u27f9\u21a6\u25b6", "\u2192"),
        **dict.fromkeys("\v\f\x1c\x1d\x1e\x85\u2028\u2029", "\n"),
        "\t": " ",
    }
)
_TAGS = re.compile(
    r"</?(?:b|strong|em|i|u|p|br|code|pre|span|div|answer|output|result|classification|verdict|final|label|response)\s*/?>",
    re.IGNORECASE,
)
_RUN = re.compile(r"\s{4,}")
_LATEX = re.compile(r"\\(?:boxed|text(?:bf|tt|it)?|mathbf|mathrm)\s*\{")
_EMPHASIS = re.compile(r"[*`~]+|(?<![A-Za-z0-9])_+|_+(?![A-Za-z0-9_])")


def plain(text: str) -> str:
    """``text`` for reading only; what is shown and stored stays as it was written."""
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text)
    text = _INVISIBLE.sub("", text).replace("\r\n", "\n").replace("\r", "\n")
    return _RUN.sub(_shortened, text.translate(_SAME))


def _shortened(run: re.Match[str]) -> str:
    """A long run of white space keeps two line breaks at most, so that no pattern has to walk it again and again."""
    breaks = run.group().count("\n")
    return "\n" * min(breaks, 2) if breaks else " "


def unmarked(line: str) -> str:
    """A line without emphasis, code marks, known tags and the shell of a boxed formula."""
    if "<" in line:
        line = _TAGS.sub(" ", line)
    if "\\" in line:
        line = _LATEX.sub("", line)
    if "*" in line or "_" in line or "`" in line or "~" in line:
        line = _EMPHASIS.sub("", line)
    return " ".join(line.split())
