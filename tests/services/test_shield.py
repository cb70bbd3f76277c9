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
        "socket.gethostbyname('example.invalid')",
        "socket.gethostbyaddr('192.0.2.1')",
        "socket.getnameinfo(('192.0.2.1', 80), 0)",
        "socket.socket().connect_ex(('127.0.0.1', 9))",
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


def test_doctor_names_what_was_refused() -> None:
    code = """
from studio.services.doctor import _network
print(repr(_network(0).hint))
try:
    socket.getaddrinfo('example.org', 80)
except OSError:
    print(_network(0).hint)
"""
    before, after = ran(code).splitlines()
    assert before == "''"
    assert "socket.getaddrinfo to 'example.org'" in after


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


SERVER = """
import threading
server = socket.socket()
import ctypes, struct
libc = ctypes.CDLL(None)
assert libc.bind(server.fileno(), struct.pack("=HH4s8x", 2, 0, bytes([127, 0, 0, 1])), 16) == 0
server.listen()
port = server.getsockname()[1]
def tries(host, port):
    try:
        socket.create_connection((host, port), timeout=5).close()
    except OSError as error:
        return "refused" if "opens no network" in str(error) else repr(error)
    return "opened"
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the server is bound behind the hook's back")
def test_only_what_was_allowed_is_opened_only_while_it_is_allowed_and_counted() -> None:
    code = """
real = socket.getaddrinfo
print(tries("127.0.0.1", port), shield.opened(), shield.refused())
with shield.allow([("localhost", port)], "a download"):
    print(tries("localhost", port), tries("localhost", port + 1), tries("example.org", port))
    [open_for] = shield.allowances()
    print(open_for.reason, shield.opened(), shield.last_opened()[-1].reason)
    before = shield.refused()
    try:
        socket.socket(socket.AF_INET6).connect(("::2", port))
    except OSError:
        print(shield.refused() - before)
    with shield.allow([(".local", port)], "inner"):
        pass
    print(tries("localhost", port))
print(tries("localhost", port), shield.allowances(), socket.getaddrinfo is real, shield.opened())
"""
    assert ran(SERVER + code).splitlines() == [
        "refused 0 1",
        "opened refused refused",
        "a download 1 a download",
        "1",
        "opened",
        "refused () True 2",
    ]


@pytest.mark.skipif(sys.platform != "linux", reason="the server is bound behind the hook's back")
def test_a_name_with_a_dot_allows_what_is_below_it_and_an_address_itself() -> None:
    code = """
with shield.allow([(".hub.example", 443), ("127.0.0.1", port)], "why") as allowance:
    print(*(allowance.covers(name, 443) for name in ("cdn.hub.example", "CDN.Hub.example.", "hub.example",
                                                     "evilhub.example", "cdn.hub.example.evil.org")))
    print(allowance.covers("cdn.hub.example", 80), tries("127.0.0.1", port))
"""
    assert ran(SERVER + code).splitlines() == ["True True False False False", "False opened"]
