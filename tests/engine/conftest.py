from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from studio.core.prompt import Control, Origin, Plain, Segment
from studio.engine.client import EngineClient
from tests.engine.tiny_gguf import TinyModel, byte_letters, write

_LETTERS = byte_letters()

CHAIN = {
    # After a prompt that ends in "t": the final channel, é in two bytes, a choice of three, the end.
    "t": {"<|channel|>": 30.0},
    "<|channel|>": {"final": 30.0},
    "final": {"<|message|>": 30.0},
    "<|message|>": {_LETTERS[0xC3]: 30.0},
    _LETTERS[0xC3]: {_LETTERS[0xA9]: 30.0},
    _LETTERS[0xA9]: {"VALID": 12.0, "INVALID": 11.0, "z": 10.0},
    "VALID": {"<|return|>": 30.0},
    "INVALID": {"<|return|>": 30.0},
    "z": {"<|return|>": 30.0},
    # After a prompt that ends in "s": a final message closed with <|end|>, then another message.
    "s": {"<|message|>": 30.0},
    # After a prompt that ends in "l": for ever.
    "l": {"l": 30.0},
    # After a prompt that ends in "c": a call.
    "c": {"<|call|>": 30.0},
}


def plain(text: str) -> Plain:
    return Plain(((Origin.CONTENT, text),))


def prompt(text: str) -> tuple[Segment, ...]:
    return (Control("<|start|>"), plain(text))


@pytest.fixture(scope="session")
def random_gguf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("models") / "random.gguf", TinyModel())


@pytest.fixture(scope="session")
def chain_gguf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("models") / "chain.gguf", TinyModel(follow=CHAIN))


@pytest.fixture(scope="module")
def random_engine(random_gguf: Path) -> Iterator[EngineClient]:
    with EngineClient() as client:
        client.load(random_gguf)
        yield client


@pytest.fixture(scope="module")
def chain_engine(chain_gguf: Path) -> Iterator[EngineClient]:
    with EngineClient() as client:
        client.load(chain_gguf)
        yield client
