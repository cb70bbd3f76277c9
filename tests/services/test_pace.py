from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from studio.core.content import Content
from studio.core.policy import Effort, Policy
from studio.core.run import GREEDY, Provenance, Run, RunState, Timing
from studio.services.models import ModelInfo
from studio.services.pace import cost, pace

INFO = ModelInfo(
    path="m.gguf", name="M", architecture="gpt-oss", description="", sha256="a" * 64, size_bytes=1, n_params=1,
    n_ctx_train=1, n_ctx_limit=1, n_vocab=1, llama_build="b1", backend="CPU", device="this CPU", n_threads=1, n_batch=1,
    n_gpu_layers=0, flash_attn=False, extra_bufts=True, is_demo=False, network="", writes="",
)  # fmt: skip


def run(timing: Timing, *, model: str = INFO.sha256, device: str = INFO.device) -> Run:
    told = Provenance(
        "1", "M", model, "b1", "CPU", device, 1, 1, date(2026, 1, 1), Effort.LOW, GREEDY, "p",
    )  # fmt: skip
    policy = Policy("p", "P", "Rules.", ())
    now = datetime.now(UTC)
    return Run("r", "s", policy, None, Content.message("x"), RunState.DONE, now, told, None, timing)


FIRST = Timing(prompt_tokens=1000, cached_tokens=0, output_tokens=101, first_token_s=2.0, total_s=4.0)
NEXT = Timing(prompt_tokens=1000, cached_tokens=950, output_tokens=51, first_token_s=0.1, total_s=1.1)


def test_the_cost_is_what_the_runs_so_far_took() -> None:
    found = pace([run(NEXT), run(FIRST), run(NEXT)], INFO)

    assert found is not None
    assert (found.runs, found.answer, found.known_s) == (3, 51, 0.1)
    assert found.reading == pytest.approx(1100 / 2.2)
    assert found.writing == pytest.approx(200 / 4.0)
    expected = cost(found, 600)
    assert expected.then_s == pytest.approx(0.1 + 51 / 50)
    assert expected.first_s == pytest.approx(600 / 500 + 0.1 + 51 / 50)


def test_without_a_second_run_nothing_is_said_about_the_ones_after() -> None:
    found = pace([run(FIRST)], INFO)

    assert found is not None
    assert cost(found, 500).then_s is None
    assert cost(found, 500).first_s == pytest.approx(1.0 + 101 / 50)


def test_policies_that_were_read_before_tell_what_an_item_takes() -> None:
    found = pace([run(replace(NEXT, cached_tokens=990))], INFO)

    assert found is not None
    assert cost(found, 500).first_s is None
    assert cost(found, 500).then_s == pytest.approx(0.1 + 51 / 50)


def test_runs_of_other_models_and_machines_tell_nothing() -> None:
    assert pace([run(FIRST, model="b" * 64), run(FIRST, device="another")], INFO) is None
    assert pace([replace(run(FIRST), provenance=None)], INFO) is None
    assert pace([run(replace(FIRST, prompt_tokens=20))], INFO) is None
    assert pace([run(replace(FIRST, total_s=2.0))], INFO) is None
    assert pace([], INFO) is None
