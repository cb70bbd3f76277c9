"""The migrations build what the rows say, keep a copy first, and leave no half-changed file."""

from __future__ import annotations

import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine

from studio.core.errors import StoreError
from studio.store import database, migrate
from studio.store.schema import REVISION, SEARCH_TABLE, Base
from studio.store.workspace import Workspace
from tests.store.samples import NOW, a_policy, a_run, an_example, ended

DATA = Path(__file__).parent / "data"
# The revision of the kept old file.
OLD = "0001"

NEXT = """
import sqlalchemy as sa
from alembic import op

revision = "9001"
down_revision = "{before}"


def upgrade():
    op.add_column("sessions", sa.Column("mood", sa.Text, server_default="calm"))
    {then}
"""


@pytest.fixture
def planted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of scripts with a place for one more, which the studio takes for its own."""
    scripts = tmp_path / "scripts"
    shutil.copytree(migrate.SCRIPTS, scripts, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(migrate.upgrade, "__kwdefaults__", {"scripts": scripts})
    monkeypatch.setattr(database, "REVISION", "9001")
    return scripts / "versions" / "v9001_mood.py"


def test_the_newest_script_is_the_one_that_the_rows_name() -> None:
    script = ScriptDirectory(str(migrate.SCRIPTS))

    assert script.get_heads() == [REVISION]
    assert [item.revision for item in script.walk_revisions("base", REVISION)][-1] == "0001"


def test_the_migrations_build_what_the_rows_say(path: Path) -> None:
    Workspace.open(path).close()
    engine = create_engine(f"sqlite:///{path}")
    with engine.connect() as connection:
        context = MigrationContext.configure(
            connection,
            opts={
                "compare_type": True,
                "compare_server_default": True,
                "include_name": lambda name, kind, _: not (kind == "table" and str(name).startswith(SEARCH_TABLE)),
            },
        )
        differences = compare_metadata(context, Base.metadata)
    engine.dispose()

    assert differences == []


def test_a_file_of_the_first_version_opens_with_all_that_is_in_it(tmp_path: Path) -> None:
    path = tmp_path / "old.db"
    shutil.copy(DATA / "workspace-0001.sqlite", path)

    with Workspace.open(path) as workspace:
        (session,) = workspace.sessions.list()
        assert session.run_count == 2
        interrupted = workspace.runs.mark_interrupted(NOW)
        assert [run.content.title for run in interrupted] == ["Unfinished"]
        done = workspace.runs.list(session_id=session.id)[1]
        assert done.verdict == ended(a_run(session.id)).verdict
        assert workspace.golden.list("spam") == [an_example(example_id="example")]
        assert [version.policy for version in workspace.policies.versions("spam")] == [a_policy()]
        assert [hit.run.id for hit in workspace.search.search("cheap")] == [done.id]
        assert workspace.sessions.state(session.id) == {"typed": "Buy"}
        assert workspace.settings.get("theme") == "dark"
        assert workspace.problems() == []


def test_the_list_of_an_old_file_knows_its_jurisdictions(tmp_path: Path) -> None:
    path = tmp_path / "old.db"
    shutil.copy(DATA / "workspace-0001.sqlite", path)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(
            """UPDATE policy_documents SET document = json_set(document, '$.jurisdictions', json('["EU"]'))"""
        )

    with Workspace.open(path) as workspace:
        listed = {one.id: one.jurisdictions for one in workspace.policies.list()}
        (version,) = workspace.policies.versions("spam")
        assert listed["spam"] == version.policy.jurisdictions == ("EU",)
        assert version.release == ""


def test_an_old_file_is_copied_and_then_changed(path: Path, planted: Path) -> None:
    with Workspace.open(old_file(path)) as workspace:
        before = workspace.sessions.list()
    planted.write_text(NEXT.format(before=REVISION, then=""))

    with Workspace.open(path) as workspace:
        assert workspace.sessions.list() == before
    with Workspace.open(path):
        pass

    copies = sorted(item.name for item in path.parent.glob("*.backup"))
    assert copies == [f"{path.name}.{OLD}.backup", f"{path.name}.{REVISION}.backup"]
    assert columns(path) - columns(path.parent / copies[1]) == {"mood"}
    assert os.name != "posix" or (path.parent / copies[1]).stat().st_mode & 0o777 == 0o600
    with closing(sqlite3.connect(path.parent / copies[1])) as copy:
        assert copy.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert copy.execute("SELECT count(*) FROM runs").fetchone() == (2,)


def test_a_copy_never_overwrites_another(path: Path, planted: Path) -> None:
    old_file(path)
    first = path.with_name(f"{path.name}.{OLD}.backup")
    first.write_text("precious")
    planted.write_text(NEXT.format(before=REVISION, then=""))

    Workspace.open(path).close()

    assert first.read_text() == "precious"
    assert path.with_name(f"{path.name}.{OLD}-2.backup").is_file()


def test_a_migration_that_fails_leaves_the_file_as_it_was(path: Path, planted: Path) -> None:
    old_file(path)
    before = columns(path)
    planted.write_text(NEXT.format(before=REVISION, then='op.execute("INSERT INTO nowhere VALUES (1)")'))

    with pytest.raises(StoreError, match="nowhere"):
        Workspace.open(path)

    assert columns(path) == before
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT version_num FROM alembic_version").fetchone() == (OLD,)


def test_a_damaged_old_file_is_not_migrated(path: Path, planted: Path) -> None:
    old_file(path)
    planted.write_text(NEXT.format(before=REVISION, then=""))
    with closing(sqlite3.connect(path)) as connection:
        root = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'runs'").fetchone()[0]
    with path.open("r+b") as file:
        file.seek((root - 1) * 4096)
        file.write(b"\xff" * 4096)

    with pytest.raises(StoreError, match="damaged"):
        Workspace.open(path)

    assert list(path.parent.glob("*.backup")) == []


def test_a_newer_file_is_refused_and_not_changed(path: Path) -> None:
    old_file(path)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '8000'")
        connection.commit()
    before = path.read_bytes()

    with pytest.raises(StoreError, match="newer version") as caught:
        Workspace.open(path)

    assert caught.value.hint.startswith("Update the studio")
    assert path.read_bytes() == before
    assert list(path.parent.glob("*.backup")) == []


def old_file(path: Path) -> Path:
    """A copy of the kept file of the first version at ``path``."""
    shutil.copy(DATA / "workspace-0001.sqlite", path)
    return path


def columns(path: Path) -> set[str]:
    with closing(sqlite3.connect(path)) as connection:
        return {row[1] for row in connection.execute("PRAGMA table_info(sessions)")}
