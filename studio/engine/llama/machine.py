"""How much memory is free on this machine."""

from __future__ import annotations

import ctypes
import os
import sys
from pathlib import Path
from typing import Any

_MEMINFO = Path("/proc/meminfo")
_CGROUP = Path("/sys/fs/cgroup")
_UNKNOWN = 4 << 30
"""Where a system does not say: little enough for any machine that such models run on."""


def free_memory() -> int:
    """Bytes of the system's own memory that a model and its contexts may take."""
    if sys.platform == "win32":
        return _windows()
    if not sys.platform.startswith("linux"):
        # Half of what is built in: macOS does not tell programs what is free.
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2
    return min(_meminfo(), _cgroup())


def _meminfo() -> int:
    try:
        for line in _MEMINFO.read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    except (OSError, ValueError, IndexError):
        return _UNKNOWN
    return _UNKNOWN


def _cgroup() -> int:
    """What a container's limit leaves."""
    try:
        limit = int((_CGROUP / "memory.max").read_text())
        return max(0, limit - int((_CGROUP / "memory.current").read_text()))
    except (OSError, ValueError):  # no limit ("max"), or another kind of system
        return sys.maxsize


class _MemoryStatus(ctypes.Structure):
    """MEMORYSTATUSEX of Windows."""

    _fields_ = (
        ("length", ctypes.c_uint32),
        ("load", ctypes.c_uint32),
        ("total", ctypes.c_uint64),
        ("available", ctypes.c_uint64),
        ("rest", ctypes.c_uint64 * 5),
    )


def _windows() -> int:
    status = _MemoryStatus(length=ctypes.sizeof(_MemoryStatus))
    kernel: Any = vars(ctypes)["windll"].kernel32
    return int(status.available) if kernel.GlobalMemoryStatusEx(ctypes.byref(status)) else _UNKNOWN
