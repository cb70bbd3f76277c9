"""Where the parts of a model go: the plan against figures of the field, and the library doing what it is told."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from studio.engine.llama import binding, ggml, placement
from studio.engine.llama import model as model_module
from studio.engine.llama.fitting import fit
from studio.engine.llama.memory import Shape
from studio.engine.llama.model import open_model, weights_of
from studio.engine.llama.placement import Weights, Wish, plan
from studio.engine.types import Device, EngineSettings, Placement
from tests.engine.conftest import plain
from tests.engine.in_process import Desk

GB = 10**9
FREE = 0.92
"""Of a card's memory, with a desktop and a driver on it."""

_MXFP4, _Q8 = 17 / 32, 34 / 32
_EMBEDDING = int(201_088 * 2880 * _Q8)
_DENSE = int((2 * 2880 * 4096 + 2 * 2880 * 512) * _Q8)


def true_model(layers: int, experts: int) -> tuple[Weights, Shape]:
    """gpt-oss by its published shape: experts MXFP4, everything else 8 bits."""
    each = int(experts * 3 * 2880 * 2880 * _MXFP4)
    weights = Weights(_EMBEDDING, _EMBEDDING, (_DENSE,) * layers, (each,) * layers)
    shape = Shape(0, layers, heads=64, kv_heads=8, key=64, value=64, width=2880, vocabulary=201_088,
                  experts_used=4, ff=2880)  # fmt: skip
    return weights, shape


SMALL, LARGE = true_model(24, 32), true_model(36, 128)


def card(size: float, **fields: object) -> Device:
    found = Device("CUDA0", "A card", int(size * GB * FREE), int(size * GB), gpu=True)
    return replace(found, **fields)  # type: ignore[arg-type]  # any of its fields


@pytest.mark.parametrize(
    ("model", "size", "context", "sequences", "wanted"),
    [
        (SMALL, 8, 32_768, 1, 16),  # FACTS 4
        (SMALL, 12, 8192, 8, 4),
        (SMALL, 16, 8192, 8, 0),
        (SMALL, 24, 8192, 32, 0),
        (LARGE, 8, 8192, 1, 35),  # FACTS 4; ENGINE has 34
        (LARGE, 12, 8192, 1, 32),
        (LARGE, 16, 8192, 1, 30),
        (LARGE, 24, 8192, 1, 25),
        (LARGE, 80, 8192, 8, 0),
    ],
)
def test_the_plan_is_within_two_layers_of_figures_from_the_field(
    model: tuple[Weights, Shape], size: float, context: int, sequences: int, wanted: int
) -> None:
    found = plan(*model, card(size), Wish(context, sequences, step=512))
    assert found.placement.n_gpu_layers == -1
    assert abs(found.placement.cpu_experts - wanted) <= 2
    assert found.sequences == sequences
    assert str(found.placement.cpu_experts or "All") in found.placement.words


@given(
    size=st.floats(0, 100),
    model=st.sampled_from([SMALL, LARGE]),
    context=st.sampled_from([4096, 8192, 32_768, 131_072]),
    sequences=st.integers(1, 64),
)
def test_a_plan_never_takes_more_than_there_is(
    size: float, model: tuple[Weights, Shape], context: int, sequences: int
) -> None:
    found = plan(*model, card(size), Wish(context, sequences, step=512))
    assert found.gpu_weights + found.cpu_weights == model[0].total
    if found.need is None:
        assert found.placement == Placement(words=found.placement.words)
        assert "On the CPU" in found.placement.words
    else:
        assert found.need.total <= size * GB * FREE
        assert found.sequences <= sequences


def test_more_memory_never_leaves_more_on_the_cpu() -> None:
    found = [plan(*LARGE, card(size), Wish(8192, 8, step=512)) for size in range(2, 90, 2)]
    left = [one.cpu_weights for one in found]
    assert left == sorted(left, reverse=True)
    assert any(0 < one.layers < 36 for one in found)


def test_what_somebody_set_is_kept() -> None:
    chosen = plan(*SMALL, card(8), Wish(8192, 1, step=512, cpu_experts=24)).placement
    assert (chosen.n_gpu_layers, chosen.cpu_experts) == (-1, 24)
    assert plan(*SMALL, card(80), Wish(8192, 1, step=512, n_gpu_layers=0)).placement.device == ""
    half = plan(*SMALL, card(80), Wish(8192, 1, step=512, n_gpu_layers=13))
    assert (half.layers, half.placement.n_gpu_layers) == (12, 13)
    # More than fits is not tried.
    assert plan(*SMALL, card(4), Wish(8192, 1, step=512, n_gpu_layers=-1)).placement.device == ""


