"""Examples in a policy's text, in the layouts that people use, and what they are answered with."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from studio.core.lint.document import CODE, Document, Line
from studio.core.lint.finding import Finding, Severity
from studio.core.lint.headings import Role, Side
from studio.core.lint.words import near_pairs, telling, words

_ARROW = re.compile(r"\s*(?:-{1,2}>|={1,2}>|\u2192|\u21d2|\u27f6|\u279c)\s*")
_ARROW_HEAD = re.compile("[-=]>|[\u2192\u21d2\u27f6\u279c]")
_ANSWER_KEY = re.compile(
    r"(?:^|[\s(\[*_|;,.\"”'-])[*_]*(?:(?:expected|correct|final)\s+)?(?:output|answer|label|classification"
    r"|verdict|decision|result|response|expected)[*_]*\s*:[*_]*\s*"
    r"|^\s*<(?:output|answer|label|classification|verdict|decision|expected)>\s*",
    re.IGNORECASE,
)
_CONTENT_KEY = re.compile(
    r"^[\s>*_\-+•\d.)]*(?:(?:example|sample)\s*\d*\s*[:.)-]?\s*)?[*_]*(?:input|content|text|post|message|user"
    r"|comment|example|prompt|review|query|transcript|caption|listing|scenario|case|reply|completion|item)\s*\d*[*_]*\s*:[*_]*\s*"
    r"|^\s*<(?:input|content|text|post|message|user|comment|query)>\s*",
    re.IGNORECASE,
)
_TRAILING = re.compile(
    r"\s*(?:[(\[]\s*(?P<inside>[^()\[\]\n]{1,40})\s*[)\]]"
    r"|[-–—:|]\s*[*_`]*(?P<bare>[A-Z][\w.-]{0,20}(?:,\s*[A-Z][\w.-]{0,20})?)[*_`]*)\s*[.|]?\s*$"
)
_BAD = re.compile(
    r"(?:invalid|violat(?:es|ing|ion)|unsafe|prohibited|disallowed|not allowed|remove|block|spam|yes violation)\b", re.I
)
_GOOD = re.compile(
    r"(?:valid|safe|allowed|allow|permitted|acceptable|not a violation|no violation|non-?\s?violat\w+"
    r"|does not violate|ok|fine|not spam|benign)\b",
    re.I,
)
_UP = re.compile(r"(?:escalate|needs?[_ ]review|review|manual review|human review)\b", re.I)
_JSON_SIDE = re.compile(r"[\"'](?:violation|violates|is_violation)[\"']\s*:\s*[\"']?(1|0|true|false)", re.I)
_JSON_LABEL = re.compile(r"[\"'](?:policy_category|category|label)[\"']\s*:\s*[\"']([\w.-]{1,20})[\"']", re.I)
_CLOSING = re.compile(r"\s*</[a-z]{2,20}>\s*$", re.IGNORECASE)
_SLOT = re.compile(r"\s*[\[{<$]\S[^\]}>\n]{0,60}[\]}>]+\s*$")
"""What a template left where the content was to stand is no example."""
_TRIVIAL = 5
"""Words in an allowed example up to which its words tell that it is far from the boundary."""


@dataclass(frozen=True, slots=True)
class Example:
    """One example and its place. ``answer`` is its answer's key (``sp2``, ``valid``; empty where none is told)."""

    start: int
    end: int
    content: str
    answer: str
    side: Side | None
    raw_answer: str = ""
    answer_at: int = 0


def read_examples(doc: Document) -> tuple[Example, ...]:
    """The examples of a document, in order."""
    return tuple(_find(doc))


