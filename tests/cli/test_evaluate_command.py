"""The gate, on the real engine with the demo model."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest

from studio import paths
from tests.cli.conftest import Cli

POLICY = "demo-animals"


@pytest.fixture
def golden(tmp_path: Path) -> Path:
    """A few of the demo policy's examples, and one that nobody has decided."""
    lines = (paths.resource("policies") / POLICY / "golden.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [row for row in map(json.loads, lines) if "content" in row and "clear" in row["tags"]]
    chosen = [next(row for row in rows if row["expected"] == decision) for decision in ("violates", "allowed")]
    file = tmp_path / "golden.jsonl"
    undecided = {"id": "open", "content": "Who knows?"}
    file.write_text("".join(json.dumps(row) + "\n" for row in (*chosen, undecided)), encoding="utf-8")
    return file


def test_the_gate_opens_shuts_and_tells_why(cli: Cli, golden: Path, tmp_path: Path) -> None:
    html, junit = tmp_path / "r.html", tmp_path / "j.xml"
    ran = cli("evaluate", "-p", POLICY, "-g", golden, "--fail-under", "accuracy=0.3", "--json", "--html", html)
    assert ran.code == 0
    assert ran.json["met"] is True
    assert ran.json["provenance"]["judged_now"] == 2
    assert ran.json["scores"]["binary"]["tp"] == 1
    assert "Content-Security-Policy" in html.read_text(encoding="utf-8")
    again = cli("evaluate", "-p", POLICY, "-g", golden, "--fail-under", "recall=0.9", "--junit", junit)
    assert again.code == 13
    assert "not met" in again.out
    assert "Missed  fnr" in again.out
    assert "1 example has no decision" in again.err
    assert ElementTree.parse(junit).getroot().get("failures") == "1"
    point = cli("evaluate", "-p", POLICY, "-g", golden, "--fail-under", "recall=0.9", "--by", "point", "--json")
    assert (point.code, point.json["provenance"]["judged_now"]) == (0, 0)
    same = cli("evaluate", "-p", POLICY, "-g", golden, "--compare", "1", "--json")
    assert (same.code, same.json["comparison"]["change"]) == (0, "same")
    assert any(line.startswith("Compared with") and "version 1: " in line for line in same.json["summary"])


def test_any_labelled_file_will_do(cli: Cli, tmp_path: Path) -> None:
    file = tmp_path / "set.csv"
    file.write_text("text,label\nTwo puppies for sale.,unsafe\nThe sun is out.,safe\n", encoding="utf-8")
    ran = cli("evaluate", "-p", POLICY, "-g", file, "--json")
    assert (ran.code, ran.json["provenance"]["examples_by_decision"]) == (0, "1 violates, 1 allowed")
    file.write_text("text,label\nTwo puppies for sale.,1\nThe sun is out.,0\n", encoding="utf-8")
    asked = cli("evaluate", "-p", POLICY, "-g", file, "--json")
    assert (asked.code, "question" in asked.err) == (2, True)
    saved = tmp_path / "m.json"
    cli("golden", "import", file, "-p", POLICY, "--preview", "--save-mapping", saved)
    answered = json.loads(saved.read_text(encoding="utf-8"))
    answered["values"] = {"1": "violates", "0": "allowed"}
    saved.write_text(json.dumps(answered), encoding="utf-8")
    mapped = cli("evaluate", "-p", POLICY, "-g", file, "--mapping", saved, "--json")
    assert (mapped.code, mapped.json["provenance"]["judged_now"]) == (0, 0)


def test_the_held_out_part_is_judged_by_itself_and_bears_the_thresholds(cli: Cli, tmp_path: Path) -> None:
    assert cli("evaluate", "-p", POLICY, "--part", "held-out").code == 2
    assert "9 of 30" in cli("golden", "hold-out", "-p", POLICY, "--share", "0.3").out
    pdf = tmp_path / "r.pdf"
    ran = cli("evaluate", "-p", POLICY, "--part", "held-out", "--miss-rate", "0.5", "--json", "--pdf", pdf)
    assert (ran.code, ran.json["provenance"]["held_out_examples"]) == (0, 9)
    assert ran.json["provenance"]["examples"] == 9
    found = ran.json["thresholds"]
    assert (found["held_out"], found["allow"]["rate"], found["flag"]["rate"]) == (True, 0.5, 0.05)
    assert "it takes at least" in found["flag"]["reason"]
    assert pdf.read_bytes().startswith(b"%PDF-")
    rest = cli("evaluate", "-p", POLICY, "--part", "drafting", "--miss-rate", "0.5", "--json")
    assert (rest.json["provenance"]["examples"], rest.json["thresholds"]["held_out"]) == (21, False)


@pytest.mark.parametrize(
    "wrong", [("--fail-under", "f9=1"), ("--repeats", "0"), ("--golden", "nowhere.jsonl"), ("--compare", "99")]
)
def test_what_cannot_be_asked_ends_with_2(cli: Cli, wrong: tuple[str, str]) -> None:
    assert cli("evaluate", "-p", POLICY, *wrong).code == 2


def test_a_report_needs_a_file(cli: Cli) -> None:
    ran = cli("report", "-p", POLICY)
    assert ran.code == 2
    assert "--html" in ran.err
