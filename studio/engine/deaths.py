"""How a worker process ended, told apart from what can be seen of it afterwards."""

from __future__ import annotations

import signal
import sys
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from studio.core.errors import EngineError
from studio.engine.errors import (
    EngineClosedError,
    EngineCrashError,
    EngineDeath,
    EngineExitedError,
    EngineHungError,
    EngineKilledError,
    EngineLoadCrashError,
    EngineMemoryError,
    EngineProtocolError,
)

_MEMORY_WORDS = ("bad_alloc", "memoryerror", "failed to allocate", "unable to allocate", "out of memory")
_WINDOWS_NO_MEMORY = 0xC0000017
_WINDOWS_FATAL = 0x80000000


class End(Enum):
    """Why the studio's side stopped listening."""

    EOF = "eof"
    CLOSED = "closed"
    HUNG = "hung"
    PROTOCOL = "protocol"


@dataclass(frozen=True, slots=True)
class Death:
    """What was seen of a worker's end. ``oom_kills`` is how many processes the kernel ended for memory meanwhile."""

    end: End
    exitcode: int | None
    loading: bool
    log: str
    oom_kills: int = 0

    @property
    def crashed(self) -> bool:
        """Whether the process was ended by a fault of its own (not by a kill, a hang, or by leaving)."""
        return self.end is End.EOF and (self._fatal_signal is not None or self._windows_fault)

    @property
    def _fatal_signal(self) -> str | None:
        if self.exitcode is None or self.exitcode >= 0 or -self.exitcode in _outside_signals():
            return None
        return _signal_name(-self.exitcode)

    @property
    def _windows_fault(self) -> bool:
        return sys.platform == "win32" and (self.exitcode or 0) >= _WINDOWS_FATAL

    @property
    def _short_of_memory(self) -> bool:
        if self.exitcode == -int(getattr(signal, "SIGKILL", 9)) and self.oom_kills > 0:
            return True
        said = any(word in self.log.lower() for word in _MEMORY_WORDS)
        return self.exitcode == _WINDOWS_NO_MEMORY or (said and self.exitcode != 0)

    def error(self) -> EngineError:
        """A new error that says so, for one caller."""
        if self.end is End.CLOSED:
            return EngineClosedError("The engine was closed while this was on its way.", hint="Run it again.")
        if self.end is End.HUNG:
            return EngineHungError("The engine gave no sign of life and was ended.", hint=_AGAIN, log=self.log)
        if self.end is End.PROTOCOL:
            return EngineProtocolError(
                "The engine's worker sent something that this studio does not understand.",
                hint="Install the studio again.",
                log=self.log,
            )
        if self._short_of_memory:
            return EngineMemoryError(
                "The system had not enough memory for the model, and the engine was ended.",
                hint="Close other programs, or choose a smaller model or context.",
                log=self.log,
            )
        return self._plain_error()

    def _plain_error(self) -> EngineDeath:
        fault = self._fatal_signal or (f"error {self.exitcode:#x}" if self._windows_fault and self.exitcode else None)
        if fault is None and self.exitcode is not None and self.exitcode < 0:
            name = _signal_name(-self.exitcode)
            return EngineKilledError(f"A person or another program ended it ({name}).", hint=_AGAIN, log=self.log)
        if self.loading:
            return EngineLoadCrashError(
                f"The engine ended while it opened the model ({fault or f'exit code {self.exitcode}'}).",
                hint="The file may be damaged: verify it, or choose another.",
                log=self.log,
            )
        if fault is not None:
            return EngineCrashError(f"The engine crashed ({fault}).", hint=_AGAIN, log=self.log)
        return EngineExitedError(f"The engine left (exit code {self.exitcode}).", hint=_AGAIN, log=self.log)


_AGAIN = "Run it again: the engine starts anew by itself."


def kernel_oom_kills() -> int:
    """How many processes the kernel has ended for lack of memory since it started; 0 where it does not say."""
    total = 0
    for path in (Path("/proc/vmstat"), Path("/sys/fs/cgroup/memory.events")):
        try:
            lines = path.read_text().splitlines()
        except OSError:
            continue
        total += sum(int(line.split()[1]) for line in lines if line.startswith("oom_kill "))
    return total


def _outside_signals() -> set[int]:
    names = ("SIGKILL", "SIGTERM", "SIGINT", "SIGHUP", "SIGQUIT")
    return {int(getattr(signal, name)) for name in names if hasattr(signal, name)}


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
