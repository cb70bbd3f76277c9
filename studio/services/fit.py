"""The fit adviser: whether a model fits this machine, where its parts would go, and how long one item would take.

The plan is the one that the engine makes before it loads, from the same numbers; nothing of the model is loaded for it.
Seconds are worked out from a measurement of this machine (``services/measure.py``) and the counted lengths of the real
model's prompts and answers (``core/speed.py``), until runs of the model itself are there to go by.
"""

from __future__ import annotations

import builtins
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

from studio.core.errors import ModelFileError
from studio.core.progress import Cancel
from studio.core.run import Run
from studio.core.speed import LONG_ANSWER_TOKENS, Speed, Work, estimate
from studio.engine.errors import NoRoomError, error_from_code
from studio.engine.llama import fitting, memory
from studio.engine.llama.failure import WorkerFailure
from studio.engine.llama.fitting import Fit
from studio.engine.llama.memory import Need, Shape
from studio.engine.llama.placement import Weights
from studio.engine.types import EngineSettings
from studio.hub.outline import Dimensions, Outline, read_outline
from studio.services.machine import Machine, MachineService
from studio.services.measure import CPU, Measurement, Measurements, Report, measure
from studio.services.models import ModelService
from studio.services.sessions import SessionService
from studio.services.shelf import Shelf, ShelfEntry

__all__ = ["Advice", "FitService", "Fits", "ItemTime", "Measurement", "Part", "advise"]

RUNS_LOOKED_AT = 200
FEWEST_RUNS = 3
"""So many runs of the model itself, and what they took counts instead of the estimate."""

_LEAST_WRITTEN, _LEAST_READ = 20, 50
_SPARE = 1_000_000_000
"""Bytes of a machine's memory that its own programs keep, whatever is closed."""


class Fits(StrEnum):
    """Whether a model fits: whole, with part of it beside the GPU, only after others made room, not at all."""

    WHOLE = "whole"
    CPU_EXPERTS = "cpu_experts"
    CPU_LAYERS = "cpu_layers"
    NOT_NOW = "not_now"
    TOO_BIG = "too_big"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Part:
    """Bytes of one part of what is needed, and where they lie."""

    name: str
    where: str
    size: int


@dataclass(frozen=True, slots=True)
class ItemTime:
    """Seconds for one item: with a usual answer, and with one that only a tenth of the answers exceeds.

    ``runs`` of this model on this machine were measured; 0 is an estimate.
    """

    usual_s: float
    long_s: float
    read_per_s: float
    write_per_s: float
    runs: int = 0


@dataclass(frozen=True, slots=True)
class Advice:
    """How a model fits. ``missing`` bytes would have to be free besides; ``plan`` and ``why`` are sentences.

    ``weights`` are the bytes of all tensors, which is about the size of its files.

    ``context`` is the longest in tokens that one request may have, ``together`` how many requests run at a time.
    ``cpu_experts`` layers keep their experts on the CPU, and ``layers_on_gpu`` of ``layers`` are on the GPU.
    """

    fits: Fits
    plan: str = ""
    parts: tuple[Part, ...] = ()
    missing: int = 0
    context: int = 0
    together: int = 0
    cpu_experts: int = 0
    layers_on_gpu: int = 0
    layers: int = 0
    time: ItemTime | None = None
    why: str = ""
    weights: int = 0

    @property
    def needed(self) -> int:
        """Bytes of all parts."""
        return sum(part.size for part in self.parts)

    @property
    def possible(self) -> bool:
        """Whether it can be loaded now."""
        return self.fits in (Fits.WHOLE, Fits.CPU_EXPERTS, Fits.CPU_LAYERS)


