from __future__ import annotations

from importlib.metadata import distribution
from pathlib import Path

import pytest

from studio.exchange.bundle import build, wheels
from tests.cli.conftest import Cli


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """The studio needs only one small library, so that a bundle is made at once."""
    monkeypatch.setattr(wheels, "closure", lambda _name, _find: [distribution("idna")])
    monkeypatch.setattr(build, "_own", lambda _folder: distribution("moderation-studio"))
    monkeypatch.setattr(build, "_pip", list)


@pytest.mark.parametrize("archive", [False, True])
def test_a_bundle_is_made_and_verified_and_a_change_is_named(cli: Cli, tmp_path: Path, archive: bool) -> None:
    out = tmp_path / ("bundle.tar" if archive else "bundle")

    made = cli("bundle", "create", out, "--policy", "spam@1", *(["--archive"] if archive else []), "--json")

    assert made.code == 0, made.err
    found = cli("bundle", "verify", out, "--json")
    assert found.code == 0, found.out
    assert found.json["policies"] == ["spam"]
    assert found.json["manifest_sha256"] == made.json["manifest_sha256"]
    assert cli("bundle", "create", out).code == 2
    if archive:
        data = bytearray(out.read_bytes())
        data[data.index(b"title: Spam")] ^= 1
        out.write_bytes(data)
    else:
        (out / "policies" / "spam.md").write_text("Everything is allowed.")
    wrong = cli("bundle", "verify", out)
    assert wrong.code == 1
    assert "wrong: policies/spam.md" in wrong.out


def test_what_is_not_there_cannot_be_brought(cli: Cli, tmp_path: Path) -> None:
    assert cli("bundle", "create", tmp_path / "b", "--model", "safeguard-20b-q4").code in (1, 2)
    assert cli("bundle", "create", tmp_path / "b", "--model", "no-such-model").code == 2
    assert cli("bundle", "create", tmp_path / "b", "--wheels", tmp_path / "nowhere").code == 2
    assert cli("bundle", "verify", tmp_path / "b").code == 1
    assert not (tmp_path / "b").exists()
