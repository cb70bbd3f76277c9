"""Contents and golden examples as JSON: a message, a list of turns, or a prompt with its response."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from studio.core.content import Content, Turn
from studio.core.errors import InputError
from studio.core.golden import GoldenExample
from studio.core.labels import Decision
from studio.exchange.files import read_text

_SHAPES = (
    'Write a text, {"content": "…"}, {"messages": [{"role": "…", "content": "…"}]} or {"prompt": "…", "response": "…"}.'
)
_ROWS = 'Write one object on each line, such as {"content": "…", "expected": "violates"}.'


def parse_json(text: str, where: str, hint: str = _SHAPES) -> Any:
    """JSON of any shape. Raises InputError with the line when it is not JSON; ``hint`` says what should stand there."""
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise InputError(
            f"{where} is not JSON: {error.msg} at line {error.lineno}, column {error.colno}.", hint=hint
        ) from error
    except (RecursionError, ValueError) as error:
        # A ValueError that is no JSONDecodeError: a number of thousands of digits.
        raise InputError(f"{where} is nested too deeply, or has a number that is too long.", hint=hint) from error


def content_from_json(value: Any, where: str) -> Content:
    """The content that a JSON value describes. Raises InputError when the shape is none of the known ones."""
    if isinstance(value, str):
        return Content.message(value)
    if isinstance(value, list):
        return Content.conversation(tuple(_turn(item, f"{where}, turn {n}") for n, item in enumerate(value, 1)))
    if isinstance(value, dict):
        if "messages" in value or "turns" in value:
            turns = value.get("messages", value.get("turns"))
            if isinstance(turns, list):
                return content_from_json(turns, where)
        elif "prompt" in value and "response" in value:
            return Content.completion(
                _string(value["prompt"], f"{where}, prompt"), _string(value["response"], f"{where}, response")
            )
        else:
            for key in ("content", "text"):
                if isinstance(value.get(key), str):
                    return Content.message(value[key])
    raise InputError(f"{where} is not a content that the studio knows.", hint=_SHAPES)


def read_golden(path: Path, policy_id: str) -> tuple[GoldenExample, ...]:
    """The golden examples of a JSONL file in the studio's own form. An absent expectation stays unknown."""
    return tuple(
        _example(row, f"{path}, line {number}", policy_id, raw)
        for number, row, raw in jsonl(read_text(path), str(path))
    )


def jsonl(text: str, where: str, hint: str = _ROWS) -> Iterator[tuple[int, dict[str, Any], str]]:
    """Line number, object and raw line of each non-empty line. Raises InputError at the first that is no object."""
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        row = parse_json(line, f"{where}, line {number}", hint)
        if not isinstance(row, dict):
            raise InputError(f"{where}, line {number} is not a JSON object.", hint=hint)
        yield number, row, line.rstrip("\r")


def _example(row: Mapping[str, Any], where: str, policy_id: str, raw: str) -> GoldenExample:
    expected = row.get("expected")
    if expected is not None and expected not in tuple(Decision):
        raise InputError(
            f"{where}: expected is {expected!r}.", hint=f"It must be one of {', '.join(Decision)}, or absent."
        )
    return GoldenExample(
        id=str(row.get("id") or f"{policy_id}-{where.rsplit(' ', 1)[-1]}"),
        policy_id=policy_id,
        content=content_from_json(dict(row), where),
        expected=None if expected is None else Decision(expected),
        labels=_strings(row.get("labels"), f"{where}, labels"),
        why=str(row.get("why") or ""),
        decided_by=str(row.get("decided_by") or ""),
        tags=_strings(row.get("tags"), f"{where}, tags"),
        source=where,
        source_row=raw,
    )


def _turn(item: Any, where: str) -> Turn:
    if not isinstance(item, dict):
        raise InputError(f"{where} is not an object.", hint=_SHAPES)
    speaker = next((item[key] for key in ("role", "speaker", "author", "name") if isinstance(item.get(key), str)), "")
    text = item.get("content", item.get("text"))
    if isinstance(text, list):
        parts = [part["text"] for part in text if isinstance(part, dict) and isinstance(part.get("text"), str)]
        if len(parts) != len(text):
            raise InputError(f"{where} has parts that are not text.", hint="The studio judges text only.")
        text = "\n".join(parts)
    return Turn(speaker or "unknown", _string(text, where))


def _string(value: Any, where: str) -> str:
    if not isinstance(value, str):
        raise InputError(f"{where} has no text.", hint=_SHAPES)
    return value


def _strings(value: Any, where: str) -> tuple[str, ...]:
    if value is None:
        return ()
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise InputError(f"{where} is not a list of words.", hint='Write for example ["SP2"].')
    return tuple(value)
