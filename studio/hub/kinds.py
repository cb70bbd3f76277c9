"""What a model file is good for here: of the gpt-oss shape, another model made for moderation, or no text model."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

ARCHITECTURE = "gpt-oss"
OLLAMA_ARCHITECTURE = "gptoss"
"""What Ollama calls the same model in files that it converted itself; their tensors have other names too."""
HARMONY_TOKENS = ("<|start|>", "<|message|>", "<|end|>", "<|channel|>", "<|return|>")
"""The control tokens that a prompt and its answer cannot do without."""


class Kind(StrEnum):
    """What a model is, as far as its file tells."""

    GPT_OSS = "gpt_oss"
    OTHER_MODERATION = "other_moderation"
    OTHER_TEXT = "other_text"
    NOT_TEXT = "not_text"


@dataclass(frozen=True, slots=True)
class Assessment:
    """What would work with a file: its kind, whether the studio can judge with it, and why, in words."""

    kind: Kind
    usable: bool
    words: str


@dataclass(frozen=True, slots=True)
class _Family:
    """Other models for moderation, told by the name that the file claims; ``why`` says what they expect instead."""

    name: str
    pattern: re.Pattern[str]
    why: str


def _family(name: str, pattern: str, why: str) -> _Family:
    return _Family(name, re.compile(pattern, re.IGNORECASE), why)


_FAMILIES = (
    _family(
        "CoPE",
        r"\bcope[-_ .]",
        "It reads a policy too, in a prompt of its own, and answers with one digit and no reasons.",
    ),
    _family(
        "Llama Guard",
        r"llama[-_ ]*guard",
        "It sorts by a list of hazard categories in a prompt of its own and answers safe or unsafe.",
    ),
    _family(
        "ShieldGemma",
        r"shield[-_ ]*gemma",
        "It answers Yes or No to one guideline in a prompt of its own.",
    ),
    _family(
        "Granite Guardian",
        r"granite[-_ ]*guardian",
        "It answers Yes or No to a risk that its own template names.",
    ),
    _family(
        "Nemotron safety",
        r"nemotron.*(safety|guard)|(safety|guard).*nemotron|aegis",
        "It sorts by a list of safety categories in a prompt of its own.",
    ),
    _family("WildGuard", r"wild[-_ ]*guard", "It answers fixed questions about a request and its response."),
    _family("Qwen Guard", r"qwen\d*[-_ ]*guard", "It sorts by a fixed list of categories."),
    _family("PolyGuard", r"poly[-_ ]*guard", "It sorts by a fixed list of categories."),
)
_NO_TEXT = re.compile(
    r"clip|mmproj|bert|^t5encoder|whisper|wavtokenizer|flux|^sd\d|^sdxl|stable.?diffusion|wan|^lumina|embedding|esrgan",
    re.IGNORECASE,
)
_NO_MODEL = {"adapter": "an adapter for another model", "mmproj": "the eyes of another model", "imatrix": "no model"}


def assess(
    *, architecture: str, names: tuple[str, ...], general_type: str, vocabulary: int, missing_harmony: tuple[str, ...]
) -> Assessment:
    """What would work. ``names`` are claims of the file; ``general_type`` is GGUF's ``general.type`` or empty."""
    if general_type in _NO_MODEL:
        return Assessment(Kind.NOT_TEXT, False, f"This file is {_NO_MODEL[general_type]}: it cannot write text itself.")
    if architecture == ARCHITECTURE:
        return _gpt_oss(vocabulary, missing_harmony)
    if architecture == OLLAMA_ARCHITECTURE:
        return Assessment(
            Kind.GPT_OSS,
            False,
            "This is gpt-oss as Ollama stores it, which Ollama alone can read. Add Ollama as a server to judge with it "
            "where it is, or get the usual file of the model.",
        )
    if not architecture or not vocabulary or _NO_TEXT.search(architecture):
        named = f"a model of the architecture {architecture!r}" if architecture else "a file without an architecture"
        return Assessment(Kind.NOT_TEXT, False, f"This is {named}, which writes no text and cannot judge.")
    for family in _FAMILIES:
        if any(family.pattern.search(name) for name in names):
            return Assessment(
                Kind.OTHER_MODERATION,
                False,
                f"By the name it claims this is {family.name}. {family.why} It does not know the harmony format by "
                "which the studio keeps content and policy apart and reads reasons, so it is not used here.",
            )
    return Assessment(
        Kind.OTHER_TEXT,
        False,
        f"This is a text model of the architecture {architecture!r}. It was not taught to follow a policy in the "
        "harmony format, so the studio does not judge with it.",
    )


def _gpt_oss(vocabulary: int, missing: tuple[str, ...]) -> Assessment:
    if not vocabulary or missing:
        lacking = "its vocabulary" if not vocabulary else f"the harmony tokens {', '.join(missing)}"
        return Assessment(
            Kind.GPT_OSS, False, f"It has the architecture of gpt-oss but lacks {lacking}, so no prompt can be made."
        )
    return Assessment(
        Kind.GPT_OSS,
        True,
        "It has the shape of gpt-oss-safeguard and the studio can judge with it. Whether it is safeguard or the plain "
        "gpt-oss, which follows policies less well, only its sha256 tells.",
    )
