"""``policies history|restore|branch|release|bisect``."""

from __future__ import annotations

from pathlib import Path

from tests.cli.conftest import Cli

FRONT = "---\nid: mine\ntitle: Mine\nlabels: [{id: M1, decision: violate}, {id: M0, decision: allow}]\n---\n"


def three(cli: Cli, tmp_path: Path) -> None:
    file = tmp_path / "mine.md"
    for word in ("fake", "copied", "stolen"):
        file.write_text(f"{FRONT}# Criteria\n- M1: Sells {word} goods.\n- M0: All else.\n", encoding="utf-8")
        assert cli("policies", "import", file).code == 0


def test_versions_are_listed_released_restored_and_branched(cli: Cli, tmp_path: Path) -> None:
    three(cli, tmp_path)
    assert cli("policies", "release", "mine", "2", "Spring").out == "mine version 2, release Spring: Mine\n"
    rows = cli("policies", "history", "mine", "--json").json
    assert [(row["version"], row["release"]) for row in rows] == [(3, ""), (2, "Spring"), (1, "")]
    assert rows[0]["message"] == "Imported from mine.md"
    assert "Spring" in cli("policies", "history", "mine").out
    assert "copied" in cli("policies", "show", "mine@spring").out
    assert cli("policies", "show", "mine@autumn").code == 2
    assert cli("policies", "release", "mine", "3", "Spring").code == 2
    assert cli("policies", "release", "mine", "3", "7").code == 2

    assert cli("policies", "restore", "mine", "Spring").out == "mine version 4: Mine\n"
    assert cli("policies", "diff", "mine", "2", "4").out == "The texts are equal\n"

    assert (
        cli("policies", "branch", "spam", "1", "--title", "Spam strict").out == "spam-strict version 1: Spam strict\n"
    )
    sizes = {row["id"]: row["golden"] for row in cli("policies", "list", "--json").json}
    assert sizes["spam-strict"] == sizes["spam"] > 0
    assert cli("policies", "history", "nosuch").code == 2


def test_bisecting_names_the_version_and_its_change(cli: Cli, tmp_path: Path) -> None:
    file = tmp_path / "notices.md"
    text = cli("policies", "show", "demo-notices").out.replace("id: demo-notices", "id: notices")
    gone = text.replace("- N1: jokes at the expense of cakes\n", "")
    for one in (text, text.replace("N5: swapping stamps", "N5: swapping coins"), gone):
        file.write_text(one, encoding="utf-8")
        assert cli("policies", "import", file).code == 0

    found = cli("policies", "bisect", "notices", "What ridiculous muffins.", "--json").json
    assert (found["before"]["version"], found["after"]["version"]) == (2, 3)
    assert [change["old"] for change in found["culprits"]] == ["- N1: jokes at the expense of cakes\n"]
    shown = cli("policies", "bisect", "notices", "What ridiculous muffins.").out
    assert "Version 3 flipped it" in shown
    assert "[-- N1: jokes at the expense of cakes-]" in shown

    assert cli("policies", "bisect", "notices", "What ridiculous muffins.", "--to", "2").code == 2
    assert cli("policies", "bisect", "notices", "x", "--example", "y").code == 2
    assert cli("policies", "bisect", "notices", "--example", "nosuch").code == 2


def test_packs_folders_and_plain_files(cli: Cli, tmp_path: Path) -> None:
    pack = tmp_path / "spam.policypack"
    assert "examples" in cli("policies", "pack", "spam", pack, "--note", "Ours").out
    done = cli("policies", "unpack", pack, "--workspace", tmp_path / "other.studio", "--json").json
    assert (done["note"], done["version"], done["known"] > 0) == ("Ours", 1, False)
    assert cli("policies", "unpack", tmp_path / "no.policypack").code == 2

    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "adverts.md").write_text("# Rules\n- AD1: no adverts\n- AD0: all else is allowed\n", encoding="utf-8")
    (folder / "bad.txt").write_bytes(b"\xff")
    ran = cli("policies", "import", folder)
    assert ran.code == 2
    assert "adverts version 1" in ran.out
    assert "bad.txt" in ran.err
    cli("policies", "export", "adverts", tmp_path / "out.txt")
    assert (tmp_path / "out.txt").read_bytes() == (folder / "adverts.md").read_bytes()


def test_the_list_is_narrowed_by_tag_and_jurisdiction(cli: Cli) -> None:
    everything = cli("policies", "list", "--json").json
    demo = cli("policies", "list", "--tag", "DEMO", "--json").json
    assert {row["id"] for row in demo} == {row["id"] for row in everything if "demo" in row["tags"]} != set()
    europe = cli("policies", "list", "--jurisdiction", "eu", "--json").json
    assert [row["id"] for row in europe] == ["eu-influencer-disclosure"]
    assert cli("policies", "list", "--tag", "nosuch", "--json").json == []
