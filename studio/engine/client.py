"""The engine as services use it: load a model, count tokens, ask for answers. Synchronous, from any thread.

The model runs in a worker process of its own. When that dies, the request on its way gets an error that says how, at
once; the next request starts a new worker and loads the same model again. After :data:`MOST_DEATHS` deaths in a row
without one finished answer between them that stops, until somebody loads or restarts on purpose.

Importing this module does not import llama.cpp.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from studio.core.content import clean
from studio.core.errors import EngineError, InputError
from studio.core.progress import Cancel, Progress
from studio.core.prompt import Control, Segment
from studio.engine import protocol, scripted, worker
from studio.engine.errors import (
    CrashLoopError,
    EngineClosedError,
    EngineDeath,
    NoModelError,
    error_from_code,
    model_file_error,
)
from studio.engine.link import TERMINAL, WorkerLink
from studio.engine.types import (
    Delta,
    EngineSettings,
    GenerateEvent,
    GenerateRequest,
    Generation,
    ModelInfo,
    Placement,
    Started,
    Survey,
    TokenInfo,
)

MOST_DEATHS = 3
"""So many deaths in a row, without an answer between them, and the worker is not started again by itself."""


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What is to be loaded again after a death. ``stamp`` is the file's (size, mtime) when it was loaded."""

    path: Path
    settings: EngineSettings
    info: ModelInfo
    stamp: tuple[int, int]


