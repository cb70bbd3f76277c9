"""Rules about the answer that the text asks for: competing forms, none at all, and a form other than the one set."""

from __future__ import annotations

import re
from collections.abc import Iterator

from studio.core.contract import carries_output, writes_contract
from studio.core.infer import infer
from studio.core.lint.document import CODE, Document, Line
from studio.core.lint.examples import Example
from studio.core.lint.finding import Finding, Severity
from studio.core.lint.headings import Role
from studio.core.policy import OutputForm, OutputPosition

_ASKS = re.compile(
    r"\b(?:return|answer|respond|reply|output|print|provide|produce|give|emit|write|state|classify|label (?:it"
    r"|the|each|as)|choose|select)\b"
    r"|^\W*[a-z ]{3,30}[(\[][^)\]\n]{3,60}[)\]]\s*:",
)
# Behind the examples, where their section has no end of its own, an order to answer still counts.
_ORDERS = re.compile(
    r"\W*(?:now\s+|please\s+|always\s+)?(?:answer|respond|reply|return|output)\s+(?:only|with|exactly|in|as"
    r"|using|strictly|a|the|one|json)\b"
    r"|\W*(?:output|answer|response)\s+format\b",
    re.IGNORECASE,
)
_OR = (
    r"[\"'`*\u201c\u201d\u2018\u2019]*\s*(?:\([^)\n]{0,60}\)\s*)?"
    r"(?:or|and|/|,|\||otherwise|else|if[^\n.]{1,60}?(?:,|;|or|and))\s*"
    r"(?:with\s+|return\s+|output\s+)?[\"'`*\u201c\u201d\u2018\u2019]*"
)
_Q = r"[\"'`*\u201c\u2018]*"


def _pair(one: str, other: str, flags: re.RegexFlag) -> re.Pattern[str]:
    return re.compile(rf"(?<![\w.]){_Q}(?:{one}{_OR}{other}|{other}{_OR}{one})(?![\w.]*\w)", flags)


_JSON = re.compile(r"\bjson\b|\{\s*[\"'\u201c]\w+[\"'\u201d]\s*:", re.IGNORECASE)
_FORMS: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("0 or 1", _pair("0", "1", re.IGNORECASE)),
    ("VALID or INVALID", _pair("VALID", "INVALID", re.IGNORECASE)),
    ("safe or unsafe", _pair("safe", "unsafe", re.IGNORECASE)),
    ("yes or no", _pair("yes", "no", re.IGNORECASE)),
    ("true or false", _pair("true", "false", re.IGNORECASE)),
    (
        "ALLOW or BLOCK",
        re.compile(
            r"\bALLOW(?:ED)?\b[^\n.]{0,30}\b(?:BLOCK(?:ED)?|REMOVED?|DENY)\b|\b(?:BLOCK(?:ED)?|REMOVED?"
            r"|DENY)\b[^\n.]{0,30}\bALLOW(?:ED)?\b"
        ),
    ),
)
_ONE_LABEL = re.compile(
    r"\b(?:return|answer|respond|reply|output|print|give|provide|choose|select)\b[^\n.]{0,24}\b(?:exactly one"
    r"|only one|one|a single|single|only the|just the)\s+"
    r"(?:\w+\s+){0,2}(?:label|code|category|id)s?\b(?!\s+of\b)",
    re.IGNORECASE,
)
_TWO_LABELS = re.compile(
    r"\b(?:gets?|receives?|assign(?:ed|s)?|given?|needs?|takes?)\b[^\n.]{0,20}\b(?:two|both|three) (?:\w+ )?"
    r"(?:labels?|codes?)\b"
    r"|\b(?:two|three) (?:\w+ )?(?:labels?|codes?) (?:per|for (?:each|every)|an) ",
    re.IGNORECASE,
)
_SAYS_LIST = re.compile(r"\b(?:return|answer|respond|reply|output|print)\b[^\n.]{0,20}(?:one of|with|:)", re.IGNORECASE)
_NEXT_SENTENCE = re.compile(r"(?<=[.!?])\s+(?=[A-Z])")
_FIELDS = re.compile(
    r"\b(?:violation|policy_category|rule_ids|rationale|confidence|field|key|value|is_\w+|reason)s?\b", re.IGNORECASE
)
_MATCHING = {
    "0 or 1": OutputForm.BINARY,
    "VALID or INVALID": OutputForm.VALID_INVALID,
    "one label": OutputForm.LABEL,
    "JSON": OutputForm.RATIONALE_JSON,
}
_JSON_FORMS = (OutputForm.RATIONALE_JSON, OutputForm.CATEGORY_JSON)


def answer_rules(doc: Document, found: tuple[Example, ...], *, alone: bool = False) -> Iterator[Finding]:
    """All findings of this family."""
    asked = tuple(_asked(doc))
    yield from _competing(doc, asked)
    if (
        doc.policy.position is OutputPosition.IN_TEXT
        and not asked
        and not carries_output(doc.text)
        and infer(doc.text).position is not OutputPosition.IN_TEXT
    ):
        yield doc.finding(
            "output-missing", Severity.ERROR, doc.top, "Nothing tells the model what to answer.",
            reason="The answer is set to stand in the text, and the text does not say it: answers then come in "
                "any form.",
            advice="Let the studio add the output instruction, or write one near the top and again before the "
                "examples.",
        )  # fmt: skip
    elif alone and not asked and not doc.is_demo and writes_contract(doc.policy):
        yield doc.finding(
            "output-missing", Severity.NOTE, doc.top, "The text does not say what to answer.",
            reason="The studio adds its own instruction; other tools send the text as it is, and answers then come in "
                "any form.",
            advice="Write the form of answer near the top and again before the examples, or leave it to the studio.",
        )  # fmt: skip
    yield from _told_otherwise(doc, asked)
    yield from _answered_otherwise(doc, asked, found)


