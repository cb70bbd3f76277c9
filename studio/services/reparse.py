"""Reading stored raw answers again: old runs and other tools' logs, scored by today's parser."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from studio.core.errors import InputError
from studio.core.harmony import from_text
from studio.core.policy import Policy
from studio.core.reply import read_reply
from studio.core.verdict import Verdict
from studio.exchange.content_files import jsonl
from studio.exchange.files import read_text

_ROWS = 'Each line is an object such as {"id": "1", "raw_output": "INVALID"}.'


@dataclass(frozen=True, slots=True)
class Reparsed:
    """One answer, read again. ``id`` is the row's own as it was found, or its line number, counted from 1, as text."""

    id: str | int
    verdict: Verdict


def reparse(policy: Policy, path: Path) -> Iterator[Reparsed]:
    """Each answer of a JSONL file with the fields ``raw_output``, optional ``reasoning`` and ``id``, in order.

    Raises InputError at the first line that has no ``raw_output``; nothing is skipped in silence.
    """
    for number, row, _ in jsonl(read_text(path, limit=2**31), str(path), _ROWS):
        raw = row.get("raw_output")
        if raw is None:
            raw = ""
        if "raw_output" not in row or not isinstance(raw, str):
            raise InputError(f"{path}, line {number} has no text in the field raw_output.", hint=_ROWS)
        reasoning = row.get("reasoning")
        channels = from_text(raw, reasoning if isinstance(reasoning, str) else None)
        row_id = row.get("id")
        named = row_id if isinstance(row_id, str | int) else str(number if row_id is None else row_id)
        yield Reparsed(named, read_reply(channels, policy))
