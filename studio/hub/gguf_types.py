"""The ways in which a GGUF file stores numbers: names and sizes of ggml's tensor types, and what they are in words."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TensorType:
    """A tensor type: its name, how many weights make one block, and how many bytes such a block takes."""

    name: str
    block: int
    size: int


# The numbers are those of ggml (ggml_type_name, ggml_blck_size, ggml_type_size); a test asks the library itself.
TYPES: dict[int, TensorType] = {
    number: TensorType(name, block, size)
    for number, name, block, size in (
        (0, "F32", 1, 4),
        (1, "F16", 1, 2),
        (2, "Q4_0", 32, 18),
        (3, "Q4_1", 32, 20),
        (6, "Q5_0", 32, 22),
        (7, "Q5_1", 32, 24),
        (8, "Q8_0", 32, 34),
        (9, "Q8_1", 32, 36),
        (10, "Q2_K", 256, 84),
        (11, "Q3_K", 256, 110),
        (12, "Q4_K", 256, 144),
        (13, "Q5_K", 256, 176),
        (14, "Q6_K", 256, 210),
        (15, "Q8_K", 256, 292),
        (16, "IQ2_XXS", 256, 66),
        (17, "IQ2_XS", 256, 74),
        (18, "IQ3_XXS", 256, 98),
        (19, "IQ1_S", 256, 50),
        (20, "IQ4_NL", 32, 18),
        (21, "IQ3_S", 256, 110),
        (22, "IQ2_S", 256, 82),
        (23, "IQ4_XS", 256, 136),
        (24, "I8", 1, 1),
        (25, "I16", 1, 2),
        (26, "I32", 1, 4),
        (27, "I64", 1, 8),
        (28, "F64", 1, 8),
        (29, "IQ1_M", 256, 56),
        (30, "BF16", 1, 2),
        (34, "TQ1_0", 256, 54),
        (35, "TQ2_0", 256, 66),
        (39, "MXFP4", 32, 17),
        (40, "NVFP4", 64, 36),
        (41, "Q1_0", 128, 18),
    )
}

_WORDS = {
    "F32": "full precision, 32-bit",
    "F16": "half precision, 16-bit",
    "BF16": "half precision, 16-bit",
    "MXFP4": "original 4-bit",
}
_BITS = re.compile(r"(?:NV|MX)?(?:Q|IQ|TQ|FP|I|F)(\d+)")


def in_words(name: str) -> str:
    """How finely a type stores weights, for people: ``original 4-bit (MXFP4)``."""
    words = _WORDS.get(name)
    bits = _BITS.match(name)
    if words is None and bits is not None:
        words = f"{bits[1]}-bit"
    return f"{words} ({name})" if words else name
