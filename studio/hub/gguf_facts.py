"""What a GGUF model is, read from its head alone: shape, storage, tokenizer, and what would work with it here.

A model that was split into files is one model. What the file says about itself is a claim; what is counted is counted.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from studio.hub.gguf_reader import Array, GgufError, Head, Tensor, Value, read_head
from studio.hub.gguf_types import TYPES, in_words
from studio.hub.kinds import HARMONY_TOKENS, Assessment, assess

_PART = re.compile(r"(?P<stem>.+)-(?P<number>\d{5})-of-(?P<count>\d{5})\.gguf", re.IGNORECASE | re.DOTALL)
MOST_PARTS = 1_000
LONGEST_CLAIM = 200


@dataclass(frozen=True, slots=True)
class Share:
    """What is stored in one tensor type: how many tensors, weights and bytes. Types not known here have 0 bytes."""

    type: str
    tensors: int
    weights: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Tokenizer:
    """The tokenizer: its model, its way of cutting words (``pre``), and how many tokens it has."""

    model: str
    pre: str
    size: int


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """What is known of a model from the heads of its files. None is what the file does not say.

    ``name_claim`` is what the file calls itself, which may be wrong. ``size_bytes`` counts all ``files``;
    ``shares`` begin with the largest. ``missing_harmony`` are control tokens that the vocabulary lacks.
    """

    files: tuple[Path, ...]
    size_bytes: int
    gguf_version: int
    big_endian: bool
    architecture: str
    name_claim: str
    layers: int | None
    experts: int | None
    experts_used: int | None
    context: int | None
    width: int | None
    heads: int | None
    kv_heads: int | None
    sliding_window: int | None
    weights: int
    tensors: int
    shares: tuple[Share, ...]
    quant: str
    tokenizer: Tokenizer
    chat_template: bool
    missing_harmony: tuple[str, ...]
    assessment: Assessment


def read_facts(path: Path) -> ModelFacts:
    """The facts of the model that ``path`` is, or is a part of. Raises GgufError."""
    heads = [read_head(file, HARMONY_TOKENS) for file in parts(path)]
    _check_split(heads)
    first = heads[0]
    metadata = first.metadata
    tensors = [tensor for head in heads for tensor in head.tensors]
    if len({tensor.name for tensor in tensors}) != len(tensors):
        raise GgufError(f"{first.path} is damaged: two parts have the same tensor.", hint="Get all its parts again.")
    architecture = _text(metadata, "general.architecture")
    shares = _shares(tensors)
    vocabulary = metadata.get("tokenizer.ggml.tokens")
    tokens = vocabulary if isinstance(vocabulary, Array) else Array(0)
    missing = tuple(name for name in HARMONY_TOKENS if name not in (tokens.found or {}))
    number = Numbers(metadata, architecture)
    names = (_text(metadata, "general.name"), _text(metadata, "general.basename"), first.path.stem)
    return ModelFacts(
        files=tuple(head.path for head in heads),
        size_bytes=sum(head.file_size for head in heads),
        gguf_version=first.version,
        big_endian=first.big_endian,
        architecture=architecture,
        name_claim=names[0],
        layers=number("block_count"),
        experts=number("expert_count"),
        experts_used=number("expert_used_count"),
        context=number("context_length"),
        width=number("embedding_length"),
        heads=number("attention.head_count"),
        kv_heads=number("attention.head_count_kv"),
        sliding_window=number("attention.sliding_window"),
        weights=sum(share.weights for share in shares),
        tensors=len(tensors),
        shares=shares,
        quant=_quant(shares),
        tokenizer=Tokenizer(
            _text(metadata, "tokenizer.ggml.model"), _text(metadata, "tokenizer.ggml.pre"), tokens.count
        ),
        chat_template=bool(_text(metadata, "tokenizer.chat_template")),
        missing_harmony=missing,
        assessment=_loadable(
            first,
            assess(
                architecture=architecture,
                names=names,
                general_type=_text(metadata, "general.type"),
                vocabulary=tokens.count,
                missing_harmony=missing,
            ),
        ),
    )


def parts(path: Path) -> tuple[Path, ...]:
    """All files of the model that ``path`` is a part of, by the pattern ``-00001-of-00002.gguf``; else ``path`` alone.

    Raises GgufError when one is missing.
    """
    match = _PART.fullmatch(path.name)
    if match is None:
        return (path,)
    count, number = int(match["count"]), int(match["number"])
    if not 1 <= number <= count <= MOST_PARTS:
        raise GgufError(
            f"{path} is named as part {number} of {count}, which cannot be.", hint="Give the file its own name again."
        )
    found = tuple(path.with_name(f"{match['stem']}-{n:05}-of-{match['count']}.gguf") for n in range(1, count + 1))
    missing = [part.name for part in found if not part.is_file()]
    if missing:
        raise GgufError(
            f"{path} is part {number} of {count}, and not all parts are beside it: {', '.join(missing[:5])} "
            f"{'is' if len(missing) == 1 else 'are'} missing.",
            hint="Put all parts into one folder under the names they came with.",
        )
    return found


def _check_split(heads: Sequence[Head]) -> None:
    """What the parts say about themselves (``split.…``) fits their names and each other."""
    count = len(heads)
    for place, head in enumerate(heads):
        said = head.metadata.get("split.count") or 1
        number = head.metadata.get("split.no") or 0
        if said != count or number != place:
            shown = f"part {number + 1}" if isinstance(number, int) else "a part"
            raise GgufError(
                f"{head.path} says inside that it is {shown} of {said}, "
                f"and by its name it is part {place + 1} of {count}.",
                hint="Give all parts the names they came with (…-00001-of-00002.gguf), in one folder.",
            )
    total = heads[0].metadata.get("split.tensors.count")
    there = sum(len(head.tensors) for head in heads)
    if count > 1 and total != there:
        raise GgufError(
            f"{heads[0].path} says that all parts have {total} tensors together, and they have {there}.",
            hint="The parts belong to different models or are damaged. Get them all again from one source.",
        )


def _loadable(head: Head, found: Assessment) -> Assessment:
    """The same, unless this machine's llama.cpp cannot open such a file at all."""
    if head.version == 1:
        return Assessment(
            found.kind, False, "It is GGUF version 1, which llama.cpp reads no more. Get a newer file of this model."
        )
    if head.big_endian:
        return Assessment(
            found.kind, False, "It is a big-endian file, made for another kind of machine. Get the usual file."
        )
    return found


