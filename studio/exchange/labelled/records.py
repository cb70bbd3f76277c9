"""What readers hand on: rows as they stand, records with named values, and rows that were left out with the reason."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a file without names yet. ``number`` counts from 1, header included; ``raw`` is the row as found."""

    number: int
    cells: tuple[Any, ...]
    raw: str


@dataclass(frozen=True, slots=True)
class Record:
    """One row with its values by column. A column that the row does not have is absent, which is not the same as 0."""

    row: int
    values: Mapping[str, Any]
    raw: str


@dataclass(frozen=True, slots=True)
class Skipped:
    """A row that gave no item, and why. ``row`` is 0 for what concerns the file as a whole."""

    row: int
    why: str


def is_blank(value: Any) -> bool:
    """Whether a cell says nothing: absent, null, not a number, or white space."""
    return value is None or (isinstance(value, str) and not value.strip()) or value != value