def test_the_gpu_with_most_free_memory_is_chosen_and_none_that_failed() -> None:
    cpu = Device("CPU", "A CPU", 64 * GB, 64 * GB, gpu=False)
    shared = Device("Vulkan0", "On the chip", 48 * GB, 64 * GB, gpu=True, integrated=True)
    small, large = card(8), card(24, name="CUDA1")
    everything = [cpu, shared, small, large]

    def name(device: str | None = None, **shares: float) -> str | None:
        keyed = {Placement(d.name, d.description).key: shares[d.name] for d in everything if d.name in shares}
        found = placement.choose(everything, device=device, shares=keyed)
        return found.name if found else None

    assert name() == "CUDA1"
    assert name(CUDA1=0.2) == "CUDA0"
    assert name(CUDA1=0, CUDA0=0) == "Vulkan0"
    assert name(CUDA1=0, CUDA0=0, Vulkan0=0) is None
    assert name("CUDA0") == "CUDA0"
    assert name("CUDA9") is None
    assert placement.choose([cpu], device=None, shares={}) is None


def test_weights_are_sorted_by_the_names_of_their_tensors() -> None:
    tensors = {
        "token_embd.weight": 10, "output_norm.weight": 1, "output.weight": 9, "blk.0.attn_q.weight": 2,
        "blk.0.ffn_up_exps.weight": 5, "blk.1.ffn_gate_inp.weight": 3, "blk.1.ffn_down_exps.bias": 4,
    }  # fmt: skip
    assert Weights.of(tensors, 2) == Weights(10, 10, (2, 3), (5, 4))
    del tensors["output.weight"]
    assert Weights.of(tensors, 2).head == 11


def test_the_table_of_a_real_file_adds_up(random_gguf: Path) -> None:
    binding.start()
    tensors = ggml.tensor_bytes(random_gguf)
    model = open_model(random_gguf, EngineSettings(n_threads=1), "", lambda _: True)
    assert sum(tensors.values()) == model.shape.weights > 0
    names = {name for name in tensors if re.search(placement.patterns(Placement("G", "", -1, 4))[0], name)}
    assert names == {name for name in tensors if "_exps" in name}
    assert not placement.patterns(Placement())
    model.close()


def test_parts_of_a_split_model_are_counted_together(random_gguf: Path, tmp_path: Path) -> None:
    binding.start()
    first = tmp_path / "m-00001-of-00002.gguf"
    for path in (first, tmp_path / "m-00002-of-00002.gguf"):
        path.write_bytes(random_gguf.read_bytes())
    assert [part.name for part in ggml.parts(first)] == ["m-00001-of-00002.gguf", "m-00002-of-00002.gguf"]
    assert ggml.tensor_bytes(first) == ggml.tensor_bytes(random_gguf)
    assert ggml.tensor_bytes(tmp_path / "none.gguf") == {}


def answer(path: Path, settings: EngineSettings) -> tuple[str, int]:
    """(what the model writes, how many tensors the library was told to keep on the CPU)."""
    model = open_model(path, settings, "", lambda _: True)
    told = sum("buffer type overridden to CPU" in line for line in binding.log_lines())
    desk = Desk(model)
    asked = desk.ask((plain("the rule and what is judged under it " * 8),), answer=60)
    desk.run()
    raw = desk.answer(asked).raw
    desk.close()
    model.close()
    return raw, told


def test_experts_kept_on_the_cpu_are_the_named_ones_and_the_answer_is_the_same(
    random_gguf: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    binding.start()
    settings = EngineSettings(n_batch=32, n_threads=1, n_gpu_layers=-1, cpu_experts=2)
    without = answer(random_gguf, settings)
    # A card that is only said to be there: the plan, the array of overrides and the load are real.
    monkeypatch.setattr(binding, "has_gpu", lambda: True)
    monkeypatch.setattr(ggml, "devices", lambda: (card(8),))
    kept = answer(random_gguf, settings)
    tensors = [name for name in ggml.tensor_bytes(random_gguf) if re.match(r"blk\.[01]\.ffn_\w+_exps", name)]

    assert without[1] == 0
    assert kept[1] == len(tensors) > 0
    assert kept[0] == without[0] != ""


def test_without_a_gpu_the_plan_says_so(random_gguf: Path) -> None:
    binding.start()
    shape = _shape(random_gguf)
    found = fit(weights_of(random_gguf, shape.layers), shape, EngineSettings(), 8192, None, ())
    assert found.plan.placement == Placement(words="On the CPU: there is no GPU that this build can use.")


def test_devices_are_those_of_the_library() -> None:
    binding.start()
    found = ggml.devices()
    assert [device.name for device in found if not device.gpu] == ["CPU"]
    assert all(0 < device.free <= device.total for device in found)


def _shape(path: Path) -> Shape:
    return model_module._check_kind(path)[0]
