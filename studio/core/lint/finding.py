"""What the linter says: a finding with its place, its reason and, where that is safe, its fix."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """How much a finding matters: an error misleads the model, a warning weakens the policy, a note is advice."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Edit:
    """Put ``text`` in the place of the characters ``start`` to ``end`` of the policy's text."""

    start: int
    end: int
    text: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding. ``start`` and ``end`` are character offsets in the text; ``line`` and ``column`` count from 1.

    ``rule`` is stable across releases. ``fix`` is empty where only a person can mend it.
    """

    rule: str
    severity: Severity
    start: int
    end: int
    line: int
    column: int
    message: str
    reason: str
    advice: str
    fix: tuple[Edit, ...] = ()


def apply_edits(text: str, edits: Iterable[Edit]) -> str:
    """``text`` with all edits made; they must not overlap. Everything outside them stays as it was."""
    parts, at = [], 0
    for edit in sorted(edits, key=lambda edit: edit.start):
        parts += [text[at : edit.start], edit.text]
        at = edit.end
    return "".join([*parts, text[at:]])
