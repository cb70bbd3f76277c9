"""Records of JSON files: one object a line, an array of objects, or objects deeper inside one document.

Lines and arrays are streamed. A document of another build is read whole, up to a limit.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, TextIO

from studio.core.errors import InputError
from studio.exchange.labelled.encoding import is_damaged
from studio.exchange.labelled.records import Record, Skipped

_BLOCK = 1 << 16
_LONGEST = 64 * 1024 * 1024
_WHOLE = 512 * 1024 * 1024
_DEEPEST = 4
_DECODER = json.JSONDecoder()
_SPACE = " \t\r\n"
_DAMAGED = "it has bytes that do not belong to the file's encoding"


def records(stream: TextIO, name: str) -> Iterator[Record | Skipped]:
    """All records. Numbers are lines in JSON lines, else places in the list. Raises InputError for no JSON at all."""
    first = _first_line(stream)
    if first.startswith("["):
        stream.seek(0)
        yield from _array(stream)
        return
    if _is_object(first) and _has_more(stream):
        stream.seek(0)
        yield from _lines(stream)
        return
    stream.seek(0)
    yield from _document(stream, name)


def record(number: int, value: Any, raw: str | None = None) -> Record | Skipped:
    """One JSON value as a record: objects within objects become dotted columns, lists stay as they are."""
    text = json.dumps(value, ensure_ascii=False, default=str) if raw is None else raw
    if is_damaged(text):
        return Skipped(number, _DAMAGED)
    if isinstance(value, dict):
        return Record(number, flat(value), text) if value else Skipped(number, "it is empty")
    if isinstance(value, list):
        return Record(number, {f"column {place}": cell for place, cell in enumerate(value, 1)}, text)
    if isinstance(value, str) and value.strip():
        return Record(number, {"text": value}, text)
    return Skipped(number, "it is neither an object nor a text")


def flat(value: Mapping[str, Any], prefix: str = "", depth: int = 1) -> dict[str, Any]:
    """An object with its inner objects' fields as ``outer.inner``."""
    found: dict[str, Any] = {}
    for key, inner in value.items():
        name = f"{prefix}{str(key).strip(chr(0xFEFF))}"
        if isinstance(inner, dict) and inner.keys() == {"choices"}:
            found[name] = inner["choices"]  # as Label Studio writes several choices of one person
        elif isinstance(inner, dict) and inner and depth < _DEEPEST:
            found.update(flat(inner, f"{name}.", depth + 1))
        else:
            found[name] = inner
    return found


def loads(text: str) -> Any:
    """JSON of any shape. Raises ValueError in words, also for what is nested too deeply."""
    try:
        return json.loads(text)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error


def _first_line(stream: TextIO) -> str:
    while line := stream.readline(_LONGEST):
        text = line.strip("\ufeff" + _SPACE)
        if text:
            return text
    return ""


def _is_object(text: str) -> bool:
    try:
        return isinstance(loads(text), dict)
    except ValueError:
        return False


def _has_more(stream: TextIO) -> bool:
    """Whether another line says anything; a single object is a document and may hold its records inside."""
    return bool(_first_line(stream))


def _lines(stream: TextIO) -> Iterator[Record | Skipped]:
    number = 0
    while line := stream.readline(_LONGEST):
        number += 1
        text = line.strip("\ufeff" + _SPACE)
        if not text:
            continue
        try:
            yield record(number, loads(text), text)
        except ValueError as error:
            yield Skipped(number, f"it is not JSON: {_told(error)}: {text[:60]}")


def _array(stream: TextIO) -> Iterator[Record | Skipped]:
    """The elements of a top-level array, read as they come; or, when more follows it, one array a line."""
    text = _Text(stream)
    text.skip("[")
    number = 0
    while True:
        mark = text.peek()
        if mark == ",":
            text.skip(",")
            continue
        if mark in ("]", ""):
            if not mark:
                yield Skipped(number + 1, "the file ends in the middle of its list")
            break
        number += 1
        try:
            yield record(number, text.value())
        except ValueError as error:
            yield Skipped(number, f"from here on it is not JSON: {_told(error)}: {text.start()}")
            return
    if mark:
        text.skip("]")
        if text.peek():
            yield Skipped(number + 1, f"more follows the list and was not read: {text.start()}")


