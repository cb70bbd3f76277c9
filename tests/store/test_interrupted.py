"""Runs of processes that died are called interrupted; those of living ones are left alone."""

from __future__ import annotations

import random
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from studio.core.errors import InputError, NotFoundError
from studio.core.run import RunState
from studio.core.verdict import Status
from studio.store.workspace import Workspace
from tests.store.samples import NOW, a_run, ended

# Says "begun ID" and "done ID" only after the workspace said so; ends when its input does.
WORKER = """
import sys, threading
from datetime import timedelta
from studio.store.workspace import Workspace
from tests.store.samples import NOW, a_run, ended
workspace = Workspace.open(sys.argv[1])
session = workspace.sessions.create("Worker", NOW)
for number in range(int(sys.argv[2])):
    run = a_run(session.id, f"Message {number} " + "words " * 100)
    workspace.runs.begin(run)
    print("begun", run.id, flush=True)
    if sys.argv[3] == "finish":
        workspace.runs.finish(ended(run))
        print("done", run.id, flush=True)
sys.stdin.read()
workspace.close()
"""


@contextmanager
def worker(path: Path, count: int, then: str = "") -> Iterator[subprocess.Popen[str]]:
    """A real process that works in the workspace; it is ended at the end, whatever happened."""
    command = [sys.executable, "-c", WORKER, str(path), str(count), then]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def said(process: subprocess.Popen[str]) -> list[list[str]]:
    """The whole lines that the process wrote until it ended."""
    assert process.stdout is not None
    return [line.split() for line in process.stdout if line.endswith("\n")]


def first_line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline()


def locks(path: Path) -> list[Path]:
    return list(path.parent.glob(f"{path.name}-owner-*"))


@pytest.mark.parametrize("seed", range(6))
def test_a_kill_at_any_point_loses_nothing_that_was_told_as_done(path: Path, seed: int) -> None:
    with worker(path, 10_000, "finish") as process:
        begun = first_line(process).split()[1]
        # Where the blow falls is meant to be anywhere; nothing is expected of the time itself.
        time.sleep(random.Random(seed).uniform(0, 0.4))
        process.kill()
        lines = [["begun", begun], *said(process)]

    with Workspace.open(path) as workspace:
        assert workspace.problems() == []
        interrupted = workspace.runs.mark_interrupted(NOW)
        assert workspace.problems() == []
        for word, run_id in lines:
            run = workspace.runs.get(run_id)
            assert run is not None
            if word == "done":
                assert run == ended(run)
        done = {run_id for word, run_id in lines if word == "done"}
        assert len(interrupted) <= 1
        assert done.isdisjoint(run.id for run in interrupted)
        assert len(lines) - 1 <= 2 * workspace.runs.count()
        assert workspace.search.search("words", limit=1)
    assert locks(path) == []


def test_what_a_dead_process_left_is_called_interrupted_and_says_so(path: Path) -> None:
    with worker(path, 2) as process:
        first_line(process)
        first_line(process)
        process.kill()

    with Workspace.open(path) as workspace:
        later = NOW + timedelta(days=3)
        interrupted = workspace.runs.mark_interrupted(later)

        assert len(interrupted) == 2
        assert workspace.runs.mark_interrupted(later) == []
        assert workspace.runs.list() == interrupted
        for run in interrupted:
            assert run.state is RunState.INTERRUPTED
            assert run.finished_at == later
            assert run.verdict is not None
            assert run.verdict.status is Status.ENGINE_FAILED
            assert "ended while this was being judged" in run.verdict.status_detail
            assert "2026-03-07" in run.verdict.status_detail
        assert len(workspace.search.search("studio ended")) == 2


def test_the_runs_of_a_living_process_are_left_alone(path: Path) -> None:
    with worker(path, 1) as process, Workspace.open(path) as workspace:
        run_id = first_line(process).split()[1]

        assert workspace.runs.mark_interrupted(NOW) == []
        assert workspace.runs.get(run_id).state is RunState.RUNNING  # type: ignore[union-attr]

        process.kill()
        process.wait()
        assert [run.id for run in workspace.runs.mark_interrupted(NOW)] == [run_id]


def test_own_runs_and_those_of_another_window_of_this_process_are_left_alone(path: Path) -> None:
    with Workspace.open(path) as first, Workspace.open(path) as second:
        session = first.sessions.create("Sitting", NOW)
        for workspace in (first, second):
            workspace.runs.begin(a_run(session.id))

        assert first.runs.mark_interrupted(NOW) == []
        assert second.runs.mark_interrupted(NOW) == []
        second.close()
        assert len(first.runs.mark_interrupted(NOW)) == 1


