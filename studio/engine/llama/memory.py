"""How much memory a model needs with so many sequences, worked out before any of it is taken."""

from __future__ import annotations

from dataclasses import dataclass

KV_BYTES = 2
"""Bytes of one number in the memory of a context: f16."""

SMALLEST_CONTEXT = 4096
SHARE = 1024
"""Cells for the content and the answer of each further sequence; one that needs more waits, or has another wait."""

FIRST_CONTEXT = 8192
"""Tokens that the context made at the start holds: room for a policy, a content and the longest usual answer."""

PLACES = 4
"""Sequences beyond the batch that are kept free for those whom somebody waits for."""

HEADS = 8
"""Heads of prompts that can lie in a context at the same time, where several sequences run."""

CPU_SEQUENCES, GPU_SEQUENCES = 8, 32
"""How wide a batch pays, measured: on a CPU 16 is within 2 % of 8 and 32 is slower."""

_WORK_BYTES = 4
_MASKS = 2
_LAYERS_AT_ONCE = 6
"""Rows of activations, as wide as the embedding, that one layer keeps at a time."""


@dataclass(frozen=True, slots=True)
class Shape:
    """What of a model decides its memory. ``weights`` in bytes; ``key`` and ``value`` are lengths per head."""

    weights: int
    layers: int
    heads: int
    kv_heads: int
    key: int
    value: int
    width: int
    vocabulary: int


@dataclass(frozen=True, slots=True)
class Need:
    """Bytes, at worst: of the weights, of the cells of the context, and of all that is computed in between."""

    weights: int
    kv: int
    buffers: int

    @property
    def total(self) -> int:
        """All of it."""
        return self.weights + self.kv + self.buffers


@dataclass(frozen=True, slots=True)
class Plan:
    """A context to be made: ``sequences`` in a batch, ``cells`` shared by all of them, and what that needs."""

    sequences: int
    cells: int
    need: Need


def context_size(needed: int, limit: int) -> int:
    """The context to make for ``needed`` tokens: in strides, so that it is seldom made anew, and within ``limit``."""
    size = SMALLEST_CONTEXT
    while size < needed:
        size += min(size, 2 * SMALLEST_CONTEXT)
    return min(size, limit)


def cells_for(needed: int, sequences: int, limit: int) -> int:
    """Cells for ``sequences`` at a time, one of which needs ``needed``; no sequence has more than ``limit`` tokens."""
    return context_size(needed, limit) + (sequences - 1) * SHARE


def ids(sequences: int) -> tuple[int, int]:
    """(numbers for requests, numbers for heads) in a context; a single sequence needs a head to come and one to go."""
    return (1, 2) if sequences == 1 else (sequences + PLACES, HEADS)


def kv_bytes(shape: Shape, cells: int) -> int:
    """Bytes of ``cells`` in all layers; those with a sliding window keep every cell too."""
    return cells * shape.layers * shape.kv_heads * (shape.key + shape.value) * KV_BYTES


def buffer_bytes(shape: Shape, cells: int, sequences: int, rows: int, *, flash_attn: bool) -> int:
    """Bytes of what one step of ``rows`` tokens computes: attention scores unless they are fused, masks, outputs."""
    outputs = sum(ids(sequences))
    scores = 0 if flash_attn else rows * cells * shape.heads * _WORK_BYTES
    masks = _MASKS * rows * cells * _WORK_BYTES
    layer = _LAYERS_AT_ONCE * rows * max(shape.width, shape.heads * shape.key) * _WORK_BYTES
    rest = (scores + masks) // 4  # measured: what the library keeps beside these, and rounds up
    return scores + masks + rest + layer + 2 * outputs * (shape.vocabulary + shape.width) * _WORK_BYTES


def need(shape: Shape, cells: int, sequences: int, rows: int, *, flash_attn: bool) -> Need:
    """The worst case of a context."""
    buffers = buffer_bytes(shape, cells, sequences, rows, flash_attn=flash_attn)
    return Need(shape.weights, kv_bytes(shape, cells), buffers)


def plan(shape: Shape, free: int, *, needed: int, limit: int, wanted: int, step: int, flash_attn: bool) -> Plan:
    """The widest batch, up to ``wanted``, that fits into ``free`` bytes; a single sequence is planned in any case."""
    sequences = max(1, wanted)
    while True:
        cells = cells_for(needed, sequences, limit)
        found = need(shape, cells, sequences, step_rows(step, sequences), flash_attn=flash_attn)
        if sequences == 1 or found.total <= free:
            return Plan(sequences, cells, found)
        sequences //= 2


def step_rows(step: int, sequences: int) -> int:
    """Tokens of one decode at most: a prefill step of ``step`` and the next token of every sequence."""
    return step if sequences == 1 else step + sum(ids(sequences))


def cache_budget(free: int) -> int:
    """Bytes for decoded heads beside the context, of ``free`` that were there before the model was loaded."""
    return min(free // 16, 2 << 30)
