"""Writes tiny gpt-oss GGUF files for tests: one of random weights, one that follows a table of successors.

The vocabulary is 256 bytes, some merges, and the harmony tokens marked as the real vocabulary marks them: some of them
user-defined, which llama.cpp parses from any text.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

USER_DEFINED = ("<|start|>", "<|end|>", "<|channel|>", "<|message|>", "<|constrain|>")
CONTROL = ("<|startoftext|>", "<|endoftext|>", "<|reserved_200000|>", "<|return|>", "<|call|>")
WORDS = ("analysis", "final", "VALID", "INVALID")
"""Ordinary tokens that no merge makes: only the model writes them."""

_MERGES = (("t", "h"), ("th", "e"), ("<", "|"), ("|", ">"), ("e", "n"), ("en", "d"), ("<|", "end"), ("a", "r"))
_UINT32, _FLOAT32, _BOOL, _STRING, _ARRAY, _INT32 = 4, 6, 7, 8, 9, 5
_F32 = 0
_ALIGN = 32


@dataclass(frozen=True)
class TinyModel:
    """What to write. ``follow`` maps a token to the logits of its successors; empty means random weights."""

    architecture: str = "gpt-oss"
    name: str = "Tiny test model"
    n_ctx: int = 8192
    without: tuple[str, ...] = ()
    follow: Mapping[str, Mapping[str, float]] = field(default_factory=dict)


def byte_letters() -> dict[int, str]:
    """The letter that stands for each byte in a byte-level vocabulary."""
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in plain]
    return {byte: chr(byte) for byte in plain} | {byte: chr(256 + n) for n, byte in enumerate(others)}


def vocabulary(without: Sequence[str] = ()) -> tuple[list[str], list[int]]:
    """(tokens, their types: 1 normal, 3 control, 4 user-defined), by id."""
    letters = byte_letters()
    tokens = [letters[byte] for byte in range(256)] + [a + b for a, b in _MERGES] + list(WORDS)
    types = [1] * len(tokens)
    for name in (*CONTROL, *USER_DEFINED):
        if name not in without:
            tokens.append(name)
            types.append(4 if name in USER_DEFINED else 3)
    return tokens, types


def write(path: Path, model: TinyModel) -> Path:
    """Write the file and return its path."""
    tokens, types = vocabulary(model.without)
    head, tensors = _metadata(model, tokens, types), _tensors(model, tokens)
    body = bytearray(struct.pack("<4sIQQ", b"GGUF", 3, len(tensors), len(head)))
    for key, value in head.items():
        body += _string(key) + value
    offset = 0
    for name, data in tensors.items():
        body += _string(name) + struct.pack("<I", data.ndim) + struct.pack(f"<{data.ndim}Q", *reversed(data.shape))
        body += struct.pack("<IQ", _F32, offset)
        offset += -(-data.nbytes // _ALIGN) * _ALIGN
    body += b"\0" * (-len(body) % _ALIGN)
    for data in tensors.values():
        body += data.astype("<f4").tobytes() + b"\0" * (-data.nbytes % _ALIGN)
    path.write_bytes(body)
    return path


def _metadata(model: TinyModel, tokens: list[str], types: list[int]) -> dict[str, bytes]:
    arch = model.architecture
    numbers = {
        "block_count": _LAYERS,
        "context_length": model.n_ctx,
        "embedding_length": _width(model, len(tokens)),
        "feed_forward_length": _FF,
        "attention.head_count": _HEADS,
        "attention.head_count_kv": _KV_HEADS,
        "attention.key_length": _HEAD,
        "attention.value_length": _HEAD,
        "attention.sliding_window": 128,
        "expert_count": _EXPERTS,
        "expert_used_count": 2,
        "expert_feed_forward_length": _FF,
    }
    merges = b"".join(_string(f"{a} {b}") for a, b in _MERGES)
    end = tokens.index("<|return|>" if "<|return|>" in tokens else "<|endoftext|>")
    return {
        "general.architecture": _text(arch),
        "general.name": _text(model.name),
        **{f"{arch}.{key}": struct.pack("<II", _UINT32, value) for key, value in numbers.items()},
        f"{arch}.attention.layer_norm_rms_epsilon": struct.pack("<If", _FLOAT32, 1e-5),
        f"{arch}.rope.freq_base": struct.pack("<If", _FLOAT32, 150000.0),
        "tokenizer.ggml.model": _text("gpt2"),
        "tokenizer.ggml.pre": _text("gpt-4o"),
        "tokenizer.ggml.tokens": _array(_STRING, len(tokens), b"".join(map(_string, tokens))),
        "tokenizer.ggml.token_type": _array(_INT32, len(types), struct.pack(f"<{len(types)}i", *types)),
        "tokenizer.ggml.merges": _array(_STRING, len(_MERGES), merges),
        # Without these llama.cpp takes ordinary tokens for the ends of a text.
        **{f"tokenizer.ggml.{name}_token_id": struct.pack("<II", _UINT32, end) for name in ("bos", "eos")},
        "tokenizer.ggml.add_bos_token": struct.pack("<I?", _BOOL, False),
    }


_LAYERS, _HEADS, _KV_HEADS, _HEAD, _EXPERTS, _FF = 4, 4, 2, 32, 4, 64

Weights = npt.NDArray[np.float32]


def _width(model: TinyModel, vocab: int) -> int:
    """Random weights: narrow. With a table: one place per token."""
    return -(-vocab // 32) * 32 if model.follow else 64


def _tensors(model: TinyModel, tokens: list[str]) -> dict[str, Weights]:
    d, vocab = _width(model, len(tokens)), len(tokens)
    random = np.random.default_rng(7)

    def weights(*shape: int) -> Weights:
        """Random, or nothing at all: then a layer hands on what it got."""
        scale = 0.0 if model.follow else 1 / np.sqrt(shape[-1])
        return (random.standard_normal(shape) * scale).astype(np.float32)

    embedding, output = weights(vocab, d), weights(vocab, d) * 8
    norm = np.ones(d, np.float32)
    if model.follow:
        embedding[np.arange(vocab), np.arange(vocab)] = 100.0  # far above the norm's epsilon
        norm /= np.sqrt(d).astype(np.float32)
        for token, successors in model.follow.items():
            for successor, logit in successors.items():
                output[tokens.index(successor), tokens.index(token)] = logit
    else:
        embedding *= 8
        output[[tokens.index(name) for name in CONTROL if name in tokens]] = 0.0
    found = {"token_embd.weight": embedding, "output_norm.weight": norm, "output.weight": output}
    for layer in range(_LAYERS):
        place = f"blk.{layer}."
        for name in ("attn_norm", "post_attention_norm"):
            found[f"{place}{name}.weight"] = np.ones(d, np.float32)
        shapes = {"q": (_HEADS * _HEAD, d), "k": (_KV_HEADS * _HEAD, d), "v": (_KV_HEADS * _HEAD, d)}
        for name, shape in {**shapes, "output": (d, _HEADS * _HEAD)}.items():
            found[f"{place}attn_{name}.weight"] = weights(*shape)
            found[f"{place}attn_{name}.bias"] = np.zeros(shape[0], np.float32)
        found[f"{place}attn_sinks.weight"] = np.zeros(_HEADS, np.float32)
        found[f"{place}ffn_gate_inp.weight"] = weights(_EXPERTS, d)
        found[f"{place}ffn_gate_inp.bias"] = np.zeros(_EXPERTS, np.float32)
        for name, inner in {"gate": (_FF, d), "up": (_FF, d), "down": (d, _FF)}.items():
            found[f"{place}ffn_{name}_exps.weight"] = weights(_EXPERTS, *inner)
            found[f"{place}ffn_{name}_exps.bias"] = np.zeros((_EXPERTS, inner[0]), np.float32)
    return found


def _string(text: str) -> bytes:
    data = text.encode()
    return struct.pack("<Q", len(data)) + data


def _text(text: str) -> bytes:
    return struct.pack("<I", _STRING) + _string(text)


def _array(kind: int, count: int, data: bytes) -> bytes:
    return struct.pack("<IIQ", _ARRAY, kind, count) + data
