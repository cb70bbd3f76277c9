"""Writes a golden set to a file, JSONL or CSV, with all fields of its examples."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Iterable
from pathlib import Path

from studio.core.errors import InputError
from studio.core.golden import GoldenExample
from studio.exchange.labelled.own import COLUMNS, cells, fields

FORMATS = (".jsonl", ".csv")


def write(examples: Iterable[GoldenExample], path: Path) -> int:
    """Write the examples and return how many; the name's ending says how. An old file stays until all is written.

    Raises InputError for another ending and for a place that cannot be written.
    """
    form = path.suffix.casefold()
    if form not in FORMATS:
        raise InputError(f"{path.name} ends neither in .jsonl nor in .csv.", hint="Choose one of these endings.")
    unfinished = path.with_name(f".{path.name}.part")
    try:
        count = (_csv if form == ".csv" else _jsonl)(examples, unfinished)
        os.replace(unfinished, path)
    except OSError as error:
        raise InputError(f"{path} could not be written: {error.strerror or error}.", hint="Choose another.") from error
    finally:
        unfinished.unlink(missing_ok=True)
    return count


def _jsonl(examples: Iterable[GoldenExample], path: Path) -> int:
    count = 0
    with path.open("w", encoding="utf-8", newline="") as file:
        for example in examples:
            file.write(json.dumps(fields(example), ensure_ascii=False) + "\n")
            count += 1
    return count


def _csv(examples: Iterable[GoldenExample], path: Path) -> int:
    count = 0
    # The mark makes spreadsheets read UTF-8.
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file, quoting=csv.QUOTE_ALL)
        writer.writerow(COLUMNS)
        for example in examples:
            writer.writerow(cells(example))
            count += 1
    return count
