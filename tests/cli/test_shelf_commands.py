"""The commands of the model shelf, over real files and a Hub on loopback."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from studio import paths
from tests.cli.conftest import Cli
from tests.hub.conftest import known, model_bytes
from tests.hub.gguf_maker import Maker
from tests.hub.hub_stand_in import HubStandIn, running


@pytest.fixture(autouse=True)
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without other programs' models."""
    for name in ("OLLAMA_MODELS", "HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "HF_HOME", "XDG_CACHE_HOME", "HF_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "stick" / "m.gguf"
    path.parent.mkdir()
    path.write_bytes(model_bytes())
    return path


def states(cli: Cli) -> dict[str, str]:
    return {entry["id"]: entry["state"] for entry in cli("models", "list", "--json").json}


def test_the_list_shows_what_is_here_and_what_can_be_had(cli: Cli) -> None:
    entries = cli("models", "list", "--json").json
    assert [entry["state"] for entry in entries] == ["ready", *["get"] * (len(entries) - 1)]
    assert entries[0]["in_use"]
    assert entries[0]["demo"]
    shown = cli("models", "list").out
    assert "safeguard" in shown
    assert "11.6 GB" in shown


def test_inspect_tells_a_file_in_words_and_as_json(cli: Cli, demo_gguf: Path, tmp_path: Path) -> None:
    shown = cli("models", "inspect", demo_gguf)
    assert "gpt-oss" in shown.out
    assert "4,008 tokens" in shown.out
    facts = cli("models", "inspect", demo_gguf, "--json").json
    assert (facts["layers"], facts["assessment"]["usable"]) == (5, True)
    assert facts["files"] == [str(demo_gguf)]
    steering = tmp_path / "x.gguf"
    Maker({"general.architecture": "\x1b[2Jllama"}).write(steering)
    ran = cli("models", "inspect", steering)
    assert "\x1b" not in ran.out
    assert "cannot judge" in ran.out
    steering.write_bytes(b"GGUF\3\0\0\0")
    ran = cli("models", "inspect", steering)
    assert ran.code == 3
    assert "not a GGUF file" in ran.err


def test_a_file_is_imported_used_verified_and_forgotten(cli: Cli, model: Path) -> None:
    [entry] = cli("models", "import", model, "--json").json
    assert not entry["recognised"]
    assert [e["id"] for e in cli("models", "list", "--json").json if e["in_use"]] == [entry["id"]]
    assert "every byte" in cli("models", "verify", entry["id"]).out
    assert cli("models", "use", "demo").code == 0
    assert cli("models", "use", entry["id"]).code == 0
    gone = cli("models", "remove", entry["id"], "--json").json
    assert gone == {"id": entry["id"], "deleted": False, "demo_in_use": True}
    assert model.exists()
    assert entry["id"] not in states(cli)


def test_verify_says_with_its_exit_code_that_a_file_is_wrong(cli: Cli, model: Path) -> None:
    [entry] = cli("models", "import", model, "--json").json
    listed = next(paths.models_dir().rglob("models.json"))
    listed.write_text(listed.read_text().replace(entry["sha256"][0], "0" * 64))
    ran = cli("models", "verify", entry["id"], "--json")
    assert ran.code == 1
    assert ran.json["right"] is False
    assert entry["sha256"][0] in ran.json["why"]


def test_discover_shows_and_adds_without_copying(cli: Cli, tmp_path: Path) -> None:
    assert cli("models", "discover", "--json").json == []
    path = tmp_path / "home" / ".lmstudio" / "models" / "team" / "model" / "m.gguf"
    path.parent.mkdir(parents=True)
    path.write_bytes(model_bytes())
    assert cli("models", "discover", "--json").json[0]["path"] == str(path)
    assert "LM Studio" in cli("models", "discover").out
    added = cli("models", "discover", "--add", path, "--json").json
    assert added["files"] == [str(path)]
    assert cli("models", "discover", "--add", path).code == 2


def test_a_model_is_downloaded_after_asking_and_deleted_after_asking(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    with running(HubStandIn({"m.gguf": model_bytes()})) as hub:
        catalogue = known("m.gguf", hub=hub)
        monkeypatch.setattr("studio.hub.catalogue.load", lambda: catalogue)
        monkeypatch.setattr("typer.confirm", lambda *_args, **_more: False)
        refused = cli("models", "download", "small", "--endpoint", hub.url)
        assert refused.code == 1
        assert hub.asked == []
        assert f"The network shield opens for {hub.url.removeprefix('http://')}" in refused.err
        assert "--with-token" in cli("models", "download", "small", "--with-token").err
        monkeypatch.setattr("typer.confirm", lambda *_args, **_more: True)
        got = cli("models", "download", "small", "--endpoint", hub.url, "--json")
        assert json.loads(got.out)["state"] == "ready", got.err
        path = Path(json.loads(got.out)["path"])
        assert path.read_bytes() == hub.files["m.gguf"]
        monkeypatch.setattr("typer.confirm", lambda *_args, **_more: False)
        assert cli("models", "remove", "small").code == 1
        assert path.exists()
        assert cli("models", "remove", "small", "--yes").code == 0
        assert not path.exists()
        hub.files["m.gguf"] = model_bytes(seed=2)
        wrong = cli("models", "download", "small", "--endpoint", hub.url, "--yes")
        assert wrong.code == 1
        assert "now offers another file" in wrong.err
