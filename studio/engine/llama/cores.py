"""How many threads are kind to the desktop."""

from __future__ import annotations

import os
import sys
from pathlib import Path

_TOPOLOGY = Path("/sys/devices/system/cpu")
_CGROUP_QUOTA = Path("/sys/fs/cgroup/cpu.max")


def default_threads() -> int:
    """Physical cores minus one, at least one: measured, the last core buys little and costs the desktop a lot."""
    return max(1, physical_cores() - 1)


def physical_cores() -> int:
    """Physical cores that this process may use. Where the system does not say, half of the logical ones."""
    if not sys.platform.startswith("linux"):
        return max(1, (os.cpu_count() or 1) // 2)
    allowed = os.sched_getaffinity(0)
    siblings = set()
    for cpu in allowed:
        try:
            siblings.add((_TOPOLOGY / f"cpu{cpu}" / "topology" / "thread_siblings_list").read_text())
        except OSError:
            siblings.add(str(cpu))
    return max(1, min(len(siblings), _quota()))


def is_virtual_amx() -> bool:
    """Whether this is a virtual machine with AMX, where repacked weights can crash llama.cpp."""
    try:
        flags = Path("/proc/cpuinfo").read_text().partition("flags")[2].partition("\n")[0].split()
    except OSError:
        return False
    return "amx_tile" in flags and "hypervisor" in flags


def _quota() -> int:
    """Cores that a container's limit leaves, rounded up."""
    try:
        quota, period = _CGROUP_QUOTA.read_text().split()
        return max(1, -(-int(quota) // int(period)))
    except (OSError, ValueError):  # no limit ("max"), or another kind of system
        return sys.maxsize
