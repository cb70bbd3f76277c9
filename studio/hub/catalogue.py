"""The models that the studio knows, as data: where they are published, their sizes and their sha256."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from studio import paths
from studio.hub.outline import Dimensions, Outline, worked_out


@dataclass(frozen=True, slots=True)
class KnownFile:
    """One file of a known model. ``size`` in bytes and ``sha256`` are None where only the Hub's metadata tells them."""

    name: str
    size: int | None
    sha256: str | None


@dataclass(frozen=True, slots=True)
class KnownModel:
    """A known model; several ``files`` are the parts of one. ``memory``: bytes needed by tokens of context.

    ``shape``: its dimensions, and ``expert_bits`` how finely its experts are stored, as far as known.
    """

    id: str
    title: str
    quant: str
    repo: str
    licence: str
    summary: str
    memory: Mapping[int, int]
    files: tuple[KnownFile, ...]
    shape: Dimensions | None = None
    expert_bits: float | None = None

    def outline(self) -> Outline | None:
        """What to plan with before the files are here; None for a model whose dimensions are not known."""
        return None if self.shape is None else worked_out(self.shape, self.size, self.expert_bits)

    @property
    def size(self) -> int | None:
        """Bytes of all files; None while one is not known."""
        sizes = [file.size for file in self.files]
        return None if None in sizes else sum(size for size in sizes if size is not None)


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All known models, in the order in which they are shown."""

    models: tuple[KnownModel, ...]

    def get(self, model_id: str) -> KnownModel | None:
        """The model of that id."""
        return next((model for model in self.models if model.id == model_id), None)

    def by_hashes(self, hashes: Iterable[str]) -> KnownModel | None:
        """The model whose files have exactly these sha256, in order. Names say nothing."""
        wanted = tuple(hashes)
        return next((m for m in self.models if tuple(file.sha256 for file in m.files) == wanted), None)


def load(path: Path | None = None) -> Catalogue:
    """Read the catalogue that the studio ships, or another of the same form."""
    data = json.loads((path or paths.resource("catalogue.json")).read_text(encoding="utf-8"))
    shapes = {name: Dimensions(**numbers) for name, numbers in data["shapes"].items()}
    return Catalogue(tuple(_model(entry, shapes) for entry in data["models"]))


def _model(entry: Mapping[str, Any], shapes: Mapping[str, Dimensions]) -> KnownModel:
    return KnownModel(
        id=entry["id"],
        title=entry["title"],
        quant=entry["quant"],
        repo=entry["repo"],
        licence=entry["licence"],
        summary=entry["summary"],
        memory={int(context): size for context, size in entry["memory"].items()},
        files=tuple(KnownFile(file["name"], file["size"], file["sha256"]) for file in entry["files"]),
        shape=shapes[entry["shape"]],
        expert_bits=entry.get("expert_bits"),
    )
