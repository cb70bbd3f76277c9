"""The removable parts of a policy and of a content: take one away, judge again, and see what decided.

A rule is an item of a list or table, or a headed block of a label; an example is one entry under Examples; a paragraph
is a block of plain lines. Each part is whole lines, so that the text without it is still a policy. Headings alone and
the output instruction are no parts: without them it is another task, not the same one with less to go by. Labels and
form stay as they are, so that the answers that are possible stay the same.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum

from studio.core.content import Content
from studio.core.lint.document import CODE, Document, Line
from studio.core.lint.examples import read_examples
from studio.core.lint.headings import Role
from studio.core.policy import ContentKind, Policy

LONG_TOKENS = 600
"""From this length on paragraphs are parts too: the upper end of what the guidance calls optimal. Where a policy has
fewer than two rules its paragraphs are all that can be taken away, whatever its length."""
_NAME_LENGTH = 72
_WORD = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]|[^\s\u3040-\u30ff\u3400-\u9fff]+")
_SENTENCE = re.compile(r"[^.!?。！？\n]*(?:[.!?。！？]+[\"'”’»)\]]*|\n|$)")
_MARKS = re.compile(r"^[\s>*+\-•–|#]+")
_NO_RULES = (Role.PRECEDENCE, Role.INSTRUCTION, Role.DEFINITIONS)
_TABLE_LINE = re.compile(r"^[ \t|:-]*-[ \t|:-]*$")


class PartKind(StrEnum):
    """What kind of part of a policy it is."""

    RULE = "rule"
    EXAMPLE = "example"
    PARAGRAPH = "paragraph"


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a policy's text: whole lines from ``start`` to ``end`` in characters, ``line`` counted from 1.

    ``name`` is its code (``SP2.b``) where it begins with one, else its first words.
    """

    kind: PartKind
    start: int
    end: int
    line: int
    name: str
    text: str


class Unit(StrEnum):
    """What a content is taken apart into."""

    WORDS = "words"
    SENTENCES = "sentences"


@dataclass(frozen=True, slots=True)
class Piece:
    """A word or sentence of a content, at ``start`` to ``end`` of its text; ``turn`` is the turn of a conversation.

    Of a completion the response is taken apart, since that is what is judged; ``turn`` is 0 there and for messages.
    """

    turn: int
    start: int
    end: int
    text: str


def parts_of(policy: Policy) -> tuple[Part, ...]:
    """The parts in the text's order. Rules may lie inside a label's block, which is a part as well."""
    doc = Document(policy)
    examples = [*_examples(doc)]
    taken = {line for part in examples for line in _lines(doc, part)}
    rules = [*_blocks(doc), *_items(doc, taken)]
    found = {(part.start, part.end): part for part in (*rules, *examples)}
    if doc.tokens > LONG_TOKENS or len(rules) < 2:
        taken |= {line for part in found.values() for line in _lines(doc, part)}
        for part in _paragraphs(doc, taken):
            found.setdefault((part.start, part.end), part)
    whole = len(policy.text.strip())
    return tuple(
        found[place] for place in sorted(found, key=lambda at: (at[0], -at[1])) if len(found[place].text) < whole
    )


def without(policy: Policy, part: Part) -> Policy:
    """The policy without that part of its text; all else stays."""
    return replace(policy, text=policy.text[: part.start] + policy.text[part.end :])


def pieces_of(content: Content, unit: Unit) -> tuple[Piece, ...]:
    """The words or sentences of what is judged, in order; none when there is only one: nothing would be left."""
    pieces = [
        Piece(turn, match.start(), match.end(), match.group().strip())
        for turn, text in enumerate(_texts(content))
        for match in (_WORD if unit is Unit.WORDS else _SENTENCE).finditer(text)
        if match.group().strip()
    ]
    return tuple(pieces) if len(pieces) > 1 else ()


def without_piece(content: Content, piece: Piece) -> Content:
    """The content without that word or sentence, and without the white space that would stay double."""
    text = _texts(content)[piece.turn]
    before, after = text[: piece.start], text[piece.end :]
    if not after.strip():
        before = before.rstrip()
    elif not before or before[-1].isspace():
        after = after.lstrip(" \t")
    left = before + after
    if content.kind is ContentKind.MESSAGE:
        return Content.message(left)
    if content.kind is ContentKind.COMPLETION:
        return Content.completion(content.prompt, left)
    turns = [replace(turn, text=left) if at == piece.turn else turn for at, turn in enumerate(content.turns)]
    return Content.conversation(tuple(turns))