class FitService:
    """Advice on the models of the shelf. What heads of files say is kept until a file changes."""

    def __init__(
        self,
        shelf: Shelf,
        models: ModelService,
        machine: MachineService,
        sessions: SessionService,
        measurements: Measurements | None = None,
    ) -> None:
        self._shelf = shelf
        self._models = models
        self._machine = machine
        self._sessions = sessions
        self._kept = measurements or Measurements()
        self._outlines: dict[tuple[Path, int, int], Outline] = {}

    def machine(self) -> Machine:
        """This machine as it is now. Raises EngineError when the engine cannot be asked."""
        return self._machine.look()

    def measured(self, machine: Machine) -> Measurement | None:
        """What was measured on this machine before."""
        return self._kept.of(machine)

    def measure(self, *, on_progress: Report | None = None, cancel: Cancel | None = None) -> Measurement:
        """Measure this machine, about ten seconds, and remember it. Raises ModelFileError or EngineError."""
        found = measure(self._machine.look(again=True), on_progress=on_progress, cancel=cancel)
        self._kept.keep(found)
        return found

    def all(self, entries: Sequence[ShelfEntry]) -> dict[str, Advice]:
        """Advice for each of the entries, by id. Raises EngineError when the machine cannot be looked at."""
        machine = self._machine.look()
        measured = self._kept.of(machine)
        runs = self._sessions.runs(limit=RUNS_LOOKED_AT)
        return {entry.id: self._of(entry, machine, measured, runs) for entry in entries}

    def _of(self, entry: ShelfEntry, machine: Machine, measured: Measurement | None, runs: Sequence[Run]) -> Advice:
        try:
            outline = self._outline(entry)
        except ModelFileError as error:
            return Advice(Fits.UNKNOWN, why=error.message)
        if outline is None:
            return Advice(Fits.UNKNOWN, why="Its dimensions are known only when its file is here.")
        shares = {} if entry.model is None else self._models.shares(entry.model)
        settings = EngineSettings(n_seq=1 if self._models.strict else None, gpu_shares=dict(shares))
        observed = _observed(runs, entry, machine)
        return advise(outline, machine, settings, measured=measured, observed=observed)

    def _outline(self, entry: ShelfEntry) -> Outline | None:
        if entry.model is not None:
            path = entry.model.path
            stamp = (path, entry.model.size, entry.model.changed_ns)
            if stamp not in self._outlines:
                self._outlines[stamp] = read_outline(path)
            return self._outlines[stamp]
        known = self._shelf.catalogue.get(entry.id)
        return None if known is None else known.outline()


def advise(
    outline: Outline,
    machine: Machine,
    settings: EngineSettings,
    *,
    measured: Measurement | None = None,
    observed: ItemTime | None = None,
) -> Advice:
    """How a model of this outline fits this machine. ``observed`` is what its runs took, where there were any."""
    shape, weights = _for_engine(outline)
    try:
        fit = fitting.fit(weights, shape, settings, outline.dimensions.context, machine.memory_free, machine.gpus)
    except WorkerFailure as failure:
        return replace(_too_big(failure, machine), weights=outline.size)
    where = fit.gpu.description or fit.gpu.name if fit.gpu is not None else "memory"
    need, together = _need(fit, settings)
    parts = [Part("weights", where, need.weights), Part("context", where, need.kv), Part("work", where, need.buffers)]
    if need.host:
        parts.append(Part("vocabulary and library", "memory", need.host))
    if fit.gpu is not None and fit.plan.cpu_weights:
        parts.append(Part("weights", "memory", fit.plan.cpu_weights))
    place = fit.plan.placement
    on_gpu = fit.plan.layers if fit.gpu is not None else 0
    if fit.gpu is None or (on_gpu == shape.layers and not place.cpu_experts):
        fits = Fits.WHOLE
    else:
        fits = Fits.CPU_EXPERTS if on_gpu == shape.layers else Fits.CPU_LAYERS
    return Advice(
        fits,
        plan=_plan_words(fit, together),
        parts=tuple(parts),
        context=fit.n_ctx_limit,
        together=together,
        cpu_experts=place.cpu_experts if fit.gpu is not None else 0,
        layers_on_gpu=on_gpu,
        layers=shape.layers,
        time=observed or _estimated(outline.dimensions, weights, fit, measured),
        weights=outline.size,
    )


def _for_engine(outline: Outline) -> tuple[Shape, Weights]:
    dims = outline.dimensions
    shape = Shape(
        weights=0,
        layers=dims.layers,
        heads=dims.heads,
        kv_heads=dims.kv_heads,
        key=dims.key,
        value=dims.value,
        width=dims.width,
        vocabulary=dims.vocabulary,
        experts_used=dims.experts_used,
        ff=dims.ff,
    )
    return shape, Weights.of(outline.tensors, dims.layers)


