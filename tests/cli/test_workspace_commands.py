"""Commands that need no model."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path

import pytest

from studio import __version__, paths
from studio.services.contents import MAX_CONTENT_BYTES
from studio.services.shield import refused
from tests.cli.conftest import Cli


def test_the_version_is_told(cli: Cli) -> None:
    ran = cli("--version")
    assert ran.code == 0
    assert ran.out == f"moderation-studio {__version__}\n"


def test_policies_are_there_from_the_start(cli: Cli) -> None:
    rows = cli("policies", "list", "--json").json
    by_id = {row["id"]: row for row in rows}
    assert by_id["spam"]["version"] == 1
    assert by_id["spam"]["golden"] >= 24
    assert by_id["spam"]["starter"] is True
    listed = cli("policies", "list")
    assert listed.code == 0
    assert "spam" in listed.out


def test_a_shown_policy_can_be_imported_and_starters_are_never_overwritten(cli: Cli, tmp_path: Path) -> None:
    shown = cli("policies", "show", "spam")
    file = tmp_path / "spam.md"
    file.write_text(shown.out, encoding="utf-8")
    imported = cli("policies", "import", file)
    assert imported.code == 0
    assert "spam-2 version 1" in imported.out
    assert "unchanged" not in imported.out
    # The number belongs to the workspace: the file stays as it was handed over.
    assert cli("policies", "show", "spam-2@1").out == shown.out
    again = cli("policies", "import", file)
    assert "spam-2 version 1" in again.out
    assert "unchanged" in again.out
    file.write_text(shown.out + "\nAnother rule.\n", encoding="utf-8")
    assert "spam-3 version 1" in cli("policies", "import", file).out


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (("policies", "show", "nonsense"), "There is no policy 'nonsense'"),
        (("policies", "show", "spam@99"), "no version 99"),
        (("policies", "show", "spam@x"), "has no release"),
        (("policies", "show", "spam@²"), "has no release"),
        (("policies", "show", "spam@99999999999999999999"), "has no release"),
        (("policies", "show", "missing.md"), "missing.md"),
        (("sessions", "show", "abc"), "There is no session"),
        (("models", "use", "nonsense"), "There is no model"),
        (("reparse", "--policy", "spam", "--input", "missing.jsonl"), "missing.jsonl"),
        (("nonsense",), "nonsense"),
        (("classify",), "policy"),
        (("classify", "-p", "spam", "x", "--sampled", "--seed", "-1"), "seed"),
    ],
)
def test_bad_input_ends_with_2_and_says_what_and_what_to_do(cli: Cli, args: tuple[str, ...], says: str) -> None:
    ran = cli(*args)
    assert ran.code == 2
    assert says in ran.err
    assert "Traceback" not in ran.err


@pytest.mark.parametrize(
    ("given", "says"),
    [(b"", "empty"), (b" \n\t", "empty"), (b"a" * (MAX_CONTENT_BYTES + 1), "longer than"), (None, "closed")],
    ids=["nothing", "space", "too much", "closed"],
)
def test_input_that_is_no_content_is_never_judged(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, given: bytes | None, says: str
) -> None:
    monkeypatch.setattr(sys, "stdin", None if given is None else io.TextIOWrapper(io.BytesIO(given)))
    ran = cli("classify", "--policy", "spam", "--json")
    assert ran.code == 2
    assert says in ran.err
    assert ran.out == ""


def test_reparse_reads_answers_in_order(cli: Cli, tmp_path: Path) -> None:
    policy = tmp_path / "p.md"
    policy.write_text("# Spam\nSP0 (VALID)\nSP2 (INVALID)\nAnswer (VALID or INVALID):\n", encoding="utf-8")
    rows = [
        {"id": "a", "raw_output": "INVALID"},
        {"id": 7, "raw_output": "Answer (VALID or INVALID): VALID", "reasoning": "It is INVALID, surely."},
        {"raw_output": "I’m sorry, but I can’t help with that."},
        {"id": "d", "raw_output": ""},
        {"id": "e", "raw_output": None},
    ]
    source = tmp_path / "log.jsonl"
    source.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    ran = cli("reparse", "--policy", policy, "--input", source, "--json")
    assert ran.code == 0
    found = [json.loads(line) for line in ran.out.splitlines()]
    assert [row["id"] for row in found] == ["a", 7, "3", "d", "e"]
    assert [row["decision"] for row in found] == ["violates", "allowed", None, None, None]
    assert [row["status"] for row in found] == ["ok", "ok", "refused", "empty", "empty"]
    assert set(found[0]) == {"id", "decision", "status", "labels", "rule_ids", "rationale"}
    counted = cli("reparse", "--policy", policy, "--input", source)
    assert "violates" in counted.out
    assert "Labels found in the text: SP0 (allow), SP2 (violate)" in counted.err


def test_reparse_takes_ids_and_answers_of_any_json_kind_and_a_policy_file_of_any_name(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rules").write_text("Answer 0 or 1.\n0 = fine\n1 = content violates the policy\n", encoding="utf-8")
    rows: list[tuple[object, object, str | None]] = [
        (2.5, {"violation": 1}, "violates"),
        ({"run": 3}, 0, "allowed"),
        ([1], [1, 0], None),
        (True, True, None),
        (0, "\ud800", None),
    ]
    source = tmp_path / "log.jsonl"
    source.write_text("\r\n".join(json.dumps({"id": i, "raw_output": raw}) for i, raw, _ in rows) + "\r\n\r\n")
    ran = cli("reparse", "-p", "rules", "-i", source, "--json")
    assert ran.code == 0, ran.err
    found = [json.loads(line) for line in ran.out.splitlines()]
    assert [row["id"] for row in found] == [i for i, _, _ in rows]
    assert [row["decision"] for row in found] == [decision for _, _, decision in rows]


def test_reparse_reads_standard_input(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    log = b'{"raw_output": "INVALID"}\n{"raw_output": "no"}'
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(log)))
    ran = cli("reparse", "-p", "spam", "-i", "-", "--json")
    assert [json.loads(line)["status"] for line in ran.out.splitlines()] == ["ok", "unparsed"]
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"half {")))
    assert "standard input, line 1 is not JSON" in cli("reparse", "-p", "spam", "-i", "-").err


def test_reparse_refuses_a_row_without_an_answer(cli: Cli, tmp_path: Path) -> None:
    source = tmp_path / "log.jsonl"
    source.write_text('{"raw_output": "VALID"}\n{"output": "VALID"}\n', encoding="utf-8")
    ran = cli("reparse", "--policy", "spam", "--input", source, "--json")
    assert ran.code == 2
    assert "line 2" in ran.err


@pytest.mark.parametrize("line", ["half {", "7", '{"raw_output": ' + "1" * 5000 + "}", "[" * 100_000])
def test_reparse_says_which_line_is_no_answer(cli: Cli, tmp_path: Path, line: str) -> None:
    source = tmp_path / "log.jsonl"
    source.write_text('{"raw_output": "VALID"}\n' + line, encoding="utf-8")
    ran = cli("reparse", "--policy", "spam", "--input", source)
    assert ran.code == 2
    assert "line 2" in ran.err
    assert '"raw_output": "INVALID"' in ran.err


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="Linux has a device that is always full")
def test_output_that_cannot_be_written_is_said_without_a_traceback(tmp_path: Path) -> None:
    source = tmp_path / "log.jsonl"
    source.write_text('{"raw_output": "VALID"}\n', encoding="utf-8")
    for command in (["policies", "list"], ["reparse", "-p", "spam", "-i", str(source), "--json"]):
        with open("/dev/full", "w") as full:
            ran = subprocess.run([sys.executable, "-m", "studio", *command], stdout=full, stderr=subprocess.PIPE)
        assert ran.returncode == 1
        assert b"The output could not be written" in ran.stderr
        assert b"Traceback" not in ran.stderr
        assert b"Exception" not in ran.stderr


def test_hostile_text_cannot_steer_the_terminal(cli: Cli, tmp_path: Path) -> None:
    policy = tmp_path / "evil.md"
    policy.write_text('---\ntitle: "a\\e[2Jb\\u202ec"\nlabels: [{id: A0, decision: allow}]\n---\nx', encoding="utf-8")
    ran = cli("policies", "import", policy)
    assert ran.code == 0
    assert "\x1b[2J" not in ran.out
    assert "\u202e" not in ran.out
    assert "\\u001b[2Jb\\u202ec" in ran.out


def test_damaged_settings_are_told_before_another_model_judges() -> None:
    paths.settings_file().write_text('{"model": 7}', encoding="utf-8")
    command = [sys.executable, "-m", "studio", "sessions", "list"]
    ran = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", check=True)
    assert "model" in ran.stderr
    assert "is damaged" in ran.stderr
    assert subprocess.run(command, capture_output=True, check=True).stderr == b""


def test_sessions_of_a_new_workspace_are_empty(cli: Cli) -> None:
    assert cli("sessions", "list", "--json").json == []
    assert cli("sessions", "search", 'any "thing" AND (', "--json").json == []


def test_a_file_that_is_no_workspace_is_refused(cli: Cli, tmp_path: Path) -> None:
    path = tmp_path / "not.studio"
    path.write_text("hello" * 1000, encoding="utf-8")
    ran = cli("policies", "list", "--workspace", path)
    assert ran.code == 1
    assert "not.studio" in ran.err
    assert path.read_text(encoding="utf-8") == "hello" * 1000


def test_a_file_that_is_no_model_is_refused(cli: Cli, tmp_path: Path) -> None:
    path = tmp_path / "not.gguf"
    path.write_bytes(b"nope")
    ran = cli("models", "import", path)
    assert ran.code == 3
    assert "not a GGUF file" in ran.err


def test_no_command_tried_to_connect(cli: Cli) -> None:
    before = refused()
    cli("policies", "list")
    assert refused() == before
