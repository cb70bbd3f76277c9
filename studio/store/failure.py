"""Turns the errors of SQLite, SQLAlchemy and the file system into a StoreError that says what to do."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from studio.core.errors import StoreError

_SAYINGS = {
    "SQLITE_BUSY": (
        "The workspace {path} is being written by another program.",
        "Wait for it to end, or close it, and try again.",
    ),
    "SQLITE_READONLY": (
        "The workspace {path} cannot be written.",
        "Give yourself permission to write the file and its folder, or copy the file to a folder of your own.",
    ),
    "SQLITE_CANTOPEN": (
        "The workspace {path} cannot be opened.",
        "Check that the folder exists, that you may write to it, and that the disk is connected.",
    ),
    "SQLITE_FULL": (
        "There is no room left to write the workspace {path}.",
        "Free some space on that disk and try again. What was saved before is safe.",
    ),
    "SQLITE_CORRUPT": (
        "The workspace {path} is damaged.",
        "Keep the file, and open a copy of it from a backup. Automatic copies end in .backup and lie beside it.",
    ),
    "SQLITE_IOERR": (
        "The disk failed while the workspace {path} was read or written.",
        "Check the disk and its connection, then try again.",
    ),
}
_SAYINGS["SQLITE_LOCKED"] = _SAYINGS["SQLITE_BUSY"]
_SAYINGS["SQLITE_PROTOCOL"] = _SAYINGS["SQLITE_BUSY"]
_SAYINGS["SQLITE_PERM"] = _SAYINGS["SQLITE_READONLY"]
_SAYINGS["SQLITE_NOTADB"] = _SAYINGS["SQLITE_CORRUPT"]


@contextmanager
def told(path: Path) -> Iterator[None]:
    """Raise what fails inside as a StoreError about the workspace at ``path``."""
    try:
        yield
    except DBAPIError as error:
        raise _store_error(path, error.orig or error) from error
    except (sqlite3.Error, SQLAlchemyError) as error:
        raise _store_error(path, error) from error
    except PermissionError as error:
        message, hint = _SAYINGS["SQLITE_READONLY"]
        raise StoreError(message.format(path=path), hint=hint) from error
    except OSError as error:
        message, hint = _SAYINGS["SQLITE_CANTOPEN"]
        raise StoreError(f"{message.format(path=path)} ({error.strerror})", hint=hint) from error


def damaged(path: Path) -> StoreError:
    """The error for a workspace whose inside is not what it must be."""
    message, hint = _SAYINGS["SQLITE_CORRUPT"]
    return StoreError(message.format(path=path), hint=hint)


def _store_error(path: Path, error: BaseException) -> StoreError:
    name = getattr(error, "sqlite_errorname", "")
    # Extended codes, such as SQLITE_IOERR_WRITE, begin with the name of the primary one.
    known = next((saying for code, saying in _SAYINGS.items() if name == code or name.startswith(code + "_")), None)
    if known is not None:
        return StoreError(known[0].format(path=path), hint=known[1])
    return StoreError(
        f"The workspace {path} could not be read or written: {error}.",
        hint="Try again; if it stays, report this as a fault of the studio.",
    )
