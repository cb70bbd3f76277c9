"""The machine that is measured on, and the clock that measures: CPU time of another process."""

from __future__ import annotations

import os
import platform
import sys
import time
from pathlib import Path


def cpu_clock(pid: int) -> float:
    """CPU seconds that a process has used so far, all threads, also ended ones; wall time where there is no such clock.

    A ratio of two measurements is right in both cases as long as nothing else runs.
    """
    if not sys.platform.startswith("linux"):
        return time.monotonic()
    # How Linux numbers the CPU clock of a process (clock_getcpuclockid(3)); /proc counts in hundredths only.
    return time.clock_gettime((~pid << 3) | 2)


def cpu_name() -> str:
    """What the processor calls itself."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def describe() -> str:
    """The machine in one line."""
    load = f", load {os.getloadavg()[0]:.1f} at the start" if hasattr(os, "getloadavg") else ""
    return f"{cpu_name()}, {os.cpu_count()} logical cores, {platform.system()} {platform.release()}{load}"
