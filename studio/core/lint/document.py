"""A policy's text as the rules see it: lines, sections, rules, and the text without what is only quoted."""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass, field
from functools import cached_property

from studio.core.labels import LabelDecision
from studio.core.lint.finding import Edit, Finding, Severity
from studio.core.lint.headings import Heading, Role, Side, heading
from studio.core.lint.language import is_english
from studio.core.policy import Policy

CODE = re.compile(
    r"(?<![\w.@/])(?<![A-Za-z]-)(?P<family>(?:[A-Z]{1,3}-)?[A-Z]{1,5}[-_]?)(?P<number>\d{1,3})(?P<rule>(?:\.[A-Za-z0-9]{1,3}(?![A-Za-z0-9]))*)(?!\w)"
)
"""A label's or rule's code: ``SP2``, ``D-SP2``, ``SP2.b``."""

# A quotation ends on its own line; an apostrophe inside a word opens none.
_QUOTED = re.compile(
    r"\"[^\"\n]{1,600}\"|\u201c[^\u201d\n]{1,600}\u201d|\u00ab[^\u00bb\n]{1,600}\u00bb"
    r"|\u201e[^\u201c\u201d\n]{1,600}[\u201c\u201d]"
    r"|`[^`\n]+`|(?<![\w'])'(?=\S)[^'\n]{2,300}(?:'(?=\w)[^'\n]{1,300}){0,6}'(?!\w)"
    r"|(?<!\w)\u2018[^\u2018\n]{1,300}\u2019(?!\w)"
)
_FENCE = re.compile(r"^[ \t]*(```|~~~)[^\n]*\n(?:.*?\n)?[ \t]*\1[ \t]*$", re.MULTILINE | re.DOTALL)
_CLAUSE = r"\d{1,2}(?:\.\d{1,2}){1,3}[.)]?"
_ITEM = re.compile(rf"^\s*(?:[-*+•–]|\(?(?:\d{{1,2}}|[a-z])[.)]|{_CLAUSE})\s+")
_LEAD = re.compile(rf"^[\s>#*\-+•–|`_(\[]*(?:(?:\d{{1,2}}[.)]|{_CLAUSE})\s+)?[\s*`_(\[]*")
_RULE_LINE = re.compile(r"^[ \t]*[-:| ]*$")
_WIDE, _MIDDLE = re.compile("[\u2e80-\U0010ffff]+"), re.compile("[\u0250-\u1fff]+")
_RUN_LENGTH = 100
# A ruler of signs, or a hole of blanks, that no sentence has: patterns would walk it again and again.
_RUN = re.compile(rf"([^\w]|_)\1{{{_RUN_LENGTH},}}")
_SIDES = {
    LabelDecision.VIOLATE: Side.VIOLATES,
    LabelDecision.ALLOW: Side.SAFE,
    LabelDecision.REVIEW: Side.REVIEW,
}


@dataclass(frozen=True, slots=True)
class Line:
    """One line without its end: ``text`` stands at ``start`` to ``end``. Its section is what the headings say of it.

    ``is_noise``: it has a run of one sign that is far longer than any sentence needs.
    """

    number: int
    start: int
    end: int
    text: str
    heading: Heading | None
    role: Role | None
    side: Side | None
    label: str
    item: bool
    fenced: bool
    is_row: bool = False
    is_noise: bool = False

    @property
    def body(self) -> int:
        """Where the line's own words begin, after list marks and the like."""
        match = _LEAD.match(self.text)
        return self.start + (match.end() if match else 0)


@dataclass(slots=True)
class _Reading:
    """Where the reading of the lines is: the open headings, and the label whose block it is."""

    stack: list[Heading] = field(default_factory=list)
    label: str = ""
    headed: bool = False
    after_blank: bool = False

    @property
    def role(self) -> Role | None:
        return next((h.role for h in reversed(self.stack) if h.role is not None), None)

    @property
    def side(self) -> Side | None:
        return next((h.side for h in reversed(self.stack) if h.side is not None), None)


