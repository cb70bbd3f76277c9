"""A filter in the Linux kernel that refuses the system calls by which a process could reach a network or another one.

The kernel applies it to native libraries too, and nobody can take it back (seccomp(2), bpf(4)). It holds the numbers of
x86-64 and of 64-bit ARM; on any other machine there is none.
"""

from __future__ import annotations

import ctypes
import errno
import platform
import struct
import sys
from dataclasses import dataclass

_PR_SET_SECCOMP = 22
_PR_SET_NO_NEW_PRIVS = 38
_MODE_FILTER = 2
_ALLOW, _ERRNO, _KILL = 0x7FFF0000, 0x00050000, 0x80000000
# Instructions of classic BPF: load a word of the call's description, jump if equal or if at least, return.
_LOAD, _JUMP_EQUAL, _JUMP_AT_LEAST, _RETURN = 0x20, 0x15, 0x35, 0x06
_NUMBER_AT, _MACHINE_AT, _FIRST_ARGUMENT_AT = 0, 4, 16
_X32_BIT = 0x40000000
# Processes of this machine, and questions to its own kernel: neither is a network (address_families(7)).
_FAMILIES = (1, 16)


@dataclass(frozen=True, slots=True)
class _Machine:
    """The kernel's name for the machine, the number of ``socket``, and those of the calls that are refused whole."""

    audit: int
    socket: int
    refused: tuple[int, ...]


# Refused whole: setns (into another network), ptrace, process_vm_writev and pidfd_getfd (into another process),
# io_uring_setup (its operations, sockets among them, do not pass this filter).
_MACHINES = {
    "x86_64": _Machine(0xC000003E, 41, (308, 101, 311, 438, 425)),
    "aarch64": _Machine(0xC00000B7, 198, (268, 117, 271, 438, 425)),
}


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_char_p))


def refuse_sockets() -> bool:
    """Refuse network sockets to this process and its children from now on; False where the system has no such filter.

    To be called while the process has one thread: other threads would not be bound.
    """
    machine = _MACHINES.get(platform.machine())
    if sys.platform != "linux" or machine is None or sys.maxsize <= 2**32:
        return False
    libc = ctypes.CDLL(None, use_errno=True)
    code = _instructions(machine)
    program = _Program(len(code) // 8, code)
    # Without new privileges nobody needs a right to filter himself.
    if libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
        return False
    return bool(libc.prctl(_PR_SET_SECCOMP, _MODE_FILTER, ctypes.byref(program), 0, 0) == 0)


def _instructions(machine: _Machine) -> bytes:
    """The filter. A jump's distances count the instructions between it and its goal."""
    refuse, allow = (_RETURN, 0, 0, _ERRNO | errno.EPERM), (_RETURN, 0, 0, _ALLOW)
    # A call by the rules of another machine (32-bit, x32) has other numbers: none of ours makes one.
    head = [
        (_LOAD, 0, 0, _MACHINE_AT),
        (_JUMP_EQUAL, 1, 0, machine.audit),
        (_RETURN, 0, 0, _KILL),
        (_LOAD, 0, 0, _NUMBER_AT),
    ]
    body = [(_JUMP_AT_LEAST, 0, 1, _X32_BIT), refuse]
    for number in machine.refused:
        body += [(_JUMP_EQUAL, 0, 1, number), refuse]
    tail = [(_JUMP_EQUAL, 1, 0, machine.socket), allow, (_LOAD, 0, 0, _FIRST_ARGUMENT_AT)]
    for family in _FAMILIES:
        tail += [(_JUMP_EQUAL, 0, 1, family), allow]
    return b"".join(struct.pack("=HBBI", *step) for step in (*head, *body, *tail, refuse))
