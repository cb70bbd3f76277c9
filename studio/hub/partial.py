"""What lies on the disk while a file is fetched: the partial file, what it is to become, and what went wrong with it.

``X.part`` holds the bytes so far and ``X.part.json`` what they must become; ``X`` appears only when its sha256 was
right, with ``X.origin.json`` beside it. A file that came out wrong is renamed to ``X.quarantined`` and explained beside
it.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from studio import paths


@dataclass(frozen=True, slots=True)
class Promise:
    """What a file must become: from where, at which commit, how many bytes, and their sha256."""

    repo: str
    commit: str
    name: str
    size: int
    sha256: str
    endpoint: str


class Slot:
    """The place of one file, finished or not. ``target`` is its name when it is finished."""

    def __init__(self, target: Path) -> None:
        self.target = target
        self.part = _beside(target, ".part")
        self.quarantined = _beside(target, ".quarantined")
        self.lock = _beside(target, ".lock")

    def promise(self) -> Promise | None:
        """What the partial file is to become; None when there is none or its description is damaged."""
        return _read_promise(_beside(self.part, ".json"))

    def begin(self, promise: Promise) -> int:
        """Keep the promise beside the partial file; returns the bytes that are there already and can be kept."""
        kept = self.promise()
        # The same bytes may be had from another mirror or commit; other bytes cannot be gone on with.
        if kept is None or (kept.size, kept.sha256) != (promise.size, promise.sha256):
            self.drop_part()
        _write(_beside(self.part, ".json"), asdict(promise))
        have = self.have
        if have > promise.size:
            self.part.unlink()
            return 0
        return have

    @property
    def unchecked(self) -> int:
        """Bytes of a finished file that changed since it was found right, or was put here by somebody; else 0."""
        if self.origin() is not None or not self.target.is_file():
            return 0
        return self.target.stat().st_size

    @property
    def have(self) -> int:
        """Bytes of the partial file."""
        try:
            return self.part.stat().st_size
        except FileNotFoundError:
            return 0

    def drop_part(self) -> None:
        """Give up what was fetched so far."""
        self.part.unlink(missing_ok=True)
        _beside(self.part, ".json").unlink(missing_ok=True)

    def finish(self, promise: Promise) -> None:
        """The partial file is right: give it its name, and keep where it came from."""
        os.replace(self.part, self.target)
        self.approve(promise)

    def approve(self, promise: Promise) -> None:
        """The file has its name and is right: keep where it came from, and forget what went wrong before."""
        facts = self.target.stat()
        _write(self._origin, {**asdict(promise), "changed_ns": facts.st_mtime_ns})
        _beside(self.part, ".json").unlink(missing_ok=True)
        self.clear_quarantine()

    @property
    def _origin(self) -> Path:
        return _beside(self.target, ".origin.json")

    def origin(self) -> Promise | None:
        """Where the finished file came from; None when it is not there, or was changed since it was found right."""
        kept = _read(self._origin)
        try:
            facts = self.target.stat()
        except OSError:
            return None
        promise = _read_promise(self._origin)
        if (
            kept is None
            or promise is None
            or (facts.st_size, facts.st_mtime_ns) != (promise.size, kept.get("changed_ns"))
        ):
            return None
        return promise

    def quarantine(self, why: str, source: Path) -> None:
        """Set the wrong file ``source`` aside under a name that nothing opens, with the reason beside it."""
        os.replace(source, self.quarantined)
        _write(_beside(self.quarantined, ".json"), {"why": why, "when": datetime.now(UTC).isoformat()})
        _beside(self.part, ".json").unlink(missing_ok=True)
        self._origin.unlink(missing_ok=True)

    def why_quarantined(self) -> str | None:
        """Why a file was set aside here; None when none was."""
        if not self.quarantined.exists():
            return None
        kept = _read(_beside(self.quarantined, ".json")) or {}
        return str(kept.get("why", "The reason was not kept."))

    def clear_quarantine(self) -> None:
        """Delete what was set aside."""
        self.quarantined.unlink(missing_ok=True)
        _beside(self.quarantined, ".json").unlink(missing_ok=True)

    def delete(self) -> None:
        """Delete everything of this file; the folder too when it is empty then."""
        self.drop_part()
        self.clear_quarantine()
        for path in (self.target, self._origin, self.lock):
            path.unlink(missing_ok=True)
        with contextlib.suppress(OSError):
            self.target.parent.rmdir()


def _beside(path: Path, ending: str) -> Path:
    return path.with_name(path.name + ending)


def _write(path: Path, value: Mapping[str, Any]) -> None:
    paths.write_atomically(path, json.dumps(value, indent=2).encode("ascii"))


def _read(path: Path) -> dict[str, Any] | None:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _read_promise(path: Path) -> Promise | None:
    kept = _read(path) or {}
    try:
        return Promise(
            str(kept["repo"]),
            str(kept["commit"]),
            str(kept["name"]),
            int(kept["size"]),
            str(kept["sha256"]),
            str(kept["endpoint"]),
        )
    except (KeyError, TypeError, ValueError):
        return None
