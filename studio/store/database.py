"""Opens a workspace file: says whether it is one, brings it up to date, and hands out short transactions."""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from sqlalchemy import URL, Connection, create_engine, event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.orm import Session
from sqlalchemy.pool import ConnectionPoolEntry, QueuePool

from studio.core.errors import StoreError
from studio.store.failure import damaged, told
from studio.store.schema import APPLICATION_ID, REVISION, SEARCH_TABLE, Base

BUSY_TIMEOUT_S = 30.0
"""How long a call waits for another to finish its transaction; the longest is an import of 100,000 examples."""

_WRITES = "studio_writes"


class Database:
    """An open workspace file. Any number of threads may use it; each call has its own connection.

    Nothing stays locked between calls, so a second process can work in the same file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._closed = False
        # Threads queue here in order; SQLite would let them poll.
        self._one_writer = threading.Lock()
        self._engine = create_engine(
            URL.create("sqlite", database=str(path)),
            poolclass=QueuePool,
            pool_size=4,
            max_overflow=-1,
            connect_args={"check_same_thread": False, "timeout": BUSY_TIMEOUT_S},
        )
        event.listen(self._engine, "connect", _prepare)
        event.listen(self._engine, "begin", _begin)
        self._writing = self._engine.execution_options(**{_WRITES: True})

    @classmethod
    def open(cls, path: Path) -> Database:
        """Open the file at ``path``; a missing one is made, with its folder. Raises StoreError."""
        try:
            path = path.expanduser().resolve()
        except (OSError, RuntimeError, ValueError) as error:
            raise StoreError(
                f"{str(path)!r} cannot be the place of a workspace: {error}.", hint="Choose another file."
            ) from error
        with told(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            if _needs_migration(path):
                _begin_private(path)
                # Alembic is loaded only here: it takes a noticeable part of the start of the window.
                from studio.store.migrate import upgrade

                upgrade(path, busy_timeout_s=BUSY_TIMEOUT_S)
            _make_ready(path)
        return cls(path)

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A short look at the file, all of one moment. Raises StoreError."""
        self._refuse_closed()
        with told(self.path), Session(self._engine) as session, session.begin():
            yield session

    @contextmanager
    def write(self) -> Iterator[Session]:
        """A short transaction: all that is done inside is kept, or on any error nothing. Raises StoreError."""
        self._refuse_closed()
        with (
            self._one_writer,
            told(self.path),
            Session(self._writing, expire_on_commit=False) as session,
            session.begin(),
        ):
            yield session

    def problems(self) -> list[str]:
        """Read the whole file and say what is wrong with it; empty when it is sound. Slow for a large file."""
        self._refuse_closed()
        with told(self.path), self._engine.begin() as connection:
            found = [str(row[0]) for row in connection.exec_driver_sql("PRAGMA integrity_check")]
            found = [] if found == ["ok"] else found
            found += [
                f"{row[0]}: refers to a missing row" for row in connection.exec_driver_sql("PRAGMA foreign_key_check")
            ]
        return found

    def close(self) -> None:
        """Close all connections. The last one out folds the write-ahead log into the file."""
        self._closed = True
        self._engine.dispose()

    def _refuse_closed(self) -> None:
        if self._closed:
            raise StoreError(f"The workspace {self.path} is closed.", hint="Open it again.")


def _prepare(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
    # The driver's own transaction handling is off: it begins late, and then a reader cannot turn into a writer.
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute("PRAGMA foreign_keys = ON")
    # What was told as done must survive a power cut too.
    cursor.execute("PRAGMA synchronous = FULL")
    cursor.close()


def _begin(connection: Connection) -> None:
    writes = connection.get_execution_options().get(_WRITES, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _needs_migration(path: Path) -> bool:
    """Whether the file is empty, missing or old; raises StoreError when it is no workspace at all."""
    if not path.exists() or path.stat().st_size == 0:
        return True
    if not path.is_file():
        raise _not_a_workspace(path)
    with path.open("rb") as file:
        if file.read(16) != b"SQLite format 3\0":
            raise _not_a_workspace(path)
    with closing(sqlite3.connect(path, timeout=BUSY_TIMEOUT_S)) as connection:
        application = connection.execute("PRAGMA application_id").fetchone()[0]
        tables = {row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        if application == 0 and not tables:
            return True
        if application != APPLICATION_ID or "alembic_version" not in tables:
            raise _not_a_workspace(path)
        row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    if row is None:
        raise damaged(path)
    if row[0] == REVISION and not tables.issuperset({*Base.metadata.tables, SEARCH_TABLE}):
        raise damaged(path)
    return bool(row[0] != REVISION)


def _begin_private(path: Path) -> None:
    """Make a missing file readable by its owner only: SQLite would let everybody on the machine read what is judged."""
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))


def _make_ready(path: Path) -> None:
    """Turn the write-ahead log on, which stays with the file, and find out now whether the file can be written."""
    with closing(sqlite3.connect(path, timeout=BUSY_TIMEOUT_S, isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("ROLLBACK")
        if connection.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
            try:
                connection.execute("PRAGMA journal_mode = WAL")
            except sqlite3.OperationalError as error:
                # Another process opens the same new file at this moment; it works without, and the next opening tries.
                if error.sqlite_errorname != "SQLITE_BUSY":
                    raise


def _not_a_workspace(path: Path) -> StoreError:
    return StoreError(
        f"{path} is not a workspace of Moderation Studio.",
        hint="Choose another file, or a new name to start an empty workspace. The file was not changed.",
        title="This file is not a workspace",
    )
