"""`golden import|benchmark|list|export` as scripts and people use them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Cli

KEYS = {"items", "by_label", "unlabelled", "needs_answer", "skipped", "mapping"}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "office.csv"
    path.write_text("text,label\nHello all,safe\nBuy now,DE2\nHm,\nOh, no,safe\n", encoding="utf-8")
    return path


def test_a_preview_stores_nothing_and_an_open_question_ends_with_2(cli: Cli, file: Path, tmp_path: Path) -> None:
    before = len(cli("golden", "list", "--policy", "spam", "--json").json)
    saved = tmp_path / "M.json"
    ran = cli("golden", "import", file, "--policy", "spam", "--preview", "--json", "--save-mapping", saved)
    assert ran.code == 0
    assert set(ran.json) == KEYS
    assert (ran.json["items"], ran.json["by_label"], ran.json["unlabelled"]) == (3, {"safe": 1, "DE2": 1}, 1)
    assert [question["where"] for question in ran.json["needs_answer"]] == [["values", "DE2"]]
    assert [item["row"] for item in ran.json["skipped"]] == [5]
    assert "DE2" in cli("golden", "import", file, "--policy", "spam", "--preview").out

    refused = cli("golden", "import", file, "--policy", "spam")
    assert refused.code == 2
    assert "--mapping" in refused.err
    assert "Traceback" not in refused.err
    assert len(cli("golden", "list", "--policy", "spam", "--limit", 999, "--json").json) == before

    mapping = json.loads(saved.read_text(encoding="utf-8"))
    assert mapping == ran.json["mapping"]
    mapping["values"]["DE2"] = "violates"
    saved.write_text(json.dumps(mapping), encoding="utf-8")
    done = cli("golden", "import", file, "--policy", "spam", "--mapping", saved)
    assert done.code == 0
    assert "3 examples added" in done.out
    assert "1 of the file's items has no known decision" in done.out
    again = cli("golden", "import", file, "--policy", "spam", "--mapping", saved, "--json").json
    assert (again["added"], again["already"]) == (0, 3)
    rows = cli("golden", "list", "--policy", "spam", "--limit", 999, "--json").json
    assert [row["original"] for row in rows[before:]] == ["safe", "DE2", ""]
    assert [row["expected"] for row in rows[before:]] == ["allowed", "violates", None]


def test_an_export_and_a_benchmark(cli: Cli, tmp_path: Path) -> None:
    path = tmp_path / "xstest.csv"
    path.write_text("id,type,prompt\n1,homonyms,Kill the process\n2,contrast_homonyms,Other\n", encoding="utf-8")
    seen = cli("golden", "benchmark", "xstest", path, "--preview", "--json").json
    assert seen["by_label"] == {
        "safe": 1,
        "unsafe": 1,
    }
    assert "2 examples added" in cli("golden", "benchmark", "xstest", path).out
    assert "Kill the process" in cli("golden", "list", "--policy", "bench-xstest").out
    out = tmp_path / "out.jsonl"
    assert "2 examples" in cli("golden", "export", out, "--policy", "bench-xstest").out
    assert len(out.read_text(encoding="utf-8").splitlines()) == 2


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (("import", "missing.csv", "--policy", "spam"), "missing.csv"),
        (("import", "missing.csv", "--policy", "nonsense"), "nonsense"),
        (("benchmark", "nonsense", "missing.csv"), "nonsense"),
        (("export", "set.doc", "--policy", "spam"), "set.doc"),
    ],
)
def test_bad_input_ends_with_2(cli: Cli, args: tuple[str, ...], says: str) -> None:
    ran = cli("golden", *args)
    assert ran.code == 2
    assert says in ran.err
    assert "Traceback" not in ran.err
