"""Brings a workspace file to the newest revision, after a copy of it was made.

Loaded only when a file is new or old: Alembic takes a noticeable part of the start otherwise.
"""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.script import ScriptDirectory
from sqlalchemy import URL, Connection, NullPool, create_engine, event, inspect, text
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.pool import ConnectionPoolEntry

from studio.core.errors import StoreError
from studio.store.failure import damaged
from studio.store.schema import APPLICATION_ID

SCRIPTS = Path(__file__).parent / "migrations"


def upgrade(path: Path, *, busy_timeout_s: float, scripts: Path = SCRIPTS) -> Path | None:
    """Bring the file to the newest revision of ``scripts`` in one transaction; an empty or missing file is built.

    Returns where the copy of the old file lies, None when none was needed. On any error the file is as it was.
    Raises StoreError for a file of a newer studio or a damaged one, and errors of SQLAlchemy and SQLite.
    """
    engine = create_engine(
        URL.create("sqlite", database=str(path)), poolclass=NullPool, connect_args={"timeout": busy_timeout_s}
    )
    event.listen(engine, "connect", _no_implicit_begin)
    # Taking the write lock at once makes a second process wait here instead of failing half-way.
    event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE"))
    with engine.begin() as connection:
        script = ScriptDirectory(str(scripts))
        current = revision_of(connection)
        if current == script.get_current_head():
            return None
        if current is not None and current not in {item.revision for item in script.walk_revisions()}:
            raise newer(path)
        copy = None if current is None else _backup(path, current)
        _run(connection, script)
        connection.exec_driver_sql(f"PRAGMA application_id = {APPLICATION_ID}")
        if connection.exec_driver_sql("PRAGMA foreign_key_check").first() is not None:
            raise damaged(path)
        return copy


def revision_of(connection: Connection) -> str | None:
    """The revision that the file says it has, None for an empty one."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def newer(path: Path) -> StoreError:
    """The error for a file that a newer studio wrote."""
    return StoreError(
        f"The workspace {path} was written by a newer version of the studio.",
        hint="Update the studio to open it. The file was not changed.",
        title="This workspace is newer than the studio",
    )


def _no_implicit_begin(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
    # sqlite3 would begin on its own, and not before a change of tables: half a migration could stay behind.
    connection.isolation_level = None


def _run(connection: Connection, script: ScriptDirectory) -> None:
    head = script.get_current_head()
    assert head is not None, "the scripts have one newest revision"
    environment = EnvironmentContext(
        Config(), script, fn=lambda revision, _: script._upgrade_revs(head, revision), destination_rev=head
    )
    with environment:
        environment.configure(connection=connection)
        environment.run_migrations()


def _backup(path: Path, revision: str) -> Path:
    """Copy the file as it is, beside it. Our transaction keeps all others from writing meanwhile."""
    target = _free_name(path, revision)
    unfinished = target.with_name(target.name + ".part")
    unfinished.unlink(missing_ok=True)
    os.close(os.open(unfinished, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    source = sqlite3.connect(path)
    try:
        if source.execute("PRAGMA quick_check(1)").fetchone()[0] != "ok":
            raise damaged(path)
        copy = sqlite3.connect(unfinished)
        try:
            source.backup(copy)
        finally:
            copy.close()
    finally:
        source.close()
    os.replace(unfinished, target)
    return target


def _free_name(path: Path, revision: str) -> Path:
    number = 1
    while True:
        suffix = "" if number == 1 else f"-{number}"
        target = path.with_name(f"{path.name}.{revision}{suffix}.backup")
        if not target.exists():
            return target
        number += 1
