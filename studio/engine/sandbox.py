"""What the worker gives up before it opens a model file: network, core dumps, writing files, outliving the studio.

Called at the very start of the worker, while it has one thread. Says truthfully what the system allowed.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from pathlib import Path
from typing import Any

from studio.engine import seccomp

_CLONE_NEWUSER = 0x10000000
_CLONE_NEWNET = 0x40000000
_PR_SET_PDEATHSIG = 1
_PR_SET_NO_NEW_PRIVS = 38

_BLOCKED_EVENTS = (
    "socket.__new__",
    "socket.connect",
    "socket.bind",
    "socket.sendto",
    "socket.sendmsg",
    "socket.getaddrinfo",
    "socket.gethostbyname",
    "socket.gethostbyaddr",
    "socket.getnameinfo",
)


def drop_network() -> str:
    """Leave the network; returns "no interfaces", "refused by the system" or "blocked in process".

    On Linux a network of its own without interfaces, where the system lets us make one, and a filter in the kernel that
    makes no network socket, where there is one. The hook, which native code does not pass, is there in any case.
    """
    left = sys.platform == "linux" and _unshare_network()
    filtered = seccomp.refuse_sockets()
    sys.addaudithook(_refuse_sockets)
    if left:
        return "no interfaces"
    return "refused by the system" if filtered else "blocked in process"


def tie_to_parent(parent: int) -> None:
    """Die with the studio, leave no core dump (it would hold what people wrote), gain no rights."""
    if sys.platform != "win32":
        import resource  # not there on Windows

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform != "linux":
        return
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    if os.getppid() != parent:
        # The studio ended before the line above took effect.
        os._exit(0)


def drop_writes(*, gpu: bool) -> str:
    """Make every write to a file fail; returns "limited" or "not limited".

    A GPU driver writes caches and shared memory of its own, so it keeps this right.
    """
    if sys.platform == "win32" or gpu:
        return "not limited"
    import resource  # not there on Windows

    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    except (OSError, ValueError):
        return "not limited"
    return "limited"


def _unshare_network() -> bool:
    libc = ctypes.CDLL(None, use_errno=True)
    # Alone when we have the right to it; else with a user namespace of our own, where the system lets anybody make one.
    if libc.unshare(_CLONE_NEWNET) != 0 and libc.unshare(_CLONE_NEWUSER | _CLONE_NEWNET) != 0:
        return False
    # Read and not asked for by a socket: whoever traces the worker sees none at all.
    rows = Path("/proc/self/net/dev").read_text(encoding="ascii", errors="replace").splitlines()[2:]
    return {row.partition(":")[0].strip() for row in rows} <= {"lo"}


def _refuse_sockets(event: str, _args: tuple[Any, ...]) -> None:
    if event in _BLOCKED_EVENTS:
        raise PermissionError("the engine's worker has no network")
