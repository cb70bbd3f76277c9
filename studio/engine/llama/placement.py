"""Which parts of a model go onto a GPU: a plan from the file's facts and the memory that is free, and nothing else.

The order of what is given up, measured and reasoned in the field for such models: first sequences, down to the number
that pays on a CPU; then the experts of the first layers, which are most of the weights and the least of the work per
byte; then whole layers, with their part of the context's memory, which is never moved alone: attention over memory in
another place costs more than the layer saves.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from studio.engine.llama import memory
from studio.engine.llama.memory import Shape
from studio.engine.types import Device, KvType, Placement

RESERVE_LEAST, RESERVE_PART = 256 << 20, 20
"""Bytes of a GPU that are left alone, or one part of so many: the driver's own, and rounding in each buffer."""

_EXPERTS = re.compile(r"^blk\.(\d+)\..*_(?:ch)?exps\b")
_LAYER = re.compile(r"^blk\.(\d+)\.")


@dataclass(frozen=True, slots=True)
class Weights:
    """Bytes of a file's tensors by place. ``dense`` and ``experts`` have one number per layer.

    ``embedding`` is looked up on the CPU in any case; ``head`` makes the output of the last layer into tokens.
    """

    embedding: int
    head: int
    dense: tuple[int, ...]
    experts: tuple[int, ...]

    @property
    def total(self) -> int:
        """All of it."""
        return self.embedding + self.head + sum(self.dense) + sum(self.experts)

    @classmethod
    def of(cls, tensors: Mapping[str, int], layers: int) -> Weights:
        """Sort a file's tensors. Without an output matrix of its own the embedding is used, and kept, a second time."""
        dense, experts = [0] * layers, [0] * layers
        embedding = head = 0
        for name, size in tensors.items():
            layer = _LAYER.match(name)
            if layer is not None and int(layer[1]) < layers:
                (experts if _EXPERTS.match(name) else dense)[int(layer[1])] += size
            elif name.startswith("token_embd"):
                embedding += size
            else:
                head += size
        if "output.weight" not in tensors:
            head += embedding
        return cls(embedding, head, tuple(dense), tuple(experts))


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be placed: requests of up to ``context`` tokens, ``sequences`` at a time, read in steps of ``step``.

    ``cpu_experts``: how many layers keep their experts on the CPU, where somebody said so; ``n_gpu_layers`` likewise,
    -1 for all. ``cpu_sequences``: how many sequences pay where a CPU takes part.
    """

    context: int
    sequences: int
    step: int
    kv_type: KvType = "f16"
    n_gpu_layers: int | None = None
    cpu_experts: int | None = None
    cpu_sequences: int = memory.CPU_SEQUENCES


@dataclass(frozen=True, slots=True)
class Plan:
    """A placement, the sequences that it has room for, and the bytes of weights on the GPU and on the CPU.

    ``need`` is all that the GPU must hold; None when nothing is there. ``layers`` are on the GPU.
    """

    placement: Placement
    sequences: int
    layers: int
    gpu_weights: int
    cpu_weights: int
    need: memory.Need | None = None


def choose(gpus: Sequence[Device], *, device: str | None, shares: Mapping[str, float]) -> Device | None:
    """The GPU to use, its free memory cut to its share: the named one, else that of its own memory with most free.

    None when there is none, or none that may be used.
    """
    allowed: list[Device] = []
    for found in gpus:
        share = shares.get(Placement(found.name, found.description).key, 1.0)
        if found.gpu and share > 0 and device in (None, found.name):
            allowed.append(replace(found, free=int(found.free * share)))
    return max(allowed, key=lambda found: (not found.integrated, found.free), default=None)


def plan(weights: Weights, shape: Shape, gpu: Device | None, wish: Wish, *, without: str = "no GPU to use") -> Plan:
    """Where everything goes; on the CPU when there is no GPU or it is too small for a single layer.

    ``without`` says why there is none.
    """
    layers = len(weights.dense)
    if gpu is None or wish.n_gpu_layers == 0:
        return _on_cpu(weights, wish, f"On the CPU: {'as set' if wish.n_gpu_layers == 0 else without}.")
    room = gpu.free - max(RESERVE_LEAST, gpu.free // RESERVE_PART)
    narrow = min(wish.sequences, wish.cpu_sequences)
    for on_gpu, on_cpu, sequences in _attempts(layers, wish, narrow):
        need = gpu_need(weights, shape, wish, layers=on_gpu, cpu_experts=on_cpu, sequences=sequences)
        forced = wish.n_gpu_layers is not None and wish.cpu_experts is not None
        if need.total <= room or forced:
            kept = on_cpu if on_gpu == layers else max(0, on_cpu - (layers - on_gpu))
            words = _words(gpu, layers, on_gpu, kept)
            asked = -1 if on_gpu == layers else on_gpu + 1
            placement = Placement(gpu.name, gpu.description, asked, on_cpu, words)
            return Plan(placement, sequences, on_gpu, need.weights, weights.total - need.weights, need)
    size = f"{gpu.free / 1e9:.1f} GB"
    return _on_cpu(weights, wish, f"On the CPU: {gpu.description} has {size} free, too little for a single layer.")


def gpu_need(
    weights: Weights, shape: Shape, wish: Wish, *, layers: int, cpu_experts: int, sequences: int
) -> memory.Need:
    """What a GPU must hold for the last ``layers`` layers and the output, but the experts of the first layers.

    Where experts stay behind, long prompts are still computed on the GPU: the library then copies one layer's matrices
    over, gate and up at a time, two thirds of its experts.
    """
    count = len(weights.dense)
    first = count - layers
    held = weights.head + sum(weights.dense[first:]) + sum(weights.experts[max(first, cpu_experts) :])
    cells = memory.cells_for(wish.context, sequences, wish.context)
    rows = memory.step_rows(wish.step, sequences)
    part = replace(shape, weights=held, layers=layers)
    found = memory.need(part, cells, sequences, rows, flash_attn=True, kv_type=wish.kv_type, on_gpu=True)
    visiting = max(weights.experts, default=0) * 2 // 3 if cpu_experts > first else 0
    return replace(found, buffers=found.buffers + visiting)


def patterns(placement: Placement) -> list[str]:
    """The names, as patterns, of the tensors that :class:`Placement` keeps on the CPU though their layer is not."""
    if not placement.device or not placement.cpu_experts:
        return []
    numbers = "|".join(str(layer) for layer in range(placement.cpu_experts))
    return [rf"^blk\.({numbers})\.ffn_(up|down|gate|gate_up)_(ch|)exps"]


def _attempts(layers: int, wish: Wish, narrow: int) -> list[tuple[int, int, int]]:
    """(layers on the GPU, layers whose experts are not, sequences), the best first."""
    if wish.n_gpu_layers is not None:
        most = layers if wish.n_gpu_layers < 0 else min(layers, max(1, wish.n_gpu_layers - 1))
        return [(most, wish.cpu_experts or 0, count) for count in _halves(wish.sequences, 1)]
    if wish.cpu_experts is not None:
        kept = min(wish.cpu_experts, layers)
        return [(layers, kept, count) for count in _halves(wish.sequences, 1)]
    whole = [(layers, 0, count) for count in _halves(wish.sequences, narrow)]
    experts = [(layers, kept, narrow) for kept in range(1, layers + 1)]
    fewer = [(left, layers, narrow) for left in range(layers - 1, 0, -1)]
    return [*whole, *experts, *fewer]


def _halves(most: int, least: int) -> list[int]:
    found = [max(1, most)]
    while found[-1] // 2 >= max(1, least):
        found.append(found[-1] // 2)
    return found


def _on_cpu(weights: Weights, wish: Wish, words: str) -> Plan:
    sequences = min(wish.sequences, wish.cpu_sequences)
    return Plan(Placement(words=words), sequences, 0, 0, weights.total)


def _words(gpu: Device, layers: int, on_gpu: int, experts_away: int) -> str:
    what = f"All {layers} layers" if on_gpu == layers else f"{on_gpu} of {layers} layers"
    rest = "" if on_gpu == layers else ", the others on the CPU"
    if experts_away >= on_gpu:
        away = ", their experts on the CPU"
    else:
        away = f", the experts of {experts_away} of them on the CPU" if experts_away else ""
    return f"{what} on {gpu.description or gpu.name}{away}{rest}."
