"""Measuring a machine with the real engine, on a probe small enough for a test."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from studio import paths
from studio.core.errors import StudioError
from studio.core.progress import Cancel, Progress
from studio.engine.client import EngineClient
from studio.hub.probe_file import PROBE
from studio.services.machine import MachineService
from studio.services.measure import CPU, measure, work_of

TINY = replace(PROBE, width=64, heads=2, kv_heads=1, key=32, value=32, ff=32, experts=4, experts_used=2, vocabulary=300)


def test_both_models_are_measured_and_the_probe_is_gone_afterwards(demo_gguf: Path) -> None:
    with EngineClient() as engine:
        there = MachineService(engine, lambda: 0).look()
    told: list[Progress] = []
    found = measure(there, on_progress=told.append, shape=TINY, seconds=0.5)
    small, large = found.samples[CPU]
    assert found.key == there.key
    assert small.work == work_of(demo_gguf)
    assert large.work != small.work
    assert all(0 < value < 60 for sample in (small, large) for value in (sample.read_s, sample.write_s))
    assert [progress.done for progress in told] == list(range(len(told)))
    assert not list(paths.cache_dir().iterdir())
    assert found.rates(CPU) is not None
    assert found.rates("CUDA0") is None


def test_a_measurement_that_was_stopped_leaves_nothing() -> None:
    with EngineClient() as engine:
        there = MachineService(engine, lambda: 0).look()
    stop = Cancel()
    stop.request()
    with pytest.raises(StudioError):
        measure(there, cancel=stop, shape=TINY, seconds=0.5)
    assert not list(paths.cache_dir().iterdir())
