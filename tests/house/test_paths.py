from __future__ import annotations

import os
import stat
import sys
from pathlib import Path

import platformdirs
import pytest

from studio import paths

FOLDERS = [paths.data_dir, paths.config_dir, paths.models_dir, paths.logs_dir, paths.cache_dir]
POSIX_ONLY = pytest.mark.skipif(os.name != "posix", reason="modes of files are a matter of POSIX systems")


def test_one_folder_holds_everything_when_it_is_named(studio_home: Path) -> None:
    places = [folder() for folder in FOLDERS] + [paths.default_workspace(), paths.settings_file()]

    assert all(place.is_relative_to(studio_home) for place in places)
    assert len(set(places)) == len(places)


def test_the_folder_may_be_given_relative_or_from_the_users_home(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(paths.HOME_VARIABLE, "here")
    assert paths.data_dir() == tmp_path / "here" / "data"

    monkeypatch.setenv("HOME", str(tmp_path / "user"))
    monkeypatch.setenv("USERPROFILE", str(tmp_path / "user"))
    monkeypatch.setenv(paths.HOME_VARIABLE, "~/studio")
    assert paths.data_dir() == tmp_path / "user" / "studio" / "data"


@pytest.mark.parametrize("value", [None, "", "  "])
def test_without_it_the_systems_places_are_used(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, value: str | None
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    for variable in ("XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME"):
        monkeypatch.delenv(variable, raising=False)
    if value is None:
        monkeypatch.delenv(paths.HOME_VARIABLE)
    else:
        monkeypatch.setenv(paths.HOME_VARIABLE, value)

    assert paths.home() is None
    assert paths.data_dir() == platformdirs.user_data_path("moderation-studio", appauthor=False)
    assert paths.config_dir() == platformdirs.user_config_path("moderation-studio", appauthor=False)


def test_asking_for_files_makes_their_folder_and_not_the_file() -> None:
    for file in (paths.default_workspace(), paths.settings_file()):
        assert file.parent.is_dir()
        assert not file.exists()


@POSIX_ONLY
def test_folders_are_for_their_owner_only(studio_home: Path) -> None:
    for folder in [paths.models_dir(), *(folder() for folder in FOLDERS), studio_home]:
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700


@POSIX_ONLY
def test_a_folder_that_was_there_keeps_its_mode(studio_home: Path) -> None:
    (studio_home / "data").mkdir(parents=True, mode=0o755)

    assert stat.S_IMODE(paths.data_dir().stat().st_mode) == 0o755


def test_a_folder_that_cannot_be_made_is_named(studio_home: Path) -> None:
    studio_home.write_text("a file in its place")

    with pytest.raises(paths.FolderError, match="studio-home") as caught:
        paths.data_dir()
    assert paths.HOME_VARIABLE in caught.value.hint


@pytest.mark.parametrize("name", ["policies", "demo.gguf", "check.jsonl"])
def test_what_is_shipped_is_found_in_a_checkout(name: str) -> None:
    assert paths.resource(name).exists()


@pytest.mark.parametrize("name", ["policies", "demo.gguf", "check.jsonl"])
def test_what_is_shipped_is_found_in_an_installed_package(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str
) -> None:
    package = tmp_path / "site-packages" / "studio"
    (package / "data" / "policies").mkdir(parents=True)
    for file in ("demo.gguf", "check.jsonl"):
        (package / "data" / file).touch()
    # Another package's folder of the same name is not ours.
    (tmp_path / "site-packages" / "policies").mkdir()
    monkeypatch.setattr(paths, "_PACKAGE", package)

    assert paths.resource(name) == package / "data" / name


def test_a_missing_part_of_the_installation_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(paths, "_PACKAGE", tmp_path / "studio")

    with pytest.raises(paths.ResourceMissingError, match=r"demo\.gguf"):
        paths.resource("demo.gguf")


def test_a_file_is_replaced_whole_and_for_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")

    paths.write_atomically(path, b"new")

    assert path.read_bytes() == b"new"
    assert [entry.name for entry in tmp_path.iterdir()] == ["file"]
    if sys.platform != "win32":
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        paths.write_atomically(path, b"new")

    assert path.read_bytes() == b"old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["file"]


@POSIX_ONLY
def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").write_bytes(b"old")
    (tmp_path / "link").symlink_to("real")

    paths.write_atomically(tmp_path / "link", b"new")

    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_bytes() == b"new"
