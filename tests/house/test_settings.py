from __future__ import annotations

import json
import os
import threading
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from studio import paths, settings
from studio.core.policy import Effort
from studio.core.run import Sampling
from studio.settings import Settings, Theme

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)
KNOWN = [field.name for field in fields(Settings) if field.name != "unknown"]
SETTINGS = st.builds(
    Settings,
    theme=st.sampled_from(Theme),
    workspace=st.none() | st.text(min_size=1).filter(lambda text: "\0" not in text).map(Path),
    model=st.none() | st.just(Path("models") / "größer.gguf"),
    effort=st.none() | st.sampled_from(Effort),
    sampling=st.builds(
        Sampling,
        temperature=st.floats(0, settings.HIGHEST_TEMPERATURE),
        top_p=st.floats(0, 1, exclude_min=True),
        seed=st.integers(0, settings.HIGHEST_SEED),
    ),
    font_size=st.none() | st.integers(settings.SMALLEST_FONT, settings.LARGEST_FONT),
    layout=st.dictionaries(st.text(), st.text()),
    strict=st.booleans(),
    thinking_budgets=st.dictionaries(st.sampled_from(Effort), st.integers(1, settings.MOST_THINKING)),
    author=st.text(st.characters(categories=["L", "N", "Cf", "Zs"]), max_size=settings.LONGEST_NAME),
    unknown=st.dictionaries(st.text().filter(lambda key: key not in KNOWN), st.integers() | st.text()),
)


def backups(file: Path) -> list[Path]:
    return sorted(file.parent.glob("*.damaged-*"))


def test_without_a_file_there_are_defaults_and_no_problem() -> None:
    assert settings.load() == settings.Loaded(Settings())
    assert not paths.settings_file().exists()


@given(SETTINGS)
def test_what_is_saved_is_loaded(wanted: Settings) -> None:
    settings.save(wanted)

    assert settings.load() == settings.Loaded(wanted)


@given(st.dictionaries(st.sampled_from([*KNOWN, "other"]), JSON) | JSON)
def test_no_json_stops_the_start_and_what_was_loaded_can_be_saved(entries: Any) -> None:
    file = paths.settings_file()
    file.write_text(json.dumps(entries), encoding="utf-8")

    loaded = settings.load()
    settings.save(loaded.settings)

    again = settings.load()
    assert again.problem is None
    # Compared as text: not-a-number is not equal to itself.
    assert repr(again.settings) == repr(loaded.settings)


@given(st.binary(max_size=200))
def test_no_bytes_stop_the_start_and_none_are_lost(data: bytes) -> None:
    file = paths.settings_file()
    for old in backups(file):
        old.unlink()
    file.write_bytes(data)

    loaded = settings.load()

    if loaded.problem is not None:
        assert [backup.read_bytes() for backup in backups(file)] == [data]


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "null", '"dark"', "\ufeff{}", "[" * 100_000, '{"theme": "dark"} trailing']
)
def test_a_damaged_file_gives_defaults_a_backup_and_a_report(text: str) -> None:
    file = paths.settings_file()
    file.write_text(text, encoding="utf-8")

    loaded = settings.load()

    assert loaded.settings == Settings()
    assert loaded.problem is not None
    assert str(file) in loaded.problem.message
    [backup] = backups(file)
    assert backup.read_text(encoding="utf-8") == text
    assert str(backup) in loaded.problem.hint
    assert settings.load() == settings.Loaded(Settings())


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("theme", "purple"),
        ("theme", []),
        ("workspace", 3),
        ("workspace", ""),
        ("workspace", "a\0b"),
        ("effort", "extreme"),
        ("sampling", {"temperature": float("nan")}),
        ("sampling", {"temperature": -0.1}),
        ("sampling", {"temperature": True}),
        ("sampling", {"top_p": 0}),
        ("sampling", {"seed": 1.5}),
        ("sampling", {"seed": -1}),
        ("sampling", {"min_p": 0.1}),
        ("font_size", 4),
        ("font_size", True),
        ("layout", {"splitter": 3}),
        ("thinking_budgets", {"extreme": 300}),
        ("thinking_budgets", {"low": 0}),
    ],
)
def test_a_value_that_cannot_be_used_costs_only_itself(key: str, value: Any) -> None:
    file = paths.settings_file()
    good = {"theme": "dark", "font_size": 14, "layout": {"window": "AAE="}, "later": [1]}
    file.write_text(json.dumps({**good, key: value}), encoding="utf-8")

    loaded = settings.load()

    expected = Settings(theme=Theme.DARK, font_size=14, layout={"window": "AAE="}, unknown={"later": [1]})
    default = getattr(Settings(), key)
    assert loaded.settings == replace(expected, **{key: default})
    assert loaded.problem is not None
    assert key in loaded.problem.message
    assert json.loads(backups(file)[0].read_text(encoding="utf-8"))["theme"] in ("dark", value)
    assert settings.load() == settings.Loaded(loaded.settings)


def test_keys_of_a_later_version_are_kept() -> None:
    file = paths.settings_file()
    file.write_text('{"theme": "light", "holograms": {"depth": 3}}', encoding="utf-8")

    settings.save(replace(settings.load().settings, theme=Theme.DARK))

    saved = json.loads(file.read_text(encoding="utf-8"))
    assert saved["holograms"] == {"depth": 3}
    assert saved["theme"] == "dark"


def test_changes_from_several_threads_do_not_undo_each_other() -> None:
    changes: list[dict[str, Any]] = [
        {"theme": Theme.DARK},
        {"font_size": 20},
        {"model": Path("m")},
        {"layout": {"a": "b"}},
    ]
    threads = [threading.Thread(target=settings.change, kwargs=change) for change in changes]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    expected = Settings(theme=Theme.DARK, font_size=20, model=Path("m"), layout={"a": "b"})
    assert settings.load() == settings.Loaded(expected)


def test_a_folder_in_the_files_place_is_set_aside_too() -> None:
    file = paths.settings_file()
    file.mkdir()

    assert settings.load().problem is not None
    assert settings.load().problem is None
    assert backups(file)[0].is_dir()


def test_a_file_that_cannot_be_set_aside_is_left_alone_and_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    file = paths.settings_file()
    file.write_text("{", encoding="utf-8")

    def refuse(self: Path, target: Path) -> Path:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "rename", refuse)
    loaded = settings.load()

    assert loaded.problem is not None
    assert "could not be set aside" in loaded.problem.hint
    assert file.read_text(encoding="utf-8") == "{"


def test_settings_that_cannot_be_written_are_an_error_with_a_hint(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)

    with pytest.raises(settings.SettingsError, match="No space left") as caught:
        settings.save(Settings())
    assert caught.value.hint
