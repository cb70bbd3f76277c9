"""Which process a running judgement belongs to, and whether that process still lives.

A process that starts runs holds an operating-system lock on a small file beside the workspace for as long as it lives;
the file's name carries its token. The system frees the lock however the process ends, and neither a reused process id
nor a wrong clock can fool it.
"""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import uuid
from pathlib import Path

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl


class Owners:
    """The lock files beside one workspace. Safe to use from several threads."""

    def __init__(self, workspace: Path) -> None:
        self._workspace = workspace
        self._lock = threading.Lock()
        self._token = ""
        self._descriptor = -1

    def token(self) -> str:
        """This process's token for the workspace; the first call takes the lock. Raises OSError."""
        with self._lock:
            while not self._token:
                token = uuid.uuid4().hex
                path = self._path(token)
                descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
                _lock(descriptor)
                # A sweep of another process may have taken the new file for a left-over before it was locked.
                if _same_file(descriptor, path):
                    self._token, self._descriptor = token, descriptor
                else:
                    os.close(descriptor)
            return self._token

    def alive(self, token: str) -> bool:
        """Whether the process of that token still runs. The file of a dead one is removed."""
        if token == self._token:
            return True
        return not self._bury(self._path(token))

    def sweep(self) -> None:
        """Remove the lock files that dead processes left."""
        prefix = self._path("").name
        for path in self._workspace.parent.iterdir():
            if path.name.startswith(prefix) and path != self._path(self._token):
                self._bury(path)

    def release(self) -> None:
        """Give the lock up, at the end. Runs of this token that still run count as interrupted from now on."""
        with self._lock:
            if self._descriptor >= 0:
                if sys.platform != "win32":
                    self._path(self._token).unlink(missing_ok=True)
                os.close(self._descriptor)
                # Windows cannot remove an open file.
                self._path(self._token).unlink(missing_ok=True)
            self._token, self._descriptor = "", -1

    def _path(self, token: str) -> Path:
        return self._workspace.with_name(f"{self._workspace.name}-owner-{token}")

    @staticmethod
    def _bury(path: Path) -> bool:
        """Remove the file when nobody holds it; False when its process lives."""
        try:
            descriptor = os.open(path, os.O_RDWR)
        except FileNotFoundError:
            return True
        except PermissionError:
            return False
        try:
            if not _lock(descriptor):
                return False
            with contextlib.suppress(PermissionError):
                path.unlink(missing_ok=True)
            return True
        finally:
            os.close(descriptor)


def _same_file(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False


def _lock(descriptor: int) -> bool:
    """Take the lock without waiting; False when another holds it.

    A file system without locks counts as unlocked: a run may then be called interrupted too early, and its own process
    still puts that right when it finishes.
    """
    try:
        if sys.platform == "win32":
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        else:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return False
    except OSError:
        return True
    return True
