"""Writes small GGUF files of any version and byte order, true or lying, for tests of the reader."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from studio.hub.kinds import HARMONY_TOKENS

F32_TENSOR = ((32,), 0, 128)
"""Shape, type and bytes of a small tensor."""

U32, BOOL, STRING, ARRAY, U16, F64 = 4, 7, 8, 9, 2, 12


@dataclass(frozen=True)
class Raw:
    """A value as it stands in the file: its type's number and its bytes."""

    kind: int
    data: bytes


@dataclass
class Maker:
    """What to write; ``tensors`` are (name, shape, type's number, bytes). Fields named ``lie_…`` replace the truth."""

    metadata: Mapping[str, Any]
    tensors: Sequence[tuple[str, tuple[int, ...], int, int]] = (("w", (32,), 0, 128),)
    version: int = 3
    order: str = "<"
    alignment: int = 32
    lie_tensors: int | None = None
    lie_entries: int | None = None
    lie_offset: Mapping[str, int] = field(default_factory=dict)
    cut: int = 0

    def number(self, code: str, value: int) -> bytes:
        return struct.pack(self.order + code, value)

    def count(self, value: int) -> bytes:
        return self.number("I" if self.version == 1 else "Q", value)

    def text(self, text: str | bytes) -> bytes:
        data = text.encode() if isinstance(text, str) else text
        return self.count(len(data)) + data

    def texts(self, texts: Sequence[str]) -> Raw:
        return Raw(ARRAY, self.number("I", STRING) + self.count(len(texts)) + b"".join(map(self.text, texts)))

    def value(self, value: Any) -> bytes:
        if isinstance(value, Raw):
            return self.number("I", value.kind) + value.data
        if isinstance(value, bool):
            return self.number("I", BOOL) + bytes([value])
        if isinstance(value, int):
            return self.number("I", U32) + self.number("I", value)
        if isinstance(value, str):
            return self.number("I", STRING) + self.text(value)
        texts = self.texts(value)
        return self.number("I", texts.kind) + texts.data

    def bytes(self) -> bytes:
        """The whole file."""
        tensor_count = len(self.tensors) if self.lie_tensors is None else self.lie_tensors
        entry_count = len(self.metadata) if self.lie_entries is None else self.lie_entries
        body = b"GGUF" + self.number("I", self.version) + self.count(tensor_count) + self.count(entry_count)
        for key, value in self.metadata.items():
            body += self.text(key) + self.value(value)
        offset = 0
        for name, shape, kind, size in self.tensors:
            body += self.text(name) + self.number("I", len(shape)) + b"".join(map(self.count, shape))
            body += self.number("I", kind) + self.number("Q", self.lie_offset.get(name, offset))
            offset += -(-size // self.alignment) * self.alignment
        body += b"\0" * (-len(body) % self.alignment) + b"\0" * offset
        return body[: len(body) - self.cut]

    def write(self, path: Path) -> Path:
        path.write_bytes(self.bytes())
        return path


def gpt_oss(**more: Any) -> dict[str, Any]:
    """The metadata of a small model of the gpt-oss shape."""
    return {
        "general.architecture": "gpt-oss",
        "general.name": "Some model",
        "gpt-oss.block_count": 2,
        "gpt-oss.context_length": 4096,
        "gpt-oss.expert_count": 4,
        "gpt-oss.expert_used_count": 2,
        "gpt-oss.attention.head_count": 8,
        "gpt-oss.attention.sliding_window": 128,
        "tokenizer.ggml.model": "gpt2",
        "tokenizer.ggml.pre": "gpt-4o",
        "tokenizer.ggml.tokens": ["a", "b", *HARMONY_TOKENS],
        "tokenizer.chat_template": "{{ messages }}",
        **more,
    }
