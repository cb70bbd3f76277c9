"""One worker process and the pipe to it, as the studio sees them: who waits for what, and when the worker is dead.

One thread owns the process from its start to its end: it reads the pipe, keeps the end of the worker's log, and notices
end of file and silence. (On Linux the worker dies with the *thread* that started it, so that thread must be this one
and not one of the caller's.) Requests may come from any thread.
"""

from __future__ import annotations

import atexit
import contextlib
import itertools
import multiprocessing
import os
import queue
import signal
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from multiprocessing import connection, resource_tracker
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from typing import Any

from studio.core.errors import EngineError
from studio.engine import protocol
from studio.engine.deaths import Death, End, kernel_oom_kills

_LOG_BYTES = 64 * 1024
_LEAVE_S = 2.0
"""How long a worker may take to leave when it is asked to."""
_LOADING_PATIENCE = 5
"""Loading may be silent for this many times longer: the system may read gigabytes in one call."""

TERMINAL = protocol.Loaded | protocol.Tokens | protocol.Finished | protocol.Warmed | protocol.Surveyed | protocol.Failed
"""The replies that end a request."""
_ids = itertools.count(1)


class Call:
    """One request on its way, as its caller waits for it."""

    def __init__(self, death: Callable[[], Death | None]) -> None:
        self.id = next(_ids)
        self.open = True
        self._death = death
        self._replies: queue.SimpleQueue[protocol.FromWorker | None] = queue.SimpleQueue()

    def put(self, reply: protocol.FromWorker | None) -> None:
        """Hand over a reply; None means that the worker is dead."""
        self._replies.put(reply)

    def next(self) -> protocol.FromWorker:
        """The next reply. Raises the error of the worker's death when there will be none."""
        reply = self._replies.get()
        if reply is None:
            death = self._death()
            raise death.error() if death else EngineError("The engine is gone.")
        return reply


