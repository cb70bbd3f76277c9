"""The shield cannot be taken back, so each test runs it in a process of its own."""

from __future__ import annotations

import subprocess
import sys

import pytest

BEGIN = "import socket\nfrom studio.services import shield\nshield.install()\nshield.install()\n"


def ran(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", BEGIN + code], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.mark.parametrize(
    "call",
    [
        "socket.create_connection(('127.0.0.1', 9), timeout=1)",
        "socket.getaddrinfo('example.org', 80)",
        "socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('127.0.0.1', 9))",
        "socket.socket(socket.AF_INET6).connect(('::1', 9))",
        "socket.socket().bind(('127.0.0.1', 0))",
        "__import__('urllib.request').request.urlopen('http://127.0.0.1:9/', timeout=1)",
    ],
)
def test_a_connection_is_refused_and_counted_once(call: str) -> None:
    code = f"""
try:
    {call}
except OSError:
    print(shield.refused(), len(shield.last_refused()))
"""
    counted, kept = ran(code).split()
    assert int(counted) >= 1
    assert counted == kept


def test_processes_of_this_machine_may_talk() -> None:
    code = """
import tempfile, os
path = os.path.join(tempfile.mkdtemp(), "s")
server = socket.socket(socket.AF_UNIX); server.bind(path); server.listen()
socket.socket(socket.AF_UNIX).connect(path)
print(shield.refused())
"""
    assert ran(code) == "0"


@pytest.mark.skipif(sys.platform != "linux", reason="the count is read from /proc")
def test_the_system_counts_a_socket_that_the_hook_did_not_see() -> None:
    code = """
import ctypes
print(shield.open_now(), end=" ")
libc = ctypes.CDLL(None)
fd = libc.socket(2, 2, 0)
address = (ctypes.c_ubyte * 16)(2, 0, 0, 9, 127, 0, 0, 1)
assert libc.connect(fd, address, 16) == 0
print(shield.open_now())
"""
    assert ran(code) == "0 1"
