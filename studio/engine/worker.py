"""The worker process: owns the model, answers requests one step at a time, and looks at its inbox between steps.

:func:`run` is its main function. Its parent starts it with ``spawn`` and speaks ``protocol.py`` over one pipe. What
the libraries print goes to another pipe that the parent drains; it is never part of the wire.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING

from studio.core.progress import Progress
from studio.engine import protocol, sandbox
from studio.engine.types import Priority

if TYPE_CHECKING:
    from studio.engine.llama.model import Model
    from studio.engine.llama.scheduler import Scheduler

HEARTBEAT_EVERY_S = 0.5

MOST_TOKENS = 1_000_000
"""Tokens that are counted or handed out at most; a longer text is told to be too long."""


class Gone(Exception):
    """The studio closed the pipe, or asked the worker to leave."""


def run(conn: Connection, log: Connection, parent: int) -> None:
    """Serve requests until the studio closes the pipe. Called as the main function of a new process."""
    prepare(log)
    network = sandbox.drop_network()
    # After the network: entering a namespace makes the kernel forget whose death this process waits for.
    sandbox.tie_to_parent(parent)
    try:
        wire = Wire(conn)
        wire.send(protocol.Hello(protocol.PROTOCOL_VERSION, os.getpid(), network))
        Worker(wire, network).serve()
    except Gone:
        pass
    finally:
        conn.close()


def prepare(log: Connection) -> None:
    """Send standard output and error to ``log``."""
    # Ctrl+C in a terminal reaches both processes; what it means is the parent's to say.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if sys.platform != "win32":
        os.dup2(log.fileno(), 1)
        os.dup2(log.fileno(), 2)
        sys.stdout = os.fdopen(1, "w", errors="backslashreplace", closefd=False)
        sys.stderr = os.fdopen(2, "w", buffering=1, errors="backslashreplace", closefd=False)
    log.close()


class Wire:
    """The worker's end of the pipe. Every frame that is sent is a sign of life."""

    def __init__(self, conn: Connection) -> None:
        self._conn = conn
        self.last_sent = 0.0

    def send(self, message: protocol.FromWorker) -> None:
        """Send one frame. Raises :class:`Gone` when nobody listens any more."""
        try:
            self._conn.send_bytes(protocol.encode(message))
        except OSError as error:
            raise Gone from error
        self.last_sent = time.monotonic()

    def beat(self) -> None:
        """Show that the worker is alive, unless it has just done so."""
        if time.monotonic() - self.last_sent >= HEARTBEAT_EVERY_S:
            self.send(protocol.Heartbeat())

    def receive(self, *, wait: bool) -> protocol.ToWorker | None:
        """The next request; None when there is none and ``wait`` is off."""
        try:
            if not wait and not self._conn.poll(0):
                return None
            return protocol.decode_request(self._conn.recv_bytes(protocol.MAX_FRAME))
        except (EOFError, OSError) as error:
            raise Gone from error


