"""`policies diff|merge|split|new`."""

from __future__ import annotations

from pathlib import Path

from tests.cli.conftest import Cli


def test_the_words_that_changed_between_versions(cli: Cli, tmp_path: Path) -> None:
    file = tmp_path / "mine.md"
    front = "---\nid: mine\nlabels: [{id: M1, decision: violate}]\n---\n"
    file.write_text(front + "# Rules\n- M1: Sells fake goods.\n", encoding="utf-8")
    cli("policies", "import", file)
    file.write_text(front + "# Rules\n- M1: Sells copied goods.\n- M1: Sells keys.\n", encoding="utf-8")
    cli("policies", "import", file)

    rows = cli("policies", "diff", "mine", "1", "2", "--json").json
    assert [(row["change"], row["old_line"]) for row in rows] == [("changed", 2)]
    assert {"change": "added", "text": "copied"} in rows[0]["words"]
    shown = cli("policies", "diff", "mine", "1", "draft").out
    assert "Sells [-fake-][+copied+] goods." in shown
    assert cli("policies", "diff", "mine", "2", "2").out == "The texts are equal\n"
    assert cli("policies", "diff", "mine", "1", "nine").code == 2


def test_merging_and_splitting_make_new_policies(cli: Cli) -> None:
    merged = cli("policies", "merge", "spam", "hate", "--title", "Spam and hate")
    assert merged.code == 0
    assert "spam-and-hate version 1" in merged.out
    assert "43.6 %" in merged.err
    assert "HT4" in cli("policies", "show", "spam-and-hate").out

    split = cli("policies", "split", "spam")
    assert [line.split()[0] for line in split.out.splitlines()] == ["spam-sp2", "spam-sp3", "spam-sp4"]
    assert cli("policies", "split", "demo-animals@1").code == 0
    assert cli("policies", "merge", "spam", "--title", "x").code == 2


def test_a_new_policy_blank_and_from_a_guideline(cli: Cli, tmp_path: Path) -> None:
    assert "my-forum version 1" in cli("policies", "new", "My forum").out
    rules = tmp_path / "house-rules.txt"
    rules.write_text("No advertising. Questions are welcome.", encoding="utf-8")
    made = cli("policies", "new", "--from-guideline", rules)
    assert "house-rules version 1: House rules" in made.out
    assert "Missing in the guideline" in made.err
    assert "V1.a: No advertising." in cli("policies", "show", "house-rules").out
    assert cli("policies", "new").code == 2
    assert cli("policies", "new", "--from-guideline", tmp_path / "missing.txt").code == 2


def test_files_as_people_publish_them_come_out_byte_for_byte(cli: Cli, tmp_path: Path) -> None:
    words = "# Rules\r\nNo insults.\n\r\nReply with one word: REMOVE or KEEP.\r\n".encode("utf-16")
    front = "---\nlayout: page\ntitle: Réglement\n---\n## Verboten\n- K1: Drohung\n## Erlaubt\n- K0: Kritik\n"
    for name, data, plain in (("words.txt", words, True), ("site.md", front.encode("utf-8-sig"), False)):
        file, out = tmp_path / name, tmp_path / f"out-{name}"
        file.write_bytes(data)
        assert cli("policies", "import", file).code == 0
        assert cli("policies", "export", file.stem, out, *(["--plain"] if plain else [])).code == 0
        assert out.read_bytes() == data