def _asked(doc: Document) -> Iterator[tuple[str, int, int]]:
    """The forms that the text asks for, each with its place: JSON before all others on its line."""
    near_json = -1000
    for line in doc.lines:
        if (
            not line.text.strip()
            or line.is_noise
            or (line.role is Role.EXAMPLES and (line.item or not _ORDERS.match(line.text)))
        ):
            continue
        if (
            ("{" in line.text or "json" in line.text.lower())
            and _JSON.search(line.text)
            and (_asks(line) or "{" in line.text)
        ):
            if near_json < line.number - 8 or _asks(line):
                yield "JSON", line.body, line.end
            near_json = line.number
            continue
        if line.fenced:
            continue
        if _TWO_LABELS.search(line.text):
            yield "two labels", line.body, line.end
        for start, end in _sentences(line):
            form = _form_of(doc.text[start:end]) if _asks(line, start) else ""
            # The lines about a JSON object's fields say what may stand in it; they ask for no other answer.
            in_object = line.number - near_json <= 12 and (_FIELDS.search(line.text) or form == "one label")
            if form and not in_object:
                yield form, start, end


def _sentences(line: Line) -> Iterator[tuple[int, int]]:
    """The sentences of a line: a paragraph may ask for two forms."""
    at = line.body
    for match in _NEXT_SENTENCE.finditer(line.text, at - line.start):
        yield at, line.start + match.start()
        at = line.start + match.end()
    yield at, line.end


def _form_of(text: str) -> str:
    """The form of answer, other than JSON, that a sentence names; empty when it names none."""
    form = next((name for name, pattern in _FORMS if pattern.search(text)), "")
    if not form and (_ONE_LABEL.search(text) or (_says_list(text) and len(CODE.findall(text)) > 1)):
        return "one label"
    return form


def _asks(line: Line, start: int = 0) -> bool:
    return line.role is Role.OUTPUT or _ASKS.search(line.text.lower(), max(0, start - line.start)) is not None


def _says_list(text: str) -> bool:
    return _SAYS_LIST.search(text) is not None


def _competing(doc: Document, asked: tuple[tuple[str, int, int], ...]) -> Iterator[Finding]:
    """Every form after the first that is another."""
    if not asked:
        return
    first = asked[0]
    told = {first[0]}
    for form, start, end in asked[1:]:
        if form in told or {form, first[0]} == {"one label", "VALID or INVALID"} and _codes_decide(doc):
            continue
        if "two labels" in (form, first[0]) and {form, first[0]} & {"one label", "JSON"}:
            continue
        told.add(form)
        yield doc.finding(
            "output-competing", Severity.ERROR, (start, end),
            f"This asks for {form}; line {doc.line_at(first[1]).number + 1} asks for {first[0]}.",
            reason="With two forms of answer the model mixes them, and answers can no longer be read for sure.",
            advice="Keep one form, near the top and again before the examples.",
        )  # fmt: skip


def _codes_decide(doc: Document) -> bool:
    """Whether labels are said to be VALID or INVALID: then the text explains the one form by the other."""
    return re.search(r"(?:\d|\))\W{0,12}\b(?:IN)?VALID\b", doc.unquoted) is not None and bool(doc.policy.labels)


def _told_otherwise(doc: Document, asked: tuple[tuple[str, int, int], ...]) -> Iterator[Finding]:
    """The text asks for one form and the policy is set to another."""
    names = {form for form, _, _ in asked}
    if len(names) != 1 or not carries_output(doc.text):
        return
    wanted, form = _MATCHING.get(asked[0][0]), doc.policy.form
    if wanted is None or wanted is form or (wanted in _JSON_FORMS and form in _JSON_FORMS):
        return
    if infer(doc.text).form is form:
        return
    yield doc.finding(
        "output-mismatch", Severity.ERROR, asked[0][1:], f"The text asks for {asked[0][0]}, and the policy is "
            f"set to {form.value}.",
        reason="Answers are read by the form that is set; these would not be understood.",
        advice="Choose the same form under Labels and answer.",
    )  # fmt: skip


def _answered_otherwise(
    doc: Document, asked: tuple[tuple[str, int, int], ...], found: tuple[Example, ...]
) -> Iterator[Finding]:
    """Examples that are answered in another form than the one that the text asks for."""
    names = {form for form, _, _ in asked}
    if len(names) != 1:
        return
    wanted = next(iter(names))
    for one in found:
        kind = _kind(one.raw_answer)
        if kind and kind != wanted and wanted in ("0 or 1", "VALID or INVALID", "JSON", "one label") and not (
            wanted == "JSON" and kind != "0 or 1"
        ) and not (wanted == "one label" and doc.policy.labels and kind != "JSON" and kind != "0 or 1"):  # fmt: skip
            yield doc.finding(
                "output-competing", Severity.ERROR, (one.answer_at, one.end),
                f"This example is answered in another form; line {doc.line_at(asked[0][1]).number + 1} asks for "
                f"{wanted}.",
                reason="Examples are followed before instructions: the model will answer so too.",
                advice="Answer the examples in the form that the policy asks for.",
            )  # fmt: skip
            return


def _kind(answer: str) -> str:
    bare = answer.strip().strip("*_`\"'.“”| ")
    if bare.startswith("{"):
        return "JSON"
    if re.fullmatch(r"[01](?:\s*[(:,–—-].*)?", bare):
        return "0 or 1"
    if re.match(r"(?:IN)?VALID\b", bare):
        return "VALID or INVALID"
    return ""
