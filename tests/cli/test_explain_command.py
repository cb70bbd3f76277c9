"""``explain`` on the shipped demo model."""

from __future__ import annotations

from tests.cli.conftest import Cli

MOCKING = "What ridiculous muffins."


def test_which_rule_decides_by_content_and_by_run(cli: Cli) -> None:
    found = cli("explain", "--policy", "demo-notices", MOCKING, "--json")
    assert found.code == 0
    first = found.json["removals"][0]
    assert (first["part"]["name"], first["effect"], first["decision"]) == ("N1", "flips", "allowed")
    assert found.json["parts"] == len(found.json["removals"]) == 8
    assert [row["effect"] for row in found.json["removals"]].count("flips") == 1

    again = cli("explain", "--run", found.json["run"])
    assert again.code == 0, again.err
    rows = again.out.splitlines()
    assert "VIOLATES" in rows[0]
    assert next(row for row in rows if row.startswith("N1")).split()[1:4] == ["line", "6", "flips"]

    words = cli("explain", "--run", found.json["run"], "--content-words", "--json").json
    assert {row["part"]["text"] for row in words["removals"]} == {"What", "ridiculous", "muffins."}


def test_what_cannot_be_explained_ends_with_2(cli: Cli) -> None:
    assert cli("explain", MOCKING).code == 2
    assert cli("explain", "--policy", "demo-notices", "").code == 2
    assert cli("explain", "--run", "nosuchrun").code == 2
    assert cli("explain", "--run", "x", "--policy", "spam").code == 2
    assert cli("explain", "--policy", "spam", "x", "--content-words", "--content-sentences").code == 2
