"""A model file of random weights, made for measuring how fast a machine is. What it answers means nothing.

Its layers are as wide as those of gpt-oss, and attention, experts and output share the work of a token as they do in
the 20b, so that the same kernels run for about the same parts of the time. Only fewer layers and experts are there, and
no more of the file is needed than does not fit into a processor's own memory.
"""

from __future__ import annotations

import math
import random
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from studio.core.errors import ModelFileError
from studio.hub.kinds import ARCHITECTURE
from studio.hub.outline import Dimensions

PROBE = Dimensions(
    layers=2, width=2880, heads=64, kv_heads=8, key=64, value=64, experts=8, experts_used=4, ff=2880,
    vocabulary=16_640, context=8192,
)  # fmt: skip
"""About 370 MB, of which a token touches 210."""

_F32, _Q8_0, _MXFP4 = 0, 8, 39
_BLOCK = 32
_STORED = {_Q8_0: 34, _MXFP4: 17}
"""Bytes of a block of 32 numbers."""

_TILE_BLOCKS = 30_011
"""Blocks that are drawn; they are repeated. A prime number, so that no two rows of a matrix are the same."""

_FP4_SPREAD = 2.93
"""Standard deviation of the sixteen values of a 4-bit float, all equally likely."""

_ALIGN = 32
_UINT32, _INT32, _FLOAT32, _BOOL, _STRING, _ARRAY = 4, 5, 6, 7, 8, 9
_NORMAL, _CONTROL = 1, 3
_CONTROLS = (
    "<|startoftext|>", "<|endoftext|>", "<|return|>", "<|constrain|>", "<|channel|>", "<|start|>", "<|end|>",
    "<|message|>", "<|call|>",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Tensor:
    name: str
    shape: tuple[int, ...]
    kind: int

    @property
    def size(self) -> int:
        count = math.prod(self.shape)
        return count * 4 if self.kind == _F32 else count // _BLOCK * _STORED[self.kind]


def write_probe(path: Path, shape: Dimensions = PROBE) -> Path:
    """Write the file and return its path. Raises ModelFileError when the disk refuses."""
    tensors = list(_tensors(shape))
    facts = _facts(shape)
    head = bytearray(struct.pack("<4sIQQ", b"GGUF", 3, len(tensors), len(facts)))
    for key, value in facts.items():
        head += _text(key) + value
    place = 0
    for tensor in tensors:
        lengths = tensor.shape[::-1]
        head += _text(tensor.name) + struct.pack(f"<I{len(lengths)}Q", len(lengths), *lengths)
        head += struct.pack("<IQ", tensor.kind, place)
        place += -(-tensor.size // _ALIGN) * _ALIGN
    head += bytes(-len(head) % _ALIGN)
    try:
        with path.open("wb") as file:
            file.write(head)
            for tensor, data in zip(tensors, _contents(tensors, shape), strict=True):
                for piece in data:
                    file.write(piece)
                file.write(bytes(-tensor.size % _ALIGN))
    except OSError as error:
        raise ModelFileError(
            f"The file for measuring could not be written at {path}: {error.strerror or error}.",
            hint=f"It needs {place / 1e6:,.0f} MB for as long as the measurement lasts.",
        ) from error
    return path


def _tensors(shape: Dimensions) -> Iterator[_Tensor]:
    width, asked, kept = shape.width, shape.heads * shape.key, shape.kv_heads * shape.key
    yield _Tensor("token_embd.weight", (shape.vocabulary, width), _Q8_0)
    yield _Tensor("output_norm.weight", (width,), _F32)
    yield _Tensor("output.weight", (shape.vocabulary, width), _Q8_0)
    for layer in range(shape.layers):
        block = f"blk.{layer}."
        for name in ("attn_norm", "post_attention_norm"):
            yield _Tensor(f"{block}{name}.weight", (width,), _F32)
        for name, rows, columns in (
            ("q", asked, width), ("k", kept, width), ("v", kept, width), ("output", width, asked),
        ):  # fmt: skip
            yield _Tensor(f"{block}attn_{name}.weight", (rows, columns), _Q8_0)
            yield _Tensor(f"{block}attn_{name}.bias", (rows,), _F32)
        yield _Tensor(f"{block}attn_sinks.weight", (shape.heads,), _F32)
        yield _Tensor(f"{block}ffn_gate_inp.weight", (shape.experts, width), _F32)
        yield _Tensor(f"{block}ffn_gate_inp.bias", (shape.experts,), _F32)
        for name, rows, columns in (("gate", shape.ff, width), ("up", shape.ff, width), ("down", width, shape.ff)):
            yield _Tensor(f"{block}ffn_{name}_exps.weight", (shape.experts, rows, columns), _MXFP4)
            yield _Tensor(f"{block}ffn_{name}_exps.bias", (shape.experts, rows), _F32)


def _contents(tensors: Iterable[_Tensor], shape: Dimensions) -> Iterator[Iterable[bytes]]:
    """The bytes of each tensor, in pieces."""
    chance = random.Random(1)
    spread = 1 / math.sqrt(shape.width)
    # 73 is the standard deviation of a whole number of 8 bits, all equally likely.
    scale = struct.pack("<e", spread / 73)
    eight = b"".join(scale + chance.randbytes(_BLOCK) for _ in range(_TILE_BLOCKS))
    exponent = bytes([127 + round(math.log2(spread / _FP4_SPREAD))])
    four = b"".join(exponent + chance.randbytes(_BLOCK // 2) for _ in range(_TILE_BLOCKS))
    for tensor in tensors:
        if tensor.name == "output.weight":
            # A control token, whose row is nothing, never wins: an answer is as long as was asked for.
            ends = len(_CONTROLS) * shape.width // _BLOCK * _STORED[_Q8_0]
            yield (*_repeated(eight, tensor.size - ends), bytes(ends))
        elif tensor.kind == _F32:
            yield (_plain(tensor, chance, spread),)
        else:
            yield _repeated(eight if tensor.kind == _Q8_0 else four, tensor.size)


def _plain(tensor: _Tensor, chance: random.Random, spread: float) -> bytes:
    count = math.prod(tensor.shape)
    if tensor.name.endswith("ffn_gate_inp.weight"):
        return struct.pack(f"<{count}f", *(chance.gauss(0, spread) for _ in range(count)))
    return struct.pack("<f", 1.0 if tensor.name.endswith("norm.weight") else 0.0) * count


def _repeated(tile: bytes, size: int) -> Iterator[bytes]:
    while size > 0:
        yield tile[:size]
        size -= len(tile)


def _facts(shape: Dimensions) -> dict[str, bytes]:
    numbers = {
        "block_count": shape.layers,
        "context_length": shape.context,
        "embedding_length": shape.width,
        "feed_forward_length": shape.ff,
        "expert_feed_forward_length": shape.ff,
        "expert_count": shape.experts,
        "expert_used_count": shape.experts_used,
        "attention.head_count": shape.heads,
        "attention.head_count_kv": shape.kv_heads,
        "attention.key_length": shape.key,
        "attention.value_length": shape.value,
        "attention.sliding_window": 128,
    }
    tokens = _vocabulary(shape.vocabulary)
    kinds = [_CONTROL if token in _CONTROLS else _NORMAL for token in tokens]
    end = struct.pack("<II", _UINT32, tokens.index("<|return|>"))
    return {
        "general.architecture": _string(ARCHITECTURE),
        "general.name": _string("Random weights for measuring"),
        **{f"{ARCHITECTURE}.{key}": struct.pack("<II", _UINT32, value) for key, value in numbers.items()},
        f"{ARCHITECTURE}.attention.layer_norm_rms_epsilon": struct.pack("<If", _FLOAT32, 1e-5),
        f"{ARCHITECTURE}.rope.freq_base": struct.pack("<If", _FLOAT32, 150_000.0),
        "tokenizer.ggml.model": _string("gpt2"),
        "tokenizer.ggml.pre": _string("gpt-4o"),
        "tokenizer.ggml.tokens": _array(_STRING, len(tokens), b"".join(map(_text, tokens))),
        "tokenizer.ggml.token_type": _array(_INT32, len(kinds), struct.pack(f"<{len(kinds)}i", *kinds)),
        "tokenizer.ggml.merges": _array(_STRING, 1, _text("t h")),
        "tokenizer.ggml.bos_token_id": end,
        "tokenizer.ggml.eos_token_id": end,
        "tokenizer.ggml.add_bos_token": struct.pack("<I?", _BOOL, False),
    }


def _vocabulary(count: int) -> list[str]:
    """A letter for every byte, one merge, words that no text holds, and the control tokens last."""
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in plain]
    letters = [*map(chr, plain), *(chr(256 + number) for number in range(len(others)))]
    words = [f"unused-{number}" for number in range(count - len(letters) - 1 - len(_CONTROLS))]
    return [*letters, "th", *words, *_CONTROLS]


def _text(text: str) -> bytes:
    data = text.encode()
    return struct.pack("<Q", len(data)) + data


def _string(text: str) -> bytes:
    return struct.pack("<I", _STRING) + _text(text)


def _array(kind: int, count: int, data: bytes) -> bytes:
    return struct.pack("<IIQ", _ARRAY, kind, count) + data
