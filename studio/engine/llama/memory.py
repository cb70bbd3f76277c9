"""How much memory a model needs with so many sequences, worked out before any of it is taken."""

from __future__ import annotations

from dataclasses import dataclass

from studio.engine.types import KvType

KV_BYTES: dict[KvType, float] = {"f16": 2, "q8_0": 34 / 32}
"""Bytes of one number in the memory of a context; q8_0 keeps one scale of 2 bytes for 32 of them."""

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

MOST_SEQUENCES = (256 - HEADS) // 2 - PLACES
"""llama.cpp counts sequences up to 256, and a request takes a second number when its final begins."""

_WORK_BYTES = 4
_MASKS = 2
_MASK_BYTES_FUSED = 2
_ROWS_OF_ATTENTION, _ROWS_OF_EXPERTS = 6, 3
"""Rows of activations that a layer keeps at a time: as wide as its heads, and as wide as the experts that it asks."""
_ROUNDING = 100
"""What the library keeps beside scores and masks, and rounds up: one part of so many. Like the two above measured on
three shapes, 1 to 32 sequences, 8k to 40k cells; ``benchmarks/memory.py`` measures it again."""


_TOKEN_BYTES, _LIBRARY_BYTES = 360, 4 << 20
"""What a process keeps of each token of the vocabulary, and the library of itself; measured at 1k to 201k tokens."""


@dataclass(frozen=True, slots=True)
class Shape:
    """What of a model decides its memory.

    ``weights`` in bytes; ``key`` and ``value`` are lengths per head; ``experts_used`` experts work on a token, each
    ``ff`` wide.
    """

    weights: int
    layers: int
    heads: int
    kv_heads: int
    key: int
    value: int
    width: int
    vocabulary: int
    experts_used: int
    ff: int


@dataclass(frozen=True, slots=True)
class Need:
    """Bytes, at worst: of the weights, of the cells of the context, and of all that is computed in between.

    ``host``: what the process itself keeps, the vocabulary above all; 0 where a GPU's memory is counted.
    """

    weights: int
    kv: int
    buffers: int
    host: int = 0

    @property
    def total(self) -> int:
        """All of it."""
        return self.weights + self.kv + self.buffers + self.host


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


def numbers(sequences: int) -> int:
    """All numbers in a context: each request has a second one, which keeps what lies before its final."""
    requests, heads = ids(sequences)
    return 2 * requests + heads


def kv_bytes(shape: Shape, cells: int, kv_type: KvType = "f16") -> int:
    """Bytes of ``cells`` in all layers; those with a sliding window keep every cell too."""
    return int(cells * shape.layers * shape.kv_heads * (shape.key + shape.value) * KV_BYTES[kv_type])


def buffer_bytes(shape: Shape, cells: int, sequences: int, rows: int, *, flash_attn: bool) -> int:
    """Bytes of what one step of ``rows`` tokens computes, and of its results.

    Masks lie there for the whole step; attention scores, which fused attention does not have, and the experts' work
    follow each other in the same place; so do the results, once more, when masks and all the rest are done with.
    """
    count = numbers(sequences)
    rows = -(-rows // count) * count  # the library makes room for whole rounds of all sequences
    wide = max(shape.width, shape.heads * shape.key)
    scores = 0 if flash_attn else rows * cells * shape.heads * _WORK_BYTES
    masks = _MASKS * rows * cells * (_MASK_BYTES_FUSED if flash_attn else _WORK_BYTES)
    attention = scores + _ROWS_OF_ATTENTION * rows * wide * _WORK_BYTES
    experts = rows * (_ROWS_OF_EXPERTS * shape.experts_used * shape.ff + 4 * shape.width) * _WORK_BYTES
    layer = masks + (scores + masks) // _ROUNDING + max(attention, experts)
    results = count * shape.vocabulary * _WORK_BYTES
    return max(layer, results) + results


def need(
    shape: Shape,
    cells: int,
    sequences: int,
    rows: int,
    *,
    flash_attn: bool,
    kv_type: KvType = "f16",
    on_gpu: bool = False,
) -> Need:
    """The worst case of a context."""
    buffers = buffer_bytes(shape, cells, sequences, rows, flash_attn=flash_attn)
    if not on_gpu and not flash_attn:
        buffers += converted_bytes(shape, cells, rows)
    host = 0 if on_gpu else _LIBRARY_BYTES + shape.vocabulary * _TOKEN_BYTES
    return Need(shape.weights, kv_bytes(shape, cells, kv_type), buffers, host)


def converted_bytes(shape: Shape, cells: int, rows: int) -> int:
    """Bytes that a CPU takes beside the library's own count: the scores again, with half the bits, to multiply them."""
    return rows * cells * shape.heads * _WORK_BYTES // 2


def plan(
    shape: Shape,
    free: int,
    *,
    needed: int,
    limit: int,
    wanted: int,
    step: int,
    flash_attn: bool,
    kv_type: KvType = "f16",
    on_gpu: bool = False,
) -> Plan:
    """The widest batch, up to ``wanted``, that fits into ``free`` bytes; a single sequence is planned in any case."""
    sequences = max(1, wanted)
    while True:
        cells = cells_for(needed, sequences, limit)
        rows = step_rows(step, sequences)
        found = need(shape, cells, sequences, rows, flash_attn=flash_attn, kv_type=kv_type, on_gpu=on_gpu)
        if sequences == 1 or found.total <= free:
            return Plan(sequences, cells, found)
        sequences //= 2


def longest(
    shape: Shape,
    free: int,
    *,
    limit: int,
    step: int,
    flash_attn: bool,
    kv_type: KvType = "f16",
    on_gpu: bool = False,
) -> int:
    """The longest context, up to ``limit``, that one sequence can have in ``free`` bytes.

    Counted in halves of :data:`SMALLEST_CONTEXT`; 0 when not even that one fits.
    """

    def fits(cells: int) -> bool:
        rows = step_rows(step, 1)
        return need(shape, cells, 1, rows, flash_attn=flash_attn, kv_type=kv_type, on_gpu=on_gpu).total <= free

    if fits(limit):
        return limit
    stride = SMALLEST_CONTEXT // 2
    low, high = 1, limit // stride
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if fits(middle * stride) else (low, middle - 1)
    return low * stride if low > 1 else 0


def step_rows(step: int, sequences: int) -> int:
    """Tokens of one decode at most: a prefill step of ``step`` and the next token of every sequence."""
    return step if sequences == 1 else step + sum(ids(sequences))


def cache_budget(free: int) -> int:
    """Bytes for decoded heads beside the context, of ``free`` that were there before the model was loaded."""
    return min(free // 16, 2 << 30)
