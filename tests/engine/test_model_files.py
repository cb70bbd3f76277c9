"""Files that are no model of ours are told apart before anything is run, and none of them harms the studio."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path

import pytest

from studio.core.errors import ModelFileError, StudioError
from studio.engine.client import EngineClient
from studio.engine.errors import EngineDeath
from tests.engine.tiny_gguf import TinyModel, write


def refused(path: Path) -> StudioError:
    with EngineClient() as client, pytest.raises(StudioError) as caught:
        client.load(path)
    assert caught.value.title
    assert caught.value.hint
    return caught.value


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    assert refused(tmp_path / "none.gguf").code == "model_file.missing"
    assert refused(tmp_path).code == "model_file.missing"


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "not_gguf"),
        (b"GGU", "not_gguf"),
        (b"PK\x03\x04 a zip file, not a model", "not_gguf"),
        (b"GGUF\x01\x00\x00\x00 the first version", "gguf_version"),
        (b"GGUF\x00\x00\x00\x03 the wrong way round", "gguf_version"),
        (b"GGUF\x03\x00\x00\x00", "truncated"),
        (b"GGUF\x03\x00\x00\x00" + b"\xff" * 4000, None),
        (b"GGUF\x03\x00\x00\x00" + b"\x00" * 4000, None),
    ],
)
def test_files_that_are_no_models(tmp_path: Path, data: bytes, code: str | None) -> None:
    path = tmp_path / "bad.gguf"
    path.write_bytes(data)
    error = refused(path)
    assert isinstance(error, ModelFileError)
    assert code is None or error.code == f"model_file.{code}"


@pytest.mark.parametrize("share", [0.001, 0.01, 0.03, 0.5, 0.999])
def test_a_file_that_was_cut(tmp_path: Path, chain_gguf: Path, share: float) -> None:
    data = chain_gguf.read_bytes()
    path = tmp_path / "cut.gguf"
    path.write_bytes(data[: int(len(data) * share)])
    assert refused(path).code == "model_file.truncated"


@pytest.mark.parametrize("place", [8, 16, 24, 40, 120, 400, 900])
def test_a_file_with_a_few_wrong_bytes_never_harms_the_studio(tmp_path: Path, random_gguf: Path, place: int) -> None:
    data = bytearray(random_gguf.read_bytes())
    data[place : place + 4] = b"\xfe\xff\xff\x7f"
    path = tmp_path / "wrong.gguf"
    path.write_bytes(data)
    with EngineClient() as client, contextlib.suppress(ModelFileError, EngineDeath):
        client.load(path)


def test_another_architecture(tmp_path: Path) -> None:
    error = refused(write(tmp_path / "other.gguf", TinyModel(architecture="llama")))
    assert error.code == "model_file.architecture"
    assert "llama" in error.message


def test_an_architecture_that_nobody_knows(tmp_path: Path) -> None:
    assert refused(write(tmp_path / "new.gguf", TinyModel(architecture="nobody"))).code == "model_file.architecture"


@pytest.mark.parametrize("name", ["<|channel|>", "<|return|>"])
def test_a_vocabulary_without_harmony(tmp_path: Path, name: str) -> None:
    error = refused(write(tmp_path / "plain.gguf", TinyModel(without=(name,))))
    assert error.code == "model_file.no_harmony"
    assert name in error.message


@pytest.mark.skipif(sys.platform == "win32", reason="names of files are Unicode there")
def test_a_path_with_every_kind_of_letter(tmp_path: Path) -> None:
    path = write(tmp_path / "Modèle № 1 – 模型 'x'.gguf", TinyModel())
    with EngineClient() as client:
        assert client.load(path).path == str(path)
