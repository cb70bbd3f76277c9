"""Rules about words: vague ones, what a template left, effort lines, and sentences that are too long."""

from __future__ import annotations

import re
from collections.abc import Iterator

from studio.core.lint.document import Document
from studio.core.lint.finding import Edit, Finding, Severity
from studio.core.lint.headings import Role

LONG_SENTENCE, VERY_LONG_SENTENCE = 55, 90
"""Words in one sentence. Plain-language advice ends at 25 to 30; twice that is where conditions get lost."""

_VAGUE = re.compile(
    r"(?<![\w-])(?:(?P<warn>generally|usually|typically|normally|(?<!more )(?<!how )(?<!as )(?<!too )often"
    r"|sometimes|in most cases|as appropriate"
    r"|(?:if|when|where) appropriate"
    r"|and so on|and so forth|etc\.?|mostly|for the most part)"
    r"|(?P<note>appropriate(?:ly)?|inappropriate(?:ly)?|reasonabl[ey](?! (?:person|reader|adult|observer|doubt"
    r"|suspicion|belief))"
    r"|as needed|(?:if|when|where) necessary|excessive(?:ly)?"
    r"|questionable|objectionable|offensive enough|too much|overly|somewhat|fairly|quite|kind of|sort of"
    r"|or similar|and the like"
    r"|use (?:your )?(?:best )?judge?ment|common sense|bad (?:taste|vibes))"
    r"|(?P<hedge>(?:may|might|could)\s+(?:also\s+|still\s+)?(?:be\s+(?:considered|treated|flagged|removed"
    r"|labell?ed|prohibited|allowed|disallowed|classified|acceptable|permitted|"
    r"violating|in violation|a violation)|violate|count\s+as)))(?![\w-])",
)
_DESCRIBES = re.compile(r"\b(?:not|never|no)\s+\Z", re.IGNORECASE)

_SLOT_NAMES = (
    r"(?:the |your )?(?:user[ _-]?)?(?:input|content|text|message|post|comment|prompt|query|conversation"
    r"|transcript|response|completion|document|item|data)"
    r"(?:[ _-]?(?:here|goes here|to (?:be )?(?:classif(?:y|ied)|review(?:ed)?|moderated?|judged?|analy[sz]ed?"
    r"|evaluated?|check(?:ed)?)))?"
)
_SLOT = re.compile(
    rf"\[\s*(?:{_SLOT_NAMES})\s*\](?!\()|\{{\{{[^{{}}\n]{{0,60}}\}}\}}|\$\{{[^{{}}\n]{{1,40}}\}}"
    rf"|\{{\s*(?:{_SLOT_NAMES})\s*\}}"
    rf"|<\s*(?:{_SLOT_NAMES})\s*>|%\((?:{_SLOT_NAMES})\)s|\{{%[^%\n]{{0,60}}%\}}",
    re.IGNORECASE,
)
_LEFT = re.compile(
    r"\[\s*(?:insert|missing|add|your|describe|list|fill|replace|specify|name of|policy name|platform name"
    r"|company(?: name)?|platform|community name|define|optional)\b[^\]\n]{0,80}\](?!\()"
    r"|<\s*(?:insert|add|your|fill in|replace)\b[^>\n]{0,60}>|<<[^<>\n]{1,60}>>"
    r"|(?<![\w-])(?:TO[D]O|TBD|FIX[M]E|TBC)(?![\w-])|\blorem ipsum\b|_{5,}|(?<![\w.])\?\?\?(?!\w)",
    re.IGNORECASE,
)
_TODO_WORDS = re.compile(r"(?:todo|tbd|fixme|tbc)\Z", re.IGNORECASE)
_XXX = re.compile(r"(?<![\w-])X{3}(?:-?\d)?(?![\w-])")
_ADULT = re.compile(r"porn|adult|sex|nud|explicit|erotic|rated|content|video|movie|site", re.IGNORECASE)
_ONLY_SLOT = re.compile(r"^\W*(?:[A-Za-z][A-Za-z ]{0,40}\s*:)?[*_\s]*\Z")

_EFFORT = re.compile(
    r"^[ \t>*_#-]*(?:set\s+)?(?:reasoning(?:[ _-]?(?:effort|level))?|(?:reasoning[ _-]?|thinking[ _-]?)?effort"
    r"|thinking)[*_]*\s*(?::|=|to)\s*[*_`\"]*(?P<how>low|medium|high|minimal)[*_`\".]*[ \t]*$"
    r"|(?<=[.!?:;,] )reasoning\s*[:=]\s*(?:low|medium|high)\b"
    r"|\b(?:reasoning[ _-]?effort|reasoning level)\s*(?:is|:|=|to)?\s*[\"'`]?(?:low|medium|high)\b",
    re.IGNORECASE | re.MULTILINE,
)
_SENTENCE_END = re.compile(r"[.!?;:](?=\s|$)|\n")
_WORD = re.compile(r"[^\W_]+")


