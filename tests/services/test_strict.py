"""The strict switch: one request at a time, so that the same run gives the same answer; and the run says so."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from studio import settings
from studio.core.content import Content
from studio.core.policy import Policy
from studio.core.run import Run
from studio.engine.scripted import ScriptedAnswer
from studio.services.records import run_record
from studio.services.studio import Studio
from tests.engine.conftest import CHAIN
from tests.engine.tiny_gguf import TinyModel, write
from tests.services.conftest import Opener, answer


def judged(studio: Studio, policy: Policy) -> Run:
    return studio.judge.judge(policy, Content.message("Hello"), session_id=studio.sessions.current().id)


@pytest.mark.parametrize(("kept", "asked", "strict"), [(False, None, False), (True, None, True), (True, False, False)])
def test_a_run_says_whether_it_was_strict(
    workspace: Path, tmp_path: Path, policy: Policy, kept: bool, asked: bool | None, strict: bool
) -> None:
    settings.change(strict=kept)
    model = write(tmp_path / "tiny.gguf", TinyModel(follow=CHAIN))
    with Studio.open(workspace, model=model, strict=asked) as studio:
        run = judged(studio, policy)
    assert run.provenance is not None
    assert (run.provenance.strict, run.provenance.n_seq) == (strict, 1 if strict else 8)
    provenance = run_record(run)["provenance"]
    assert (provenance["strict"], provenance["n_seq"]) == (strict, 1 if strict else 8)


def test_a_change_loads_the_model_anew_once_nothing_runs(open_studio: Opener, policy: Policy) -> None:
    studio = open_studio(ScriptedAnswer(answer("SP2", "word " * 40), pace_s=0.02), n_seq=2)
    begun = threading.Event()
    runs: list[Run] = []

    def slow() -> None:
        session = studio.sessions.current().id
        runs.append(
            studio.judge.judge(policy, Content.message("Hello"), session_id=session, on_event=lambda _: begun.set())
        )

    thread = threading.Thread(target=slow)
    thread.start()
    assert begun.wait(30)
    starts = studio._engine._starts
    studio.models.set_strict(True)
    judged(studio, policy)
    assert studio._engine._starts == starts
    thread.join()

    judged(studio, policy)

    assert studio._engine._starts == starts + 1
    assert studio.models.loaded
    assert [run.verdict is not None and run.verdict.is_verdict for run in runs] == [True]