class Document:
    """The text of one policy, read once for all rules."""

    def __init__(self, policy: Policy, tokens: int | None = None) -> None:
        self.policy = policy
        self.text = policy.text
        self.exact_tokens = tokens
        self.sides = {label.id.casefold(): _SIDES[label.decision] for label in policy.labels}
        self._starts = [0, *(match.end() for match in re.finditer("\n", self.text))]
        self.fences = [match.span() for match in _FENCE.finditer(self.text)]
        self.lines = self._read()
        self.is_demo = "demo" in policy.tags

    @property
    def tokens(self) -> int:
        """The length of the text in tokens: as counted by a model, else estimated from its characters.

        Four characters to a token is the usual figure for English; text of other scripts runs nearer two, and
        ideographs nearer one, in the vocabulary of gpt-oss.
        """
        if self.exact_tokens is not None:
            return self.exact_tokens
        if self.text.isascii():
            return round(len(self.text) / 4.2)
        wide = sum(len(run) for run in _WIDE.findall(self.text))
        middle = sum(len(run) for run in _MIDDLE.findall(self.text))
        return round(wide + middle / 2.4 + (len(self.text) - wide - middle) / 4.2)

    @cached_property
    def unquoted(self) -> str:
        """The text with quotations, code and fenced blocks blanked, of the same length and lines."""
        text = _blank(self.text, self.fences)
        return _QUOTED.sub(lambda match: " " * len(match.group()), text)

    @cached_property
    def prose(self) -> str:
        """Like :attr:`unquoted`, without headings, examples and block quotations too: the policy's own sentences."""
        spans = [
            (line.start, line.end)
            for line in self.lines
            if line.role is Role.EXAMPLES or (line.heading and line.heading.rest is None) or line.text.startswith(">")
        ]
        return _blank(self.unquoted, spans)

    @cached_property
    def folded(self) -> str:
        """:attr:`unquoted` in lower case, of the same length: searching it is twice as fast as ignoring case."""
        return _lower(self.unquoted)

    @cached_property
    def folded_prose(self) -> str:
        """:attr:`prose` in lower case, of the same length."""
        return _lower(self.prose)

    @cached_property
    def english(self) -> bool:
        """Whether the policy's own sentences are English, which is the language that rules about words know."""
        return is_english(self.prose)

    def line_at(self, offset: int) -> Line:
        """The line that holds an offset."""
        return self.lines[bisect_right(self._starts, offset) - 1]

    def finding(
        self, rule: str, severity: Severity, place: tuple[int, int], message: str, *, reason: str, advice: str,
        fix: tuple[Edit, ...] = (),
    ) -> Finding:  # fmt: skip
        """A finding at ``place``, kept within the text."""
        start = max(0, min(place[0], len(self.text)))
        end = max(start, min(place[1], len(self.text)))
        line = bisect_right(self._starts, start)
        return Finding(
            rule, severity, start, end, line, start - self._starts[line - 1] + 1, message, reason, advice, fix
        )

    @cached_property
    def top(self) -> tuple[int, int]:
        """The place for findings about the whole text: its first line that is not blank."""
        for line in self.lines:
            if line.text.strip():
                return line.start + len(line.text) - len(line.text.lstrip()), line.start + len(line.text.rstrip())
        return 0, 0

    def _read(self) -> tuple[Line, ...]:
        lines, reading, fences = [], _Reading(), list(self.fences)
        raws = [raw.rstrip("\r") for raw in self.text.split("\n")]
        for number, raw in enumerate(raws):
            start = self._starts[number]
            while fences and fences[0][1] <= start:
                fences.pop(0)
            fenced = bool(fences) and fences[0][0] <= start
            following = raws[number + 1] if number + 1 < len(raws) else ""
            found = None if fenced else heading(raw, following)
            if found is not None and self._is_answer(found, reading):
                found = None
            if found is not None:
                while reading.stack and reading.stack[-1].level >= found.level:
                    reading.stack.pop()
                reading.stack.append(found)
                reading.label = ""
            code = self._leading_code(raw)
            self._follow_label(raw, code, found is not None, reading)
            item = not fenced and (
                _ITEM.match(raw) is not None or (raw.lstrip().startswith("|") and not _RULE_LINE.match(raw))
            )
            side = self.sides.get(code.casefold()) or reading.side or self.sides.get(reading.label.casefold())
            lines.append(
                Line(
                    number,
                    start,
                    start + len(raw),
                    raw,
                    found,
                    reading.role,
                    side,
                    reading.label,
                    item or bool(code),
                    fenced,
                    raw.count("|") > 2,
                    len(raw) > _RUN_LENGTH and _RUN.search(raw) is not None,
                )
            )
        return tuple(lines)

    def _follow_label(self, raw: str, code: str, is_heading: bool, reading: _Reading) -> None:
        """Whose block the line is in: a label's block ends at a heading, and at a paragraph behind a blank line.

        Under a heading of its own a label keeps all paragraphs.
        """
        if code and reading.role is not Role.EXAMPLES:
            reading.label, reading.headed = code, is_heading
        elif reading.after_blank and not reading.headed and raw[:1].strip() and not _ITEM.match(raw):
            reading.label = ""
        reading.after_blank = not raw.strip()

    def _is_answer(self, found: Heading, reading: _Reading) -> bool:
        """Whether what looks like a heading is a part of an example: ``Allowed: "..."`` under Examples."""
        if reading.role is Role.EXAMPLES and found.level >= 9:
            key = found.role in (None, Role.OUTPUT, Role.CRITERIA) and found.side is None and " " not in found.title
            return found.rest is not None or key
        if reading.role is Role.EXAMPLES and found.role is Role.OUTPUT and " " not in found.title:
            return found.level > reading.stack[-1].level
        # "Output: VALID" in a label's block says what that label answers; it does not begin a section.
        return found.role is Role.OUTPUT and found.rest is not None and bool(reading.label)

    def _leading_code(self, raw: str) -> str:
        """The label code that a line begins with, without its rule part."""
        lead = _LEAD.match(raw)
        match = CODE.match(raw, lead.end() if lead else 0)
        return match["family"] + match["number"] if match else ""


def _lower(text: str) -> str:
    lower = text.lower()
    # A few letters become two in lower case; they stay as they are, so that places hold.
    return lower if len(lower) == len(text) else "".join(c.lower() if len(c.lower()) == 1 else c for c in text)


def _blank(text: str, spans: list[tuple[int, int]]) -> str:
    """``text`` with the spans turned to spaces; line ends stay."""
    if not spans:
        return text
    parts, at = [], 0
    for start, end in sorted(spans):
        if end <= at:
            continue
        start = max(start, at)
        parts += [text[at:start], re.sub(r"[^\n]", " ", text[start:end])]
        at = end
    return "".join([*parts, text[at:]])
