"""The low-level binding of llama.cpp, and its log kept in memory.

This is the one module that imports ``llama_cpp``. The binding's annotations are incomplete, so it is used as ``Any``;
the modules beside this one give its results their types.
"""

from __future__ import annotations

import ctypes
import os
from collections import deque
from importlib import metadata
from typing import Any

# Threads that wait must sleep, not spin: a spinning worker slows every other program (and itself) about three times.
# The OpenMP runtime reads this once, when the library below is loaded.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

from llama_cpp import llama_cpp as _llama_cpp  # noqa: E402  the environment above must be set first

lib: Any = _llama_cpp

_LOG_LINES = 400
_log: deque[str] = deque(maxlen=_LOG_LINES)
_ERROR_LEVEL = 3


def _on_log(level: int, text: bytes | None, _user_data: Any) -> None:
    line = (text or b"").decode("utf-8", "replace").rstrip()
    if line:
        _log.append(f"E {line}" if level == _ERROR_LEVEL else line)


_log_callback = lib.llama_log_callback(_on_log)  # kept: ctypes does not own callbacks


def start() -> None:
    """Start the library; call once, before anything else here."""
    lib.llama_log_set(_log_callback, ctypes.c_void_p(0))
    lib.llama_backend_init()


def clear_log() -> None:
    """Forget what the library has said so far."""
    _log.clear()


def log_lines() -> tuple[str, ...]:
    """What the library has said since :func:`clear_log`; lines of errors begin with ``E``."""
    return tuple(_log)


def build() -> str:
    """The build of the binding and of llama.cpp inside it, for the record of a run."""
    return f"llama-cpp-python {metadata.version('llama-cpp-python')}, llama.cpp {lib.llama_version().decode()}"


def has_gpu() -> bool:
    """Whether this build can put layers on a GPU."""
    return bool(lib.llama_supports_gpu_offload())
