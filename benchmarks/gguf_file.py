"""Writes GGUF files, version 3, with numpy alone: facts about a model and its tensors, as llama.cpp reads them."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Fact = str | bool | int | float | Sequence[str] | Sequence[int]
"""Whole numbers are stored as unsigned 32 bit, those of a list as signed, fractions as 32 bit."""

_UINT32, _INT32, _FLOAT32, _BOOL, _STRING, _ARRAY = 4, 5, 6, 7, 8, 9
_ALIGN = 32
BLOCK = 32
"""Values that share one scale in the kinds that have scales."""


class Kind(IntEnum):
    """How a tensor's values are stored, by ggml's numbers."""

    F32 = 0
    F16 = 1
    Q8_0 = 8
    MXFP4 = 39


class TokenKind(IntEnum):
    """What a token of a vocabulary is, by llama.cpp's numbers."""

    NORMAL = 1
    CONTROL = 3
    UNUSED = 5


_BLOCK_BYTES = {Kind.Q8_0: 34, Kind.MXFP4: 17}


@dataclass(frozen=True, slots=True)
class Tensor:
    """Values of one tensor, the last axis running along a row. Bytes (uint8) are taken as stored, whole blocks."""

    name: str
    values: Array
    kind: Kind


def write_gguf(path: Path, facts: Mapping[str, Fact], tensors: Iterable[Tensor]) -> None:
    """Write a file, by way of a neighbour that takes its place when it is whole."""
    stored = [(tensor, _stored(tensor)) for tensor in tensors]
    head = bytearray(struct.pack("<4sIQQ", b"GGUF", 3, len(stored), len(facts)))
    for key, value in facts.items():
        head += _string(key) + _fact(value)
    offset = 0
    for tensor, data in stored:
        shape = _shape(tensor)
        head += _string(tensor.name) + struct.pack(f"<I{len(shape)}Q", len(shape), *reversed(shape))
        head += struct.pack("<IQ", tensor.kind, offset)
        offset += data.nbytes + _padding(data.nbytes)
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(path.name + ".part")
    with unfinished.open("wb") as file:
        file.write(head + bytes(_padding(len(head))))
        for _, data in stored:
            file.write(data.tobytes())
            file.write(bytes(_padding(data.nbytes)))
    unfinished.replace(path)


def byte_letters() -> list[str]:
    """The letter that stands for each byte in a byte-level vocabulary: printable ones for themselves."""
    plain = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    letters = {byte: chr(byte) for byte in plain}
    rest = [byte for byte in range(256) if byte not in letters]
    letters.update({byte: chr(256 + place) for place, byte in enumerate(rest)})
    return [letters[byte] for byte in range(256)]


def _stored(tensor: Tensor) -> Array:
    values = tensor.values
    if values.dtype == np.uint8:
        return np.ascontiguousarray(values)
    if tensor.kind is Kind.F32:
        return np.ascontiguousarray(values, dtype="<f4")
    if tensor.kind is Kind.F16:
        return np.ascontiguousarray(values, dtype="<f2")
    if tensor.kind is Kind.Q8_0:
        return _eight_bit(values)
    raise ValueError(f"{tensor.name}: {tensor.kind.name} is taken as stored bytes only")


def _eight_bit(values: Array) -> Array:
    """Blocks of a scale (16-bit float) and 32 whole numbers, the largest of which is 127."""
    blocks = values.reshape(-1, BLOCK).astype(np.float32)
    scales = np.abs(blocks).max(axis=1, keepdims=True) / 127
    whole = np.rint(blocks / np.where(scales == 0, 1, scales)).astype(np.int8)
    return np.ascontiguousarray(np.concatenate([scales.astype("<f2").view(np.uint8), whole.view(np.uint8)], axis=1))


def _shape(tensor: Tensor) -> tuple[int, ...]:
    if tensor.values.dtype != np.uint8:
        return tensor.values.shape
    *rows, row_bytes = tensor.values.shape
    return (*rows, row_bytes // _BLOCK_BYTES[tensor.kind] * BLOCK)


def _fact(value: Fact) -> bytes:
    if isinstance(value, str):
        return struct.pack("<I", _STRING) + _string(value)
    if isinstance(value, bool):
        return struct.pack("<I?", _BOOL, value)
    if isinstance(value, int):
        return struct.pack("<II", _UINT32, value)
    if isinstance(value, float):
        return struct.pack("<If", _FLOAT32, value)
    texts = [item for item in value if isinstance(item, str)]
    if texts:
        return struct.pack("<IIQ", _ARRAY, _STRING, len(texts)) + b"".join(map(_string, texts))
    numbers = [item for item in value if isinstance(item, int)]
    return struct.pack("<IIQ", _ARRAY, _INT32, len(numbers)) + struct.pack(f"<{len(numbers)}i", *numbers)


def _string(text: str) -> bytes:
    data = text.encode()
    return struct.pack("<Q", len(data)) + data


def _padding(length: int) -> int:
    return -length % _ALIGN
