"""Which GPUs could not load which model: remembered in the settings folder, so that nobody waits for the same twice.

One small JSON file, by the model file's sha256 and by device. It holds no text that anybody wrote. A file that cannot
be read counts as empty, and :attr:`DeviceNotes.problem` says so: the worst that follows is one more attempt.
"""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from studio import paths

_FILE = "devices.json"


@dataclass(frozen=True, slots=True)
class DeviceNote:
    """A load that failed. ``device`` is :attr:`Placement.key`; ``share`` of its free memory may be used since, 0 none.

    ``why`` is the title of the error, ``at`` the time in ISO 8601.
    """

    sha256: str
    device: str
    share: float
    why: str
    at: str

    @property
    def words(self) -> str:
        """What follows from it, in a sentence."""
        since = "it is not used" if self.share == 0 else f"only {self.share:.0%} of its free memory is used"
        return f"{self.device} could not load this model on {self.at[:10]} ({self.why}); {since}."


class DeviceNotes:
    """The notes of this user, in ``folder``."""

    def __init__(self, folder: Path | None = None) -> None:
        self._file = (folder or paths.config_dir()) / _FILE
        self.problem = ""

    def of(self, sha256: str) -> tuple[DeviceNote, ...]:
        """What is known of a model file."""
        return tuple(note for note in self._read() if sha256 and note.sha256 == sha256)

    def shares(self, sha256: str) -> dict[str, float]:
        """The share of each GPU's free memory that the model may use, where that is not all."""
        return {note.device: note.share for note in self.of(sha256)}

    def add(self, sha256: str, device: str, share: float, why: str) -> None:
        """Note a failure in place of what was noted of this model and device. A disk that is full loses the note."""
        note = DeviceNote(sha256, device, share, why, datetime.now(UTC).isoformat(timespec="seconds"))
        self._write([*(old for old in self._read() if (old.sha256, old.device) != (sha256, device)), note])

    def forget(self, sha256: str) -> bool:
        """Drop what is noted of a model; returns whether there was anything."""
        known = self._read()
        left = [note for note in known if note.sha256 != sha256]
        if len(left) == len(known):
            return False
        self._write(left)
        return True

    def _read(self) -> list[DeviceNote]:
        self.problem = ""
        try:
            rows = json.loads(self._file.read_text(encoding="utf-8"))
            return [_note(row) for row in rows]
        except FileNotFoundError:
            return []
        except (OSError, ValueError, TypeError, KeyError, RecursionError) as error:
            self.problem = f"{self._file} cannot be read ({error}); every GPU is tried again."
            return []

    def _write(self, notes: list[DeviceNote]) -> None:
        try:
            paths.write_atomically(self._file, json.dumps([asdict(note) for note in notes], indent=2).encode("ascii"))
        except OSError as error:
            self.problem = f"{self._file} could not be written: {error.strerror or error}."


def _note(row: dict[str, Any]) -> DeviceNote:
    share = row["share"]
    if not isinstance(share, (int, float)) or not math.isfinite(share) or not 0 <= share <= 1:
        raise ValueError(f"share {share!r}")
    texts = [row[name] for name in ("sha256", "device", "why", "at")]
    if not all(isinstance(text, str) for text in texts):
        raise TypeError("texts are expected")
    return DeviceNote(texts[0], texts[1], float(share), texts[2], texts[3])
