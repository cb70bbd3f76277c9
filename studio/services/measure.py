"""How fast this machine is: measured in about ten seconds on a model of random weights, and remembered.

Method: the same worker that judges loads two models in turn, the small demo model and a file of random weights whose
layers are as wide as those of gpt-oss (see ``hub/probe_file.py``), reads a prompt and writes an answer with each, one
request at a time. Between the two lies a straight line over the work of a token (see ``core/speed.py``), from which the
speed of any model of this shape is read. The file is deleted afterwards.

What the method does not see: other programs that take the cores later, a processor that grows hot, memory that swaps,
and, with experts on the CPU beside a GPU, prompts being read partly on the GPU. ``benchmarks/fit.py`` says how far off
it is for a model that it did not measure.
"""

from __future__ import annotations

import contextlib
import json
import math
import random
import string
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

from studio import paths
from studio.core.errors import ModelFileError
from studio.core.progress import Cancel, Progress
from studio.core.prompt import Origin, Plain
from studio.core.speed import Rates, Sample, Work
from studio.engine.client import EngineClient
from studio.engine.types import EngineSettings, GenerateRequest
from studio.hub.outline import Dimensions, read_outline
from studio.hub.probe_file import PROBE, write_probe
from studio.services.machine import Machine

__all__ = ["CPU", "Measurement", "Measurements", "measure", "sample", "work_of"]

CPU = ""
"""The name under which the processor's samples are kept; a GPU has the library's name."""

SECONDS = 10.0
_FILE = "speed.json"
_LEAST_PROMPT, _MOST_PROMPT = 32, 1024
_LEAST_ANSWER, _MOST_ANSWER = 5, 256

Report = Callable[[Progress], None]


@dataclass(frozen=True, slots=True)
class Measurement:
    """What was measured on the machine ``key`` at ``at`` (ISO 8601): by place the small and the large model."""

    key: str
    at: str
    samples: Mapping[str, tuple[Sample, Sample]]

    def rates(self, place: str) -> Rates | None:
        """The rates of a place; None when it was not measured."""
        pair = self.samples.get(place)
        return None if pair is None else Rates.of(*pair)


