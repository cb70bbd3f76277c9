"""The facts of a model as lines of text: where it comes from, its hashes, what it needs by part, and how it runs."""

from __future__ import annotations

from collections.abc import Iterator

from studio.services.fit import Advice
from studio.services.fit_words import time_words
from studio.services.models import ModelInfo
from studio.services.shelf import ShelfEntry
from studio.ui.words import path_words, size


def facts(entry: ShelfEntry, advice: Advice | None, info: ModelInfo | None) -> str:
    """All facts, one a line."""
    return "\n".join((*_file(entry, info), *_fit(advice), *_loaded(info)))


def _file(entry: ShelfEntry, info: ModelInfo | None) -> Iterator[str]:
    if entry.repo:
        yield f"Source: {entry.repo} on the Hugging Face Hub"
    for file in entry.files:
        yield f"File: {path_words(file)}"
    hashes = entry.sha256 or ((info.sha256,) if info is not None else ())
    if hashes:
        known = " (one that the studio knows)" if entry.recognised and entry.repo else ""
        yield f"sha256: {', '.join(hashes)}{known}"
    elif entry.repo:
        yield "sha256: as the Hub's own metadata says when it is fetched"


def _fit(advice: Advice | None) -> Iterator[str]:
    if advice is None:
        return
    if advice.plan:
        yield f"Plan: {advice.plan}"
    if advice.why:
        yield f"Fit: {advice.why}"
    if advice.parts:
        yield f"Memory: {size(advice.needed)} at most"
        for where in dict.fromkeys(part.where for part in advice.parts):
            parts = ", ".join(f"{part.name} {size(part.size)}" for part in advice.parts if part.where == where)
            yield f"   {'In memory' if where == 'memory' else f'On {where}'}: {parts}"
    if advice.time is not None:
        yield f"Speed: {time_words(advice.time)}"


def _loaded(info: ModelInfo | None) -> Iterator[str]:
    if info is None:
        return
    yield f"Architecture: {info.architecture}, {info.n_params / 1e6:,.1f} million parameters"
    yield f"Context: {info.n_ctx_train:,} tokens"
    yield f"Engine: llama.cpp {info.llama_build}, {info.backend} on {info.device}"
    yield f"Loaded: {info.placement.words} {size(info.memory_bytes)} of memory, for {_together(info)}"
    yield f"Network of its process: {info.network}"
    yield f"File writes of its process: {info.writes}"


def _together(info: ModelInfo) -> str:
    if info.n_seq == 1:
        return "one request at a time"
    short = f" ({info.n_seq_wanted} did not fit)" if info.n_seq < info.n_seq_wanted else ""
    return f"{info.n_seq} requests at a time{short}"
