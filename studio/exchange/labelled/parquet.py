"""Records of a Parquet file, a batch at a time, with the names that Hugging Face gives to numbered classes."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from studio.core.errors import InputError
from studio.exchange.labelled.json_rows import record
from studio.exchange.labelled.records import Record, Skipped
from studio.exchange.labelled.shapes.annotators import PEOPLE_LISTS

_BATCH = 2000
_DEEPEST = 4


def records(path: Path) -> Iterator[Record | Skipped]:
    """All records, numbered from 1. Raises InputError for a file that is not Parquet or is damaged."""
    # pyarrow takes a noticeable time to load, and only this needs it.
    import pyarrow
    import pyarrow.parquet as parquet

    number = 0
    try:
        with parquet.ParquetFile(path) as file:
            for batch in file.iter_batches(batch_size=_BATCH):
                for row in batch.to_pylist():
                    number += 1
                    yield record(number, _plain(row))
    except (pyarrow.ArrowException, OSError, ValueError) as error:
        raise InputError(
            f"{path.name} cannot be read as Parquet after row {number}: {error}.", hint="Get the file again."
        ) from error


def class_names(path: Path) -> dict[str, tuple[str, ...]]:
    """Column to the names of its classes 0, 1, … as the file's own metadata give them; empty when it gives none."""
    import pyarrow
    import pyarrow.parquet as parquet

    try:
        metadata = parquet.read_schema(path).metadata or {}
        features = json.loads(metadata.get(b"huggingface", b"{}"))["info"]["features"]
    except (pyarrow.ArrowException, OSError, ValueError, KeyError, TypeError):
        return {}
    if not isinstance(features, dict):
        return {}
    found = dict(_named_classes(features, "", 1))
    # What several people said in a list of their own becomes a column of its own.
    people = {name.rsplit(".", 1)[-1]: names for name, names in found.items() if name.split(".")[0] in PEOPLE_LISTS}
    return {**people, **found}


def _named_classes(features: Mapping[str, Any], prefix: str, depth: int) -> Iterator[tuple[str, tuple[str, ...]]]:
    """The columns of classes with their names, also those within lists and objects."""
    for column, feature in features.items():
        name = f"{prefix}{column}"
        for _ in range(_DEEPEST):
            if isinstance(feature, list) and len(feature) == 1:
                feature = feature[0]
            elif isinstance(feature, dict) and isinstance(feature.get("feature"), dict | list):
                feature = feature["feature"]
        if not isinstance(feature, dict):
            continue
        if isinstance(feature.get("names"), list):
            yield name, tuple(map(str, feature["names"]))
        elif depth < _DEEPEST:
            yield from _named_classes(feature, f"{name}.", depth + 1)


def _plain(value: Any) -> Any:
    """Values as JSON has them: bytes as text, dates as ISO text."""
    if isinstance(value, dict):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return value if value is None or isinstance(value, str | int | float | bool) else str(value)
