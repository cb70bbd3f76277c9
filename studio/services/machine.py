"""This machine, as far as it decides which model fits and how fast it is: memory, GPUs, cores, disk and power."""

from __future__ import annotations

import contextlib
import platform
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace

import psutil

from studio.engine.client import EngineClient
from studio.engine.llama.cores import physical_cores
from studio.engine.llama.machine import free_memory
from studio.engine.types import Device, Survey

__all__ = ["Device", "Machine", "MachineService", "features_in"]

_FEATURE = re.compile(r"\b([A-Z][A-Z0-9_]+) = 1\b")
_SHOWN = ("AVX", "AVX2", "AVX512", "AMX_INT8", "NEON", "SVE", "ARM_FMA", "RISCV_V")
"""The instruction sets that decide speed, by the library's names; of the wide ones the best says enough."""

_SUPERSEDED = {"AVX": "AVX2", "AVX2": "AVX512"}


@dataclass(frozen=True, slots=True)
class Machine:
    """Facts of this machine; bytes and counts.

    ``memory_free`` and the free memory of the GPUs are counted as if no model of ours were loaded.
    ``features`` are instruction sets by name, best last; ``power`` is "mains power", "battery, 63 %", or "" where the
    system does not say.
    """

    system: str
    processor: str
    physical: int
    logical: int
    memory_total: int
    memory_free: int
    features: tuple[str, ...]
    gpus: tuple[Device, ...]
    disk_free: int
    power: str
    n_threads: int
    llama_build: str

    @property
    def key(self) -> str:
        """What a measured speed depends on: another processor, GPU or build is another machine."""
        cards = [f"{gpu.name} ({gpu.description})" for gpu in self.gpus]
        return " | ".join([self.processor, f"{self.n_threads} of {self.physical} cores", *cards, self.llama_build])

    @property
    def room(self) -> tuple[str, ...]:
        """What decides which model fits, in a few words each."""
        cards = [
            f"{gpu.description or gpu.name}: {_gb(gpu.total)}, {_gb(gpu.free)} free"
            + (" (shared)" if gpu.integrated else "")
            for gpu in self.gpus
        ]
        return (
            f"{_gb(self.memory_total)} memory, {_gb(self.memory_free)} free",
            *(cards or ["no GPU that this build can use"]),
            f"{_gb(self.disk_free)} free on the disk",
        )

    @property
    def pace(self) -> tuple[str, ...]:
        """What decides how fast it is, in a few words each."""
        cores = f"{self.physical} core{'' if self.physical == 1 else 's'}"
        threads = f"{self.logical} threads" if self.logical != self.physical else ""
        wide = self.features[-1] if self.features else ""
        return (
            ", ".join(filter(None, (self.processor, cores, threads, wide))),
            *([f"on {self.power}"] if self.power else []),
        )


class MachineService:
    """Looks at the machine. ``disk_free`` tells the room where models are kept."""

    def __init__(self, engine: EngineClient, disk_free: Callable[[], int]) -> None:
        self._engine = engine
        self._disk_free = disk_free
        self._lock = threading.Lock()
        self._survey: Survey | None = None

    def look(self, *, again: bool = False) -> Machine:
        """The machine as it is now. What llama.cpp sees is asked of it once, or ``again``. Raises EngineError."""
        with self._lock:
            if self._survey is None or again:
                self._survey = self._engine.survey()
            survey = self._survey
        memory = psutil.virtual_memory()
        info = self._engine.info
        ours = info.placement.device if info is not None else ""
        held = info.memory_bytes if info is not None else 0
        gpus = [
            replace(gpu, free=min(gpu.total, gpu.free + held)) if gpu.name == ours else gpu
            for gpu in survey.devices
            if gpu.gpu
        ]
        return Machine(
            system=f"{platform.system()} {platform.release()}, {platform.machine()}",
            processor=next((d.description for d in survey.devices if not d.gpu and d.description), platform.machine()),
            physical=physical_cores(),
            logical=psutil.cpu_count(logical=True) or 1,
            memory_total=int(memory.total),
            memory_free=min(int(memory.total), free_memory() + self._worker_holds()),
            features=features_in(survey.features),
            gpus=tuple(gpus),
            disk_free=self._disk_free(),
            power=_power(),
            n_threads=survey.n_threads,
            llama_build=survey.llama_build,
        )

    def _worker_holds(self) -> int:
        """Bytes that another model would get back: the worker's own, without the mapped file, which counts as free."""
        pid = self._engine.worker_pid
        with contextlib.suppress(psutil.Error):
            if pid is not None:
                found = psutil.Process(pid).memory_info()
                return max(0, int(found.rss) - int(getattr(found, "shared", 0)))
        return 0


def features_in(said: str) -> tuple[str, ...]:
    """The instruction sets that the library says are used, the plain ones left out where a wider one is there."""
    there = [name for name in _SHOWN if name in _FEATURE.findall(said)]
    return tuple(name for name in there if _SUPERSEDED.get(name) not in there)


def _power() -> str:
    """What the machine runs on, as the system says."""
    try:
        battery = psutil.sensors_battery()
    except (AttributeError, OSError, ValueError, psutil.Error):
        # No such call on this system, or an odd battery: a fact that is missing and no fault.
        return ""
    return "mains power" if battery is None or battery.power_plugged else f"battery, {battery.percent:.0f} %"


def _gb(size: int) -> str:
    return f"{size / 1e9:.0f} GB" if size >= 10e9 else f"{size / 1e9:.1f} GB"
