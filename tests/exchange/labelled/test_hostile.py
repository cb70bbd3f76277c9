"""Whatever stands in a file: the reader never fails but in words, and every row is in an item or listed."""

from __future__ import annotations

import contextlib
import csv
import io
import json
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from studio.exchange.labelled.apply import parse
from studio.exchange.labelled.cells import Parsed
from studio.exchange.labelled.mapping import from_json, to_json
from studio.exchange.labelled.preview import Preview, examples, preview
from studio.exchange.labelled.records import Record, Skipped
from studio.exchange.labelled.tables import open_table
from tests.exchange.labelled.seeing import POLICY, see
from tests.exchange.telling import ToldError, told

NAMES = [
    "text", "label", "prompt", "response", "Prompt Label", "Response Label", "conversation_id", "turn_number", "id", "",
    "messages", "toxicity", "is_safe", "S", "H", "V", "expected", "gpt-oss-safeguard classification", "type", "data",
    "user_input", "Behavior", "ContextString", "__expected", "annotations", "vars", "assert", "labels", "content",
]  # fmt: skip
cells = st.one_of(
    st.sampled_from(
        ["", "safe", "Unsafe", "SP0", "SP2", "VALID", "INVALID (SP2)", "0", "1", "0.5", "true", "nan", "[]", "['a']"]
    ),
    st.text(max_size=20),
    st.sampled_from(['"', '""', ",", "a,b", "\n", "\r", "\x00", "\ufeff", "\u2028", "[[[["]),
)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 2) | st.floats(allow_nan=True) | cells,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=4),
    max_leaves=8,
)
some = settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])


def accounted(seen: Preview, path: Path) -> set[int]:
    """All rows that are in an item or listed; the preview must hold the same numbers, and survive being saved."""
    table = open_table(path, seen.mapping.read)
    found = [*parse(table.records, seen.mapping)]
    items = [item for item in found if isinstance(item, Parsed)]
    assert len(items) == seen.items
    assert len(found) - len(items) == seen.skipped_count
    assert sum(seen.decisions.values()) == seen.items
    assert seen.unlabelled <= seen.items
    assert all(label in seen.by_label for item in items for label in item.originals)
    saved = json.loads(json.dumps(to_json(seen.mapping)))
    again = preview(path, POLICY, from_json(saved, "m"))
    assert (again.items, again.by_label) == (seen.items, seen.by_label)
    json.dumps(seen.to_json())
    if not seen.questions:
        assert len(list(examples(seen, POLICY, datetime.now(UTC)))) <= seen.items
    return {item.row for item in found}


@some
@given(st.lists(st.lists(cells, min_size=1, max_size=6), min_size=1, max_size=8), st.sampled_from([",", "\t", ";"]))
def test_any_table(tmp_path: Path, rows: list[list[str]], delimiter: str) -> None:
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=delimiter).writerows(rows)
    with contextlib.suppress(ToldError):
        seen = told(lambda: see(tmp_path, "set.csv", text.getvalue().encode("utf-8", "replace")))
        accounted(seen, tmp_path / "set.csv")


@some
@given(
    st.lists(st.sampled_from(NAMES), min_size=2, max_size=6),
    st.lists(st.lists(cells, min_size=1, max_size=7), max_size=6),
)
def test_any_rows_below_known_names(tmp_path: Path, names: list[str], rows: list[list[str]]) -> None:
    text = io.StringIO(newline="")
    csv.writer(text, quoting=csv.QUOTE_ALL).writerows([names, *rows])
    with contextlib.suppress(ToldError):
        seen = told(lambda: see(tmp_path, "set.csv", text.getvalue().encode("utf-8", "replace")))
        table = open_table(tmp_path / "set.csv", seen.mapping.read)
        every = {item.row for item in table.records()}
        grouped = seen.mapping.group is not None
        assert accounted(seen, tmp_path / "set.csv") == every or grouped


@some
@given(st.lists(json_values, min_size=1, max_size=5), st.sampled_from(["lines", "list", "one"]))
def test_any_json(tmp_path: Path, values: list[object], layout: str) -> None:
    text = (
        "\n".join(map(json.dumps, values))
        if layout == "lines"
        else json.dumps(values if layout == "list" else values[0])
    )
    with contextlib.suppress(ToldError):
        accounted(told(lambda: see(tmp_path, "set.json", text)), tmp_path / "set.json")


@some
@given(st.binary(max_size=300), st.sampled_from(["a.csv", "a.json", "a.yaml", "a.csv.gz", "a.xlsx", "a.parquet"]))
def test_any_bytes(tmp_path: Path, data: bytes, name: str) -> None:
    with contextlib.suppress(ToldError):
        accounted(told(lambda: see(tmp_path, name, data)), tmp_path / name)


@some
@given(json_values)
def test_any_mapping_is_read_or_refused_in_words(value: object) -> None:
    with contextlib.suppress(ToldError):
        told(lambda: from_json(value, "M.json"))


@pytest.mark.parametrize("depth", [2_000, 200_000])
def test_nesting_without_end(tmp_path: Path, depth: int) -> None:
    for text in ("[" * depth, '{"a":' * depth + "1", '{"text": "x", "label": ' + "[" * depth + "]" * depth + "}\n{}"):
        with contextlib.suppress(ToldError):
            assert told(partial(see, tmp_path, "deep.json", text)).items == 0


@pytest.mark.parametrize("cell", ["{[1]: 2}", "[{[1]: 2}]", "{1, [2]}", "[" * 300, "{" * 300, "[1" + "," * 300])
def test_a_cell_that_only_begins_like_a_list_is_a_text(tmp_path: Path, cell: str) -> None:
    text = io.StringIO()
    csv.writer(text).writerows([("text", "label", "rules"), ("Hello there", cell, cell), ("Bye now", "safe", "")])
    assert see(tmp_path, "set.csv", text.getvalue()).items == 2


def test_conversations_without_a_word_are_left_out_by_row(tmp_path: Path) -> None:
    seen = see(tmp_path, "set.csv", "conversation_id,turn_number\n1,1\n1,2\n")
    assert (seen.items, [(item.row, item.why) for item in seen.skipped]) == (
        0,
        [(2, "it has no content"), (3, "it has no content")],
    )


def test_records_and_rows_are_what_readers_give(tmp_path: Path) -> None:
    (tmp_path / "set.csv").write_text('text,label\n"a\nb",safe\n\nc\n', encoding="utf-8")
    found = [*open_table(tmp_path / "set.csv").records()]
    assert found == [
        Record(2, {"text": "a\nb", "label": "safe"}, '"a\nb",safe'),
        Record(4, {"text": "c"}, "c"),
    ]
    assert not [item for item in found if isinstance(item, Skipped)]