def _find(doc: Document) -> Iterator[Example]:
    pending: tuple[Line, str] | None = None
    announced = False
    for line in doc.lines:
        if not line.text.strip() or line.is_noise:
            continue
        if announced and pending is not None and not line.text.lstrip().startswith("```"):
            yield _example(doc, pending[0], pending[1], line.text, line.start, line.end)
            pending, announced = None, False
            continue
        if line.heading is not None and line.heading.rest is None:
            pending, announced = None, False
            continue
        key = _CONTENT_KEY.match(line.text)
        answer = _ANSWER_KEY.search(line.text) if ":" in line.text or "<" in line.text else None
        if answer and _is_response(doc, line, answer):
            # What a model said is content too: alone, or behind the prompt that it answers.
            said = line.text[answer.end() :]
            pending = (line, said) if pending is None else (pending[0], f"{pending[1]}\n{said}")
            continue
        if pending and line.text.lstrip().startswith("{"):
            yield _example(doc, pending[0], pending[1], line.text, line.start, line.end)
            pending = None
            continue
        if answer and pending and not line.text[: answer.start()].strip(" \t*_->|"):
            announced = not line.text[answer.end() :].strip()
            if not announced:
                yield _example(
                    doc, pending[0], pending[1], line.text[answer.end() :], line.start + answer.end(), line.end
                )
                pending = None
            continue
        found = _on_line(doc, line, key.end() if key else 0)
        if found is not None:
            yield found
            pending = None
        elif key and key.group().strip() and line.text[key.end() :].strip() and not _SLOT.match(line.text, key.end()):
            if pending is not None and pending[0].role is Role.EXAMPLES:
                yield _example(doc, pending[0], pending[1], "", 0, pending[0].end)
            pending = (line, line.text[key.end() :])
    if pending is not None and pending[0].role is Role.EXAMPLES:
        yield _example(doc, pending[0], pending[1], "", 0, pending[0].end)


def _is_response(doc: Document, line: Line, answer: re.Match[str]) -> bool:
    """Whether "Response: ..." gives what a model said, instead of the verdict."""
    said = line.text[answer.end() :]
    return (
        line.role is Role.EXAMPLES
        and "response" in answer.group().casefold()
        and not line.text[: answer.start()].strip(" \t*_->|")
        and bool(said.strip())
        and not _is_answer(doc, said)
    )


def _on_line(doc: Document, line: Line, lead: int) -> Example | None:
    """The example that stands on one line with its answer, or in a section whose heading answers it."""
    text = line.text
    headed = _ARROW_HEAD.search(text) is not None
    arrows = [m for m in _ARROW.finditer(text) if text[: m.start()].strip(" -*|>")] if headed else []
    if (
        arrows
        and _is_answer(doc, text[arrows[-1].end() :])
        and (line.role is Role.EXAMPLES or _quotes(text[: arrows[-1].start()]))
    ):
        at = arrows[-1]
        first = max(lead, line.body - line.start)
        return _example(doc, line, text[first : at.start()], text[at.end() :], line.start + at.end(), line.end)
    if line.role is not Role.EXAMPLES or line.fenced:
        return None
    key = _ANSWER_KEY.search(text)
    if key and text[lead : key.start()].strip(" \t*_-|") and _is_answer(doc, text[key.end() :]):
        return _example(doc, line, text[lead : key.start()], text[key.end() :], line.start + key.end(), line.end)
    if text.lstrip().startswith("|"):
        return _row(doc, line)
    if not line.item and not _quotes(text):
        return None
    body = line.body - line.start
    code = CODE.match(text, body)
    if code and re.match(r"[\s*`_)\]]*[:|–—-]", text[code.end() :]):
        return _example(
            doc, line, text[code.end() :].lstrip(" *`_)]:|–—-"), code.group(), line.start + code.start(), line.end
        )
    word = re.match(
        r"[*_]*((?:in)?valid|(?:un)?safe|allowed|violates|violating|escalate|spam|not spam)[*_]*\s*[:–—-][*_]*\s*",
        text[body:],
        re.I,
    )
    if word:
        return _example(doc, line, text[body + word.end() :], word[1], line.start + body, line.end)
    tail = _TRAILING.search(text)
    if tail and _is_answer(doc, tail["inside"] or tail["bare"]) and text[: tail.start()].strip():
        where = tail.start("inside") if tail["inside"] else tail.start("bare")
        return _example(
            doc, line, text[body : tail.start()], tail["inside"] or tail["bare"], line.start + where, line.end
        )
    if (line.item and not lead) or text.strip()[:1] in '"“':
        return _example(doc, line, text[body:], "", 0, line.end)
    return None


