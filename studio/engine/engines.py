"""The engine of a studio that may have remote models: the worker on this machine, or servers; one of them at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from studio.core.progress import Cancel, Progress
from studio.core.prompt import Segment
from studio.engine.client import EngineClient
from studio.engine.types import EngineSettings, GenerateEvent, GenerateRequest, Generation, ModelInfo, TokenInfo

if TYPE_CHECKING:
    from studio.engine.remote.engine import Allow, RemoteEngine
    from studio.engine.remote.model import RemoteModel


class Engines(EngineClient):
    """An :class:`EngineClient` whose ``load`` also takes the id of a remote model, which ``find`` knows.

    ``allow`` opens the network shield for a server while it is used; ``key`` knows the key that it wants.
    """

    def __init__(
        self,
        find: Callable[[str], RemoteModel | None],
        allow: Allow,
        key: Callable[[RemoteModel], str] | None = None,
    ) -> None:
        super().__init__()
        self._find, self._allow, self._key = find, allow, key
        self._remote: RemoteEngine | None = None

    @property
    def info(self) -> ModelInfo | None:
        """See :class:`EngineClient`."""
        return self._remote.info if self._remote is not None else super().info

    @property
    def alive(self) -> bool:
        """See :class:`EngineClient`; a server is taken to be alive until a request shows otherwise."""
        return self._remote is not None or super().alive

    @property
    def busy(self) -> bool:
        """See :class:`EngineClient`."""
        return self._remote.busy if self._remote is not None else super().busy

    def load(
        self,
        path: Path,
        settings: EngineSettings | None = None,
        *,
        sha256: str = "",
        on_progress: Callable[[Progress], None] | None = None,
        cancel: Cancel | None = None,
    ) -> ModelInfo:
        """See :class:`EngineClient`; for a remote model it meets its servers. Raises RemoteError then."""
        self._leave()
        wanted = self._find(str(path))
        if wanted is None:
            return super().load(path, settings, sha256=sha256, on_progress=on_progress, cancel=cancel)
        # An HTTP client is slow to import, and only a remote model needs it.
        from studio.engine.remote.engine import RemoteEngine

        self.unload()
        self.planned = None
        self._remote = RemoteEngine(wanted, self._allow, key=self._key(wanted) if self._key is not None else None)
        return self._remote.info

    def restart(self) -> ModelInfo:
        """See :class:`EngineClient`; servers are not ours to start again."""
        return self._remote.info if self._remote is not None else super().restart()

    def tokenize(self, segments: Sequence[Segment]) -> list[TokenInfo]:
        """See :class:`EngineClient`. Raises EngineError where a server does not say tokens."""
        return self._remote.tokenize(segments) if self._remote is not None else super().tokenize(segments)

    def count_tokens(self, segments: Sequence[Segment]) -> int:
        """See :class:`EngineClient`. Raises EngineError where a server does not say tokens."""
        return self._remote.count_tokens(segments) if self._remote is not None else super().count_tokens(segments)

    def warm(
        self, segments: Sequence[Segment], *, state: bytes = b"", keep: bool = False, cancel: Cancel | None = None
    ) -> bytes:
        """See :class:`EngineClient`; a server keeps its own prefixes, and nothing is sent before it is asked for."""
        return b"" if self._remote is not None else super().warm(segments, state=state, keep=keep, cancel=cancel)

    def generate(
        self,
        request: GenerateRequest,
        *,
        on_event: Callable[[GenerateEvent], None] | None = None,
        cancel: Cancel | None = None,
    ) -> Generation:
        """See :class:`EngineClient`. Raises RemoteError when a server fails."""
        remote = self._remote
        if remote is not None:
            return remote.generate(request, on_event=on_event, cancel=cancel)
        return super().generate(request, on_event=on_event, cancel=cancel)

    def close(self) -> None:
        """See :class:`EngineClient`."""
        self._leave()
        super().close()

    def _leave(self) -> None:
        remote, self._remote = self._remote, None
        if remote is not None:
            remote.close()
