"""The models that measurements are made with load, and do the work that was asked for."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks.gguf_file import Kind, Tensor, write_gguf
from benchmarks.gguf_gpt_oss import BENCH, made_up_table, random_tensors, write_model
from studio.core.prompt import Control, Origin, Plain
from studio.engine.client import EngineClient
from studio.engine.types import EngineSettings, GenerateRequest

TINY = replace(BENCH, layers=2, width=64, heads=2, experts=4, experts_used=2, ff=64)


def test_a_model_of_random_weights_answers_as_long_as_it_is_asked_to(tmp_path: Path) -> None:
    table = made_up_table(600)
    path = tmp_path / "tiny.gguf"
    write_model(path, "Tiny", TINY, table, random_tensors(TINY, table))
    hello = Plain(((Origin.CONTENT, "hello <|end|> world"),))

    with EngineClient() as engine:
        info = engine.load(path, EngineSettings(n_ctx=1024))
        tokens = engine.tokenize([hello])
        generation = engine.generate(GenerateRequest((Control("<|start|>"), hello), max_output_tokens=200))

    assert (info.architecture, info.n_vocab) == ("gpt-oss", 600)
    assert b"".join(token.text for token in tokens) == b"hello <|end|> world"
    assert len(tokens) < len("hello <|end|> world")
    assert (generation.stop, generation.output_tokens) == ("limit", 200)


def test_a_table_has_exactly_the_size_that_was_asked_for() -> None:
    table = made_up_table(12_288)

    assert len(table.tokens) == len(set(table.tokens)) == len(table.types) == 12_288
    with pytest.raises(ValueError, match="cannot be made up"):
        made_up_table(100_000)


def test_an_unfinished_file_is_never_left_under_its_name(tmp_path: Path) -> None:
    path = tmp_path / "model.gguf"
    bad = Tensor("weights", np.zeros((1, 32), np.float32), Kind.MXFP4)

    with pytest.raises(ValueError, match="stored bytes"):
        write_gguf(path, {"general.architecture": "gpt-oss"}, [bad])
    assert list(tmp_path.glob("*.gguf")) == []