def _row(doc: Document, line: Line) -> Example | None:
    """A table's row: the longest cell is the content, the first other cell that can be one is the answer."""
    cells = [cell.strip() for cell in line.text.strip().strip("|").split("|")]
    if len(cells) < 2 or not any(any(c.isalnum() for c in cell) for cell in cells):
        return None
    answers = [cell for cell in cells if _is_answer(doc, cell)]
    rest = [cell for cell in cells if cell not in answers[:1]]
    if not answers or not rest:
        return None
    return _example(doc, line, max(rest, key=len), answers[0], line.start + line.text.find(answers[0]), line.end)


def _quotes(text: str) -> bool:
    return any(mark in text for mark in '"“”«»`')


def _example(doc: Document, line: Line, content: str, answer: str, answer_at: int, end: int) -> Example:
    content, answer = _CLOSING.sub("", content), _CLOSING.sub("", answer)
    key, side = read_answer(doc, answer)
    start = line.start + len(line.text) - len(line.text.lstrip())
    return Example(
        start, end, content.strip().strip("\"“”'*_|").strip(), key,
        side or (None if key else line.side), answer.strip(), answer_at,
    )  # fmt: skip


def _is_answer(doc: Document, text: str) -> bool:
    key, side = read_answer(doc, text)
    return bool(key) and (side is not None or CODE.match(key.upper()) is not None or len(text.split()) <= 4)


def read_answer(doc: Document, text: str) -> tuple[str, Side | None]:
    """What an example is answered with: the key of the answer, and its side where that is known."""
    bare = text.strip().strip("*_`\"'.“”[]| ")
    if not bare:
        return "", None
    in_json, label = _JSON_SIDE.search(text), _JSON_LABEL.search(text)
    if label and not in_json and bare.startswith("{"):
        return label[1].casefold(), doc.sides.get(label[1].casefold())
    if in_json:
        side = Side.VIOLATES if in_json[1].casefold() in ("1", "true") else Side.SAFE
        return (label[1] if label else in_json[1]).casefold(), side
    code = CODE.match(bare)
    if code:
        name = (code["family"] + code["number"]).casefold()
        return name, doc.sides.get(name)
    for label_id, side in doc.sides.items():
        if bare.casefold() == label_id or bare.casefold().startswith((label_id + " ", label_id + ",")):
            return label_id, side
    if re.match(r"[01](?![\w.%])", bare):
        return bare[0], Side.VIOLATES if bare[0] == "1" else Side.SAFE
    for side, pattern in ((Side.SAFE, _GOOD), (Side.VIOLATES, _BAD), (Side.REVIEW, _UP)):
        match = pattern.match(bare)
        if match and (len(bare.split()) <= 4 or bare[match.end() : match.end() + 1] in "(,.;:-–— "):
            return match.group().casefold(), side
    capital = re.match(r"[A-Z][A-Z_]{2,20}\b", bare)
    return (capital.group().casefold(), None) if capital else ("", None)


def example_rules(doc: Document, found: tuple[Example, ...]) -> Iterator[Finding]:
    """Findings about the examples as a set."""
    yield from _twice(doc, found)
    if doc.is_demo:
        return
    yield from _one_sided(doc, found)