def _text(metadata: Mapping[str, Value], key: str) -> str:
    """A text of the metadata, as much of it as is ever shown; empty where there is none."""
    value = metadata.get(key)
    return value[:LONGEST_CLAIM] if isinstance(value, str) else ""


class Numbers:
    """Whole numbers of one architecture in the metadata; an array, one number a layer, counts with its largest."""

    def __init__(self, metadata: Mapping[str, Value], architecture: str) -> None:
        self._metadata, self._architecture = metadata, architecture

    def __call__(self, name: str) -> int | None:
        """The number of that name; None where the file does not say it."""
        value = self._metadata.get(f"{self._architecture}.{name}")
        if isinstance(value, Array):
            whole = [int(number) for number in value.numbers if abs(number) < 2**63]
            return max(whole, default=None)
        return value if isinstance(value, int) and not isinstance(value, bool) else None


def _shares(tensors: Sequence[Tensor]) -> tuple[Share, ...]:
    groups: dict[int, list[Tensor]] = defaultdict(list)
    for tensor in tensors:
        groups[tensor.kind].append(tensor)
    shares = [
        Share(
            TYPES[kind].name if kind in TYPES else f"type {kind}",
            len(group),
            sum(tensor.weights for tensor in group),
            sum(tensor.size or 0 for tensor in group),
        )
        for kind, group in groups.items()
    ]
    return tuple(sorted(shares, key=lambda share: (-share.bytes, share.type)))


def _quant(shares: Sequence[Share]) -> str:
    """How the weights are stored, in words: the type of most bytes, and the average over all."""
    if not shares:
        return "no weights"
    known = [share for share in shares if share.bytes]
    words = in_words(shares[0].type)
    weights = sum(share.weights for share in known)
    if len(known) < 2 or not weights:
        return words
    return f"{words}, {8 * sum(share.bytes for share in known) / weights:.1f} bits a weight on average"