class EngineClient:
    """One engine with at most one model. :meth:`close` it when done; it can also be used in a ``with``.

    With a ``script`` the worker is a scripted one (see ``scripted.py``): a real process without a model, for tests.
    ``planned`` is what the last load was about to do: the file's sha256, and where it was to be put; None before that.
    """

    def __init__(self, *, script: scripted.Script | None = None) -> None:
        self._script = script
        self._changing = threading.Lock()
        self._link: WorkerLink | None = None
        self._wanted: _Wanted | None = None
        self._deaths = 0
        self._starts = 0
        self._closed = False
        self.planned: tuple[str, Placement] | None = None

    def __enter__(self) -> EngineClient:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def info(self) -> ModelInfo | None:
        """The model that answers, or will be loaded again for the next request; None before the first."""
        return self._wanted.info if self._wanted is not None else None

    @property
    def alive(self) -> bool:
        """Whether a worker is running with a model in it."""
        link = self._link
        return link is not None and link.alive and not link.loading

    @property
    def busy(self) -> bool:
        """Whether requests are on their way."""
        link = self._link
        return link is not None and link.busy

    @property
    def worker_pid(self) -> int | None:
        """The worker's process id, None when there is none."""
        link = self._link
        return link.pid if link is not None and link.alive else None

    def load(
        self,
        path: Path,
        settings: EngineSettings | None = None,
        *,
        sha256: str = "",
        on_progress: Callable[[Progress], None] | None = None,
        cancel: Cancel | None = None,
    ) -> ModelInfo:
        """Open a model in a new worker; an earlier one is closed first, and its requests get EngineClosedError.

        ``sha256`` is the file's hash if it is known, else it is computed (``info.sha256``; keep it). Raises
        ModelFileError with a ``code``, EngineCancelledError, or an EngineError that says how the worker died.
        """
        settings = settings or EngineSettings()
        with self._changing:
            self._drop_link()
            self._wanted, self._deaths = None, 0
            return self._open(path, settings, sha256, on_progress, cancel)

    def unload(self) -> None:
        """Give the model up, with its worker; requests on their way get EngineClosedError."""
        with self._changing:
            self._drop_link()
            self._wanted = None

    def restart(self) -> ModelInfo:
        """End the worker, start a new one, load the same model. Also ends a crash loop."""
        with self._changing:
            self._deaths = 0
            self._drop_link()
            return self._reopen()

    def tokenize(self, segments: Sequence[Segment]) -> list[TokenInfo]:
        """The tokens of a prompt exactly as they would be sent. Raises TooLongError at about a million."""
        return self._tokens(segments, count_only=False).rows()

    def count_tokens(self, segments: Sequence[Segment]) -> int:
        """How many tokens a prompt has."""
        return self._tokens(segments, count_only=True).count

    def warm(
        self, segments: Sequence[Segment], *, state: bytes = b"", keep: bool = False, cancel: Cancel | None = None
    ) -> bytes:
        """Decode the head of a prompt, so that the first answer with it comes quickly; see :class:`protocol.Warm`."""
        wire = protocol.to_wire(_checked(segments))
        reply = self._exchange(self._ready(), lambda call: protocol.Warm(call, wire, state, keep), cancel=cancel)
        return reply.state if isinstance(reply, protocol.Warmed) else b""

    def generate(
        self,
        request: GenerateRequest,
        *,
        on_event: Callable[[GenerateEvent], None] | None = None,
        cancel: Cancel | None = None,
    ) -> Generation:
        """Answer a prompt. ``on_event`` is called in this thread. A cancelled answer has ``stop == "cancelled"``.

        Raises TooLongError before anything is decoded, and an EngineError that says how the worker died.
        """
        wire = protocol.to_wire(_checked(request.segments))
        sent = time.monotonic()

        def handle(reply: protocol.FromWorker) -> None:
            if on_event is None:
                return
            if isinstance(reply, protocol.Began):
                on_event(Started(reply.prompt_tokens, reply.cached_tokens))
            elif isinstance(reply, protocol.Chunk):
                on_event(Delta(reply.channel, reply.text))

        reply = self._exchange(
            self._ready(),
            lambda call: protocol.Generate(
                call,
                wire,
                request.prefix,
                request.sampling,
                request.max_output_tokens,
                int(request.priority),
                request.top_candidates,
                on_event is not None,
                request.grammar,
                tuple(protocol.to_wire(_checked(answer)) for answer in request.answers),
                request.thinking_budget,
            ),
            cancel=cancel,
            on_reply=handle,
        )
        if not isinstance(reply, protocol.Finished):
            raise _unexpected(reply)
        self._deaths = 0
        return _timed(reply.generation, time.monotonic() - sent)

    def survey(self) -> Survey:
        """What there is to compute on, as the library sees it, with or without a model. Raises EngineError.

        The worker that is there is asked, between two of its steps; without one, or while that is loading, another is
        started for it and ended.
        """
        if self._closed:
            raise EngineClosedError("The engine was closed.")
        link = self._link
        own = link is None or not link.alive or link.loading
        if link is None or own:
            link = self._new_link(EngineSettings())
            link.start()
        try:
            reply = self._exchange(link, protocol.LookAround)
        finally:
            if own:
                link.close()
        if not isinstance(reply, protocol.Surveyed):
            raise _unexpected(reply)
        return reply.survey

    def close(self) -> None:
        """End the worker; callers that wait get EngineClosedError. Safe to call twice and from any thread."""
        self._closed = True
        # Not under the lock: a load that takes long must end now.
        link = self._link
        if link is not None:
            link.close()

    def _tokens(self, segments: Sequence[Segment], *, count_only: bool) -> protocol.Tokens:
        wire = protocol.to_wire(_checked(segments))
        reply = self._exchange(self._ready(), lambda call: protocol.Tokenize(call, wire, count_only))
        if not isinstance(reply, protocol.Tokens):
            raise _unexpected(reply)
        return reply

    def _ready(self) -> WorkerLink:
        """A link with the wanted model in it, started anew if the last one died."""
        with self._changing:
            if self._closed:
                raise EngineClosedError("The engine was closed.")
            link = self._link
            if link is not None and link.alive:
                return link
            if self._wanted is None:
                raise NoModelError("The engine has no model.", hint="Choose one under Models.")
            if link is not None:
                self._bury(link)
            if self._deaths >= MOST_DEATHS:
                raise CrashLoopError(
                    f"The engine ended {self._deaths} times in a row, so it is not started again by itself.",
                    hint="Load the model again, or choose another model or smaller settings.",
                )
            self._reopen()
            if self._link is None:
                raise EngineClosedError("The engine was closed.")
            return self._link

    def _bury(self, link: WorkerLink) -> None:
        """Count a death, and learn from it."""
        self._link = None
        self._deaths += 1
        wanted = self._wanted
        if link.death is not None and link.death.crashed and wanted and wanted.settings.use_extra_bufts is None:
            # Repacked weights are known to crash on some machines: do without them from here on.
            self._wanted = replace(wanted, settings=replace(wanted.settings, use_extra_bufts=False))

    def _reopen(self) -> ModelInfo:
        wanted = self._wanted
        if wanted is None:
            raise NoModelError("The engine has no model.", hint="Choose one under Models.")
        same = _stamp(wanted.path) == wanted.stamp
        try:
            info = self._open(wanted.path, wanted.settings, wanted.info.sha256 if same else "", None, None)
        except EngineDeath:
            self._deaths += 1
            raise
        if info.sha256 != wanted.info.sha256:
            self._drop_link()
            self._wanted = wanted
            raise model_file_error("changed", str(wanted.path))
        return info

    def _open(
        self,
        path: Path,
        settings: EngineSettings,
        sha256: str,
        on_progress: Callable[[Progress], None] | None,
        cancel: Cancel | None,
    ) -> ModelInfo:
        if self._closed:
            raise EngineClosedError("The engine was closed.")
        self._starts += 1
        link = self._new_link(settings)
        link.start()
        self._link = link
        stamp = _stamp(path)

        def handle(reply: protocol.FromWorker) -> None:
            if on_progress is not None and isinstance(reply, protocol.LoadProgress):
                on_progress(reply.progress)
            elif isinstance(reply, protocol.Planned):
                self.planned = (reply.sha256, reply.placement)

        self.planned = None
        try:
            if self._closed:
                raise EngineClosedError("The engine was closed.")
            reply = self._exchange(
                link,
                lambda call: protocol.Load(call, str(path), settings, sha256),
                cancel=cancel,
                on_reply=handle,
                path=str(path),
            )
            if not isinstance(reply, protocol.Loaded):
                raise _unexpected(reply)
        except BaseException:
            self._drop_link()
            raise
        link.loading = False
        self._wanted = _Wanted(path, settings, reply.info, stamp)
        return reply.info

    def _new_link(self, settings: EngineSettings) -> WorkerLink:
        if self._script is None:
            return WorkerLink(worker.run, (), settings.hang_after_s)
        return WorkerLink(scripted.run, (self._script.to_json(), self._starts), settings.hang_after_s)

    def _drop_link(self) -> None:
        link, self._link = self._link, None
        if link is not None:
            link.close()

    def _exchange(
        self,
        link: WorkerLink,
        make: Callable[[int], protocol.ToWorker],
        *,
        cancel: Cancel | None = None,
        on_reply: Callable[[protocol.FromWorker], None] | None = None,
        path: str = "",
    ) -> protocol.FromWorker:
        """Send one request and return its last reply; raises what a ``Failed`` says."""
        call = link.open_call()
        try:
            _post(link, make(call.id))
            if cancel is not None:
                cancel.on_request(lambda: link.cancel(call))
            while True:
                reply = call.next()
                if isinstance(reply, protocol.Failed):
                    known = self._wanted.info.path if self._wanted else ""
                    raise error_from_code(reply.code, reply.numbers, reply.detail, path or known)
                if isinstance(reply, TERMINAL):
                    return reply
                if on_reply is not None:
                    on_reply(reply)
        except BaseException:
            # Also when the caller's own callback failed, or Ctrl+C came: nobody waits for this answer any more.
            link.cancel(call)
            raise
        finally:
            link.close_call(call)


