"""Which model judges: the list of model files, the one in use, and loading it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from studio import settings
from studio.core.errors import ModelFileError, NotFoundError
from studio.core.progress import Cancel, Progress
from studio.engine.client import EngineClient
from studio.engine.errors import (
    EngineDeviceError,
    EngineExitedError,
    EngineHungError,
    EngineLoadCrashError,
    EngineMemoryError,
)
from studio.engine.types import EngineSettings, ModelInfo
from studio.hub.inventory import Inventory, ModelEntry, file_sha256
from studio.services.device_notes import DeviceNote, DeviceNotes
from studio.services.remotes import Remotes

__all__ = ["DEMO_NOTICE", "DeviceNote", "ModelEntry", "ModelInfo", "ModelService"]

DEMO_NOTICE = "Demo model: it understands the demo policies only, and is not for moderation."

_WORTH_ANOTHER_PLACE = (
    EngineDeviceError,
    EngineExitedError,
    EngineHungError,
    EngineLoadCrashError,
    EngineMemoryError,
)
"""Failures of a load after which less of the GPU is tried; a file that is no good, or a cancel, is none of them."""

_LESS = 0.5
"""The share of a GPU's free memory in the second attempt."""


class ModelService:
    """The model shelf of one open studio. ``strict``: see :attr:`strict`."""

    def __init__(
        self,
        inventory: Inventory,
        engine: EngineClient,
        chosen: Path | None,
        *,
        strict: bool = False,
        notes: DeviceNotes | None = None,
        remotes: Remotes | None = None,
    ) -> None:
        self._inventory = inventory
        self._engine = engine
        self._chosen = chosen
        self._lock = threading.Lock()
        self._strict = strict
        self._notes = notes or DeviceNotes()
        self._remotes = remotes
        self._loaded_with: EngineSettings | None = None
        self._seen: dict[Path, ModelInfo] = {}

    def list(self) -> list[ModelEntry]:
        """Every known model, the demo model first, those on servers last."""
        return [*self._inventory.list(), *(self._remotes.entries() if self._remotes is not None else ())]

    def current(self) -> ModelEntry:
        """The model that judges. Raises ModelFileError when the chosen file is gone."""
        return self._inventory.demo() if self._chosen is None else self._find(self._chosen)

    def use(self, entry: ModelEntry) -> None:
        """Judge with this model from now on, and remember it. It is loaded at the next judgement or :meth:`load`."""
        found = self._find(entry.path)
        self._chosen = None if found.is_demo else found.path
        settings.change(model=self._chosen)

    def use_demo(self) -> None:
        """Judge with the demo model in this process, without remembering it."""
        self._chosen = None

    @contextmanager
    def lent(self, entry: ModelEntry | None) -> Iterator[None]:
        """Judge with ``entry`` meanwhile, without remembering it; None changes nothing. Raises ModelFileError.

        The two are never loaded at once. A choice that somebody makes meanwhile stands.
        """
        if entry is None:
            yield
            return
        found, before = self._find(entry.path), self._chosen
        lent = self._chosen = None if found.is_demo else found.path
        try:
            yield
        finally:
            if self._chosen == lent:
                self._chosen = before

    def seen(self, entry: ModelEntry | None = None) -> ModelInfo | None:
        """Facts about a model as it was last loaded by this studio; of the one in use if none is named."""
        return self._seen.get((entry or self.current()).path)

    def named(self, name: str) -> ModelEntry:
        """The model of that name or file; ``demo`` is the demo model. Raises NotFoundError or ModelFileError."""
        for entry in self.list():
            if name in (entry.name, str(entry.path)) or (name == "demo" and entry.is_demo):
                return entry
        if Path(name).is_file():
            return self._inventory.find(Path(name))
        raise NotFoundError(f"There is no model {name!r}.", hint="`moderation-studio models list` shows those known.")

    def add(
        self, path: Path, *, on_progress: Callable[[Progress], None] | None = None, cancel: Cancel | None = None
    ) -> ModelEntry:
        """Add a model file to the list, with its sha256. Raises ModelFileError."""
        return self._inventory.add(path, on_progress=on_progress, cancel=cancel)

    def remove(self, entry: ModelEntry) -> None:
        """Take a model off the list; its file stays."""
        self._inventory.remove(entry.path)
        if self._chosen == entry.path:
            self.use(self._inventory.demo())

    def _find(self, path: Path) -> ModelEntry:
        """The entry of a file, or of a remote model, whose path is its id. Raises ModelFileError."""
        remote = self._remotes.find(str(path)) if self._remotes is not None else None
        return self._inventory.find(path) if remote is None else ModelEntry(remote.name, path, 0)

    @property
    def info(self) -> ModelInfo | None:
        """Facts about the loaded model; None while none is loaded."""
        return self._engine.info

    @property
    def loaded(self) -> bool:
        """Whether the model in use is loaded, as the settings want it; not when its file is gone."""
        try:
            return self._is_loaded(self.current())
        except ModelFileError:
            return False

    @property
    def strict(self) -> bool:
        """Whether one request at a time is decoded, so that the same request gives the same answer bit for bit."""
        return self._strict

    def set_strict(self, strict: bool) -> None:
        """Be strict, or not, from the next load on, without remembering it. What runs now runs on as it began."""
        self._strict = strict

    def notes(self, entry: ModelEntry) -> tuple[DeviceNote, ...]:
        """What is remembered of GPUs that could not load this model."""
        return self._notes.of(self._sha256(entry))

    def shares(self, entry: ModelEntry) -> Mapping[str, float]:
        """The share of each GPU's free memory that this model may use, where that is not all."""
        return self._notes.shares(self._sha256(entry))

    @property
    def notes_problem(self) -> str:
        """Why what was remembered could not be read; empty when it could."""
        return self._notes.problem

    def try_again(self, entry: ModelEntry) -> None:
        """Forget that a GPU could not load this model: the next load tries it again, at once if the model is loaded."""
        if self._notes.forget(self._sha256(entry)):
            self._loaded_with = None

    def load(self, on_progress: Callable[[Progress], None] | None = None, cancel: Cancel | None = None) -> ModelInfo:
        """Load the model in use unless it is loaded already. Raises ModelFileError or EngineError.

        A GPU that fails is given half as much, then nothing, and that is remembered for this file and device. While
        requests are on their way a change of settings waits: what runs ends as it began.
        """
        with self._lock:
            entry = self.current()
            info = self._engine.info
            if info is not None and Path(info.path) == entry.path and (self._is_loaded(entry) or self._engine.busy):
                return info
            info = self._seen[entry.path] = self._load(entry, on_progress, cancel)
            return info

    def _load(
        self, entry: ModelEntry, on_progress: Callable[[Progress], None] | None, cancel: Cancel | None
    ) -> ModelInfo:
        sha256 = self._sha256(entry)
        failed: dict[str, tuple[float, str]] = {}
        while True:
            shares = {**self._notes.shares(sha256), **{device: share for device, (share, _) in failed.items()}}
            asked = self._wanted()
            wanted = replace(asked, gpu_shares=shares)
            try:
                info = self._engine.load(
                    entry.path, wanted, sha256=entry.sha256 or "", on_progress=on_progress, cancel=cancel
                )
            except _WORTH_ANOTHER_PLACE as error:
                planned = self._engine.planned
                if planned is None or not planned[1].device:
                    raise
                sha256, place = planned
                failed[place.key] = (_LESS if shares.get(place.key, 1.0) > _LESS else 0.0, error.title)
                continue
            # Only now is it known that the file is sound and the device was at fault.
            for device, (share, why) in failed.items():
                self._notes.add(info.sha256, device, share, why)
            self._loaded_with = asked  # the choice may have changed while the model was loading
            return info

    def _wanted(self) -> EngineSettings:
        return EngineSettings(n_seq=1 if self._strict else None)

    def _is_loaded(self, entry: ModelEntry) -> bool:
        info = self._engine.info
        return info is not None and Path(info.path) == entry.path and self._loaded_with == self._wanted()

    def _sha256(self, entry: ModelEntry) -> str:
        """The file's hash as far as it is known: of the list, of the loaded model, or read anew of the small demo."""
        info = self._engine.info
        if entry.sha256:
            return entry.sha256
        if info is not None and Path(info.path) == entry.path:
            return info.sha256
        return file_sha256(entry.path) if entry.is_demo else ""
