"""Rules about the whole: the sections that the guidance asks for, precedence, escalation, length."""

from __future__ import annotations

import re
from collections.abc import Iterator

from studio.core.contract import carries_output
from studio.core.lint.document import Document, Line
from studio.core.lint.examples import Example
from studio.core.lint.finding import Finding, Severity
from studio.core.lint.headings import Heading, Role, Side

SHORT, LONGEST_PUBLISHED, UPPER = 150, 2_260, 10_000
"""Tokens. The guidance calls 400 to 600 optimal and about 10,000 still usable; published policies run to 2,260."""

_INSTRUCTS = re.compile(
    r"\b(?:you are|your (?:task|job|role)|act as|decide (?:whether|if|how|which|what|for (?:each|every|the))"
    r"|determine (?:whether|if)|classify"
    r"|judge|evaluate"
    r"|assess|analy[sz]e (?:the|each|this)|label (?:the|each|this|all)|review (?:the|each) (?:\w+ )?(?:content"
    r"|message|post|text|input|conversation)"
    r"|flag (?:content|any|the|all)|check (?:whether|if)|identify (?:whether|if|content)|du bist|entscheide"
    r"|beurteile|tu es|vous êtes|décide[zr]?"
    r"|eres|decide si|clasifica|você é|classifique|sei un|valuta)\b",
)
_ALLOWS = re.compile(
    r"\b(?:(?:is|are|stays?|remains?) (?:\w+ )?(?:allowed|permitted|permissible|acceptable|fine|ok|okay|safe|welcome)"
    r"|(?:do|does|is|are) not (?:a )?violat\w*"
    r"|not (?:a )?violation|(?:is|are) exempt|(?:do|does) not (?:apply|cover|include)|you (?:may|can)\b|we allow"
    r"|allowed\b|permitted\b|except\w*|(?:that|which|posts?|comments?|messages?|content) stays?\b)",
)
_FORBIDS = re.compile(
    r"\b(?:violat\w+|prohibit\w*|forbid\w*|forbidden|not (?:be )?(?:allowed|permitted|tolerated|acceptable"
    r"|welcome)|banned|remove[ds]?|(?:do not|don't|never|no) \w+|disallow\w*"
    r"|unsafe|invalid)\b",
)
_ESCALATES = re.compile(
    r"escalat|\b(?:manual(?:ly)?|human|second|moderator|expert|specialist|legal|senior) review|\breview(?:er"
    r"|ed by|ers)?\b(?=[^\n.]{0,40}\b(?:decid|queue|human|person|team|moderator))"
    r"|\b(?:needs?|for|to|require[sd]?|flag\w*|send\w*|route[sd]?|mark\w*|refer\w*|queue[sd]?)\b[^\n.]{0,24}\breview\b"
    r"|\b(?:person|human|moderator|warden|specialist|team|lead|editor|reviewer|supervisor|officer|analyst)s?\b[^\n.]{0,30}\b(?:decides?|reviews?|checks?"
    r"|goes|needed|looks? at|sees?|reads?|handles?|takes over)"
    r"|\b(?:go(?:es)?|sen[dt]s?) to (?:a|an|the|our) (?:\w+ ){0,2}"
    r"(?:counsell?or|police|authorities|council|board|staff)\b"
    r"|\b(?:go(?:es)?|sen[dt]s?|refer(?:red)?|hand(?:ed)?(?: over)?|report(?:ed)?|pass(?:ed)?|ask|rules?"
    r"|one) (?:\w+ ){0,2}(?:to|for)? ?(?:a|an|the|our) (?:\w+ ){0,2}(?:person|human|moderator|specialist|team"
    r"|lead|admin|editor|reviewer|supervisor|officer)"
    r"|\b(?:decid\w+|review\w*|check\w*|settle\w*|handle\w*|judged) by (?:a|an|the|our) (?:\w+ ){0,2}"
    r"(?:person|human|moderator|specialist|team|lead|editor|reviewer|supervisor|officer|analyst)"
    r"|\bcontact (?:a|the|our) (?:\w+ )?(?:moderators?|admins?|team)|\bneeds?[_ ](?:review|a person)\b",
)
_APPEALS = re.compile(r"\bappeals?\b|\bgot it wrong\b|\bmistake\b|\bdisagree with\b")
# One of these is in every line that the pattern finds: looking for them first is ten times as fast.
_ESCALATE_STEMS = (
    "escalat", "review", "person", "human", "moderator", "warden", "specialist", "team", "lead", "editor",
    "supervisor", "officer", "analyst", "admin", "counsel", "police", "authorit", "council", "board", "staff",
)  # fmt: skip
_PRECEDES = re.compile(
    r"\b(?:precedence|priorit\w+|overrid\w+|trumps?|prevails?|supersedes?|outranks?|outweighs?|beats?|wins?"
    r"|stricter|read both ways|either way|win over|tie-?break\w*"
    r"|(?:most|more) (?:severe|serious|restrictive|specific)|(?:highest|higher|strictest"
    r"|worst)\b[^\n.]{0,24}\b(?:severity|level|label|category|code|rule|number|applies|wins)"
    r"|highest[- ](?:severity|applicable|matching)|first (?:match|rule that|of this order|that applies)"
    r"|in (?:this|the following) order|(?:goes|go|comes?) (?:first|before)|order of (?:importance|severity)"
    r"|(?:if|when|where) (?:\w+ ){0,3}(?:several|multiple|both|more than one|two)\b|(?:if|when) (?:rules"
    r"|criteria|labels|categories) (?:conflict|overlap|meet|clash)|in case of conflict|(?:if|when) (?:unsure"
    r"|in doubt|torn)|in doubt)",
)


