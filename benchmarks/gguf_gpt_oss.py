"""Makes gpt-oss models of any shape with random weights, as GGUF files that llama.cpp loads.

Their answers mean nothing; their work per token is that of a real model of the same shape. Nothing that this makes is
committed:

    python -m benchmarks.gguf_gpt_oss build/bench/bench.gguf
"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from benchmarks.gguf_file import BLOCK, Array, Fact, Kind, Tensor, TokenKind, byte_letters, write_gguf

ARCHITECTURE = "gpt-oss"
HARMONY = ("<|return|>", "<|constrain|>", "<|channel|>", "<|start|>", "<|end|>", "<|message|>", "<|call|>")
_FP4_SPREAD = 2.93
"""Standard deviation of the sixteen values of a 4-bit float, all equally likely."""


@dataclass(frozen=True, slots=True)
class Shape:
    """A gpt-oss shape; ``dense`` is the kind of all matrices but the experts', which are ``expert``."""

    layers: int
    width: int
    heads: int
    kv_heads: int
    head_size: int
    experts: int
    experts_used: int
    ff: int
    window: int = 128
    context: int = 131_072
    dense: Kind = Kind.Q8_0
    expert: Kind = Kind.MXFP4


@dataclass(frozen=True, slots=True)
class TokenTable:
    """A byte-level BPE tokenizer as a GGUF stores it, tokens by id in the letters of :func:`byte_letters`."""

    tokens: Sequence[str]
    types: Sequence[TokenKind]
    merges: Sequence[str]
    bos: int
    eos: int
    pad: int
    pre: str = "gpt-4o"


BENCH = Shape(layers=6, width=1024, heads=16, kv_heads=2, head_size=64, experts=32, experts_used=4, ff=1024)
"""About 340 MB. Experts, attention and output head share the work of a token as they do in the 20b."""

BENCH_VOCABULARY = 12_288

SMALL = Shape(
    layers=2,
    width=32,
    heads=2,
    kv_heads=1,
    head_size=32,
    experts=4,
    experts_used=2,
    ff=32,
    dense=Kind.F16,
    expert=Kind.F16,
)
"""Next to no work per token: for what depends on the vocabulary alone."""


def write_model(path: Path, name: str, shape: Shape, table: TokenTable, tensors: Iterable[Tensor]) -> None:
    """Write a model file."""
    write_gguf(path, {**_facts(name, shape), **_table_facts(table)}, tensors)


def random_tensors(shape: Shape, table: TokenTable, seed: int = 1) -> Iterator[Tensor]:
    """Every tensor of the model. Control tokens never win: an answer is as long as was asked for."""
    rng = np.random.default_rng(seed)
    count, width, wide = len(table.tokens), shape.width, shape.heads * shape.head_size
    narrow = shape.kv_heads * shape.head_size
    yield Tensor("token_embd.weight", _normal(rng, (count, width), 1.0), shape.dense)
    yield Tensor("output_norm.weight", np.ones(width, np.float32), Kind.F32)
    head = _normal(rng, (count, width), 1 / math.sqrt(width))
    head[[kind != TokenKind.NORMAL for kind in table.types]] = 0
    yield Tensor("output.weight", head, shape.dense)
    for layer in range(shape.layers):
        block = f"blk.{layer}."
        yield Tensor(block + "attn_norm.weight", np.ones(width, np.float32), Kind.F32)
        yield Tensor(block + "post_attention_norm.weight", np.ones(width, np.float32), Kind.F32)
        for part, rows, columns in (
            ("attn_q", wide, width), ("attn_k", narrow, width), ("attn_v", narrow, width), ("attn_output", width, wide),
        ):  # fmt: skip
            yield Tensor(f"{block}{part}.weight", _normal(rng, (rows, columns), 1 / math.sqrt(columns)), shape.dense)
            yield Tensor(f"{block}{part}.bias", _normal(rng, (rows,), 0.02), Kind.F32)
        yield Tensor(block + "attn_sinks.weight", _normal(rng, (shape.heads,), 1.0), Kind.F32)
        yield Tensor(
            block + "ffn_gate_inp.weight", _normal(rng, (shape.experts, width), 1 / math.sqrt(width)), Kind.F32
        )
        yield Tensor(block + "ffn_gate_inp.bias", _normal(rng, (shape.experts,), 0.02), Kind.F32)
        for part, rows, columns in (
            ("gate", shape.ff, width), ("up", shape.ff, width), ("down", width, shape.ff),
        ):  # fmt: skip
            yield Tensor(f"{block}ffn_{part}_exps.weight", _experts(rng, shape, rows, columns), shape.expert)
            yield Tensor(f"{block}ffn_{part}_exps.bias", _normal(rng, (shape.experts, rows), 0.02), Kind.F32)


