"""Sessions: their order, their runs, and what is deleted with them."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import timedelta

import pytest

from studio.core.errors import NotFoundError
from studio.store.workspace import Workspace
from tests.store.samples import NOW, a_policy, a_run, an_example, ended


def test_the_last_used_session_comes_first_and_pages_fit(workspace: Workspace) -> None:
    made = [workspace.sessions.create(f"Sitting {number}", NOW) for number in range(5)]
    workspace.runs.begin(a_run(made[1].id, at=NOW + timedelta(hours=1)))

    found = workspace.sessions.list()

    assert [session.title[-1] for session in found] == ["1", "4", "3", "2", "0"]
    assert found[0].updated_at == NOW + timedelta(hours=1)
    assert [session.run_count for session in found] == [1, 0, 0, 0, 0]
    assert workspace.sessions.list(limit=2, offset=1) == found[1:3]


def test_what_is_not_there_is_said(workspace: Workspace) -> None:
    assert workspace.sessions.get("nowhere") is None
    for call in (
        lambda: workspace.sessions.rename("nowhere", "x"),
        lambda: workspace.sessions.delete("nowhere"),
        lambda: workspace.sessions.state("nowhere"),
        lambda: workspace.sessions.save_state("nowhere", {}),
    ):
        with pytest.raises(NotFoundError):
            call()


def test_a_deleted_session_takes_along_only_what_nothing_else_needs(workspace: Workspace) -> None:
    policy = a_policy()
    workspace.policies.save_version(policy, message="", author="", now=NOW)
    gone, stays = (workspace.sessions.create(title, NOW) for title in ("gone", "stays"))
    texts = ("secret", "shared with a run", "shared with an example")
    for text in texts:
        run = a_run(gone.id, text)
        workspace.runs.begin(run)
        workspace.runs.finish(ended(run))
    kept = a_run(stays.id, texts[1])
    workspace.runs.begin(kept)
    example = workspace.golden.add(an_example(texts[2]))

    workspace.sessions.delete(gone.id)

    assert workspace.sessions.list() == [workspace.sessions.get(stays.id)]
    assert workspace.runs.list() == [kept]
    assert workspace.golden.list("spam") == [example]
    assert len(workspace.policies.versions("spam")) == 1
    with closing(sqlite3.connect(workspace.path)) as connection:
        documents = [row[0] for row in connection.execute("SELECT document FROM contents")]
    assert len(documents) == 2
    assert not any("secret" in document for document in documents)
    assert workspace.problems() == []


def test_runs_are_listed_by_session_and_policy_in_pages(workspace: Workspace) -> None:
    one, two = (workspace.sessions.create(title, NOW) for title in ("one", "two"))
    runs = [a_run(session.id, policy=a_policy(name)) for session in (one, two) for name in ("a", "b", "a")]
    for run in runs:
        workspace.runs.begin(run)
    newest = runs[::-1]

    assert workspace.runs.list() == newest
    assert workspace.runs.list(limit=2, offset=1) == newest[1:3]
    assert workspace.runs.list(session_id=two.id) == newest[:3]
    assert workspace.runs.list(policy_id="b") == [newest[1], newest[4]]
    assert workspace.runs.list(session_id=one.id, policy_id="b") == [newest[4]]
    assert workspace.runs.count() == 6
    assert workspace.runs.count(session_id=one.id, policy_id="a") == 2
    assert workspace.runs.get("nowhere") is None