_CASE = re.compile(
    r"[\"\u201c\u00ab\u201e][^\"\u201c\u201d\u00bb\n]*\w[^\w\n]+\w[^\"\u201c\u201d\u00bb\n]*[\"\u201c\u201d\u00bb]"
)
_FEW_CRITERIA = 3


def sections(doc: Document, found: tuple[Example, ...]) -> Iterator[Finding]:
    """All findings of this family."""
    yield from _empty(doc)
    yield from _length(doc)
    if doc.is_demo:
        # The demo model's small world needs neither the advice on completeness nor on length: it is no moderation.
        return
    if not doc.english:
        yield doc.finding(
            "language-unchecked", Severity.NOTE, doc.top,
            "Some checks read English only, and this text is not English.",
            reason="Missing sections, precedence, a way to escalate and vague words are told by English words. All "
                "other checks were made.",
            advice="Look for these four yourself.",
        )  # fmt: skip
        return
    yield from _missing(doc, found)
    yield from _paths(doc)


def _length(doc: Document) -> Iterator[Finding]:
    tokens, about = doc.tokens, "" if doc.exact_tokens is not None else "about "
    advice = "Aim for 400 to 600 tokens; split a policy that covers several subjects."
    if tokens > UPPER:
        yield doc.finding(
            "length-too-long", Severity.WARNING, doc.top,
            f"The policy is {about}{tokens:,} tokens long.",
            reason="Beyond about 10,000 tokens the guidance no longer promises reasonable answers.", advice=advice,
        )  # fmt: skip
    elif tokens > LONGEST_PUBLISHED:
        yield doc.finding(
            "length-long", Severity.NOTE, doc.top,
            f"The policy is {about}{tokens:,} tokens long.",
            reason="400 to 600 tokens are called optimal; published policies stay below about 2,260.", advice=advice,
        )  # fmt: skip
    elif tokens < SHORT and not doc.is_demo and doc.text.strip():
        yield doc.finding(
            "length-short", Severity.NOTE, doc.top,
            f"The policy is only {about}{tokens:,} tokens long.",
            reason="400 to 600 tokens are called optimal: what the text leaves open, the model fills in by itself.",
            advice="Add definitions, criteria on both sides and examples near the boundary.",
        )  # fmt: skip


def _missing(doc: Document, found: tuple[Example, ...]) -> Iterator[Finding]:
    roles = {line.role for line in doc.lines if line.heading is not None}
    sides = {line.side for line in doc.lines if line.side is not None and line.text.strip()}
    prose = doc.prose
    if Role.INSTRUCTION not in roles and not _INSTRUCTS.search(doc.folded) and not carries_output(doc.text):
        yield _lacks(doc, "section-instruction", "instruction", "tell the model what to decide about what",
                     "Begin with what the model is to decide, such as: Decide whether a post is spam.")  # fmt: skip
    if Role.DEFINITIONS not in roles and not re.search(
        r"\b(?:means|includes?|refers to|is defined as|we define|defined as|by [\"\u201c]?\w+[\"\u201d]? we mean)\b",
        prose,
        re.IGNORECASE,
    ):
        yield _lacks(doc, "section-definitions", "definitions", "say what the terms of its rules mean",
                     "Define the terms that decide, each in one line.", Severity.NOTE)  # fmt: skip
    criteria = sum(line.role is Role.CRITERIA and line.heading is None and _says(line) for line in doc.lines)
    if Side.VIOLATES not in sides and not _FORBIDS.search(doc.folded_prose) and criteria < _FEW_CRITERIA:
        yield _lacks(doc, "section-violates", "criteria for what violates", "say what violates it",
                     "List what violates, one checkable rule a line.")  # fmt: skip
    if Side.SAFE not in sides and not _ALLOWS.search(doc.folded_prose):
        yield _lacks(doc, "section-safe", "criteria for what is safe", "say what is allowed",
                     "List what looks similar and is allowed: without it the model flags too much.")  # fmt: skip
    if Role.EXAMPLES not in roles and not found and _rules_with_quotations(doc) < _FEW_CRITERIA:
        yield _lacks(doc, "section-examples", "examples", "show a decided case",
                     "Add 4 to 6 short examples near the boundary, of both kinds, each with its answer.")  # fmt: skip


