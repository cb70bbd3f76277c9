"""The workspace: the one thing that the rest of the studio opens."""

from __future__ import annotations

import os
from pathlib import Path
from types import TracebackType

from studio.store.database import Database
from studio.store.golden import Golden
from studio.store.owner import Owners
from studio.store.policies import Policies
from studio.store.runs import Runs
from studio.store.search import Search
from studio.store.sessions import Sessions
from studio.store.settings import WorkspaceSettings


class Workspace:
    """An open workspace file. May be used from several threads, and beside other processes.

    What a method returned as done is on the disk: a kill or a power cut does not lose it.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._owners = Owners(database.path)
        self.policies = Policies(database)
        self.sessions = Sessions(database)
        self.runs = Runs(database, self._owners)
        self.golden = Golden(database)
        self.search = Search(database)
        self.settings = WorkspaceSettings(database)

    @classmethod
    def open(cls, path: str | os.PathLike[str]) -> Workspace:
        """Open the workspace at ``path``, or start an empty one there, with its folder.

        An older file is brought up to date after a copy of it was laid beside it. Raises StoreError, with what to do,
        for a newer file, a damaged one, one that is not a workspace, and a place that cannot be written.
        """
        return cls(Database.open(Path(path)))

    @property
    def path(self) -> Path:
        """Where the file lies, absolute."""
        return self._database.path

    def problems(self) -> list[str]:
        """Read the whole file and say what is wrong with it; empty when it is sound. Slow for a large file."""
        return self._database.problems()

    def close(self) -> None:
        """Close the file. Runs that still run count as interrupted from now on. Closing twice is closing once."""
        self._database.close()
        self._owners.release()

    def __enter__(self) -> Workspace:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