class WorkerLink:
    """A worker process from start to end. Never restarts: a new worker is a new link."""

    def __init__(self, target: Callable[..., None], args: tuple[Any, ...], hang_after_s: float) -> None:
        self._target, self._args = target, args
        self._hang_after_s = hang_after_s
        self._lock = threading.Lock()
        self._calls: dict[int, Call] = {}
        self._outbox: deque[bytes] = deque()
        self._sending = threading.Lock()
        self._log: deque[bytes] = deque()
        self._log_size = 0
        self._asked_to_leave = False
        self._last_heard = time.monotonic()
        self._process: SpawnProcess | None = None
        self._started = threading.Event()
        self._start_error: BaseException | None = None
        self._context = multiprocessing.get_context("spawn")
        self._conn, self._child_conn = self._context.Pipe(duplex=True)
        self._log_conn, self._child_log = self._context.Pipe(duplex=False)
        self._wake_conn, self._waker = self._context.Pipe(duplex=False)
        self.loading = True
        self.death: Death | None = None
        self._thread = threading.Thread(target=self._own, name="engine-reader", daemon=True)

    def start(self) -> None:
        """Start the process; returns when it exists. Raises EngineError when the system refuses."""
        self._thread.start()
        self._started.wait()
        if self._start_error is not None:
            self._thread.join()
            raise EngineError(f"The engine could not be started: {self._start_error}") from self._start_error

    @property
    def alive(self) -> bool:
        """Whether requests can be sent."""
        return self.death is None and self._process is not None

    @property
    def busy(self) -> bool:
        """Whether a caller waits for an answer."""
        return bool(self._calls) and self.alive

    @property
    def pid(self) -> int | None:
        """The worker's process id."""
        return self._process.pid if self._process is not None else None

    def open_call(self) -> Call:
        """A new request's number and mailbox. Raises the error of the worker's death."""
        with self._lock:
            if self.death is not None:
                raise self.death.error()
            call = Call(lambda: self.death)
            if not self._calls:
                self._last_heard = time.monotonic()
            self._calls[call.id] = call
        self._wake()
        return call

    def close_call(self, call: Call) -> None:
        """Forget a request; late replies to it are dropped."""
        call.open = False
        with self._lock:
            self._calls.pop(call.id, None)

    def post(self, message: protocol.ToWorker) -> None:
        """Send a message. Never waits behind another thread's large message; a dead pipe is told by the call."""
        self._outbox.append(protocol.encode(message))
        # Whoever holds the lock sends everybody's; looking again after letting go leaves nothing behind.
        while self._outbox and self._sending.acquire(blocking=False):
            try:
                while self._outbox:
                    self._conn.send_bytes(self._outbox.popleft())
            except (OSError, IndexError):
                self._outbox.clear()
            finally:
                self._sending.release()

    def cancel(self, call: Call) -> None:
        """Ask the worker to stop a request; its caller still gets the last reply."""
        if call.open and self.alive:
            self.post(protocol.CancelRequest(call.id))

    def close(self) -> None:
        """End the worker: asked first, killed when it does not leave. Waiting callers get EngineClosedError."""
        self._asked_to_leave = True
        if self.alive:
            self.post(protocol.Shutdown())
        self._thread.join(_LEAVE_S)
        if self._thread.is_alive():
            self.kill()
            self._thread.join()

    def kill(self) -> None:
        """End the worker without asking."""
        process = self._process
        if process is not None:
            # ValueError: it has ended meanwhile, and its owner has let go of it.
            with contextlib.suppress(ValueError):
                process.kill()

    def _end_with_program(self) -> None:
        """The program ends and nobody closed the engine: no worker stays, and its owner is done before Python is."""
        self.kill()
        self._thread.join(_LEAVE_S)

    def _own(self) -> None:
        kills_before = kernel_oom_kills()
        try:
            self._spawn()
        except BaseException as error:  # whatever it is, start() must not wait for ever
            self._start_error = error
            self.death = Death(End.EOF, None, True, "")
            self._close_pipes()
            return
        finally:
            self._started.set()
        atexit.register(self._end_with_program)
        end = self._listen()
        exitcode = self._reap(end)
        if self._asked_to_leave:
            end = End.CLOSED
        log = b"".join(self._log).decode("utf-8", "replace")
        with self._lock:
            self.death = Death(end, exitcode, self.loading, log, kernel_oom_kills() - kills_before)
            calls, self._calls = list(self._calls.values()), {}
        for call in calls:
            call.put(None)
        atexit.unregister(self._end_with_program)
        self._close_pipes()

    def _spawn(self) -> None:
        process = self._context.Process(
            target=self._target,
            args=(self._child_conn, self._child_log, os.getpid(), *self._args),
            name="engine-worker",
        )
        with _no_interrupt():
            process.start()
        self._child_conn.close()
        self._child_log.close()
        self._process = process

    def _listen(self) -> End:
        """Read until the worker is gone, silent for too long, or talking nonsense."""
        sources = [self._conn, self._log_conn, self._wake_conn]
        greeted = False
        while True:
            ready = connection.wait(sources, self._patience())
            if self._log_conn in ready and not self._read_log():
                sources.remove(self._log_conn)
            if self._wake_conn in ready:
                self._wake_conn.recv_bytes()
            if self._conn in ready:
                try:
                    reply = protocol.decode_reply(self._conn.recv_bytes(protocol.MAX_FRAME))
                except (EOFError, OSError):
                    return End.EOF
                except protocol.FrameError:
                    return End.PROTOCOL
                self._last_heard = time.monotonic()
                if isinstance(reply, protocol.Hello) == greeted or not self._welcome(reply):
                    return End.PROTOCOL
                greeted = True
                self._dispatch(reply)
            elif self._silent():
                return End.HUNG

    def _welcome(self, reply: protocol.FromWorker) -> bool:
        return not isinstance(reply, protocol.Hello) or reply.version == protocol.PROTOCOL_VERSION

    def _dispatch(self, reply: protocol.FromWorker) -> None:
        if isinstance(reply, protocol.Hello | protocol.Heartbeat):
            return
        with self._lock:
            call = self._calls.get(reply.id)
            if call is not None and isinstance(reply, TERMINAL):
                del self._calls[reply.id]
                call.open = False
        if call is not None:
            call.put(reply)

    def _patience(self) -> float | None:
        """Seconds until silence counts as a hang; None while nothing is due."""
        with self._lock:
            if not self._calls:
                return None
        limit = self._hang_after_s * (_LOADING_PATIENCE if self.loading else 1)
        return max(0.0, self._last_heard + limit - time.monotonic())

    def _silent(self) -> bool:
        patience = self._patience()
        return patience is not None and patience <= 0

    def _read_log(self) -> bool:
        try:
            # The worker writes plain bytes here; on Windows it writes nothing, and this only sees the end.
            data = self._log_conn.recv_bytes() if sys.platform == "win32" else os.read(self._log_conn.fileno(), 65536)
        except (EOFError, OSError):
            data = b""
        self._log.append(data)
        self._log_size += len(data)
        while self._log_size > _LOG_BYTES and len(self._log) > 1:
            self._log_size -= len(self._log.popleft())
        return bool(data)

    def _reap(self, end: End) -> int | None:
        process = self._process
        if process is None:
            return None
        if end is End.EOF:
            process.join(_LEAVE_S)
        if process.is_alive():
            process.kill()
        process.join()
        while self._log_conn in connection.wait([self._log_conn], 0) and self._read_log():
            pass
        self._process = None
        return _let_go(process)

    def _wake(self) -> None:
        try:
            self._waker.send_bytes(b"")
        except OSError:
            # The owner thread has ended, and will have told the call so.
            return

    def _close_pipes(self) -> None:
        with self._sending:
            ends: list[Connection] = [self._conn, self._log_conn, self._wake_conn, self._waker]
            for end in (*ends, self._child_conn, self._child_log):
                end.close()


def _let_go(process: SpawnProcess) -> int | None:
    """The exit code of a process that has ended; None when nobody can tell it.

    Whenever another process starts, the library asks for the ends of all. Of two threads that ask at the same time the
    system answers one; the other one learns from the library a moment later.
    """
    deadline = time.monotonic() + _LEAVE_S
    while process.exitcode is None and time.monotonic() < deadline:
        time.sleep(0.005)
    exitcode = process.exitcode
    if exitcode is not None:
        process.close()
    return exitcode


@contextlib.contextmanager
def _no_interrupt() -> Iterator[None]:
    """A process that is started in the block begins with Ctrl+C held back, until it can say itself what that means.

    It would else end with a traceback on the terminal before its first line of ours ran. Only this thread's mask
    changes, and the main thread goes on hearing Ctrl+C. Windows has no masks to inherit.
    """
    if sys.platform == "win32":
        yield
        return
    # A first process starts this helper of the library, which would let Ctrl+C through again.
    resource_tracker.ensure_running()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
