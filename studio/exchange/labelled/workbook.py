"""Rows of an Excel workbook, read without loading it whole: values as they are, formulas as their results."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

from studio.core.errors import InputError
from studio.exchange.labelled.records import Row, is_blank


def sheets(path: Path) -> tuple[str, ...]:
    """The names of the sheets that hold anything. Raises InputError for a file that is no workbook."""
    with _Book(path) as book:
        return tuple(
            sheet.title
            for sheet in book.worksheets
            if any(not is_blank(cell) for row in sheet.iter_rows(values_only=True, max_row=50) for cell in row)
        )


def rows(path: Path, sheet: str) -> Iterator[Row]:
    """The rows of a sheet that hold anything, numbered as Excel numbers them."""
    with _Book(path) as book:
        if sheet not in book.sheetnames:
            raise InputError(
                f"{path.name} has no sheet {sheet!r}.", hint=f"It has {', '.join(book.sheetnames) or 'none'}."
            )
        for number, cells in enumerate(book[sheet].iter_rows(values_only=True), 1):
            values = tuple(_plain(cell) for cell in cells)
            if any(not is_blank(cell) for cell in values):
                yield Row(number, values, "\t".join("" if cell is None else str(cell) for cell in values))


def _plain(cell: Any) -> Any:
    if isinstance(cell, datetime | date | time):
        return cell.isoformat()
    return cell if cell is None or isinstance(cell, str | int | float | bool) else str(cell)


class _Book:
    """An open workbook, closed again; what the library raises for a broken file becomes an InputError."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> Any:
        # openpyxl takes a noticeable time to load, and only this needs it.
        from openpyxl import load_workbook
        from openpyxl.utils.exceptions import InvalidFileException

        try:
            self._book = load_workbook(self._path, read_only=True, data_only=True)
        except (InvalidFileException, zipfile.BadZipFile, KeyError, ValueError, OSError, TypeError, EOFError) as error:
            raise InputError(
                f"{self._path.name} cannot be read as an Excel workbook: {error}.",
                hint="Unpack it if it is a ZIP file, or save the sheet as CSV.",
            ) from error
        return self._book

    def __exit__(self, *exc: object) -> None:
        self._book.close()