def _texts(content: Content) -> tuple[str, ...]:
    if content.kind is ContentKind.CONVERSATION:
        return tuple(turn.text for turn in content.turns)
    return (content.text if content.kind is ContentKind.MESSAGE else content.response,)


def _examples(doc: Document) -> Iterator[Part]:
    spans = [
        (doc.line_at(example.start), doc.line_at(max(example.start, example.end - 1)).number + 1)
        for example in read_examples(doc)
    ]
    begins = {first.number for first, _ in spans}
    for first, end in spans:
        # Elsewhere an example stands inside its rule's line, and goes with it.
        if first.role is not Role.EXAMPLES:
            continue
        while end < len(doc.lines) and end not in begins and _runs_on(first, doc.lines[end]):
            end += 1
        yield _part(doc, PartKind.EXAMPLE, first.number, end)


def _runs_on(first: Line, line: Line) -> bool:
    """Whether a line under an example belongs to it, such as its answer on a line of its own."""
    if not line.text.strip() or line.heading is not None:
        return False
    return not line.item or _indent(line) > _indent(first)


def _blocks(doc: Document) -> Iterator[Part]:
    """The headed blocks of labels: a heading that begins with a code, up to the next heading of its level."""
    for line in doc.lines:
        if line.heading is None or line.role in (Role.EXAMPLES, Role.OUTPUT) or not _code(line):
            continue
        level = line.heading.level
        after = (o.number for o in doc.lines[line.number + 1 :] if o.heading is not None and o.heading.level <= level)
        yield _part(doc, PartKind.RULE, line.number, next(after, len(doc.lines)))


def _items(doc: Document, taken: set[int]) -> Iterator[Part]:
    """The items of lists and tables outside the examples, each with the lines that go on with it or stand deeper."""
    for line in doc.lines:
        if not _is_item(doc, line) or line.number in taken:
            continue
        end = line.number + 1
        while end < len(doc.lines) and _goes_on(doc, line, doc.lines[end]):
            end += 1
        yield _part(doc, PartKind.RULE, line.number, end)


def _is_item(doc: Document, line: Line) -> bool:
    if not line.item or line.heading is not None or line.fenced or line.role in (Role.EXAMPLES, Role.OUTPUT):
        return False
    following = doc.lines[line.number + 1].text if line.number + 1 < len(doc.lines) else ""
    head_of_table = line.text.lstrip().startswith("|") and _TABLE_LINE.match(following) is not None
    return not head_of_table and any(char.isalnum() for char in line.text)


def _goes_on(doc: Document, item: Line, line: Line) -> bool:
    """Whether the line belongs to the item before it: a line that runs on, or one that stands deeper."""
    if not line.text.strip() or line.heading is not None:
        return False
    return _indent(line) > _indent(item) or not _is_item(doc, line)


def _paragraphs(doc: Document, taken: set[int]) -> Iterator[Part]:
    begun: int | None = None
    for line in doc.lines:
        plain = bool(line.text.strip()) and line.heading is None and line.role is not Role.OUTPUT
        if plain and line.number not in taken:
            begun = line.number if begun is None else begun
        elif begun is not None:
            yield _part(doc, PartKind.PARAGRAPH, begun, line.number)
            begun = None
    if begun is not None:
        yield _part(doc, PartKind.PARAGRAPH, begun, len(doc.lines))


def _part(doc: Document, kind: PartKind, first: int, end: int) -> Part:
    """The lines from ``first`` to before ``end``, without blank ones at the end."""
    while end > first + 1 and not doc.lines[end - 1].text.strip():
        end -= 1
    start = doc.lines[first].start
    stop = doc.lines[end].start if end < len(doc.lines) else len(doc.text)
    text = doc.text[start:stop]
    line = doc.lines[first]
    # Elsewhere a line may begin with a code that it only speaks of: "SP0.d overrides SP2".
    code = "" if kind is not PartKind.RULE or line.role in _NO_RULES else _code(line)
    return Part(kind, start, stop, first + 1, code or _words(text), text.strip())


def _lines(doc: Document, part: Part) -> range:
    return range(part.line - 1, doc.line_at(max(part.start, part.end - 1)).number + 1)


def _indent(line: Line) -> int:
    return len(line.text) - len(line.text.lstrip())


def _code(line: Line) -> str:
    match = CODE.match(line.text, line.body - line.start)
    return match.group() if match else ""


def _words(text: str) -> str:
    flat = " ".join(_MARKS.sub("", text).split())
    return flat if len(flat) <= _NAME_LENGTH else flat[: _NAME_LENGTH - 1].rstrip() + "…"