class Worker:
    """One model, or none yet, and the requests to it."""

    def __init__(self, wire: Wire, network: str) -> None:
        self._wire = wire
        self._network = network
        self._model: Model | None = None
        self._scheduler: Scheduler | None = None
        self._loading: int | None = None
        self._load_cancelled = False
        self._started = False

    def serve(self) -> None:
        """Handle requests and decode between them, until :class:`Gone`."""
        while True:
            busy = self._scheduler is not None and self._scheduler.busy
            message = self._wire.receive(wait=not busy)
            if message is not None:
                self._handle(message)
            elif self._scheduler is not None:
                self._scheduler.step()
                self._wire.beat()

    def _handle(self, message: protocol.ToWorker) -> None:
        if isinstance(message, protocol.Shutdown):
            raise Gone
        if isinstance(message, protocol.Load):
            self._answer(message.id, lambda: self._load(message))
        elif isinstance(message, protocol.LookAround):
            self._answer(message.id, lambda: self._look_around(message))
        elif isinstance(message, protocol.CancelRequest):
            if message.id == self._loading:
                self._load_cancelled = True
            elif self._scheduler is not None:
                self._scheduler.cancel(message.id)
        else:
            self._answer(message.id, lambda: self._request(message))

    def _answer(self, request: int, work: Callable[[], None]) -> None:
        # Only here in the worker, so that the window's process never imports llama.cpp.
        from studio.engine.llama.failure import WorkerFailure

        try:
            work()
        except WorkerFailure as failure:
            self._wire.send(protocol.Failed(request, failure.code, failure.numbers, failure.detail))
        except MemoryError:
            self._wire.send(protocol.Failed(request, "out_of_memory"))
        except protocol.FrameError as error:
            self._wire.send(protocol.Failed(request, "answer_too_large", detail=str(error)))

    def _start(self) -> None:
        from studio.engine.llama import binding  # see _answer

        if not self._started:
            self._started = True
            binding.start()

    def _look_around(self, message: protocol.LookAround) -> None:
        from studio.engine.llama.surveying import survey  # see _answer

        self._start()
        self._wire.send(protocol.Surveyed(message.id, survey()))

    def _load(self, message: protocol.Load) -> None:
        from studio.engine.llama import binding  # see _answer
        from studio.engine.llama.failure import WorkerFailure
        from studio.engine.llama.machine import free_memory
        from studio.engine.llama.model import open_model
        from studio.engine.llama.opening import open_scheduler

        if self._model is not None or self._loading is not None:
            raise WorkerFailure("already_loaded")
        self._start()
        writes = sandbox.drop_writes(gpu=binding.has_gpu())
        self._loading, self._load_cancelled = message.id, False
        # Before the weights are loaded: some of them may be copied, and would be counted twice.
        free = message.settings.memory_limit or free_memory()
        try:
            model = open_model(
                Path(message.path),
                message.settings,
                message.sha256,
                self._report,
                free=free,
                on_plan=lambda sha256, placement: self._wire.send(protocol.Planned(message.id, sha256, placement)),
            )
        finally:
            self._loading = None
        model.info = replace(model.info, network=self._network, writes=writes)
        self._scheduler = open_scheduler(
            model, message.settings, self._wire.send, free if model.room is None else model.room
        )
        self._model = model
        self._wire.send(protocol.Loaded(message.id, model.info))

    def _report(self, progress: Progress) -> bool:
        if self._loading is not None and (
            progress.done >= progress.total or time.monotonic() - self._wire.last_sent >= 0.1
        ):
            self._wire.send(protocol.LoadProgress(self._loading, progress))
        while (message := self._wire.receive(wait=False)) is not None:
            self._handle(message)
        return not self._load_cancelled

    def _request(self, message: protocol.Tokenize | protocol.Generate | protocol.Warm) -> None:
        from studio.engine.llama.failure import WorkerFailure  # see _answer
        from studio.engine.llama.scheduler import Job

        if self._model is None or self._scheduler is None:
            raise WorkerFailure("no_model")
        segments = protocol.from_wire(message.segments)
        if isinstance(message, protocol.Tokenize):
            tokens = self._model.vocabulary.tokens(segments, self._model.info.n_ctx_limit, MOST_TOKENS)
            counted = protocol.Tokens(message.id, len(tokens))
            self._wire.send(counted if message.count_only else protocol.Tokens.of(message.id, tokens))
        elif isinstance(message, protocol.Warm):
            job = Job(message.id, segments, len(segments), Priority.WARM, state=message.state, keep=message.keep)
            self._scheduler.submit(job)
        else:
            self._scheduler.submit(
                Job(
                    message.id,
                    segments,
                    message.prefix,
                    message.priority,
                    message.sampling,
                    message.max_output_tokens,
                    message.top_candidates,
                    message.stream,
                    message.grammar,
                    tuple(protocol.from_wire(answer) for answer in message.answers),
                    message.thinking_budget,
                )
            )
