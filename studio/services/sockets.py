"""What the operating system itself says about a process and the network, read from Linux's /proc (proc(5)).

Unlike the shield's hook this also sees what native libraries opened by themselves. Elsewhere than on Linux nothing can
be read, and None says so.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

_INTERNET = {"tcp": 9, "tcp6": 9, "udp": 9, "udp6": 9, "udplite": 9, "udplite6": 9, "raw": 9, "raw6": 9, "packet": 8}
_OTHER = {"unix": 6, "netlink": 9}
"""The kernel's tables of sockets, and the column of each that holds the inode."""


@dataclass(frozen=True, slots=True)
class Sockets:
    """The sockets that a process holds: those to a network, and those within this machine; ``unknown`` are neither."""

    internet: int
    local: int
    unknown: int


@dataclass(frozen=True, slots=True)
class Confinement:
    """How a process is cut off. ``interfaces``: those that its network has, with the number of addresses of each kind.

    ``own_network``: it is in another network namespace than we are. ``routes``: the ways out of that network.
    ``filtered``: a filter in the kernel stands before its system calls; ``no_new_rights``: it can gain none.
    """

    own_network: bool
    interfaces: tuple[str, ...]
    routes: int
    filtered: bool
    no_new_rights: bool


def of_process(pid: int | None = None) -> Sockets | None:
    """The sockets of a process, ours unless ``pid`` names another; None where they cannot be read."""
    place = _place(pid)
    try:
        mine = {os.readlink(entry.path) for entry in os.scandir(place / "fd") if os.path.lexists(entry.path)}
        held = {name.removeprefix("socket:[").removesuffix("]") for name in mine if name.startswith("socket:[")}
        # A socket is in the table of the network in which it was made: a child may have one from ours.
        networks = {place, _place(None)}
        internet = held & _inodes(networks, _INTERNET)
        local = held & _inodes(networks, _OTHER)
    except OSError:
        return None
    return Sockets(len(internet), len(local), len(held - internet - local))


def confinement(pid: int) -> Confinement | None:
    """How the process ``pid`` is cut off; None where that cannot be read."""
    place = _place(pid)
    try:
        status = dict(line.split(":", 1) for line in (place / "status").read_text().splitlines() if ":" in line)
        return Confinement(
            own_network=os.readlink(place / "ns" / "net") != os.readlink("/proc/self/ns/net"),
            interfaces=tuple(line.split(":")[0].strip() for line in _rows(place / "net" / "dev", head=2)),
            routes=len(_rows(place / "net" / "route", head=1)),
            filtered=status.get("Seccomp", "0").strip() == "2",
            no_new_rights=status.get("NoNewPrivs", "0").strip() == "1",
        )
    except (OSError, ValueError):
        return None


def _place(pid: int | None) -> Path:
    return Path("/proc", "self" if pid is None else str(pid))


def _inodes(networks: set[Path], tables: dict[str, int]) -> set[str]:
    return {
        line.split()[column]
        for place in networks
        for table, column in tables.items()
        for line in _rows(place / "net" / table, head=1)
    }


def _rows(table: Path, *, head: int) -> list[str]:
    """The rows of one of the kernel's tables; a table that this kernel does not have has none."""
    return table.read_text().splitlines()[head:] if table.exists() else []
