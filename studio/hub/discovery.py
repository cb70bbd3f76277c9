"""Model files that already lie on this disk: of LM Studio, Ollama, the Hub's library, or in the folder for models.

Only names, sizes and the architecture are looked at. What a file is, its head tells; whether it is known, its sha256.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from studio.core.errors import InputError, ModelFileError
from studio.core.progress import Cancel
from studio.hub.gguf_facts import LONGEST_CLAIM, parts
from studio.hub.gguf_reader import read_architecture
from studio.hub.kinds import ARCHITECTURE

_DIGEST = re.compile(r"sha256[:-]([0-9a-f]{64})")
_FURTHER_PART = re.compile(r"-(?!00001)\d{5}-of-\d{5}\.gguf$", re.IGNORECASE)
_OLLAMA_MODEL = "application/vnd.ollama.image.model"
_OLLAMA_SYSTEM = Path("/usr/share/ollama/.ollama/models")
LARGEST_NOTE = 1024 * 1024
MOST_FILES = 10_000
MOST_MODELS = 1_000


@dataclass(frozen=True, slots=True)
class Found:
    """A model file that lies there: its first file, a name to show, and whose it is. ``size`` in bytes.

    ``architecture`` is what the file claims, empty when it says nothing that can be read.
    """

    path: Path
    name: str
    owner: str
    size: int
    architecture: str = ""

    @property
    def fitting(self) -> bool:
        """Whether it may be a model that the studio can judge with."""
        return self.architecture in (ARCHITECTURE, "")


def discover(own: Path | None = None) -> list[Found]:
    """All model files of other programs on this disk, and those in the user's ``own`` folder for models, each once.

    Those that may judge come first.
    """
    seen: set[Path] = set()
    found = []
    mine = (one for path in (_ggufs(own, depth=3) if own else ()) for one in _found(path, path.stem, "Model folder"))
    for candidate in (*_lm_studio(), *_ollama(), *_hub_cache(), *mine):
        real = candidate.path.resolve()
        if real not in seen:
            seen.add(real)
            found.append(candidate)
    return sorted(found, key=lambda one: not one.fitting)


def models_in(folder: Path, cancel: Cancel | None = None) -> list[Path]:
    """The model files of a folder that somebody named, each once, split ones by their first part.

    Raises InputError when there is none, ModelFileError when ``cancel`` is set meanwhile.
    """
    found: dict[Path, None] = {}
    for root, folders, names in os.walk(folder):
        folders.sort()
        if cancel is not None and cancel.requested:
            raise ModelFileError(f"The search in {folder} was stopped.", hint="Name a folder with less in it.")
        for name in sorted(names):
            path = Path(root, name)
            if path.suffix.casefold() == ".gguf" and path.is_file():
                found[_opens(path)] = None
    if not found:
        raise InputError(f"There is no GGUF file in {folder}.", hint="Name the folder that the model's files are in.")
    return sorted(found)[:MOST_MODELS]


def _opens(path: Path) -> Path:
    """The file that opens the model which ``path`` is a part of; itself where other parts are missing."""
    try:
        return parts(path)[0]
    except ModelFileError:
        return path


def _lm_studio() -> Iterator[Found]:
    """LM Studio keeps ``publisher/model/file.gguf`` below a folder that its settings may name."""
    homes = [Path.home() / ".lmstudio", Path.home() / ".cache" / "lm-studio"]
    pointer = _note(Path.home() / ".lmstudio-home-pointer").strip()
    if pointer:
        homes.insert(0, Path(pointer))
    for home in homes:
        chosen = _object(home / "settings.json").get("downloadsFolder")
        folders = [home / "models", *([Path(chosen)] if isinstance(chosen, str) and chosen else [])]
        for folder in folders:
            for path in _ggufs(folder, depth=3):
                yield from _found(path, path.stem, "LM Studio")


def _ollama() -> Iterator[Found]:
    """Ollama keeps the name in a manifest and the file under its sha256, without an ending."""
    named = os.environ.get("OLLAMA_MODELS", "").strip()
    for folder in [Path(named)] if named else [Path.home() / ".ollama" / "models", _OLLAMA_SYSTEM]:
        for manifest in _files(folder / "manifests", depth=5):
            *_, space, model, tag = ("", "", "", *manifest.relative_to(folder / "manifests").parts)
            name = f"{model}:{tag}" if space in ("", "library") else f"{space}/{model}:{tag}"
            layers = _object(manifest).get("layers")
            for layer in layers if isinstance(layers, list) else []:
                if not isinstance(layer, dict) or layer.get("mediaType") != _OLLAMA_MODEL:
                    continue
                # The digest becomes a file name: nothing but a digest may.
                digest = _DIGEST.fullmatch(str(layer.get("digest")))
                if digest is not None:
                    yield from _found(folder / "blobs" / f"sha256-{digest[1]}", name, "Ollama")


def _hub_cache() -> Iterator[Found]:
    """The Hub's library keeps ``models--owner--name/snapshots/commit/file``, a link to the bytes."""
    # Data sets lie there too, some of them with more files than are ever looked at here.
    for folder in sorted(hub_cache().glob("models--*/snapshots")):
        for path in _ggufs(folder, depth=3):
            yield from _found(path, path.stem, "Hugging Face cache")


def hub_cache() -> Path:
    """Where the Hub's library keeps its files, by the same variables that it reads."""
    given = os.environ.get("HF_HUB_CACHE") or os.environ.get("HUGGINGFACE_HUB_CACHE")
    if given:
        return Path(given).expanduser()
    home = os.environ.get("HF_HOME")
    root = Path(home) if home else Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache") / "huggingface"
    return root.expanduser() / "hub"


def _found(path: Path, name: str, owner: str) -> Iterator[Found]:
    try:
        if path.is_file():
            yield Found(path, name, owner, path.stat().st_size, read_architecture(path)[:LONGEST_CLAIM])
    except OSError:
        # Not ours to read: another user's file.
        return


def _ggufs(folder: Path, depth: int) -> Iterator[Path]:
    """Files that open a model: whole ones, and of split ones the first part."""
    for path in _files(folder, depth):
        if path.suffix.casefold() == ".gguf" and not _FURTHER_PART.search(path.name):
            yield path


def _files(folder: Path, depth: int) -> Iterator[Path]:
    """Files below ``folder``, in order, at most so deep and so many."""
    count = 0
    # Links are followed, as people move large models to another disk so; a circle of them ends with the depth.
    for root, folders, names in os.walk(folder, followlinks=True):
        folders.sort()
        if len(Path(root).relative_to(folder).parts) >= depth:
            folders.clear()
        for name in sorted(names):
            count += 1
            if count > MOST_FILES:
                return
            yield Path(root) / name


def _note(path: Path) -> str:
    """A small text file of another program; empty when it is not there or not small."""
    try:
        if path.stat().st_size > LARGEST_NOTE:
            return ""
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return ""


def _object(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(_note(path) or "{}")
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}