def _twice(doc: Document, found: tuple[Example, ...]) -> Iterator[Finding]:
    seen: dict[str, Example] = {}
    repeated = set()
    for one in found:
        key = " ".join(words(one.content))
        if not key:
            continue
        first = seen.setdefault(key, one)
        if first is one:
            continue
        repeated.add(one.start)
        line = doc.line_at(first.start).number + 1
        if (
            first.answer
            and one.answer
            and first.answer != one.answer
            and not (first.side is one.side and _kind(first) != _kind(one))
        ):
            yield doc.finding(
                "example-two-labels", Severity.ERROR, (one.start, one.end),
                f"The example of line {line} stands here again with another answer ({first.answer.upper()} and "
                f"{one.answer.upper()}).",
                reason="The model is shown that both answers are "
                    "right.", advice="Decide which one is right and delete the other.",
            )  # fmt: skip
        elif len(key.split()) > 1:
            yield _same(doc, one, line, "The same example stands on line {}.")
    pairs = near_pairs([telling(one.content) for one in found], 0.85, 5)
    for first_at, at in sorted(pairs):
        one, first = found[at], found[first_at]
        if one.start not in repeated and one.answer == first.answer:
            repeated.add(one.start)
            yield _same(doc, one, doc.line_at(first.start).number + 1, "This example says nearly the same as line {}.")


def _kind(one: Example) -> str:
    """Codes and words can both answer one example ("SP2", "INVALID"); that is no contradiction."""
    return "code" if any(c.isdigit() for c in one.answer) and len(one.answer) > 1 else "word"


def _same(doc: Document, one: Example, line: int, words_: str) -> Finding:
    return doc.finding(
        "example-duplicate", Severity.NOTE, (one.start, one.end), words_.format(line),
        reason="A second example of the same kind costs tokens and teaches nothing.",
        advice="Take a case from the other side of the boundary instead.",
    )  # fmt: skip


def _one_sided(doc: Document, found: tuple[Example, ...]) -> Iterator[Finding]:
    known = [one for one in found if one.side is not None]
    # A few whose answer is not understood hide nothing.
    told = known if len(known) > 2 and len(found) - len(known) <= len(known) // 3 else found
    sides = {one.side for one in told}
    if not found:
        return
    place = (found[0].start, found[0].end)
    if len(found) > 1 and sides in (
        {Side.VIOLATES},
        {Side.SAFE},
        {Side.VIOLATES, Side.REVIEW},
        {Side.SAFE, Side.REVIEW},
    ):
        which, other = ("violate", "allowed") if Side.VIOLATES in sides else ("are allowed", "violating")
        yield doc.finding(
            "examples-one-sided", Severity.WARNING, place, f"All examples that decide {which}; none is {other}.",
            reason="The model leans towards the answer that it sees; the guidance asks for both kinds.",
            advice=f"Add an {other} example that looks much like one of these."
            if other == "allowed" else f"Add a {other} example that looks much like one of these.",
        )  # fmt: skip
    elif len(found) < 3:
        yield doc.finding(
            "examples-few", Severity.NOTE, place,
            "There is one example only." if len(found) == 1 else "There are two examples only.",
            reason="The guidance asks for 4 to 6 short examples near the boundary, of both kinds.",
            advice="Add the cases that people would argue about.",
        )  # fmt: skip
    elif {Side.VIOLATES, Side.SAFE} <= sides:
        yield from _far(doc, found)


def _far(doc: Document, found: tuple[Example, ...]) -> Iterator[Finding]:
    """Short allowed examples that share no word with any rule or forbidden example: nobody would have flagged them.

    Words tell little about longer ones: those may be near the boundary by what they mean.
    """
    rules = [line.text for line in doc.lines if line.role is not Role.EXAMPLES]
    bad = telling(" ".join([*rules, *(one.content for one in found if one.side is not Side.SAFE)]))
    allowed = [one for one in found if one.side is Side.SAFE]
    if len(allowed) > 1 and all(
        0 < len(words(one.content)) <= _TRIVIAL and not telling(one.content) & bad for one in allowed
    ):
        yield doc.finding(
            "examples-far", Severity.NOTE, (allowed[0].start, allowed[0].end),
            "The allowed examples have nothing in common with what the policy forbids.",
            reason="Examples teach most near the boundary; these would not have been flagged anyway.",
            advice="Use allowed cases with the words or the look of violating ones.",
        )  # fmt: skip
