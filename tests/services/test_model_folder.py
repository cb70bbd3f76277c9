"""Another folder for models: what lies there is found, what lay in the old one stays, and nothing moves."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from studio import paths, settings
from studio.core.errors import InputError
from studio.services import model_folder
from studio.services.shelf import Shelf, State
from studio.services.studio import Studio
from tests.hub.conftest import known


@pytest.fixture(autouse=True)
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without other programs' models."""
    for name in ("OLLAMA_MODELS", "HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "HF_HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))


def test_a_chosen_folder_is_remembered_and_what_lies_there_found(
    tmp_path: Path, workspace: Path, demo_gguf: Path
) -> None:
    big = tmp_path / "big disk"
    (big / "team").mkdir(parents=True)
    shutil.copy(demo_gguf, big / "team" / "mine.gguf")
    with Studio.open(workspace) as studio:
        assert model_folder.current(studio.shelf).own
        chosen = model_folder.choose(studio.shelf, big)
        assert chosen.found == ("mine",)
        [found] = studio.shelf.discover()
        assert (found.owner, found.name) == ("Model folder", "mine")
        studio.shelf.adopt(found)
        assert studio.shelf.discover() == []
    assert settings.load().settings.models_folder == big
    with Studio.open(workspace) as studio:
        now = model_folder.current(studio.shelf)
        assert (now.path, now.own) == (big, False)
        assert now.free is not None
        back = model_folder.choose(studio.shelf, None)
        assert back.staying == ("mine",), "a model stays on the shelf where it lies"
        assert (big / "team" / "mine.gguf").is_file()
        assert any(entry.title == "mine" and entry.state is State.READY for entry in studio.shelf.list())
    assert settings.load().settings.models_folder is None


def test_a_download_that_was_begun_is_told_and_waits_in_the_old_folder(tmp_path: Path) -> None:
    shelf = Shelf(known=known("m.gguf"))
    [slot] = shelf.slots(shelf.catalogue.models[0])
    slot.part.parent.mkdir(parents=True)
    slot.part.write_bytes(b"GGUF")
    new = tmp_path / "new"
    new.mkdir()
    assert model_folder.choose(shelf, new).unfinished == ("Small model",)
    assert slot.part.read_bytes() == b"GGUF"
    with shelf.busy("small", State.PARTIAL), pytest.raises(InputError, match="fetched or checked"):
        model_folder.choose(shelf, None)
    model_folder.choose(shelf, paths.models_dir())
    assert shelf.slots(shelf.catalogue.models[0])[0].have == 4


def test_a_folder_that_cannot_be_written_or_is_gone_is_told(tmp_path: Path, workspace: Path) -> None:
    shelf = Shelf()
    with pytest.raises(InputError, match="is no folder"):
        model_folder.choose(shelf, tmp_path / "nowhere")
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o500)
    if not os.access(closed, os.W_OK):
        with pytest.raises(InputError, match="Nothing can be written"):
            model_folder.choose(shelf, closed)
    assert shelf.folder == paths.models_dir()
    settings.change(models_folder=tmp_path / "unplugged")
    with Studio.open(workspace) as studio:
        assert model_folder.current(studio.shelf).free is None
        assert studio.shelf.free_bytes() == 0
        assert studio.shelf.list()[0].id == "demo"
        assert not (tmp_path / "unplugged").exists()