def test_a_workspace_closed_while_a_run_runs(path: Path) -> None:
    with Workspace.open(path) as workspace:
        session = workspace.sessions.create("Sitting", NOW)
        run = a_run(session.id)
        workspace.runs.begin(run)
    assert locks(path) == []

    with Workspace.open(path) as workspace:
        assert [found.id for found in workspace.runs.mark_interrupted(NOW)] == [run.id]


def test_left_over_locks_are_swept_and_living_ones_are_not(path: Path) -> None:
    with worker(path, 1) as process, Workspace.open(path) as workspace:
        first_line(process)
        (living,) = locks(path)
        left_over = living.with_name(living.name[:-4] + "dead")
        left_over.touch()

        workspace.runs.mark_interrupted(NOW)

        assert locks(path) == [living]


def test_a_late_end_puts_an_interrupted_run_right(path: Path) -> None:
    with Workspace.open(path) as workspace:
        session = workspace.sessions.create("Sitting", NOW)
        run = a_run(session.id)
        workspace.runs.begin(run)
        workspace._owners.release()
        assert workspace.runs.mark_interrupted(NOW) != []

        workspace.runs.finish(ended(run))

        assert workspace.runs.get(run.id) == ended(run)
        assert workspace.search.search("studio ended") == []


def test_a_done_run_cannot_be_changed(workspace: Workspace) -> None:
    session = workspace.sessions.create("Sitting", NOW)
    run = a_run(session.id)
    workspace.runs.begin(run)
    with pytest.raises(InputError, match="has not ended"):
        workspace.runs.finish(run)
    workspace.runs.finish(ended(run))

    with pytest.raises(InputError, match="cannot be changed"):
        workspace.runs.finish(ended(run, rationale="Another story"))

    assert workspace.runs.get(run.id) == ended(run)


def test_a_run_needs_its_session_and_its_own_id(workspace: Workspace) -> None:
    session = workspace.sessions.create("Sitting", NOW)
    with pytest.raises(NotFoundError):
        workspace.runs.begin(a_run("nowhere"))
    with pytest.raises(NotFoundError):
        workspace.runs.finish(ended(a_run(session.id)))
    run = a_run(session.id)
    workspace.runs.begin(run)
    with pytest.raises(InputError, match="already"):
        workspace.runs.begin(run)

    assert workspace.runs.list() == [run]


def test_many_threads_may_work_at_once(workspace: Workspace) -> None:
    session = workspace.sessions.create("Sitting", NOW)
    failures: list[BaseException] = []

    def work() -> None:
        try:
            for _ in range(8):
                run = a_run(session.id)
                workspace.runs.begin(run)
                workspace.runs.list(limit=3)
                workspace.runs.finish(ended(run))
        except BaseException as error:  # noqa: BLE001 - whatever fails in a thread must fail the test
            failures.append(error)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert failures == []
    assert workspace.runs.count() == 64
    assert all(run.state is RunState.DONE for run in workspace.runs.list(limit=100))
    assert len(locks(workspace.path)) == 1


def test_nothing_stays_locked_between_calls(path: Path) -> None:
    with Workspace.open(path) as first, Workspace.open(path) as second:
        session = first.sessions.create("Sitting", NOW)
        run = a_run(session.id)
        first.runs.begin(run)
        second.sessions.rename(session.id, "Renamed")
        second.runs.finish(ended(run))

        assert first.runs.get(run.id) == ended(run)
        assert first.sessions.list()[0].title == "Renamed"


def test_a_clock_set_back_changes_no_order(workspace: Workspace) -> None:
    first, second = (workspace.sessions.create(title, NOW - timedelta(days=day)) for day, title in ((0, "a"), (9, "b")))
    assert [session.id for session in workspace.sessions.list()] == [second.id, first.id]
    runs = [a_run(first.id, at=NOW - timedelta(days=day)) for day in (10, 20, 15)]
    for run in runs:
        workspace.runs.begin(run)
        workspace.runs.finish(ended(run))

    assert [run.id for run in workspace.runs.list()] == [run.id for run in reversed(runs)]
    assert [session.id for session in workspace.sessions.list()] == [first.id, second.id]
