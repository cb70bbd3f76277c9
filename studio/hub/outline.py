"""The outline of a gpt-oss model: its dimensions, and how many bytes of it lie where. Enough to plan with.

Read from the head of a file that is here, or worked out for a model of the catalogue that is not.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from studio.hub.gguf_facts import Numbers, parts
from studio.hub.gguf_reader import Array, GgufError, read_head
from studio.hub.kinds import ARCHITECTURE

_OTHER_BITS = 8.5
"""Bits of a weight that is no expert's, where a file's size is not known: those of the files as they were published."""

_MOST_LAYERS = 1_024


@dataclass(frozen=True, slots=True)
class Dimensions:
    """The dimensions of a gpt-oss model, by the names of its GGUF; ``key`` and ``value`` are those of one head."""

    layers: int
    width: int
    heads: int
    kv_heads: int
    key: int
    value: int
    experts: int
    experts_used: int
    ff: int
    vocabulary: int
    context: int

    @property
    def dense(self) -> int:
        """Numbers of one layer that every token passes: attention and the choice of experts."""
        asked = self.heads * (self.key + self.value) * self.width
        return asked + self.kv_heads * (self.key + self.value) * self.width + self.experts * self.width

    @property
    def expert(self) -> int:
        """Numbers of one expert of one layer."""
        return 3 * self.width * self.ff

    @property
    def output(self) -> int:
        """Numbers of the matrix that makes the last layer into tokens, and of the one that tokens are looked up in."""
        return self.vocabulary * self.width


@dataclass(frozen=True, slots=True)
class Outline:
    """A model to plan with: dimensions, and bytes of tensors by name, all files together."""

    dimensions: Dimensions
    tensors: Mapping[str, int]

    @property
    def size(self) -> int:
        """Bytes of all tensors."""
        return sum(self.tensors.values())


def read_outline(path: Path) -> Outline:
    """The outline of a model file, from the heads of all its parts. Raises GgufError, also for other architectures."""
    heads = [read_head(file) for file in parts(path)]
    metadata = heads[0].metadata
    if metadata.get("general.architecture") != ARCHITECTURE:
        raise GgufError(f"{path} is not a gpt-oss model.", hint="Choose a gpt-oss-safeguard model.")
    number = Numbers(metadata, ARCHITECTURE)

    def positive(name: str, otherwise: int | None = None) -> int:
        value = number(name)
        value = otherwise if value is None else value
        if value is None or not 0 < value < 2**31:
            said = "does not say its" if value is None else f"is damaged: {value} cannot be its"
            raise GgufError(f"{path} {said} {name}.", hint="Get the file again.")
        return value

    tokens = metadata.get("tokenizer.ggml.tokens")
    width, count = positive("embedding_length"), positive("attention.head_count")
    found = Dimensions(
        layers=positive("block_count"),
        width=width,
        heads=count,
        kv_heads=positive("attention.head_count_kv", count),
        key=positive("attention.key_length", max(1, width // count)),
        value=positive("attention.value_length", max(1, width // count)),
        experts=positive("expert_count"),
        experts_used=positive("expert_used_count"),
        ff=positive("expert_feed_forward_length"),
        vocabulary=tokens.count if isinstance(tokens, Array) else 0,
        context=positive("context_length"),
    )
    if found.layers > _MOST_LAYERS:
        raise GgufError(f"{path} is damaged: it says it has {found.layers:,} layers.", hint="Get the file again.")
    return Outline(found, {tensor.name: tensor.size or 0 for head in heads for tensor in head.tensors})


def worked_out(shape: Dimensions, size: int | None, expert_bits: float | None) -> Outline:
    """The outline of a model that is not here, of ``size`` bytes if that is known.

    ``expert_bits``: bits of an expert's weight; None where experts are stored as everything else, by the size alone.
    """
    experts = shape.layers * shape.experts * shape.expert
    others = shape.layers * shape.dense + 2 * shape.output
    if expert_bits is None:
        each = size * 8 / (experts + others) if size else _OTHER_BITS
        expert_bits, other_bits = each, each
    else:
        left = (size * 8 - experts * expert_bits) / others if size else _OTHER_BITS
        other_bits = max(left, 1.0)
    tensors = {
        "token_embd.weight": int(shape.output * other_bits / 8),
        "output.weight": int(shape.output * other_bits / 8),
    }
    for layer in range(shape.layers):
        tensors[f"blk.{layer}.attn.weight"] = int(shape.dense * other_bits / 8)
        tensors[f"blk.{layer}.ffn_exps.weight"] = int(shape.experts * shape.expert * expert_bits / 8)
    return Outline(shape, tensors)
