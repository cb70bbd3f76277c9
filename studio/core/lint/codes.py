"""Label codes in a policy's text: where each stands, and which of them the text defines."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from itertools import pairwise

from studio.core.labels import Label
from studio.core.lint.document import CODE, Document
from studio.core.lint.headings import Role, Side

_TEMPLATE = re.compile(r"(?<![\w.-])(?P<family>(?:[A-Z]{1,3}-)?[A-Z]{1,5}[-_]?)(?:#|<n>|\{n\}|\[n\]|<#>)(?![\w#])")
_AFTER_HEAD = re.compile(
    r"[*`_)\]]*\s*(?:[:=|(–—\"“]|-(?!\d)|$|[A-Z]|(?:means|covers|is|are|applies(?! (?:before|over|first|instead))"
    r"|includes?|stands|describes|refers|when|if|for)\b)",
    re.MULTILINE,
)
_AFTER_PROSE = re.compile(r"[*`_)\]]*\s+(?:means|covers|stands for|describes|refers to|includes)\b")
_BEFORE_WEAK = re.compile(r"(?:\u2192|->|=>|[(\[])\s*[*`_#]*\Z")
_NEAR = 160
_NAMED_WITHIN = 80
"""A code in brackets within so many characters of a line's start names what the line is about."""
_CATEGORY = re.compile(r"(?:label|category|code|level)\s+[*`_(\[]*", re.IGNORECASE)
_USE_FOR = re.compile(r"\b(?:use|assign|label|tag|mark|classify|code|give)\b[^.\n]{0,40}\Z", re.IGNORECASE)
_SET = re.compile(r"\b(?:set|use|assign|return|answer|choose|mark)\b", re.IGNORECASE)
_HANDED_OVER = re.compile(r"review|person|human|moderator|analyst|specialist|escalat", re.IGNORECASE)
_FOR = re.compile(r"[*`_)\]]*,?\s+(?:for|when|if|where|to)\b")
RANGE = re.compile(r"\s*(?:-|–|—|to|through|\.\.+|…)\s*")


@dataclass(frozen=True, slots=True)
class Use:
    """One place where a code stands. ``strong`` where its line defines it, ``weak`` where that may be."""

    start: int
    end: int
    family: str
    number: int
    rule: str
    strong: bool
    weak: bool

    @property
    def label(self) -> str:
        """The label's code without its rule part."""
        return f"{self.family}{self.number}"


@dataclass(frozen=True, slots=True)
class Codes:
    """All codes of a text, and which families and labels it defines."""

    uses: tuple[Use, ...]
    families: frozenset[str]
    templates: frozenset[str]
    labels: frozenset[str]


def read_codes(doc: Document) -> Codes:
    """All codes of a text that no quotation holds."""
    text = doc.text
    uses = tuple(_use(doc, match) for match in CODE.finditer(text) if not _is_quoted(doc, match))
    declared = [
        match for label in doc.policy.labels if (match := CODE.fullmatch(label.id)) and _tells(doc, label, uses)
    ]
    labels = {use.label for use in uses if use.strong or (use.weak and not use.rule)}
    labels |= {f"{match['family']}{int(match['number'])}" for match in declared} | _ranged(text, uses)
    templates = frozenset(
        m["family"] for m in _TEMPLATE.finditer(text) if doc.line_at(m.start()).role is not Role.EXAMPLES
    )
    families = {use.family for use in uses if use.strong} | {match["family"] for match in declared}
    families -= _slips(uses)
    return Codes(uses, frozenset(families | templates), templates, frozenset(labels))


def _slips(uses: tuple[Use, ...]) -> set[str]:
    """Families that one line seems to define and that are another one with other joints: "SP-4" beside SP1 to SP3."""
    defined: dict[str, set[str]] = defaultdict(set)
    for use in uses:
        if use.strong:
            defined[use.family].add(use.label)
    bare: dict[str, list[str]] = defaultdict(list)
    for family in defined:
        bare[re.sub(r"[-_]", "", family)].append(family)
    return {
        one for same in bare.values() for one in same
        if len(defined[one]) == 1 and any(len(defined[other]) > 2 for other in same)
    }  # fmt: skip


def _use(doc: Document, match: re.Match[str]) -> Use:
    """One code, with whether its line defines it: in an example none does, in a heading each."""
    line = doc.line_at(match.start())
    strong = weak = False
    if line.role is not Role.EXAMPLES:
        at = match.start() - line.start
        # What is near it tells; a line may be endless.
        lead = doc.text[line.body : min(match.start(), line.body + _NEAR)]
        rest = doc.text[match.end() : min(line.end, match.end() + _NEAR)]
        before = doc.text[max(line.start, match.start() - _NEAR) : match.start()]
        leads = not lead or _CATEGORY.fullmatch(lead)
        headed = line.heading is not None and line.heading.rest is None
        strong = headed or bool((leads and _AFTER_HEAD.match(rest)) or _AFTER_PROSE.match(rest))
        named = (line.item or at < _NAMED_WITHIN) and _BEFORE_WEAK.search(before)
        used_for = _USE_FOR.search(before) and _FOR.match(rest)
        # "Uncertain cases: set the category to X9; an analyst reviews these" says what X9 is for.
        for_review = line.side is Side.REVIEW and _SET.search(before) and _HANDED_OVER.search(rest)
        weak = bool(named or used_for or for_review) or line.is_row
    return Use(match.start(), match.end(), match["family"], int(match["number"]), match["rule"], strong, weak)


def _ranged(text: str, uses: tuple[Use, ...]) -> set[str]:
    """The labels that a defining range such as "(SP2-SP4)" covers."""
    found = set()
    for use, following in pairwise(uses):
        if (
            (use.strong or use.weak)
            and use.family == following.family
            and RANGE.fullmatch(text, use.end, following.start)
        ):
            found |= {f"{use.family}{n}" for n in range(use.number, min(following.number, use.number + 20) + 1)}
    return found


def _is_quoted(doc: Document, match: re.Match[str]) -> bool:
    """Whether the code is a part of a longer quotation: what a post says is no use of a label."""
    return doc.unquoted[match.start()] == " " and doc.text[match.start() - 1] not in "\"'`\u201c\u2018"


def _tells(doc: Document, label: Label, uses: tuple[Use, ...]) -> bool:
    """Whether a declared label is more than a code found somewhere in a plain text."""
    return bool(label.name or label.description) or any(
        use.strong and doc.text[use.start : use.end] == label.id for use in uses
    )
