"""What the columns of a table hold: counted in one pass, in bounded memory."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from studio.exchange.labelled.names import Role, role_of
from studio.exchange.labelled.records import Record, Skipped, is_blank

MOST_COLUMNS = 1000
MOST_VALUES = 2_000
"""Different values that are remembered per column; more is no column of labels."""

_FEW = 200
"""Different values up to which a column is one of labels or tags whatever its name."""

_MOST_ROWS = 20_000
_SHORT = 120
_WORDS_OF_PROSE = 3
"""Spaces per value, on average."""


@dataclass(slots=True)
class Column:
    """One column: how many rows have it, how many say something, of which types, and its few different values."""

    name: str
    role: Role
    present: int = 0
    filled: int = 0
    letters: int = 0
    spaces: int = 0
    types: Counter[str] = field(default_factory=Counter)
    values: Counter[str] = field(default_factory=Counter)
    full: bool = False

    @property
    def many(self) -> bool:
        """Whether it has too many values, or too long ones, for labels or tags."""
        return self.full or len(self.values) > _FEW

    @property
    def mean_length(self) -> float:
        """Mean length of its texts, in characters."""
        return self.letters / self.filled if self.filled else 0.0

    @property
    def is_prose(self) -> bool:
        """Whether its values are sentences, hardly any of which comes twice: texts, whatever the column's name."""
        if self.spaces < _WORDS_OF_PROSE * self.filled or 2 * self.types["text"] <= self.filled:
            return False
        return self.many or len(self.values) > self.filled / 2

    def only(self, *types: str) -> bool:
        """Whether it holds something, and only values of these types."""
        return bool(self.types) and set(self.types) <= set(types)

    @property
    def is_score(self) -> bool:
        """Whether it holds numbers between whole ones."""
        return self.only("float", "int", "float text", "int text") and any(
            kind in self.types for kind in ("float", "float text")
        )

    @property
    def is_flag(self) -> bool:
        """Whether it holds only yes and no, as words or as 0 and 1 (-1 for not said)."""
        return bool(self.values) and not self.many and {item.casefold() for item in self.values} <= _FLAGS


_FLAGS = {"0", "1", "true", "false", "yes", "no", "-1", "0.0", "1.0"}


@dataclass(frozen=True, slots=True)
class Profile:
    """The columns in order, and how many rows were looked at."""

    columns: dict[str, Column]
    rows: int

    def named(self, name: str) -> Column | None:
        """The column of exactly that name."""
        return self.columns.get(name)

    def of(self, *roles: Role) -> list[Column]:
        """The columns that hold something and may be one of these, in order."""
        return [column for column in self.columns.values() if column.role in roles and column.filled]


def profile(records: Iterable[Record | Skipped]) -> Profile:
    """Look at the first rows; all rows are counted later, when the mapping stands."""
    columns: dict[str, Column] = {}
    rows = 0
    for item in records:
        if isinstance(item, Skipped):
            continue
        rows += 1
        for name, value in item.values.items():
            column = columns.get(name)
            if column is None:
                if len(columns) >= MOST_COLUMNS:
                    continue
                column = columns[name] = Column(name, role_of(name))
            _add(column, value)
        if rows >= _MOST_ROWS:
            break
    for column in columns.values():
        if column.role is Role.ID and column.is_prose:
            column.role = Role.TEXT  # such as test_case, which holds numbers in some sets and the content in others
        elif column.role is Role.GROUP and 2 * column.types["list"] > column.filled:
            column.role = Role.TURNS  # a whole conversation, not the name of one
    return Profile(columns, rows)


def _add(column: Column, value: Any) -> None:
    column.present += 1
    if is_blank(value):
        return
    column.filled += 1
    text = plain_text(value)
    column.letters += len(text)
    column.spaces += text.count(" ")
    column.types[_type(value)] += 1
    if column.full:
        return
    if len(text) > _SHORT:
        column.full = True
        return
    column.values[text] += 1
    if len(column.values) > MOST_VALUES:
        column.full = True


def plain_text(value: Any) -> str:
    """A value as a label is written: true and false in lower case, whole numbers without a point."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip()


def _type(value: Any) -> str:
    if isinstance(value, str):
        text = value.strip()
        try:
            number = float(text)
        except ValueError:
            return "text"
        return "int text" if number.is_integer() else "float text"
    if isinstance(value, float):
        return "int" if value.is_integer() else "float"
    return type(value).__name__
