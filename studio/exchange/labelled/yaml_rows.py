"""Records of a YAML file: a promptfoo configuration, a list of its tests, or a plain list of objects."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TextIO

import yaml

from studio.core.errors import InputError
from studio.exchange.labelled import json_rows
from studio.exchange.labelled.records import Record, Skipped

_LARGEST = 32 * 1024 * 1024
_MOST_PARTS = 5_000_000
# libyaml where it is there: many times faster, the same safe constructors.
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _PlainLoader(_Loader):  # type: ignore[misc]  # chosen at run time
    """Reads no dates: an ISO date in a text column is text."""


_PlainLoader.yaml_implicit_resolvers = {
    letter: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for letter, resolvers in _Loader.yaml_implicit_resolvers.items()
}


def load(stream: TextIO, name: str) -> Any:
    """The document. Raises InputError with the line when it is not YAML."""
    text = stream.read(_LARGEST + 1)
    if len(text) > _LARGEST:
        raise InputError(f"{name} has more than {_LARGEST:,} characters.", hint="Split it into smaller files.")
    try:
        value = yaml.load(text, Loader=_PlainLoader)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        line = f", line {mark.line + 1}" if mark is not None else ""
        problem = getattr(error, "problem", None) or "it is nested too deeply or has characters that YAML forbids"
        raise InputError(f"{name}{line} is not YAML: {problem}.", hint="Mend that line and try again.") from error
    if _is_huge(value):
        raise InputError(f"{name} grows without end through its aliases.", hint="Write the tests out, one by one.")
    return value


def _is_huge(value: Any) -> bool:
    """Whether the document, with its aliases written out, has more parts than a file of that size can honestly have."""
    left, parts = [value], 0
    while left:
        item = left.pop()
        parts += 1
        if parts > _MOST_PARTS:
            return True
        if isinstance(item, dict):
            left.extend(item.values())
        elif isinstance(item, list):
            left.extend(item)
    return False


def records(stream: TextIO, name: str) -> Iterator[Record | Skipped]:
    """The records of a YAML file, numbered from 1."""
    value = load(stream, name)
    for number, item in enumerate(json_rows.inside(value), 1):
        yield json_rows.record(number, item)
