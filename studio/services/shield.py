"""The network shield: no code in this process can open a connection that nobody asked for, and all are counted.

It is an audit hook, so it sees what any library does through Python's sockets. Sockets between processes of this
machine (Unix domain) are not a network. The worker process that runs the model has its own, stricter shield.

:func:`allow` opens it for named servers while a task lasts that a person asked for, such as a download: their names may
be looked up, and connections may go to the addresses found and to no other. Each of them is counted too.
"""

from __future__ import annotations

import contextlib
import functools
import ipaddress
import socket
import sys
import threading
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from studio.services import sockets

_LOOK_UPS = {"socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr", "socket.getnameinfo"}
_EVENTS = {"socket.connect", "socket.bind", "socket.sendto", "socket.sendmsg", *_LOOK_UPS}
_KEPT = 100
_socket: Any = socket  # the module as a thing whose functions can be replaced


@dataclass(frozen=True, slots=True)
class Attempt:
    """A connection that was asked for: when, by which call, and to where; and for what task, when one allowed it."""

    at: datetime
    call: str
    address: str
    reason: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Allowance:
    """Servers that may be reached while it lasts, as (name, port), why, and since when.

    A name that begins with a dot stands for every server below it: ``.example.org`` for ``cdn.example.org``.
    """

    servers: frozenset[tuple[str, int]]
    reason: str
    since: datetime

    def covers(self, name: str, port: int) -> bool:
        """Whether the server of that name may be reached at that port."""
        wanted = name.casefold().rstrip(".")
        return any(
            port == allowed and (wanted.endswith(server) if server.startswith(".") else wanted == server)
            for server, allowed in self.servers
        )


class _Shield:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._installed = False
        self._count = 0
        self._last: deque[Attempt] = deque(maxlen=_KEPT)
        self._opened = 0
        self._last_opened: deque[Attempt] = deque(maxlen=_KEPT)
        self._allowances: list[Allowance] = []
        # The addresses that a look-up of an allowed name gave, with its port, and what allowed it.
        self._addresses: dict[tuple[str, int], Allowance] = {}
        self._look_up: Any = None

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
    def opened(self) -> int:
        return self._opened

    @property
    def allowances(self) -> tuple[Allowance, ...]:
        with self._lock:
            return tuple(self._allowances)

    def last(self, *, opened: bool = False) -> tuple[Attempt, ...]:
        with self._lock:
            return tuple(self._last_opened if opened else self._last)

    def open_for(self, allowance: Allowance) -> None:
        with self._lock:
            self._allowances.append(allowance)
            if self._look_up is None:
                # The hook sees the question and not the answer: only here the addresses of a name are seen.
                self._look_up = socket.getaddrinfo
                _socket.getaddrinfo = functools.partial(self._looked_up, self._look_up)

    def close_for(self, allowance: Allowance) -> None:
        with self._lock:
            self._allowances.remove(allowance)
            self._addresses = {key: kept for key, kept in self._addresses.items() if kept is not allowance}
            if not self._allowances and self._look_up is not None:
                _socket.getaddrinfo, self._look_up = self._look_up, None

    def _looked_up(
        self,
        look_up: Any,
        host: object,
        port: object,
        *args: object,
        **more: object,
    ) -> list[tuple[object, ...]]:
        answers: list[tuple[object, ...]] = look_up(host, port, *args, **more)
        allowance = self._allowing(host, port)
        if allowance is not None:
            with self._lock:
                for *_rest, address in answers:
                    if isinstance(address, tuple) and allowance in self._allowances:
                        self._addresses[(str(address[0]), int(address[1]))] = allowance
        return answers

    def _allowing(self, host: object, port: object) -> Allowance | None:
        """What allows the server; the port may be a number or its digits, as the look-up takes both."""
        name = host.decode("ascii", "replace") if isinstance(host, bytes) else str(host)
        number = int(port) if isinstance(port, int) or (isinstance(port, str) and port.isdigit()) else -1
        return next((allowance for allowance in self._allowances if allowance.covers(name, number)), None)

    def _hook(self, event: str, args: tuple[object, ...]) -> None:
        if event not in _EVENTS or _is_local(args):
            return
        address = args[0] if event in _LOOK_UPS else args[-1]
        with self._lock:
            allowance = self._reason(event, args, address)
            if allowance is None:
                self._count += 1
                self._last.append(Attempt(datetime.now(UTC), event, repr(address)))
            elif event == "socket.connect":
                self._opened += 1
                self._last_opened.append(Attempt(datetime.now(UTC), event, repr(address), allowance.reason))
        if allowance is None:
            raise PermissionError(f"The studio opens no network connection ({event} to {address!r} was refused).")

    def _reason(self, event: str, args: tuple[object, ...], address: object) -> Allowance | None:
        """What allows the call: a look-up of an allowed name, or a connection to one of its addresses."""
        if event == "socket.getaddrinfo":
            return self._allowing(address, args[1])
        if event != "socket.connect" or not isinstance(address, tuple) or len(address) < 2:
            return None
        known = self._addresses.get((str(address[0]), address[1]))
        return known or (self._allowing(address[0], address[1]) if _is_numeric(address[0]) else None)


def _is_numeric(host: object) -> bool:
    """Whether the host is an address already and not a name that the system would look up unseen."""
    try:
        ipaddress.ip_address(str(host))
    except ValueError:
        return False
    return True


def _is_local(args: tuple[object, ...]) -> bool:
    """Whether the socket of the call speaks to this machine's own processes only."""
    unix = getattr(socket, "AF_UNIX", None)
    return unix is not None and getattr(args[0], "family", None) == unix


_shield = _Shield()


def install() -> None:
    """Refuse every connection of this process from now on. It cannot be taken back; doing it twice is doing it once."""
    _shield.install()


@contextlib.contextmanager
def allow(servers: Iterable[tuple[str, int]], reason: str) -> Iterator[Allowance]:
    """Let this process reach exactly these servers, (name, port), while the block lasts; ``reason`` is shown to people.

    To be entered only upon the explicit act of a person. Connections that were opened in it are not cut at its end:
    whoever opened them closes them.
    """
    allowance = Allowance(
        frozenset((name.casefold().rstrip("."), port) for name, port in servers), reason, datetime.now(UTC)
    )
    _shield.open_for(allowance)
    try:
        yield allowance
    finally:
        _shield.close_for(allowance)


def allowances() -> tuple[Allowance, ...]:
    """For what the shield is open now; empty nearly always."""
    return _shield.allowances


def opened() -> int:
    """How many connections were opened since the start, each under an :class:`Allowance`."""
    return _shield.opened


def last_opened() -> tuple[Attempt, ...]:
    """The last connections that were opened, with the reason, oldest first, at most a hundred."""
    return _shield.last(opened=True)


def refused() -> int:
    """How many connections were asked for since the start that nothing allowed; none of them was opened."""
    return _shield.count


def last_refused() -> tuple[Attempt, ...]:
    """The last attempts, oldest first, at most a hundred."""
    return _shield.last()


def open_now() -> int | None:
    """Internet sockets that this process holds now, counted by the operating system; None where it is not Linux.

    Unlike the hook this also sees what native libraries opened by themselves.
    """
    found = sockets.of_process()
    return None if found is None else found.internet
