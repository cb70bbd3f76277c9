"""How much memory is planned, and what is done when there is less of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from studio.engine.llama import binding, memory, place
from studio.engine.llama.context import Context
from studio.engine.llama.failure import WorkerFailure
from studio.engine.llama.memory import Shape
from studio.engine.llama.model import Model
from tests.engine.in_process import STEP, Desk, opened

# gpt-oss-20b.
LARGE = Shape(
    12 << 30, layers=24, heads=64, kv_heads=8, key=64, value=64, width=2880, vocabulary=201_088, experts_used=4, ff=2880
)


def test_contexts_grow_in_strides_up_to_the_limit() -> None:
    assert [memory.context_size(n, 131072) for n in (1, 4096, 4097, 8193, 16385)] == [4096, 4096, 8192, 16384, 24576]
    assert memory.context_size(100, 2048) == 2048
    assert memory.context_size(131000, 131072) == 131072


def test_a_shared_policy_of_8000_tokens_takes_less_than_a_fifth_of_copies() -> None:
    shared = memory.kv_bytes(LARGE, 8000 + 32 * memory.SHARE)
    copies = memory.kv_bytes(LARGE, 32 * (8000 + memory.SHARE))
    assert shared * 5 < copies


def test_the_batch_is_as_wide_as_memory_allows() -> None:
    def width(free_gib: float) -> int:
        planned = memory.plan(
            LARGE, int(free_gib * (1 << 30)), needed=8192, limit=131072, wanted=32, step=256, flash_attn=True
        )
        assert planned.sequences == 1 or planned.need.total <= free_gib * (1 << 30)
        return planned.sequences

    widths = [width(gib) for gib in (8, 13, 14, 24)]
    assert widths == sorted(widths)
    assert (widths[0], widths[-1]) == (1, 32)


@pytest.mark.parametrize("n_seq", [1, 8])
def test_the_plan_is_not_below_what_the_library_takes(random_gguf: Path, n_seq: int) -> None:
    model = opened(random_gguf)
    desk = Desk(model, n_seq)
    taken = sum(
        float(line.split("=")[1].split("MiB")[0])
        for line in binding.log_lines()
        if "buffer size" in line and ("KV" in line or "compute" in line or "output" in line)
    )
    need = desk.scheduler._place.need
    place = desk.scheduler._place
    counted = need.kv + need.buffers - memory.converted_bytes(model.shape, place.n_cells, model.info.n_ubatch)
    assert 0 < taken * (1 << 20) <= counted <= 1.1 * taken * (1 << 20)
    desk.close()
    model.close()


def test_a_context_that_the_system_refuses_is_made_narrower_and_says_so(
    random_gguf: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried = []

    class Stingy(Context):
        def __init__(self, model: Model, *, n_cells: int, n_seq: int, n_rows: int, n_outputs: int) -> None:
            tried.append(n_cells)
            if len(tried) < 3:
                raise WorkerFailure("out_of_memory", {"n_ctx": n_cells})
            super().__init__(model, n_cells=n_cells, n_seq=n_seq, n_rows=n_rows, n_outputs=n_outputs)

    monkeypatch.setattr(place, "Context", Stingy)
    model = opened(random_gguf)
    desk = Desk(model, 8)

    assert (model.info.n_seq, model.info.n_seq_wanted) == (2, 8)
    assert model.info.n_ubatch == memory.step_rows(STEP, 2)
    assert tried == sorted(tried, reverse=True)
    desk.close()
    model.close()


def test_no_context_at_all_is_an_error_with_the_size(random_gguf: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, n_cells: int, **__: object) -> Context:
        raise WorkerFailure("out_of_memory", {"n_ctx": n_cells})

    monkeypatch.setattr(place, "Context", refuse)
    model = opened(random_gguf)
    with pytest.raises(WorkerFailure) as caught:
        Desk(model, 4)
    assert (caught.value.code, caught.value.numbers) == ("out_of_memory", {"n_ctx": 8192})
    model.close()
