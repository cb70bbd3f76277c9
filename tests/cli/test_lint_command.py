"""`lint`: what it prints, what it gives to scripts, and its exit codes."""

from __future__ import annotations

from pathlib import Path

from studio import paths
from tests.cli.conftest import Cli

POLICY = "# Instruction\nDecide whether it is spam. Answer 0 or 1.\n\nReasoning: high\nContent: [INPUT]\n"


def test_the_shipped_policies_are_without_findings(cli: Cli) -> None:
    ran = cli("lint", paths.resource("policies"))
    assert (ran.code, ran.out) == (0, "No findings in 13 files\n")


def test_findings_for_scripts(cli: Cli, tmp_path: Path) -> None:
    file = tmp_path / "spam.md"
    file.write_text(POLICY, encoding="utf-8")
    ran = cli("lint", file, "--json")
    assert ran.code == 1
    row = next(row for row in ran.json if row["rule"] == "placeholder")
    assert list(row) == ["file", "line", "column", "rule", "severity", "message", "fix"]
    assert row["message"].endswith("Delete it.")
    assert (row["file"], row["line"], row["column"], row["severity"]) == (str(file), 5, 10, "error")
    (edit,) = row["fix"]
    assert POLICY[: edit["start"]] + edit["text"] + POLICY[edit["end"] :] == POLICY.replace("Content: [INPUT]\n", "")


def test_places_count_from_the_top_of_the_file(cli: Cli, tmp_path: Path) -> None:
    file = tmp_path / "spam.md"
    front = "---\r\ntitle: Spam\r\nlabels: [{id: S0, decision: allow}]\r\n---\r\n"
    file.write_bytes((front + POLICY).encode())
    row = next(row for row in cli("lint", file, "--json").json if row["rule"] == "effort-in-text")
    assert (row["line"], row["column"]) == (8, 1)
    (edit,) = row["fix"]
    assert (front + POLICY)[edit["start"] : edit["end"]] == "Reasoning: high\n"


def test_people_see_the_line_with_a_caret(cli: Cli, tmp_path: Path) -> None:
    file = tmp_path / "spam.md"
    file.write_text(POLICY.replace("it is", "it \u202eis"), encoding="utf-8")
    ran = cli("lint", file)
    assert ran.code == 1
    assert f"{file}:5:10: error The slot [INPUT]" in ran.out
    assert "    Content: [INPUT]\n             ^^^^^^^\n" in ran.out
    assert "\u202e" not in ran.out
    assert "\\u202e" in ran.out
    assert "errors" in ran.out.splitlines()[-1]


def test_warnings_alone_are_no_failure(cli: Cli, tmp_path: Path) -> None:
    file = tmp_path / "spam.txt"
    file.write_text(POLICY.replace("Content: [INPUT]\n", ""), encoding="utf-8")
    ran = cli("lint", file)
    assert ran.code == 0
    assert "warning" in ran.out


def test_what_cannot_be_read_does_not_hide_the_rest(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "a.md").write_bytes(b"\xff\xfe\x00")
    (tmp_path / "b.md").write_text(POLICY, encoding="utf-8")
    ran = cli("lint", tmp_path)
    assert ran.code == 2
    assert "a.md" in ran.err
    assert "b.md:5:10" in ran.out
    assert cli("lint", tmp_path / "missing.md").code == 2
    (tmp_path / "empty").mkdir()
    assert cli("lint", tmp_path / "empty").code == 2
