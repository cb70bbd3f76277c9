"""Rules about rules: those that say the same twice, and those that stand on both sides."""

from __future__ import annotations

import re
from collections.abc import Iterator

from studio.core.lint.document import CODE, Document, Line
from studio.core.lint.examples import Example
from studio.core.lint.finding import Finding, Severity
from studio.core.lint.headings import Role, Side
from studio.core.lint.words import near_pairs, telling, words

_CODE_HEAD = re.compile(r"^[*`_)\]\s]*[:|–—-]?\s*")
_QUOTED = re.compile(r"[\"“«]([^\"“”«»\n]{2,60})[\"”»]")


def criteria(doc: Document, found: tuple[Example, ...]) -> Iterator[Finding]:
    """All findings of this family."""
    shown = {doc.line_at(one.start).number for one in found}
    rules = [line for line in doc.lines if _is_rule(line) and line.number not in shown]
    texts = [_own_words(doc, line) for line in rules]
    sets = [telling(text) for text in texts]
    told: set[int] = set()
    for first, second in sorted(near_pairs(sets, 0.85, 2)):
        a, b = rules[first], rules[second]
        if second in told or _differs(texts[first], texts[second]):
            continue
        if {a.side, b.side} == {Side.VIOLATES, Side.SAFE}:
            told.add(second)
            yield _contradiction(doc, a, b)
        elif len(sets[first]) >= 4 and a.side is b.side and a.role is b.role:
            told.add(second)
            yield doc.finding(
                "rule-duplicate", Severity.WARNING, (b.body, b.end), f"This rule says nearly the same as line "
                    f"{a.number + 1}.",
                reason="Two rules for one thing drift apart with the next edit, and which one is cited is chance.",
                advice="Keep one of them.",
            )  # fmt: skip
    yield from _triggers(doc, rules, texts, told)


def _is_rule(line: Line) -> bool:
    if line.role in (Role.EXAMPLES, Role.DEFINITIONS, Role.OUTPUT, Role.PRECEDENCE) or line.fenced:
        return False
    return line.item and (line.heading is None or line.heading.rest is not None)


def _own_words(doc: Document, line: Line) -> str:
    """The rule without its code."""
    text = doc.text[line.body : line.end]
    code = CODE.match(text)
    if code:
        text = text[code.end() :]
        return text[match.end() :] if (match := _CODE_HEAD.match(text)) else text
    return text


def _differs(one: str, other: str) -> bool:
    """Whether a number or a word that turns the meaning round stands in one of them only."""
    turning = {
        "not",
        "no",
        "never",
        "without",
        "with",
        "under",
        "over",
        "above",
        "below",
        "before",
        "after",
        "more",
        "less",
        "unless",
        "except",
        "only",
        "if",
        "when",
    }
    a, b = set(words(one)), set(words(other))
    apart = a ^ b
    return bool(apart & turning) or any(word.isdigit() for word in apart)


def _contradiction(doc: Document, a: Line, b: Line) -> Finding:
    return doc.finding(
        "rule-contradiction", Severity.ERROR, (b.body, b.end),
        f"This rule and line {a.number + 1} say the same, one on the violating side and one on the allowed side.",
        reason="The same content is forbidden and allowed.", advice="Delete one, or say in both what sets them apart.",
    )  # fmt: skip


def _triggers(doc: Document, rules: list[Line], texts: list[str], told: set[int]) -> Iterator[Finding]:
    """Quoted trigger words that both sides list, in rules that are mostly such a list."""
    listed: dict[str, Line] = {}
    for wanted in (Side.VIOLATES, Side.SAFE):
        for at, line in enumerate(rules):
            if line.side is not wanted or at in told:
                continue
            quoted = [" ".join(words(match)) for match in _QUOTED.findall(texts[at])]
            if sum(len(one.split()) for one in quoted) * 2 < len(words(texts[at])):
                continue
            for phrase in quoted:
                if wanted is Side.VIOLATES:
                    listed.setdefault(phrase, line)
                elif phrase in listed:
                    yield doc.finding(
                        "rule-contradiction", Severity.WARNING, (line.body, line.end),
                        f"The trigger {phrase!r} stands here on the allowed side and on line "
                        f"{listed[phrase].number + 1} on the violating side.",
                        reason="The same words decide both ways.", advice="Say in both rules what else must be there.",
                    )  # fmt: skip
                    break
