"""Golden examples: all or nothing, duplicates seen, and large sets paged through an index."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import event

from studio.core.content import Content
from studio.core.errors import InputError, NotFoundError
from studio.core.labels import Decision
from studio.store.workspace import Workspace
from tests.store.samples import NOW, a_run, an_example


def test_examples_are_listed_in_the_order_they_were_added(workspace: Workspace) -> None:
    examples = [an_example(f"Text {number}") for number in range(7)]
    assert workspace.golden.add_many(examples) == examples
    other = workspace.golden.add(an_example(policy_id="other"))

    assert workspace.golden.list("spam") == examples
    assert workspace.golden.list("spam", limit=3, offset=2) == examples[2:5]
    assert workspace.golden.list("spam", offset=5) == examples[5:]
    assert workspace.golden.list("other") == [other]
    assert workspace.golden.list("none") == []
    assert (workspace.golden.count(), workspace.golden.count("spam"), workspace.golden.count("none")) == (8, 7, 0)
    assert workspace.golden.add_many([]) == []


def test_a_taken_id_keeps_all_out(workspace: Workspace) -> None:
    workspace.golden.add(an_example("First", example_id="taken"))

    with pytest.raises(InputError, match="same id"):
        workspace.golden.add_many([an_example("Second"), an_example("Third", example_id="taken")])

    assert workspace.golden.count() == 1
    assert contents(workspace) == 1


def test_an_example_can_be_changed_content_included(workspace: Workspace) -> None:
    example = workspace.golden.add(an_example("Before"))
    changed = replace(example, content=Content.message("After"), expected=None, labels=(), why="On reflection")

    assert workspace.golden.update(changed) == changed
    assert workspace.golden.list("spam") == [changed]
    assert contents(workspace) == 1
    with pytest.raises(NotFoundError):
        workspace.golden.update(an_example())


def test_the_same_content_is_seen(workspace: Workspace) -> None:
    first = workspace.golden.add(an_example("Same"))
    workspace.golden.add(replace(an_example("Same"), expected=Decision.ALLOWED))
    workspace.golden.add(an_example("Same", policy_id="other"))
    sha256 = first.content.sha256
    new = Content.message("New").sha256

    assert workspace.golden.find_by_content("spam", sha256) == first
    assert workspace.golden.find_by_content("spam", new) is None
    assert workspace.golden.known("spam", [sha256, new] * 2000) == {sha256}
    assert contents(workspace) == 1


def test_a_deleted_example_takes_its_content_along_unless_a_run_needs_it(workspace: Workspace) -> None:
    alone, shared = workspace.golden.add(an_example("Alone")), workspace.golden.add(an_example("Shared"))
    workspace.runs.begin(a_run(workspace.sessions.create("Sitting", NOW).id, "Shared"))

    workspace.golden.delete(alone.id)
    workspace.golden.delete(shared.id)

    assert workspace.golden.count() == 0
    assert workspace.golden.get(alone.id) is None
    assert contents(workspace) == 1
    with pytest.raises(NotFoundError):
        workspace.golden.delete(alone.id)


def test_many_examples_are_added_at_once(workspace: Workspace) -> None:
    examples = [an_example(f"Text {number % 1500}") for number in range(2000)]

    assert workspace.golden.add_many(examples) == examples
    assert workspace.golden.list("spam") == examples
    assert contents(workspace) == 1500


def test_an_import_that_was_broken_off_can_be_run_again(workspace: Workspace) -> None:
    examples = [
        replace(an_example(f"Text {n}", example_id=f"e{n}"), original="Spam", source_sha256="ab") for n in range(700)
    ]
    assert workspace.golden.add_new(examples[:600]) == [f"e{n}" for n in range(600)]

    assert workspace.golden.add_new(examples) == [f"e{n}" for n in range(600, 700)]
    assert workspace.golden.add_new(examples) == []
    assert list(workspace.golden.each("spam", page=300)) == examples
    assert list(workspace.golden.each("none")) == []
    workspace.golden.delete_many([f"e{n}" for n in range(650)] + ["nobody"])
    assert [example.id for example in workspace.golden.each("spam", page=50)] == [f"e{n}" for n in range(650, 700)]
    assert contents(workspace) == 50


# Plain SQL, as the studio's own way takes long for so many.
FILL = """
CREATE TEMP TABLE numbers AS
    WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 99999) SELECT i FROM n;
INSERT INTO contents SELECT 'sha' || i, kind, document FROM contents, numbers;
INSERT INTO golden (id, policy_id, content_sha256, labels, why, decided_by, tags, source, source_row)
    SELECT 'id' || i, 'policy-' || (i % 2), 'sha' || i, '[]', '', '', '[]', '', '' FROM numbers;
"""


def test_a_hundred_thousand_examples_are_paged_through_an_index(workspace: Workspace) -> None:
    workspace.golden.add(an_example())
    with closing(sqlite3.connect(workspace.path)) as connection:
        connection.executescript(FILL)
    session = workspace.sessions.create("Sitting", NOW)
    workspace.runs.begin(a_run(session.id))

    with plans(workspace) as plan:
        page = workspace.golden.list("policy-1", limit=50, offset=40_000)
        assert workspace.golden.count("policy-1") == 50_000
        assert workspace.golden.find_by_content("policy-1", "sha80001") == page[0]
        assert workspace.golden.known("policy-1", ["sha80001", "sha80000"]) == {"sha80001"}
        assert workspace.golden.get("id80001") == page[0]
        workspace.golden.update(replace(page[0], why="Looked at"))
        workspace.golden.delete("id80003")
        workspace.runs.list(session_id=session.id, limit=50)
        workspace.runs.list(policy_id="spam", limit=50)
        workspace.runs.mark_interrupted(NOW)
        workspace.sessions.list(limit=50)

    assert [example.id for example in page] == [f"id{number}" for number in range(80_001, 80_101, 2)]
    assert len(plan) > 20
    # Sessions are read along their index, in its order, until the page is full.
    assert {step for step in plan if step.startswith("SCAN")} == {"SCAN sessions USING INDEX ix_sessions_activity"}
    assert not any("FOR ORDER BY" in step for step in plan)


@contextmanager
def plans(workspace: Workspace) -> Iterator[list[str]]:
    """The query plan of every statement that the workspace runs inside."""
    found: list[str] = []

    def explain(_: object, cursor: Any, statement: str, parameters: Any, __: object, many: bool) -> None:
        if statement.startswith(("SELECT", "UPDATE", "DELETE")) and not many and "run_search" not in statement:
            connection = cursor.connection
            found.extend(row[3] for row in connection.execute("EXPLAIN QUERY PLAN " + statement, parameters))

    event.listen(workspace._database._engine, "before_cursor_execute", explain)
    yield found
    event.remove(workspace._database._engine, "before_cursor_execute", explain)


def contents(workspace: Workspace) -> int:
    with closing(sqlite3.connect(workspace.path)) as connection:
        return int(connection.execute("SELECT count(*) FROM contents").fetchone()[0])