def _rules_with_quotations(doc: Document) -> int:
    """How many rules bring a case of their own: a quotation of some words."""
    return sum(line.item and _CASE.search(line.text) is not None for line in doc.lines)


def _lacks(
    doc: Document, rule: str, what: str, does: str, advice: str, severity: Severity = Severity.WARNING
) -> Finding:
    return doc.finding(
        rule, severity, doc.top, f"There are no {what}." if what != "instruction" else "There is no instruction.",
        reason=f"The guidance asks for a section that does this; nothing in the text seems to {does}.", advice=advice,
    )  # fmt: skip


def _empty(doc: Document) -> Iterator[Finding]:
    """Sections with a heading and nothing under it, and rules with a code and no words."""
    headed = [line for line in doc.lines if line.heading is not None and line.heading.rest is None]
    for place, line in enumerate(headed):
        found = line.heading
        following = headed[place + 1] if place + 1 < len(headed) else None
        if found is None or found.role is None or (following is not None and _goes_on(found, following.heading)):
            continue
        if _is_empty(doc, line, following.number if following else len(doc.lines)):
            yield doc.finding(
                "section-empty", Severity.WARNING, (line.body, line.end),
                f"The section {found.title[:60]!r} is empty.",
                reason="A heading without text tells the model nothing, and readers think that something was lost.",
                advice="Fill the section or take the heading out.",
            )  # fmt: skip
    for line in doc.lines:
        if line.item and line.label and re.fullmatch(r"[\w.-]+[*_`)\]]*\s*:[*_`]*\s*", doc.text[line.body : line.end]):
            following = next((other for other in doc.lines[line.number + 1 :] if other.text.strip()), None)
            if (
                following is None
                or following.heading is not None
                or following.label != line.label
                or following.text[:1] not in " \t-*"
            ):
                yield doc.finding(
                    "rule-empty", Severity.WARNING, (line.body, line.end), "This rule has a code and no words.",
                    reason="The model may answer with the code, and nothing says what it means.",
                    advice="Write the rule or take the line out.",
                )  # fmt: skip


def _is_empty(doc: Document, line: Line, until: int) -> bool:
    """Whether nothing stands between a heading and the next one; a tag may hold tags, up to its closing one."""
    if line.text.lstrip().startswith("<"):
        following = next((other.text.strip() for other in doc.lines[line.number + 1 :] if other.text.strip()), "</")
        return following.startswith("</")
    return not any(_says(other) for other in doc.lines[line.number + 1 : until])


def _goes_on(found: Heading, following: Heading | None) -> bool:
    """Whether the next heading stands under this one: deeper, or one side of the criteria that this one announces."""
    if following is None:
        return False
    announces = found.role is Role.CRITERIA and found.side is None
    return following.level > found.level or (announces and following.role is not Role.EXAMPLES)


def _says(line: Line) -> bool:
    return any(char.isalnum() for char in line.text)


def _escalates(doc: Document) -> bool:
    for line in doc.lines:
        # A field or an answer that a rule quotes can be the way to escalate; what an example quotes is content.
        folded = doc.folded[line.start : line.end] if line.role is Role.EXAMPLES else line.text.lower()
        if (
            any(stem in folded for stem in _ESCALATE_STEMS)
            and _ESCALATES.search(folded)
            and not _APPEALS.search(folded)
        ):
            return True
    return False


def _paths(doc: Document) -> Iterator[Finding]:
    """What happens to the ambiguous, and what wins where criteria meet."""
    sides = [side for side in doc.sides.values()]
    lined = {line.side for line in doc.lines if line.item or line.heading}
    if Side.REVIEW not in sides and Side.REVIEW not in lined and not _escalates(doc):
        yield doc.finding(
            "escalation-missing", Severity.WARNING, doc.top, "There is no way to escalate what is ambiguous.",
            reason="The guidance asks for a path to manual review; without one the model has to guess.",
            advice='Add a label that means "a person decides", and say when it applies.',
        )  # fmt: skip
    several = sides.count(Side.VIOLATES) > 1
    rules = [line for line in doc.lines if line.item and line.role is not Role.EXAMPLES]
    both = any(r.side is Side.VIOLATES for r in rules) and any(r.side is Side.SAFE for r in rules)
    headed = any(line.role is Role.PRECEDENCE for line in doc.lines)
    if (several or both) and not headed and not _PRECEDES.search(doc.folded):
        what = "several labels can apply" if several else "a rule that forbids and a rule that allows both apply"
        yield doc.finding(
            "precedence-missing", Severity.WARNING if several else Severity.NOTE, doc.top,
            f"Nothing says what wins when {what}.",
            reason="Where criteria meet, the model chooses by itself, and not always the same way.",
            advice="State the order, such as: If several rules are met, the most severe label applies.",
        )  # fmt: skip
