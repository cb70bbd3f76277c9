"""Which model judges: the list of model files, the one in use, and loading it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

from studio import settings
from studio.core.errors import NotFoundError
from studio.core.progress import Cancel, Progress
from studio.engine.client import EngineClient
from studio.engine.types import EngineSettings, ModelInfo
from studio.hub.inventory import Inventory, ModelEntry

__all__ = ["DEMO_NOTICE", "ModelEntry", "ModelInfo", "ModelService"]

DEMO_NOTICE = "Demo model: made to show the studio, not for moderation."


class ModelService:
    """The model shelf of one open studio."""

    def __init__(self, inventory: Inventory, engine: EngineClient, chosen: Path | None) -> None:
        self._inventory = inventory
        self._engine = engine
        self._chosen = chosen
        self._lock = threading.Lock()

    def list(self) -> list[ModelEntry]:
        """Every known model, the demo model first."""
        return self._inventory.list()

    def current(self) -> ModelEntry:
        """The model that judges. Raises ModelFileError when the chosen file is gone."""
        return self._inventory.demo() if self._chosen is None else self._inventory.find(self._chosen)

    def use(self, entry: ModelEntry) -> None:
        """Judge with this model from now on, and remember it. It is loaded at the next judgement or :meth:`load`."""
        found = self._inventory.find(entry.path)
        self._chosen = None if found.is_demo else found.path
        settings.change(model=self._chosen)

    def use_demo(self) -> None:
        """Judge with the demo model in this process, without remembering it."""
        self._chosen = None

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

    @property
    def info(self) -> ModelInfo | None:
        """Facts about the loaded model; None while none is loaded."""
        return self._engine.info

    @property
    def loaded(self) -> bool:
        """Whether the model in use is loaded."""
        info = self._engine.info
        return info is not None and Path(info.path) == self.current().path

    def load(self, on_progress: Callable[[Progress], None] | None = None, cancel: Cancel | None = None) -> ModelInfo:
        """Load the model in use unless it is loaded already. Raises ModelFileError or EngineError."""
        with self._lock:
            entry = self.current()
            info = self._engine.info
            if info is not None and Path(info.path) == entry.path:
                return info
            return self._engine.load(
                entry.path, EngineSettings(), sha256=entry.sha256 or "", on_progress=on_progress, cancel=cancel
            )
