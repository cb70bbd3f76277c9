"""What the worker says of the machine it runs on, with and without a model."""

from __future__ import annotations

import multiprocessing
from pathlib import Path

import pytest

from studio.core.errors import EngineError
from studio.engine.client import EngineClient
from studio.engine.scripted import Script
from studio.engine.types import Device, Survey


def test_without_a_model_a_worker_is_started_for_it_and_ended() -> None:
    with EngineClient() as client:
        found = client.survey()
        assert client.worker_pid is None
        assert client.info is None
    assert not multiprocessing.active_children()
    assert [device.name for device in found.devices if not device.gpu] == ["CPU"]
    assert " = 1" in found.features
    assert found.n_threads >= 1


def test_the_worker_that_is_there_is_asked(chain_gguf: Path) -> None:
    with EngineClient() as client:
        client.load(chain_gguf)
        pid = client.worker_pid
        assert client.survey().llama_build
        assert client.worker_pid == pid


def test_a_scripted_worker_says_what_it_was_told() -> None:
    card = Device("CUDA0", "A card", 7, 8, gpu=True)
    told = Survey((card,), "AVX2 = 1", 3, "none")
    with EngineClient(script=Script(survey=told)) as client:
        assert client.survey() == told


def test_a_closed_engine_starts_nothing() -> None:
    client = EngineClient(script=Script())
    client.close()
    with pytest.raises(EngineError):
        client.survey()