class Measurements:
    """What was measured on this user's machine, in ``folder``. A file that cannot be read counts as not measured."""

    def __init__(self, folder: Path | None = None) -> None:
        self._file = (folder or paths.config_dir()) / _FILE

    def of(self, machine: Machine) -> Measurement | None:
        """The measurement of this machine, unless its processor, GPU or llama.cpp changed since."""
        try:
            kept = _read(json.loads(self._file.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError, KeyError, RecursionError):
            return None
        return kept if kept.key == machine.key else None

    def keep(self, measurement: Measurement) -> None:
        """Remember it in place of the last one; a disk that is full only means measuring again."""
        with contextlib.suppress(OSError):
            paths.write_atomically(self._file, json.dumps(asdict(measurement), indent=2).encode("ascii"))


def measure(
    machine: Machine,
    *,
    on_progress: Report | None = None,
    cancel: Cancel | None = None,
    shape: Dimensions = PROBE,
    seconds: float = SECONDS,
) -> Measurement:
    """Measure the processor, and the GPU with most free memory, for about ``seconds`` in all.

    Needs some 400 MB on the disk of the cache while it runs. Raises ModelFileError, EngineError or, when stopped,
    EngineCancelledError.
    """
    places: dict[str, EngineSettings] = {CPU: EngineSettings(n_gpu_layers=0)}
    if machine.gpus:
        best = max(machine.gpus, key=lambda gpu: (not gpu.integrated, gpu.free))
        places[best.name] = EngineSettings(device=best.name, n_gpu_layers=-1, cpu_experts=0)
    steps, share = 1 + 2 * len(places), seconds / len(places)
    tell = _Teller(on_progress, steps)
    try:
        folder = tempfile.TemporaryDirectory(prefix="measuring-", dir=paths.cache_dir())
    except OSError as error:
        raise ModelFileError(
            f"The file for measuring could not be made: {error.strerror or error}.", hint="Check the disk of the cache."
        ) from error
    with folder as kept:
        tell("Making a model of random weights")
        probe = write_probe(Path(kept) / "probe.gguf", shape)
        samples = {}
        for place, settings in places.items():
            where = place or "the processor"
            tell(f"Measuring {where} on a small model")
            small = sample(paths.resource("demo.gguf"), settings, share * 0.15, cancel)
            tell(f"Measuring {where} on layers as wide as the real ones")
            samples[place] = (small, sample(probe, settings, share * 0.85, cancel))
    return Measurement(machine.key, datetime.now(UTC).isoformat(timespec="seconds"), samples)


def work_of(path: Path) -> Work:
    """What a model file needs for a token, all of it in one place. Raises GgufError."""
    outline = read_outline(path)
    shape, tensors = outline.dimensions, outline.tensors
    experts = sum(size for name, size in tensors.items() if "_exps" in name)
    looked_up = tensors.get("token_embd.weight", 0) if "output.weight" in tensors else 0
    writing = outline.size - looked_up - experts * (1 - shape.experts_used / shape.experts)
    return Work(shape.layers * (shape.dense + shape.experts_used * shape.expert), writing)


class _Teller:
    def __init__(self, on_progress: Report | None, steps: int) -> None:
        self._on_progress, self._steps, self._done = on_progress, steps, count()

    def __call__(self, words: str) -> None:
        done = next(self._done)
        if self._on_progress is not None:
            self._on_progress(Progress(done, self._steps, words))


def sample(path: Path, settings: EngineSettings, seconds: float, cancel: Cancel | None) -> Sample:
    """What one model takes here, in a worker of its own: first a little is read and written, then what the time allows.

    Raises ModelFileError or EngineError.
    """
    with EngineClient() as engine:
        engine.load(path, settings, cancel=cancel)
        asked = _Asker(engine, cancel)
        asked(_LEAST_PROMPT // 2, 2)  # so that the weights are in memory
        begun = time.monotonic()
        read_s, write_s = asked(_LEAST_PROMPT, _LEAST_ANSWER)
        left = max(0.0, seconds - (time.monotonic() - begun))
        prompt = _within(left / 2 / read_s, _LEAST_PROMPT, _MOST_PROMPT)
        answer = _within(left / 2 / write_s, _LEAST_ANSWER, _MOST_ANSWER)
        if left > 0:
            read_s, write_s = asked(prompt, answer)
    return Sample(work_of(path), read_s, write_s)


class _Asker:
    """Asks for answers whose prompts have nothing in common, so that nothing is remembered of the one before."""

    def __init__(self, engine: EngineClient, cancel: Cancel | None) -> None:
        self._engine, self._numbers, self._cancel = engine, count(), cancel

    def __call__(self, prompt: int, answer: int) -> tuple[float, float]:
        """(seconds for each token of the prompt, and of the answer)."""
        text = "".join(random.Random(next(self._numbers)).choices(string.ascii_letters, k=prompt))
        request = GenerateRequest((Plain(((Origin.CONTENT, text),)),), max_output_tokens=answer, top_candidates=0)
        made = self._engine.generate(request, cancel=self._cancel)
        if made.stop == "cancelled":
            raise _stopped()
        read = made.first_token_s / max(1, made.prompt_tokens - made.cached_tokens)
        write = (made.total_s - made.first_token_s) / max(1, made.output_tokens - 1)
        return max(read, 1e-7), max(write, 1e-7)


def _stopped() -> ModelFileError:
    return ModelFileError("The measurement was stopped.", hint="Start it again at any time.", title="Not measured")


def _within(value: float, least: int, most: int) -> int:
    return int(min(most, max(least, value)))


def _read(kept: dict[str, Any]) -> Measurement:
    samples = {}
    for place, pair in kept["samples"].items():
        small, large = (_read_sample(item) for item in pair)
        samples[str(place)] = (small, large)
    if not isinstance(kept["key"], str) or not isinstance(kept["at"], str):
        raise TypeError("texts are expected")
    return Measurement(kept["key"], kept["at"], samples)


def _read_sample(item: dict[str, Any]) -> Sample:
    numbers = [item["work"]["reading"], item["work"]["writing"], item["read_s"], item["write_s"]]
    if not all(isinstance(n, (int, float)) and math.isfinite(n) and n > 0 for n in numbers):
        raise ValueError(f"{numbers} cannot have been measured")
    return Sample(Work(float(numbers[0]), float(numbers[1])), float(numbers[2]), float(numbers[3]))
