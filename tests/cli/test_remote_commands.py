from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from studio import paths, settings
from studio.services.remotes import Remotes
from tests.cli.conftest import Cli
from tests.engine.remote_stand_in import StandIn, serving


@pytest.fixture
def server() -> Iterator[StandIn]:
    with serving(StandIn()) as server:
        yield server


def test_the_command_line_adds_lists_judges_and_forgets(
    server: StandIn, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.key = "open sesame"
    monkeypatch.setenv("TEAM_KEY", "open sesame")

    added = cli("models", "add-remote", server.url, "--key-env", "TEAM_KEY", "--json")

    assert added.code == 0, added.err
    assert added.json["token_ids"] is True
    assert "unencrypted" in added.json["warnings"][0]
    [listed] = [row for row in cli("models", "list", "--json").json if row["state"] == "remote"]
    assert (listed["id"], listed["in_use"]) == (added.json["id"], True)
    assert added.json["id"] in cli("models", "list").out
    checked = cli("models", "check-remote", added.json["id"], "--json")
    assert (checked.code, checked.json[0]["good"], checked.json[0]["words"]) == (0, True, "llama-server b9-test")
    again = cli("models", "add-remote", server.url, "--key-env", "TEAM_KEY", "--no-use", "--json")
    assert again.json["in_use"], "added again it goes on judging under its new id"
    assert [row["id"] for row in cli("models", "list", "--json").json if row["state"] == "remote"] == [again.json["id"]]
    added = again
    server.models = ("another",)
    broken = cli("models", "check-remote", added.json["id"])
    assert broken.code == 1
    assert "does not serve" in broken.out
    assert not any(b"open sesame" in file.read_bytes() for file in paths.config_dir().rglob("*") if file.is_file())
    assert cli("models", "remove", added.json["id"]).code == 0
    assert settings.load().settings.model is None
    assert Remotes().list() == []
    refused = cli("models", "add-remote", server.url)
    assert refused.code == 3
    assert "refuses the key" in refused.err


def test_the_folder_for_models_is_shown_and_chosen(cli: Cli, tmp_path: Path) -> None:
    shown = cli("models", "folder", "--json").json
    assert (shown["path"], shown["own"]) == (str(paths.models_dir()), True)
    big = tmp_path / "big"
    big.mkdir()
    assert "free" in cli("models", "folder", str(big)).out
    assert settings.load().settings.models_folder == big
    assert cli("models", "folder", str(tmp_path / "nowhere")).code == 2
    assert cli("models", "folder", "--own", "--json").json["own"] is True
