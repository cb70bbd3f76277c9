"""Files of every kind and encoding, and everything that can be wrong with their rows."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pyarrow
import pytest
from openpyxl import Workbook
from pyarrow import parquet

from studio.core.errors import InputError
from studio.exchange.labelled.preview import preview
from tests.exchange.labelled.seeing import POLICY, asked, see, skipped

TABLE = 'text,label\n"Grüße, an alle",safe\nWörter für Öl,Unsafe\n"Zwei\nZeilen",\n'
COUNTS = ({"safe": 1, "Unsafe": 1}, 1)


@pytest.mark.parametrize(
    ("codec", "end"),
    [("utf-8", "\r"), ("utf-8-sig", "\r\n"), ("utf-16", "\r\n"), ("utf-16-le", "\n"), ("utf-16-be", "\n")]
    + [("utf-32", "\n"), ("cp1252", "\n"), ("cp1252", "\r\n"), ("cp1252", "\r")],
)
def test_every_encoding_and_line_end(tmp_path: Path, codec: str, end: str) -> None:
    seen = see(tmp_path, "set.csv", TABLE.replace("\n", end).encode(codec))
    assert (seen.by_label, seen.unlabelled) == COUNTS
    assert seen.samples["Unsafe"] == ("Wörter für Öl",)
    assert seen.skipped == ()


def test_letters_of_another_alphabet(tmp_path: Path) -> None:
    lines = "Доброе утро, коллеги;safe\nКупите наш новый курс прямо сейчас;unsafe\n" * 8
    seen = see(tmp_path, "set.csv", ("text;label\n" + lines).encode("cp1251"))
    assert seen.samples["unsafe"][0] == "Купите наш новый курс прямо сейчас"


def test_a_few_stray_bytes_cost_their_rows_only(tmp_path: Path) -> None:
    data = ("text,label\n" + "Grüße,safe\n" * 20).encode() + b"Gr\xfc\xdfe,unsafe\n" + "Öl,safe\n".encode()
    seen = see(tmp_path, "set.csv", data)
    assert (seen.by_label, list(skipped(seen))) == ({"safe": 21}, [22])
    assert "encoding" in skipped(seen)[22]


@pytest.mark.parametrize("delimiter", [",", "\t", ";", "|"])
@pytest.mark.parametrize("name", ["set.tsv", "set.csv.gz"])
def test_every_delimiter(tmp_path: Path, delimiter: str, name: str) -> None:
    data = TABLE.replace('"Grüße, an alle"', f'"Hallo{delimiter} ihr"').replace(",label", delimiter + "label")
    data = data.replace(",safe", delimiter + "safe").replace(",Unsafe", delimiter + "Unsafe")
    data = data.replace('",\n', f'"{delimiter}\n')
    seen = see(tmp_path, name, gzip.compress(data.encode()) if name.endswith("gz") else data)
    assert (seen.by_label, seen.unlabelled) == COUNTS


@pytest.mark.parametrize(
    ("text", "by_label", "items"),
    [
        ("text\nHello, you\nBye\n", {}, 2),
        ("Hello, you all at once\nBye\nSee you, then\n", {}, 3),
        ('"Hello there",safe\n"Go away",unsafe\n"Bye",safe\n', {"safe": 2, "unsafe": 1}, 3),
        ('ham\tGo to "lunch\nspam\tWin it\nham\tok then\n', {"ham": 2, "spam": 1}, 3),
        (",text,label\n0,Hello,safe\n1,Bye,unsafe\n", {"safe": 1, "unsafe": 1}, 2),
        ("text,label,label,\nHello,safe,0,\nBye,unsafe,1,\n", {"safe": 1, "unsafe": 1}, 2),
        (" Text ,  LABEL\nHello, SAFE \nBye,Safe\n", {"SAFE": 1, "Safe": 1}, 2),
        ("text,label\nHello,safe\ntext,label\nBye,safe\n", {"safe": 2}, 2),
        ('text,label\n"a \\"b\\", c",safe\n"d",unsafe\n', {"safe": 1, "unsafe": 1}, 2),
        ("text,label\n,,\nHello,safe\n , \n", {"safe": 1}, 1),
        ("label,text\nsafe,Hello\nunsafe\n", {"safe": 1}, 1),
        ("v1,v2,,,\nham,Go,,,\nspam,Win,,,\nham,ok,,,\n", {"ham": 2, "spam": 1}, 3),
    ],
)
def test_tables_as_people_make_them(tmp_path: Path, text: str, by_label: dict[str, int], items: int) -> None:
    seen = see(tmp_path, "set.csv", text)
    assert (seen.by_label, seen.items) == (by_label, items)


def test_an_open_quotation_mark_costs_its_row_only(tmp_path: Path) -> None:
    seen = see(tmp_path, "set.csv", 'text,label\nFine,safe\n"Open,unsafe\nNext,safe\nLast,unsafe\n')
    assert seen.by_label == {"safe": 2, "unsafe": 1}
    assert "never closed" in skipped(seen)[3]


def test_a_line_without_end_is_named(tmp_path: Path) -> None:
    seen = see(tmp_path, "set.csv", "text,label\nFine,safe\n" + "x" * (5 << 20) + ",safe\nLast,unsafe\n")
    assert (seen.by_label, list(skipped(seen))) == ({"safe": 1, "unsafe": 1}, [3])


def test_texts_in_columns_without_a_name_are_asked_about(tmp_path: Path) -> None:
    seen = see(tmp_path, "set.csv", "label,text,,\nsafe,Go,,\nunsafe,Win, it,\nsafe,ok,,\n")
    assert (seen.by_label, asked(seen)) == ({"safe": 2, "unsafe": 1}, ["confirm.unnamed_columns"])


@pytest.mark.parametrize("data", [b"", b"\n\n", b"\xef\xbb\xbf", b" \r\n\t"])
def test_an_empty_file_is_said_to_be_empty(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(InputError, match="empty"):
        see(tmp_path, "set.csv", data)


def test_a_header_alone_has_no_items(tmp_path: Path) -> None:
    seen = see(tmp_path, "set.csv", "text,label\n")
    assert (seen.items, seen.by_label, seen.skipped) == (0, {}, ())


@pytest.mark.parametrize(
    ("name", "data", "says"),
    [
        ("set.xls", b"\xd0\xcf\x11\xe0" + b"x" * 99, "xlsx"),
        ("set.xlsx", b"PK\x03\x04" + b"x" * 99, "Excel"),
        ("set.parquet", b"PAR1" + b"x" * 99, "Parquet"),
        ("set.csv.gz", gzip.compress(b"text,label\nHello,safe\n" * 900)[:-12], "damaged"),
        ("set.json", b'{"text": ', "not JSON"),
        ("set.yaml", b"tests: [", "not YAML"),
        ("set.yaml", b"a: &a [x,x,x,x,x,x,x,x,x]\n" + b"".join(
            b"%c: &%c [*%c,*%c,*%c,*%c,*%c,*%c,*%c,*%c,*%c]\n" % (n + 1, n + 1, *[n] * 9) for n in range(97, 106)
        ), "aliases"),
        ("set.pdf", b"%PDF-1.7 x", "PDF"),
    ],
)  # fmt: skip
def test_a_file_that_cannot_be_read_says_why(tmp_path: Path, name: str, data: bytes, says: str) -> None:
    with pytest.raises(InputError) as caught:
        see(tmp_path, name, data)
    assert says in str(caught.value)
    assert caught.value.hint


def test_a_missing_file_and_a_folder_are_told(tmp_path: Path) -> None:
    for path in (tmp_path / "missing.csv", tmp_path):
        with pytest.raises(InputError, match="could not be read"):
            preview(path, POLICY)


ROWS: list[dict[str, Any]] = [
    {"text": "Hello", "label": "safe"},
    {"text": "Bye", "label": None},
    {"text": "Buy", "label": "unsafe"},
]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.jsonl", "\n".join(map(json.dumps, ROWS))),
        ("a.json", "\ufeff" + "\n\n".join(map(json.dumps, ROWS))),
        ("a.json", json.dumps(ROWS)),
        ("a.jsonl", json.dumps(ROWS, indent=2)),
        ("a.json", "\n".join(json.dumps(row, indent=1) for row in ROWS)),
        ("a.json", json.dumps({"info": {"by": "us"}, "data": ROWS})),
        ("a.json", json.dumps({"rows": [{"row_idx": n, "row": row} for n, row in enumerate(ROWS)], "features": []})),
        ("a.json", json.dumps({"train": ROWS[:2], "test": ROWS[2:]})),
        ("a.json", json.dumps({str(n): row for n, row in enumerate(ROWS)})),
        ("a.json", json.dumps({key: [row[key] for row in ROWS] for key in ROWS[0]})),
        ("a.json", json.dumps({key: {str(n): row[key] for n, row in enumerate(ROWS)} for key in ROWS[0]})),
        ("a.txt", "\n".join(map(json.dumps, ROWS))),
        ("a.yaml", "- {text: Hello, label: safe}\n- {text: Bye, label: }\n- {text: Buy, label: unsafe}\n"),
    ],
)
def test_json_however_it_is_laid_out(tmp_path: Path, name: str, text: str) -> None:
    seen = see(tmp_path, name, text)
    assert (seen.items, seen.by_label, seen.unlabelled) == (3, {"safe": 1, "unsafe": 1}, 1)


def test_broken_lines_of_json_are_listed(tmp_path: Path) -> None:
    text = '{"text": "Hello", "label": "safe"}\n{"text": oops}\n\n[1]\n{"text": "Bye", "label": "safe"}\n"x'
    seen = see(tmp_path, "a.jsonl", text)
    assert (seen.by_label, sorted(skipped(seen))) == ({"safe": 2}, [2, 4, 6])
    cut = see(tmp_path, "b.json", json.dumps(ROWS)[:-20])
    assert (cut.items, len(cut.skipped)) == (2, 1)


def test_a_long_array_is_read_across_its_blocks(tmp_path: Path) -> None:
    rows = [{"text": f"Note {n} " + "é" * (n % 50), "label": "safe", "n": n} for n in range(3000)]
    seen = see(tmp_path, "a.json", json.dumps(rows, ensure_ascii=False))
    assert (seen.items, seen.by_label, seen.skipped) == (3000, {"safe": 3000}, ())


def test_parquet_with_names_of_classes(tmp_path: Path) -> None:
    features = {"info": {"features": {"label": {"names": ["safe", "unsafe"], "_type": "ClassLabel"}}}}
    table = pyarrow.table({"text": ["Hello", "Bye", "Buy"], "label": [0, 1, None]})
    plain, named = tmp_path / "plain.parquet", tmp_path / "named.parquet"
    parquet.write_table(table, plain)
    parquet.write_table(table.replace_schema_metadata({"huggingface": json.dumps(features)}), named)
    for path, questions in ((plain, ["values.0", "values.1"]), (named, [])):
        seen = preview(path, POLICY)
        assert (seen.by_label, seen.unlabelled, asked(seen)) == ({"0": 1, "1": 1}, 1, questions)
    lists = tmp_path / "lists.parquet"
    several = {"info": {"features": {"labels": {"feature": {"names": ["safe", "unsafe"]}, "_type": "Sequence"}}}}
    table = pyarrow.table({"text": ["Hello", "Bye"], "labels": [[0], [0, 1]]})
    parquet.write_table(table.replace_schema_metadata({"huggingface": json.dumps(several)}), lists)
    assert preview(lists, POLICY).decisions == {"allowed": 1, "violates": 1}
    people = tmp_path / "people.parquet"
    each = {"annotators": {"feature": {"label": {"names": ["safe", "unsafe"]}, "annotator_id": {"dtype": "int32"}}}}
    said = [[{"label": 1, "annotator_id": 7}, {"label": 1, "annotator_id": 8}], [{"label": 0, "annotator_id": 7}]]
    table = pyarrow.table({"annotators": said, "post_tokens": [["So", "it"], ["Is"]]})
    metadata = {"huggingface": json.dumps({"info": {"features": each}})}
    parquet.write_table(table.replace_schema_metadata(metadata), people)
    seen = preview(people, POLICY)
    assert (seen.by_label, seen.decisions) == ({"1": 1, "0": 1}, {"allowed": 1, "violates": 1})
    struct = tmp_path / "struct.parquet"
    parquet.write_table(pyarrow.table({"text": ["Hello"], "scores": [{"toxicity": 0.3}]}), struct)
    assert preview(struct, POLICY).items == 1


def test_excel_with_several_sheets(tmp_path: Path) -> None:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "Set"
    for row in (
        ["These are examples", None],
        ["Text", "Label"],
        ["Hello", "safe"],
        [None, None],
        ["Bye", None],
        [3, "x"],
    ):
        sheet.append(row)
    book.save(tmp_path / "one.xlsx")
    one = preview(tmp_path / "one.xlsx", POLICY)
    assert (one.items, one.by_label, one.unlabelled) == (3, {"safe": 1, "x": 1}, 1)
    assert skipped(one) == {1: "it stands above the header: These are examples"}
    book.create_sheet("Empty")
    book.create_sheet("More").append(["text", "label"])
    book.save(tmp_path / "two.xlsx")
    assert asked(preview(tmp_path / "two.xlsx", POLICY)) == ["confirm.sheet", "values.x"]
