"""One model on the shelf, and how it stands with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from studio.hub.inventory import ModelEntry


class State(StrEnum):
    """How it stands with a model: to be had, fetched in part, being checked, here and right, set aside, or gone."""

    GET = "get"
    PARTIAL = "partial"
    VERIFYING = "verifying"
    READY = "ready"
    QUARANTINED = "quarantined"
    MISSING = "missing"


@dataclass(frozen=True, slots=True)
class ShelfEntry:
    """One model on the shelf, all its files together.

    ``size`` and ``done`` in bytes, ``done`` of a partial download; ``files`` where they are or will be, the first of
    them opens the model, and ``sha256`` theirs as far as known. ``recognised``: its sha256 is one of the catalogue's.
    ``ours``: it was downloaded here, and removing it deletes its files. ``busy``: it is fetched or checked right now.
    ``why`` says what is wrong with it. ``model`` is what can be judged with, None unless ready; ``memory`` maps tokens
    of context to bytes.
    """

    id: str
    title: str
    quant: str
    summary: str
    licence: str
    repo: str
    state: State
    size: int | None
    done: int
    files: tuple[Path, ...]
    sha256: tuple[str, ...]
    recognised: bool
    ours: bool
    busy: bool = False
    why: str = ""
    model: ModelEntry | None = None
    memory: Mapping[int, int] = field(default_factory=dict)
