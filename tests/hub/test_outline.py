"""Outlines of files against the library's own tables, of the catalogue against the published sizes, and the probe."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from studio.core.errors import ModelFileError
from studio.engine.llama import ggml
from studio.hub.catalogue import load
from studio.hub.gguf_facts import read_facts
from studio.hub.gguf_reader import GgufError
from studio.hub.outline import read_outline, worked_out
from studio.hub.probe_file import PROBE, write_probe
from tests.hub.gguf_maker import Maker, gpt_oss

SMALL = replace(
    PROBE, width=64, heads=2, kv_heads=1, key=32, value=32, ff=32, experts=4, experts_used=2, vocabulary=300
)


def test_a_files_outline_has_the_bytes_that_the_library_counts(demo_gguf: Path) -> None:
    assert dict(read_outline(demo_gguf).tensors) == ggml.tensor_bytes(demo_gguf)


def test_the_catalogue_is_as_large_as_what_was_published() -> None:
    models = {model.id: model for model in load().models}
    for model in models.values():
        outline = model.outline()
        assert outline is not None
        if model.size is not None:
            assert outline.size == pytest.approx(model.size, rel=1e-4)
    # Where the size is not known beforehand: about 12 GB, and 39.8 and 23.6 GB in two parts.
    assert models["safeguard-20b-mxfp4"].outline().size == pytest.approx(12.1e9, rel=0.02)  # type: ignore[union-attr]
    assert models["safeguard-120b-mxfp4"].outline().size == pytest.approx(63.4e9, rel=0.02)  # type: ignore[union-attr]


def test_dimensions_give_the_published_numbers_of_weights() -> None:
    shapes = {model.shape for model in load().models}
    totals = {d.layers: d.layers * (d.dense + d.experts * d.expert) + 2 * d.output for d in shapes if d is not None}
    active = {d.layers: d.layers * (d.dense + d.experts_used * d.expert) + d.output for d in shapes if d is not None}
    assert totals[24] == pytest.approx(21e9, rel=0.02)
    assert totals[36] == pytest.approx(117e9, rel=0.02)
    assert active[24] == pytest.approx(3.6e9, rel=0.02)
    assert active[36] == pytest.approx(5.1e9, rel=0.02)


def test_other_models_and_lying_heads_are_refused_in_words(tmp_path: Path) -> None:
    other, lying = tmp_path / "llama.gguf", tmp_path / "lying.gguf"
    Maker({"general.architecture": "llama"}).write(other)
    with pytest.raises(GgufError, match="not a gpt-oss model"):
        read_outline(other)
    numbers = {"embedding_length": 32, "expert_feed_forward_length": 32, "block_count": 2**30}
    Maker(gpt_oss(**{f"gpt-oss.{name}": number for name, number in numbers.items()})).write(lying)
    with pytest.raises(GgufError, match="1,073,741,824 layers"):
        read_outline(lying)
    Maker(gpt_oss()).write(lying)
    with pytest.raises(GgufError, match="does not say its embedding_length"):
        read_outline(lying)


def test_without_a_size_everything_but_the_experts_has_eight_bits() -> None:
    found = worked_out(SMALL, None, 4.25)
    assert found.tensors["output.weight"] == int(SMALL.output * 8.5 / 8)
    assert found.tensors["blk.1.ffn_exps.weight"] == int(SMALL.experts * SMALL.expert * 4.25 / 8)


def test_the_probe_is_a_model_of_its_shape(tmp_path: Path) -> None:
    path = write_probe(tmp_path / "probe.gguf", SMALL)
    facts = read_facts(path)
    assert facts.assessment.usable
    assert {share.type for share in facts.shares} == {"MXFP4", "Q8_0", "F32"}
    assert read_outline(path).dimensions == SMALL
    assert dict(read_outline(path).tensors) == ggml.tensor_bytes(path)


def test_a_disk_that_refuses_the_probe_is_told(tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match="could not be written") as caught:
        write_probe(tmp_path / "nowhere" / "probe.gguf", SMALL)
    assert "MB" in caught.value.hint
