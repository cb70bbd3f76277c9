from __future__ import annotations

import errno
import hashlib
import os
from pathlib import Path

import pytest

from studio import paths
from studio.core.errors import ModelFileError, NotFoundError
from studio.core.progress import Cancel, Progress
from studio.hub.inventory import Inventory, file_sha256

HEAD = b"GGUF" + (3).to_bytes(4, "little")


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "some-model.gguf"
    path.write_bytes(HEAD + os.urandom(1000))
    return path


def test_an_added_model_is_remembered_with_its_hash(model: Path) -> None:
    entry = Inventory().add(model)
    assert entry.sha256 == hashlib.sha256(model.read_bytes()).hexdigest()
    demo, kept = Inventory().list()
    assert demo.is_demo
    assert kept == entry
    assert Inventory().find(model) == entry


def test_adding_twice_keeps_one(model: Path) -> None:
    Inventory().add(model)
    Inventory().add(model)
    assert len(Inventory().list()) == 2


def test_a_changed_file_loses_its_hash(model: Path) -> None:
    entry = Inventory().add(model)
    model.write_bytes(HEAD + os.urandom(1000))
    os.utime(model, ns=(entry.changed_ns + 1, entry.changed_ns + 1))
    assert Inventory().find(model).sha256 is None


def test_a_missing_file_stays_in_the_list_and_says_so(model: Path) -> None:
    Inventory().add(model)
    model.unlink()
    assert [entry.present for entry in Inventory().list()] == [True, False]


def test_removing_forgets_the_model_and_keeps_the_file(model: Path) -> None:
    entry = Inventory().add(model)
    Inventory().remove(entry.path)
    assert model.exists()
    assert len(Inventory().list()) == 1
    with pytest.raises(NotFoundError):
        Inventory().remove(entry.path)


@pytest.mark.parametrize(
    ("content", "says"),
    [(b"", "not a GGUF"), (b"GGUF", "not a GGUF"), (b"PK\x03\x04rest", "not a GGUF"), (b"GGUF\xff\xff\0\0", "version")],
)
def test_what_is_no_model_is_refused_in_words(tmp_path: Path, content: bytes, says: str) -> None:
    path = tmp_path / "x.gguf"
    path.write_bytes(content)
    with pytest.raises(ModelFileError, match=says) as caught:
        Inventory().add(path)
    assert caught.value.hint
    assert len(Inventory().list()) == 1


def test_a_folder_or_nothing_is_refused(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "missing.gguf"):
        with pytest.raises(ModelFileError, match="could not be read|is no file"):
            Inventory().add(path)


def test_hashing_reports_and_can_be_stopped(model: Path) -> None:
    seen: list[Progress] = []
    file_sha256(model, on_progress=seen.append)
    assert seen[-1].done == seen[-1].total == model.stat().st_size
    stop = Cancel()
    stop.request()
    with pytest.raises(ModelFileError, match="stopped"):
        Inventory().add(model, cancel=stop)
    assert len(Inventory().list()) == 1


def test_a_damaged_list_is_told_and_not_overwritten(model: Path) -> None:
    inventory = Inventory()
    inventory.add(model)
    (list_file,) = {path for path in model.parent.rglob("models.json")}
    list_file.write_text("[{]", encoding="utf-8")
    with pytest.raises(ModelFileError, match="damaged"):
        inventory.list()
    assert list_file.read_text(encoding="utf-8") == "[{]"


def test_a_list_that_cannot_be_written_is_told_in_words(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(path: Path, data: bytes) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(paths, "write_atomically", full)
    with pytest.raises(ModelFileError, match="No space left") as caught:
        Inventory().add(model)
    assert caught.value.hint
