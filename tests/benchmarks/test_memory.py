"""The memory benchmarks on a tiny model: what they compare is real, and they can fail."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import memory
from tests.engine.tiny_gguf import TinyModel, write


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("models") / "tiny.gguf", TinyModel())


def test_one_shared_policy_takes_at_most_a_fifth_of_copies_by_the_librarys_own_figures(
    tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert memory.kv(tiny)
    monkeypatch.setattr(memory, "SHARE_OF_COPIES", 0.1)
    assert not memory.kv(tiny)


@pytest.mark.slow
def test_a_workers_memory_is_flat_over_many_small_requests(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert memory.flat(tiny, 300)
    monkeypatch.setattr(memory, "GROWTH", -1.0)
    assert not memory.flat(tiny, 20)
