"""The network shield: no code in this process can open a connection, and every attempt is counted.

It is an audit hook, so it sees what any library does through Python's sockets. Sockets between processes of this
machine (Unix domain) are not a network. The worker process that runs the model has its own, stricter shield.
"""

from __future__ import annotations

import os
import socket
import sys
import threading
from collections import deque
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

_EVENTS = {"socket.connect", "socket.bind", "socket.sendto", "socket.sendmsg", "socket.getaddrinfo"}
_TABLES = ("tcp", "tcp6", "udp", "udp6", "raw", "raw6")
_KEPT = 100


@dataclass(frozen=True, slots=True)
class Attempt:
    """A connection that was asked for and refused: when, by which call, and to where."""

    at: datetime
    call: str
    address: str


class _Shield:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._installed = False
        self._count = 0
        self._last: deque[Attempt] = deque(maxlen=_KEPT)

    def install(self) -> None:
        with self._lock:
            if self._installed:
                return
            self._installed = True
        sys.addaudithook(self._hook)

    @property
    def count(self) -> int:
        return self._count

    @property
    def last(self) -> tuple[Attempt, ...]:
        with self._lock:
            return tuple(self._last)

    def _hook(self, event: str, args: tuple[object, ...]) -> None:
        if event not in _EVENTS or _is_local(args):
            return
        address = args[0] if event == "socket.getaddrinfo" else args[-1]
        with self._lock:
            self._count += 1
            self._last.append(Attempt(datetime.now(UTC), event, repr(address)))
        raise PermissionError(f"The studio opens no network connection ({event} to {address!r} was refused).")


def _is_local(args: tuple[object, ...]) -> bool:
    """Whether the socket of the call speaks to this machine's own processes only."""
    unix = getattr(socket, "AF_UNIX", None)
    return unix is not None and getattr(args[0], "family", None) == unix


_shield = _Shield()


def install() -> None:
    """Refuse every connection of this process from now on. It cannot be taken back; doing it twice is doing it once."""
    _shield.install()


def refused() -> int:
    """How many connections were asked for since the start; none of them was opened."""
    return _shield.count


def last_refused() -> tuple[Attempt, ...]:
    """The last attempts, oldest first, at most a hundred."""
    return _shield.last


def open_now() -> int | None:
    """Internet sockets that this process holds now, counted by the operating system; None where it is not Linux.

    Unlike the hook this also sees what native libraries opened by themselves.
    """
    try:
        mine = {os.readlink(entry.path) for entry in os.scandir("/proc/self/fd") if _is_link(entry)}
        return sum(
            f"socket:[{inode}]" in mine for table in _TABLES for inode in _inodes(Path("/proc/self/net") / table)
        )
    except OSError:
        return None


def _is_link(entry: os.DirEntry[str]) -> bool:
    """Whether the descriptor is still there: the one that lists the folder is gone when it is looked at."""
    return os.path.lexists(entry.path)


def _inodes(table: Path) -> list[str]:
    """The inode column of one of the kernel's socket tables (proc(5))."""
    if not table.exists():
        return []
    return [line.split()[9] for line in table.read_text().splitlines()[1:]]
