"""A file as a table that can be read again and again: the right reader, and the questions that reading it raises."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

from studio.exchange.labelled import delimited, dialect, encoding, header, json_rows, parquet, workbook, yaml_rows
from studio.exchange.labelled.delimited import Dialect
from studio.exchange.labelled.mapping import Read
from studio.exchange.labelled.opened import kind_of, reading
from studio.exchange.labelled.records import Record, Row, Skipped
from studio.exchange.labelled.shapes import annotators, label_studio, promptfoo, spam_sections, xstest

_PEEK = 50


@dataclass(frozen=True, slots=True)
class Table:
    """A table of records; ``confirm`` are questions about the reading, ``view`` the shape that gave its columns."""

    read: Read
    view: str
    source: Callable[[], Iterator[Record | Skipped]]
    confirm: dict[str, str | None] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    class_names: dict[str, tuple[str, ...]] = field(default_factory=dict)
    file: str = ""

    def records(self) -> Iterator[Record | Skipped]:
        """All records from the start. Raises InputError when the file cannot be read to its end."""
        with reading(Path(self.file)):
            yield from self.source()


def open_table(path: Path, read: Read | None = None) -> Table:
    """The table of a file; ``read`` says how, when that is settled already. Raises InputError."""
    kind = kind_of(path)
    if kind == "parquet":
        return replace(_viewed(path, Read(kind), lambda: parquet.records(path)), class_names=parquet.class_names(path))
    if kind == "excel":
        return _excel(path, read)
    settled = read is not None and read.kind == kind and read.encoding
    codec = read.encoding if settled and read is not None else encoding.detect(path)
    notes = () if codec.startswith("utf") else (f"The file is not Unicode; its letters were read as {codec}.",)
    if kind == "delimited":
        return _delimited(path, read if settled else None, codec, notes)
    read_records = _yaml if kind == "yaml" else _json
    return _viewed(path, Read(kind, encoding=codec), lambda: read_records(path, codec), {}, notes)


def _json(path: Path, codec: str) -> Iterator[Record | Skipped]:
    with encoding.open_text(path, codec) as stream:
        yield from json_rows.records(stream, path.name)


def _yaml(path: Path, codec: str) -> Iterator[Record | Skipped]:
    with encoding.open_text(path, codec) as stream:
        document = yaml_rows.load(stream, path.name)
    tests = promptfoo.tests_of(document)
    values: list[Any] = json_rows.inside(document) if tests is None else tests
    for number, item in enumerate(values, 1):
        if tests is not None and not isinstance(item, dict):
            yield Skipped(number, f"it names tests that are in another file: {str(item)[:60]}")
        else:
            yield json_rows.record(number, item)


def _excel(path: Path, read: Read | None) -> Table:
    names = workbook.sheets(path)
    settled = read is not None and read.kind == "excel"
    sheet = read.sheet if settled and read is not None else names[0] if names else ""
    if not sheet:
        return Table(Read("excel"), "", lambda: iter(()), file=str(path))
    confirm: dict[str, str | None] = {}
    if len(names) > 1 and not settled:
        confirm["sheet"] = None
    notes = (f"The workbook has the sheets {', '.join(names)}.",) if len(names) > 1 else ()
    return _rows(path, Read("excel", sheet=sheet), read, lambda: workbook.rows(path, sheet), confirm, notes)


def _delimited(path: Path, read: Read | None, codec: str, notes: tuple[str, ...]) -> Table:
    if read is not None and read.delimiter:
        form = Dialect(read.delimiter, read.quote, read.escape)
    else:
        with reading(path), encoding.open_text(path, codec) as stream:
            sample = stream.read(dialect.SAMPLE)
        tabs = path.name.casefold().removesuffix(".gz").endswith((".tsv", ".tab"))
        form = dialect.detect(sample.lstrip("\ufeff"), tabs=tabs)

    def rows() -> Iterator[Row | Skipped]:
        with encoding.open_text(path, codec) as stream:
            yield from delimited.rows(stream, form)

    plain = Read("delimited", codec, form.delimiter, form.quote, form.escape)
    return _rows(path, plain, read, rows, {}, notes)


def _rows(
    path: Path,
    plain: Read,
    read: Read | None,
    rows: Callable[[], Iterator[Row | Skipped]],
    confirm: dict[str, str | None],
    notes: tuple[str, ...],
) -> Table:
    """A table of rows whose columns have names in a header, or sections instead."""
    with reading(path):
        head, _ = header.peek(rows())
    if spam_sections.matches(head):
        return Table(plain, spam_sections.SHAPE, lambda: spam_sections.view(rows()), confirm, notes, file=str(path))
    found = header.find(head) if read is None else header.at(head, read.header)
    if not found.certain:
        confirm = {**confirm, "header": None}
    final = Read(plain.kind, plain.encoding, plain.delimiter, plain.quote, plain.escape, found.row, plain.sheet)
    return _viewed(path, final, lambda: header.records(rows(), found), confirm, notes)


def _viewed(
    path: Path,
    read: Read,
    source: Callable[[], Iterator[Record | Skipped]],
    confirm: dict[str, str | None] | None = None,
    notes: tuple[str, ...] = (),
) -> Table:
    """The table as it is, or through the shape whose records have to be taken apart first."""
    with reading(path):
        first = [item for item in itertools.islice(source(), _PEEK) if isinstance(item, Record)]
    for shape in (label_studio, annotators, promptfoo, xstest):
        if shape.matches(first):
            return Table(read, shape.SHAPE, partial(_through, shape.view, source), confirm or {}, notes, file=str(path))
    return Table(read, "", source, confirm or {}, notes, file=str(path))


def _through(
    view: Callable[[Iterator[Record | Skipped]], Iterator[Record | Skipped]],
    source: Callable[[], Iterator[Record | Skipped]],
) -> Iterator[Record | Skipped]:
    return view(source())