def wording(doc: Document) -> Iterator[Finding]:
    """All findings of this family."""
    if doc.english:
        yield from _vague(doc)
    yield from _placeholders(doc)
    yield from _effort(doc)
    yield from _long(doc)


def _vague(doc: Document) -> Iterator[Finding]:
    prose = doc.prose
    for match in _VAGUE.finditer(doc.folded_prose):
        if doc.line_at(match.start()).role is Role.DEFINITIONS and not match["hedge"]:
            continue
        if _DESCRIBES.search(prose, max(0, match.start() - 8), match.start()):
            continue
        word = prose[match.start() : match.end()]
        if match.group().startswith("etc"):
            message, advice = (
                f"The list is left open with {word!r}.",
                "Write the whole list, or the rule that it stands for.",
            )
        elif match["hedge"]:
            message, advice = f"{word!r} leaves the decision open.", "Say when it does and when it does not."
        else:
            message, advice = f"{word!r} is vague.", "Say exactly when, or leave the word out."
        yield doc.finding(
            "vague-word", Severity.WARNING if match["warn"] else Severity.NOTE, match.span(), message,
            reason="The guidance asks to avoid such words: each reader, and each run of the model, draws the "
                "line elsewhere.",
            advice=advice,
        )  # fmt: skip


def _placeholders(doc: Document) -> Iterator[Finding]:
    text = doc.unquoted
    folded = doc.text.casefold()
    for match in _SLOT.finditer(text):
        tag = match.group()
        if tag.startswith("<") and f"</{tag[1:-1].strip().casefold()}>" in folded:
            continue
        yield _slot(doc, match)
    for match in _LEFT.finditer(text):
        line = doc.line_at(match.start())
        if _TODO_WORDS.match(match.group()) and not match.group().isupper():
            continue
        if match.group().startswith("_") and not line.text.strip("_ \t-*"):
            continue
        yield _left(doc, match)
    for match in _XXX.finditer(text):
        if not _ADULT.search(doc.line_at(match.start()).text):
            yield _left(doc, match)


def _slot(doc: Document, match: re.Match[str]) -> Finding:
    """A slot for the content; where the line holds nothing else, deleting the line is safe."""
    line = doc.line_at(match.start())
    rest = doc.text[line.start : match.start()] + doc.text[match.end() : line.end]
    fix = _whole_line(doc, match.start()) if _ONLY_SLOT.match(rest) else ()
    return doc.finding(
        "placeholder", Severity.ERROR, match.span(), f"The slot {match.group()} is left from a template.",
        reason="The content goes into its own message: the model would read the slot as it stands here.",
        advice="Delete it.", fix=fix,
    )  # fmt: skip


def _left(doc: Document, match: re.Match[str]) -> Finding:
    return doc.finding(
        "placeholder", Severity.ERROR, match.span(), f"{match.group()[:40]!r} is left from a template or a draft.",
        reason="The model reads it as a part of the policy.", advice="Write what belongs there, or delete it.",
    )  # fmt: skip


def _effort(doc: Document) -> Iterator[Finding]:
    for match in _EFFORT.finditer(doc.unquoted):
        start = match.start() + len(match.group()) - len(match.group().lstrip())
        alone = match["how"] is not None
        yield doc.finding(
            "effort-in-text", Severity.WARNING, (start, match.end()), "The effort is set inside the policy text.",
            reason="It belongs into the system message; here it has no effect and reads as a rule.",
            advice=f"Delete the line and choose the effort under Labels and answer (now {doc.policy.effort}).",
            fix=_whole_line(doc, start) if alone else (),
        )  # fmt: skip


def _whole_line(doc: Document, offset: int) -> tuple[Edit, ...]:
    """The edit that deletes a line with its end."""
    line = doc.line_at(offset)
    end = doc.lines[line.number + 1].start if line.number + 1 < len(doc.lines) else line.end
    return (Edit(line.start, end),)


def _long(doc: Document) -> Iterator[Finding]:
    prose = doc.unquoted
    for line in doc.lines:
        if (
            line.role is Role.EXAMPLES
            or line.fenced
            or line.text.lstrip().startswith("|")
            or line.end - line.start < 250
        ):
            continue
        at = line.start
        for match in [*_SENTENCE_END.finditer(prose, line.start, line.end), None]:
            end = match.end() if match else line.end
            count = len(_WORD.findall(doc.text, at, end)) if end - at > 250 else 0
            if count > LONG_SENTENCE and prose.count(",", at, end) * 4 < count:
                yield doc.finding(
                    "sentence-long", Severity.WARNING if count > VERY_LONG_SENTENCE else Severity.NOTE,
                    (at + len(prose[at:end]) - len(prose[at:end].lstrip()), end), f"This sentence has {count} words.",
                    reason="In a long sentence it is lost which condition belongs to what.",
                    advice="Split it: one condition a sentence, or a list.",
                )  # fmt: skip
            at = end
