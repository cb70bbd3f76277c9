"""What the worker gives up is really gone."""

from __future__ import annotations

import platform
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="what Linux lets a process give up")

CONNECT = """
import socket
try:
    socket.socket(socket.AF_INET, socket.SOCK_DGRAM).connect(("192.0.2.1", 9))
except OSError as error:
    print(type(error).__name__)
else:
    print("connected")
"""


def output(program: str) -> list[str]:
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    return done.stdout.split("\n")[:-1]


def test_the_network_is_left_or_blocked() -> None:
    said, connected = output(f"from studio.engine import sandbox\nprint(sandbox.drop_network())\n{CONNECT}")
    assert said in ("no interfaces", "refused by the system", "blocked in process")
    assert connected != "connected"


def test_where_the_network_cannot_be_left_it_is_blocked() -> None:
    said, connected, asked = output(
        "from studio.engine import sandbox, seccomp\nsandbox._unshare_network = lambda: False\n"
        "seccomp.refuse_sockets = lambda: False\n"
        f"print(sandbox.drop_network())\n{CONNECT}"
        "try:\n    socket.getaddrinfo('localhost', 80)\nexcept PermissionError:\n    print('blocked')\n"
    )
    assert (said, connected, asked) == ("blocked in process", "PermissionError", "blocked")


NATIVE = """
import ctypes, os, threading
libc = ctypes.CDLL(None, use_errno=True)
def tried(result):
    print("made" if result >= 0 else os.strerror(ctypes.get_errno()))
own = os.open("/proc/self/ns/net", os.O_RDONLY)
for family in (2, 10, 17, 40):
    tried(libc.socket(family, 2, 0))
tried(libc.setns(own, 0))
tried(libc.ptrace(0, 0, 0, 0))
tried(libc.syscall(425, 1, 0))
tried(libc.socket(1, 1, 0))
thread = threading.Thread(target=lambda: tried(libc.socket(2, 1, 0)))
thread.start(); thread.join()
"""


@pytest.mark.skipif(platform.machine() not in ("x86_64", "aarch64"), reason="the filter knows two kinds of machine")
def test_the_kernel_refuses_network_sockets_to_native_code_and_the_ways_around_it() -> None:
    said, *tries = output(
        "from studio.engine import sandbox\nsandbox._unshare_network = lambda: False\n"
        f"print(sandbox.drop_network())\n{NATIVE}"
    )
    assert said == "refused by the system"
    assert tries == ["Operation not permitted"] * 7 + ["made", "Operation not permitted"]


def test_files_can_be_read_and_not_written(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("before")
    said, read, wrote = output(
        f"from studio.engine import sandbox\nprint(sandbox.drop_writes(gpu=False))\np = {str(path)!r}\n"
        "print(open(p).read())\n"
        "try:\n    f = open(p, 'a', buffering=1); print(f.write('after' * 9999))\n"
        "except OSError as error:\n    print(type(error).__name__, flush=True)\nimport os; os._exit(0)"
    )
    assert (said, read, wrote) == ("limited", "before", "OSError")
    assert path.read_text() == "before"


def test_with_a_gpu_its_driver_may_write() -> None:
    assert output("from studio.engine import sandbox\nprint(sandbox.drop_writes(gpu=True))") == ["not limited"]
