"""The proof shows what is so, and does not hold when something was connected."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from studio.services import sockets
from studio.services.offline_proof import OfflineProof, Proof, _confined

linux = pytest.mark.skipif(sys.platform != "linux", reason="the evidence is read from /proc")

SCRIPTED = """
import ctypes, sys
from studio.engine.client import EngineClient
from studio.engine.scripted import Script, ScriptedAnswer
from studio.services.offline_proof import prove
ANSWER = ('<|channel|>analysis<|message|>Dogs.<|end|><|start|>assistant<|channel|>final<|message|>'
          '{"violation": 1, "policy_category": "D1", "rule_ids": [], "rationale": "Dogs."}<|return|>')
def shown(text=ANSWER):
    found = prove(EngineClient(script=Script(answers=(ScriptedAnswer(text=text),), is_demo=True)))
    print(found.holds, *(line.what for line in found.lines if line.proof == "broken"), sep="; ")
"""


def ran(code: str, home: Path) -> str:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPTED + code],
        env={**os.environ, "MODERATION_STUDIO_HOME": str(home)},
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@linux
def test_a_socket_of_native_code_and_a_refused_connection_break_the_proof(tmp_path: Path) -> None:
    code = """
shown()
shown("no verdict in this")
libc = ctypes.CDLL(None)
fd = libc.socket(2, 2, 0)
assert libc.connect(fd, (ctypes.c_ubyte * 16)(2, 0, 0, 9, 127, 0, 0, 1), 16) == 0
shown()
"""
    assert ran(code, tmp_path).splitlines() == [
        "True",
        "False; A judgement was made",
        "False; Sockets of the studio",
    ]


@pytest.mark.parametrize(
    ("seen", "proofs"),
    [
        (None, ["not proven"]),
        (sockets.Confinement(True, ("lo",), 0, True, True), ["proven", "proven"]),
        (sockets.Confinement(True, ("lo", "eth0"), 0, True, True), ["not proven", "proven"]),
        (sockets.Confinement(True, ("lo",), 1, True, True), ["not proven", "proven"]),
        (sockets.Confinement(False, ("lo", "eth0"), 2, True, True), ["not proven", "proven"]),
        (sockets.Confinement(False, ("lo", "eth0"), 2, False, True), ["not proven"] * 3),
    ],
)
def test_nothing_is_called_proven_that_was_not_seen(seen: sockets.Confinement | None, proofs: list[str]) -> None:
    lines = _confined("no interfaces", seen)

    assert [str(line.proof) for line in lines] == proofs
    assert OfflineProof(lines, ()).holds
    assert Proof.BROKEN not in proofs


SESSION = """
import sys
from studio.cli.app import run
codes = []
for line in ("policies list", "models list", "prompt -p demo-animals Hello", "doctor --prove-offline"):
    sys.argv = ["moderation-studio", *line.split()]
    codes.append(int(run()))
sys.exit(any(codes))
"""
# What reaches no network: sockets between processes of this machine, and questions to its kernel.
LOCAL = re.compile(r"\b(AF_UNIX|AF_NETLINK)\b")
CALL = re.compile(r"\b(socket|connect|sendto|sendmsg|bind)\(")


def network_calls(trace: str) -> list[str]:
    """The calls of a trace that made, named or used a network socket, refused ones left out."""
    return [
        line
        for line in trace.splitlines()
        if CALL.search(line) and "AF_" in line and not LOCAL.search(line) and "EPERM" not in line
    ]


def traced(code: str, home: Path, trace: Path) -> subprocess.CompletedProcess[str]:
    command = [
        "strace",
        "-f",
        "-qq",
        "-e",
        "trace=network,io_uring_setup",
        "-o",
        str(trace),
        sys.executable,
        "-c",
        code,
    ]
    return subprocess.run(
        command,
        env={**os.environ, "MODERATION_STUDIO_HOME": str(home)},
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )


@pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")
def test_no_system_call_of_a_session_makes_a_network_socket(tmp_path: Path) -> None:
    planted = traced("import ctypes; ctypes.CDLL(None).socket(2, 1, 0)", tmp_path, tmp_path / "planted")
    if planted.returncode or not (tmp_path / "planted").is_file():
        pytest.skip(f"strace may not trace here: {planted.stderr[-200:]}")
    assert len(network_calls((tmp_path / "planted").read_text())) == 1

    done = traced(SESSION, tmp_path / "home", tmp_path / "trace")

    assert done.returncode == 0, done.stdout + done.stderr
    assert "violates" in done.stdout
    trace = (tmp_path / "trace").read_text()
    assert network_calls(trace) == []
    assert "io_uring_setup" not in trace
