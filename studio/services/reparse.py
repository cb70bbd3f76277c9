"""Reading stored raw answers again: old runs and other tools' logs, scored by today's parser."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from studio.core.errors import InputError
from studio.core.harmony import from_text
from studio.core.policy import Policy
from studio.core.reply import read_reply
from studio.core.verdict import Verdict
from studio.exchange.content_files import jsonl
from studio.exchange.files import decode, read_bytes

MAX_LOG_BYTES = 2**31
_ROWS = 'Each line is an object such as {"id": "1", "raw_output": "INVALID"}.'


@dataclass(frozen=True, slots=True)
class Reparsed:
    """One answer, read again. ``id`` is the row's own as it was found, or its line number, counted from 1, as text."""

    id: object
    verdict: Verdict


def reparse_file(policy: Policy, path: Path) -> Iterator[Reparsed]:
    """The answers in a file; see :func:`reparse`."""
    return reparse(policy, read_bytes(path, limit=MAX_LOG_BYTES), str(path))


def reparse(policy: Policy, log: bytes, where: str) -> Iterator[Reparsed]:
    """Each answer of JSONL with the fields ``raw_output``, optional ``reasoning`` and ``id``, in order.

    An answer that a tool stored as a JSON value (``{"violation": 1}``) is read as the text that it was. Raises
    InputError at the first line that has no ``raw_output``; nothing is skipped in silence.
    """
    for number, row, _ in jsonl(decode(log, where), where, _ROWS):
        if "raw_output" not in row:
            raise InputError(f"{where}, line {number} has no field raw_output.", hint=_ROWS)
        reasoning = row.get("reasoning")
        channels = from_text(_text(row["raw_output"]), reasoning if isinstance(reasoning, str) else None)
        row_id = row.get("id")
        yield Reparsed(str(number) if row_id is None else row_id, read_reply(channels, policy))


def _text(raw: object) -> str:
    if raw is None:
        return ""
    return raw if isinstance(raw, str) else json.dumps(raw, ensure_ascii=False)