class _Text:
    """A stream of characters out of which JSON values are taken one by one."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._text = ""
        self._at = 0

    def peek(self) -> str:
        """The next character that is no space; empty at the end."""
        while True:
            while self._at < len(self._text) and self._text[self._at] in _SPACE + "\ufeff":
                self._at += 1
            if self._at < len(self._text):
                return self._text[self._at]
            if not self._more():
                return ""

    def skip(self, mark: str) -> None:
        """Step over the mark, which is next."""
        if self.peek() == mark:
            self._at += 1

    def start(self) -> str:
        """The first words of what comes."""
        return self._text[self._at : self._at + 60]

    def value(self) -> Any:
        """The next value. Raises ValueError when there is none."""
        self.peek()
        while True:
            try:
                value, end = _DECODER.raw_decode(self._text, self._at)
                # A number at the end of the block may go on in the next.
                if end < len(self._text) or not self._more():
                    self._at = end
                    return value
            except RecursionError as error:
                raise ValueError("it is nested too deeply") from error
            except ValueError:
                if len(self._text) - self._at > _LONGEST or not self._more():
                    raise

    def _more(self) -> bool:
        # Twice as much as is there already, so that a long value is not tried again for every block.
        block = self._stream.read(max(_BLOCK, len(self._text) - self._at))
        self._text, self._at = self._text[self._at :] + block, 0
        return bool(block)


def _document(stream: TextIO, name: str) -> Iterator[Record | Skipped]:
    text = stream.read(_WHOLE + 1)
    if len(text) > _WHOLE:
        raise InputError(
            f"{name} is one JSON document of more than {_WHOLE:,} characters.",
            hint="Write one object on each line (JSONL) and try again.",
        )
    text = text.strip("\ufeff" + _SPACE)
    try:
        value = loads(text)
    except ValueError as error:
        values = _several(text)
        if values is None:
            raise InputError(
                f"{name} is not JSON: {_told(error)}.", hint="Give one object on each line, or a list of objects."
            ) from error
        yield from (record(number, item) for number, item in enumerate(values, 1))
        return
    for number, item in enumerate(inside(value), 1):
        yield record(number, item)


def _several(text: str) -> list[Any] | None:
    """Objects one after another over several lines; None when they are not."""
    found, at = [], 0
    while at < len(text):
        try:
            value, at = _DECODER.raw_decode(text, at)
        except (ValueError, RecursionError):
            return None
        found.append(value)
        while at < len(text) and text[at] in _SPACE + ",":
            at += 1
    return found if len(found) > 1 else None


def inside(value: Any) -> list[Any]:
    """The records within one document: the lists of objects in it, columns turned into rows, or the object itself."""
    if not isinstance(value, dict):
        return value if isinstance(value, list) else [value]
    tests = value.get("tests")
    if isinstance(tests, list) and any(isinstance(test, dict) and "vars" in test for test in tests):
        return tests  # a promptfoo configuration: its other lists are prompts and providers
    columns = _columns(value)
    if columns is not None:
        return columns
    lists = {key: item for key, item in value.items() if isinstance(item, list) and _objects(item)}
    if lists:
        rows = [(key, _unwrapped(row)) for key, items in lists.items() for row in items]
        if len(lists) == 1 or not all(isinstance(row, dict) for _, row in rows):
            return [row for _, row in rows]
        return [{**row, "part": key} if "part" not in row else row for key, row in rows]
    inner = [item for item in value.values() if isinstance(item, dict)]
    if len(inner) > 1 and len(inner) == len(value):
        return [{**item, "key": key} if "key" not in item else item for key, item in value.items()]
    deeper = [found for item in inner if (found := inside(item)) and found != [item]]
    return max(deeper, key=len) if deeper else [value]


def _objects(items: list[Any]) -> bool:
    """Whether a list holds records; turns of one conversation do not count."""
    rows = [item for item in items if isinstance(item, dict)]
    return bool(rows) and not all({"role", "content"} <= row.keys() or {"from", "value"} <= row.keys() for row in rows)


def _unwrapped(row: Any) -> Any:
    inner = row.get("row") if isinstance(row, dict) else None
    return inner if isinstance(inner, dict) else row


def _columns(value: dict[str, Any]) -> list[Any] | None:
    """A table written by columns: ``{"text": ["a", "b"], "label": [0, 1]}`` or with numbered rows; else None."""
    if len(value) < 2:
        return None
    parts = [*value.values()]
    if all(isinstance(part, list) for part in parts):
        if len({len(part) for part in parts}) != 1 or any(isinstance(cell, dict) for part in parts for cell in part):
            return None
        return [dict(zip(value, cells, strict=True)) for cells in zip(*parts, strict=True)]
    if all(isinstance(part, dict) and part and all(str(key).isdigit() for key in part) for part in parts):
        keys = list(dict.fromkeys(key for part in parts for key in part))
        return [{name: part[key] for name, part in value.items() if key in part} for key in keys]
    return None


def _told(error: ValueError) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"{error.msg} at line {error.lineno}, column {error.colno}"
    return str(error)
