"""Decoded policies beside a workspace: only what this installation signed, under the very name, is ever handed out."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from studio.store.heads import KeptHeads

STATE = bytes(range(256)) * 8


@pytest.fixture
def heads(tmp_path: Path) -> KeptHeads:
    return KeptHeads(tmp_path / "w.studio-warm", tmp_path / "config" / "heads.key", most=3 * len(STATE))


def only(heads: KeptHeads, tmp_path: Path) -> Path:
    heads.write("a policy", STATE)
    (file,) = (tmp_path / "w.studio-warm").iterdir()
    return file


def test_what_was_kept_comes_back_in_the_next_start_and_under_its_name_alone(heads: KeptHeads, tmp_path: Path) -> None:
    file = only(heads, tmp_path)
    again = KeptHeads(tmp_path / "w.studio-warm", tmp_path / "config" / "heads.key")

    assert again.read("a policy") == STATE
    assert again.read("another policy") == b""
    assert file.stat().st_mode & 0o077 == 0


@pytest.mark.expects_log
@pytest.mark.parametrize(
    "spoil",
    [
        lambda data: data[:-1],
        lambda data: data + b"x",
        lambda data: data[:100] + bytes([data[100] ^ 1]) + data[101:],
        lambda data: data[:20],
        lambda data: b"",
        lambda data: b"GGUF" * 200,
    ],
)
def test_a_damaged_file_is_nothing_with_a_note(
    heads: KeptHeads, tmp_path: Path, spoil: Callable[[bytes], bytes], caplog: pytest.LogCaptureFixture
) -> None:
    file = only(heads, tmp_path)
    file.write_bytes(spoil(file.read_bytes()))

    assert heads.read("a policy") == b""
    assert "damaged or not from here" in caplog.text


@pytest.mark.expects_log
def test_a_file_of_another_policy_or_installation_is_nothing(heads: KeptHeads, tmp_path: Path) -> None:
    file = only(heads, tmp_path)
    data = file.read_bytes()
    file.unlink()
    heads.write("another policy", STATE)
    (other,) = (tmp_path / "w.studio-warm").iterdir()
    other.write_bytes(data)
    file.write_bytes(data)
    elsewhere = KeptHeads(tmp_path / "w.studio-warm", tmp_path / "elsewhere" / "heads.key")

    assert heads.read("another policy") == b""
    assert elsewhere.read("a policy") == b""
    assert heads.read("a policy") == STATE


@pytest.mark.expects_log
def test_a_file_that_fills_the_disk_does_not_fill_the_memory(heads: KeptHeads, tmp_path: Path) -> None:
    file = only(heads, tmp_path)
    with file.open("r+b") as large:
        large.truncate(1 << 40)

    assert heads.read("a policy") == b""


def test_the_one_that_was_not_used_for_longest_goes_first(heads: KeptHeads, tmp_path: Path) -> None:
    for name in ("first", "second"):
        heads.write(name, STATE)
    for file in (tmp_path / "w.studio-warm").iterdir():
        os.utime(file, (1000, 1000))
    assert heads.read("first") == STATE

    heads.write("third", STATE)

    assert heads.read("second") == b""
    assert heads.read("first") == heads.read("third") == STATE


def test_where_nothing_can_be_written_nothing_is_kept_and_nobody_is_told_off(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "w.studio-warm").write_text("no folder")
    heads = KeptHeads(tmp_path / "w.studio-warm", tmp_path / "heads.key")

    with caplog.at_level(logging.INFO):
        heads.write("a policy", STATE)

    assert "was not kept" in caplog.text
    assert heads.read("a policy") == b""