def _need(fit: Fit, settings: EngineSettings) -> tuple[Need, int]:
    """What the computing device must hold at first, as the engine reckons when it opens, and requests at a time."""
    if fit.gpu is not None and fit.plan.need is not None:
        return fit.plan.need, fit.plan.sequences
    found = memory.plan(
        fit.shape,
        fit.room or 0,
        needed=min(memory.FIRST_CONTEXT, fit.n_ctx_limit),
        limit=fit.n_ctx_limit,
        wanted=fit.plan.sequences,
        step=fit.step,
        flash_attn=fit.flash_attn,
        kv_type=settings.kv_type,
    )
    return found.need, found.sequences


def _plan_words(fit: Fit, together: int) -> str:
    requests = "one request at a time" if together == 1 else f"{together} requests at a time"
    return f"{fit.plan.placement.words} Up to {fit.n_ctx_limit:,} tokens of context, {requests}."


def _too_big(failure: WorkerFailure, machine: Machine) -> Advice:
    if failure.code != "no_room":
        raise error_from_code(failure.code, failure.numbers, failure.detail, "")
    needed, free = failure.numbers["needed"], failure.numbers["free"]
    fits = Fits.NOT_NOW if needed + _SPARE <= machine.memory_total else Fits.TOO_BIG
    missing = needed - free if fits is Fits.NOT_NOW else needed + _SPARE - machine.memory_total
    error = error_from_code(failure.code, failure.numbers, "", "")
    why = error.message if isinstance(error, NoRoomError) else ""
    parts = [
        Part(name, "memory", failure.numbers[key])
        for name, key in (("weights", "weights"), ("context", "kv"), ("work", "buffers"))
        if failure.numbers.get(key)
    ]
    return Advice(fits, parts=tuple(parts), missing=missing, why=why)


def _estimated(dims: Dimensions, weights: Weights, fit: Fit, measured: Measurement | None) -> ItemTime | None:
    """The time by the measurement; None when a place that the plan uses was not measured."""
    if measured is None:
        return None
    parts = []
    for place, work in _works(dims, weights, fit).items():
        rates = measured.rates(place)
        if rates is None:
            return None
        parts.append((rates, work))
    return _time(estimate(parts))


def _works(dims: Dimensions, weights: Weights, fit: Fit) -> Mapping[str, Work]:
    """The work of a token by place: dense parts, the experts that are asked, and the output."""
    gpu = fit.gpu.name if fit.gpu is not None else CPU
    first = dims.layers - (fit.plan.layers if fit.gpu is not None else dims.layers)
    used = dims.experts_used / dims.experts
    works = {gpu: Work(0.0, float(weights.head))}
    for layer in range(dims.layers):
        place = gpu if layer >= first else CPU
        experts_at = place if layer >= fit.plan.placement.cpu_experts else CPU
        for where, work in (
            (place, Work(dims.dense, weights.dense[layer])),
            (experts_at, Work(dims.experts_used * dims.expert, weights.experts[layer] * used)),
        ):
            works[where] = works.get(where, Work(0.0, 0.0)) + work
    return works


def _observed(runs: Sequence[Run], entry: ShelfEntry, machine: Machine) -> ItemTime | None:
    """What runs of this model on this machine took; None when there were too few."""
    wanted = set(entry.sha256[:1])
    here = {machine.processor, *(gpu.description or gpu.name for gpu in machine.gpus)}
    reads: builtins.list[float] = []
    writes: builtins.list[float] = []
    for run in runs:
        made, time = run.provenance, run.timing
        if made is None or made.device not in here or not _same(made.model_sha256, made.is_demo, entry, wanted):
            continue
        if time.output_tokens >= _LEAST_WRITTEN and time.total_s > time.first_token_s:
            writes.append((time.output_tokens - 1) / (time.total_s - time.first_token_s))
        fresh = time.prompt_tokens - time.cached_tokens
        if fresh >= _LEAST_READ and time.first_token_s > 0:
            reads.append(fresh / time.first_token_s)
    if len(writes) < FEWEST_RUNS or not reads:
        return None
    return _time(Speed(statistics.median(reads), statistics.median(writes)), len(writes))


def _same(sha256: str, demo: bool, entry: ShelfEntry, wanted: set[str]) -> bool:
    return demo if entry.id == "demo" else sha256 in wanted


def _time(speed: Speed, runs: int = 0) -> ItemTime:
    return ItemTime(speed.seconds(), speed.seconds(answer=LONG_ANSWER_TOKENS), speed.read, speed.write, runs)