def _post(link: WorkerLink, message: protocol.ToWorker) -> None:
    try:
        link.post(message)
    except protocol.FrameError as error:
        raise InputError(f"This text is too large to be sent to the engine: {error}.", hint="Shorten it.") from error


def _checked(segments: Sequence[Segment]) -> Sequence[Segment]:
    """Segments whose texts can be written as UTF-8; others would not come back byte for byte."""
    for segment in segments:
        text = segment.name if isinstance(segment, Control) else segment.text
        if clean(text) != text:
            raise InputError("The text holds broken characters (lone surrogates).", hint="Clean the text first.")
    return segments


def _timed(generation: Generation, total_s: float) -> Generation:
    """The answer with its times counted from when this side sent it: the way through the pipe is part of them."""
    on_the_way = max(0.0, total_s - generation.total_s)
    first = generation.first_token_s + on_the_way if generation.output_tokens else 0.0
    return replace(generation, first_token_s=first, total_s=total_s)


def _stamp(path: Path) -> tuple[int, int]:
    try:
        status = os.stat(path)
    except OSError:
        return (0, 0)
    return (status.st_size, status.st_mtime_ns)


def _unexpected(reply: protocol.FromWorker) -> EngineError:
    return EngineError(f"The engine answered with {type(reply).__name__}, which was not asked for.")
