"""A run that came to nothing leaves no trace; one that is done cannot be dropped."""

from __future__ import annotations

from studio.store.workspace import Workspace
from tests.store.samples import NOW, a_run, ended


def test_a_run_that_is_dropped_is_gone_from_list_and_search(workspace: Workspace) -> None:
    session = workspace.sessions.create("Live", NOW)
    run = a_run(session.id, "unheard-of words")
    workspace.runs.begin(run)
    assert workspace.search.search("unheard", 10)

    workspace.runs.drop(run.id)

    assert workspace.runs.get(run.id) is None
    assert workspace.search.search("unheard", 10) == []
    workspace.runs.drop(run.id)  # doing it twice is doing it once
    workspace.runs.begin(run)  # and the id is free again


def test_a_run_with_a_verdict_stays(workspace: Workspace) -> None:
    session = workspace.sessions.create("Live", NOW)
    run = a_run(session.id, "kept")
    workspace.runs.begin(run)
    workspace.runs.finish(ended(run))

    workspace.runs.drop(run.id)

    assert workspace.runs.get(run.id) == ended(run)