def made_up_table(size: int) -> TokenTable:
    """A tokenizer of ``size`` tokens: bytes, then groups of two and three small letters, then control tokens last."""
    tokens = byte_letters()
    space = tokens[ord(" ")]
    small = "abcdefghijklmnopqrstuvwxyz"
    merges = [f"{space} {letter}" for letter in small]
    merges += [f"{a} {b}" for a in small for b in small]
    merges += [f"{a}{b} {c}" for c in small for a in small for b in small]
    controls = ["<|startoftext|>", "<|endoftext|>", *HARMONY]
    merges = merges[: size - len(tokens) - len(controls)]
    tokens += [merge.replace(" ", "") for merge in merges]
    types = [TokenKind.NORMAL] * len(tokens) + [TokenKind.CONTROL] * len(controls)
    tokens += controls
    if len(tokens) != size:
        raise ValueError(f"{size} tokens cannot be made up, only {len(tokens)}")
    return TokenTable(
        tokens,
        types,
        merges,
        tokens.index("<|startoftext|>"),
        tokens.index("<|return|>"),
        tokens.index("<|endoftext|>"),
    )


def _facts(name: str, shape: Shape) -> dict[str, Fact]:
    facts: dict[str, Fact] = {
        "block_count": shape.layers,
        "context_length": shape.context,
        "embedding_length": shape.width,
        "feed_forward_length": shape.ff,
        "expert_feed_forward_length": shape.ff,
        "expert_count": shape.experts,
        "expert_used_count": shape.experts_used,
        "attention.head_count": shape.heads,
        "attention.head_count_kv": shape.kv_heads,
        "attention.key_length": shape.head_size,
        "attention.value_length": shape.head_size,
        "attention.layer_norm_rms_epsilon": 1e-5,
        "attention.sliding_window": shape.window,
        "rope.freq_base": 150_000.0,
        "rope.scaling.type": "yarn",
        "rope.scaling.factor": 32.0,
        "rope.scaling.original_context_length": 4096,
        "rope.scaling.yarn_beta_fast": 32.0,
        "rope.scaling.yarn_beta_slow": 1.0,
    }
    own = {f"{ARCHITECTURE}.{key}": value for key, value in facts.items()}
    return {"general.architecture": ARCHITECTURE, "general.name": name, **own}


def _table_facts(table: TokenTable) -> dict[str, Fact]:
    facts: dict[str, Fact] = {
        "model": "gpt2",
        "pre": table.pre,
        "tokens": table.tokens,
        "token_type": table.types,
        "merges": table.merges,
        "bos_token_id": table.bos,
        "eos_token_id": table.eos,
        "padding_token_id": table.pad,
        "add_bos_token": False,
    }
    return {f"tokenizer.ggml.{key}": value for key, value in facts.items()}


def _normal(rng: np.random.Generator, shape: tuple[int, ...], spread: float) -> Array:
    return rng.standard_normal(shape, dtype=np.float32) * np.float32(spread)


def _experts(rng: np.random.Generator, shape: Shape, rows: int, columns: int) -> Array:
    """(experts, rows, columns) random weights; 4-bit floats are drawn as they are stored, which is quick."""
    spread = 1 / math.sqrt(columns)
    if shape.expert is not Kind.MXFP4:
        return _normal(rng, (shape.experts, rows, columns), spread)
    blocks = columns // BLOCK
    made = rng.integers(0, 256, (shape.experts, rows, blocks, 17), dtype=np.uint8)
    made[..., 0] = 127 + round(math.log2(spread / _FP4_SPREAD))
    return made.reshape(shape.experts, rows, blocks * 17)


def main(arguments: Sequence[str]) -> None:
    """``PATH [LAYERS]``."""
    path = Path(arguments[0])
    shape = replace(BENCH, layers=int(arguments[1])) if len(arguments) > 1 else BENCH
    table = made_up_table(BENCH_VOCABULARY)
    write_model(path, "Random weights for measuring", shape, table, random_tensors(shape, table))
    print(f"{path}: {path.stat().st_size / 1e6:.0f} MB")


if __name__ == "__main__":
    main(sys.argv[1:])
