"""``matrix`` on the shipped demo model."""

from __future__ import annotations

from tests.cli.conftest import Cli


def test_contents_under_several_policies(cli: Cli) -> None:
    found = cli("matrix", "-p", "demo-notices", "-p", "demo-animals", "What ridiculous muffins.", "--json").json
    assert [policy["id"] for policy in found["policies"]] == ["demo-notices", "demo-animals"]
    assert [cell["decision"] for cell in found["cells"][0]] == ["violates", "allowed"]
    assert found["notes"] == []

    shown = cli("matrix", "-p", "demo-notices", "-p", "demo-animals", "What ridiculous muffins.")
    assert "VIOLATES" in shown.out
    assert "ALLOWED" in shown.out

    assert cli("matrix", "text").code == 2
    assert cli("matrix", "-p", "spam").code == 2
    assert cli("matrix", "--tag", "nosuch", "text").code == 2
