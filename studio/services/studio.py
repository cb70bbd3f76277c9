"""The studio as a whole: one open workspace, the engine, and the services over them. Window and CLI start here."""

from __future__ import annotations

import logging
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Self

from studio import paths, settings
from studio.core.run import Run
from studio.engine.client import EngineClient
from studio.engine.engines import Engines
from studio.hub.inventory import Inventory
from studio.services import shield
from studio.services.benchmarks import BenchmarkService
from studio.services.evaluate import EvaluateService
from studio.services.fit import FitService
from studio.services.golden import GoldenService
from studio.services.golden_care import GoldenCare
from studio.services.golden_import import GoldenFiles
from studio.services.judge import JudgeService
from studio.services.machine import MachineService
from studio.services.models import ModelService
from studio.services.packs import PackService
from studio.services.policies import PolicyService
from studio.services.remotes import Remotes
from studio.services.sessions import SessionService
from studio.services.shelf import Shelf
from studio.store.heads import KeptHeads
from studio.store.workspace import Workspace

_PINNED_DATE = "pinned_date"
_HEADS = "-warm"
"""Put behind the workspace's name: the folder of its decoded policies."""

_log = logging.getLogger(__name__)


class Studio:
    """An open workspace with everything that can be done in it. Close it when done; it is a context manager."""

    def __init__(
        self,
        workspace: Workspace,
        path: Path,
        engine: EngineClient,
        model: Path | None,
        *,
        strict: bool = False,
        models_folder: Path | None = None,
    ) -> None:
        self.workspace_path = path
        self._workspace = workspace
        self._engine = engine
        self.interrupted: tuple[Run, ...] = tuple(workspace.runs.mark_interrupted(datetime.now(UTC)))
        self.policies = PolicyService(workspace)
        self.sessions = SessionService(workspace)
        self.shelf = Shelf(Inventory(), folder=models_folder)
        self.remotes = Remotes()
        self.models = ModelService(self.shelf.inventory, engine, model, strict=strict, remotes=self.remotes)
        self.fit = FitService(self.shelf, self.models, MachineService(engine, self.shelf.free_bytes), self.sessions)
        heads = KeptHeads(path.with_name(path.name + _HEADS), paths.config_dir() / "heads.key")
        self.judge = JudgeService(workspace, engine, self.models, self.pinned_date, heads)
        self.golden = GoldenService(workspace, self.judge, self.sessions)
        self.golden_care = GoldenCare(workspace)
        self.golden_files = GoldenFiles(workspace)
        self.packs = PackService(workspace, self.policies)
        self.benchmarks = BenchmarkService(self.policies, self.golden_files)
        self.evaluate = EvaluateService(workspace, self.judge, self.models, self.sessions, self.pinned_date)
        self.policies.install_starters()

    @classmethod
    def open(
        cls,
        workspace: Path | None = None,
        *,
        model: Path | None = None,
        strict: bool | None = None,
        engine: EngineClient | None = None,
    ) -> Self:
        """Open a workspace file, made anew when it is not there. No model is loaded yet.

        ``model`` and ``strict`` override the settings for this process. ``engine`` is for tests. Raises StoreError.
        """
        shield.install()
        loaded = settings.load()
        if loaded.problem is not None:
            # The window has read them before and shows it; on the command line this goes to standard error.
            _log.warning("%s", loaded.problem)
        chosen = loaded.settings
        path = (workspace or chosen.workspace or paths.default_workspace()).expanduser()
        opened = Workspace.open(path)
        try:
            exact = chosen.strict if strict is None else strict
            remotes = Remotes()
            made = cls(
                opened,
                path,
                engine or Engines(remotes.find, shield.allow, remotes.key),
                model or chosen.model,
                strict=exact,
                models_folder=chosen.models_folder,
            )
            made.judge.set_budgets(chosen.thinking_budgets)
            return made
        except BaseException:
            opened.close()
            raise

    @property
    def workspace_name(self) -> str:
        """The workspace's file name without its ending."""
        return self.workspace_path.stem

    @property
    def connections(self) -> int:
        """Network connections: those the system counts now, as the shield lets none be opened from Python."""
        return shield.open_now() or 0

    def pinned_date(self) -> date:
        """The date that is written into every prompt of this workspace.

        It is fixed when the workspace is first used, so that tomorrow's judgement of the same content is the same
        prompt; :meth:`pin_date` changes it.
        """
        kept = self._workspace.settings.get(_PINNED_DATE)
        if isinstance(kept, str):
            return date.fromisoformat(kept)
        return self.pin_date(datetime.now(UTC).date())

    def pin_date(self, day: date) -> date:
        """Write ``day`` into the prompts from now on."""
        self._workspace.settings.set(_PINNED_DATE, day.isoformat())
        return day

    def close(self) -> None:
        """Stop what runs, record it as cancelled, end the engine and close the file. Closing twice is closing once."""
        self.judge.close()
        self._engine.close()
        self._workspace.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()
