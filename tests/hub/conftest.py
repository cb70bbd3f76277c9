from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from studio.hub.catalogue import Catalogue, KnownFile, KnownModel
from studio.services.download import Patience, download
from studio.services.shelf import Shelf, State
from tests.hub.gguf_maker import Maker, gpt_oss
from tests.hub.hub_stand_in import REPO, HubStandIn, running

HURRIED = Patience(tries=4, first_wait_s=0.01, longest_wait_s=0.02)


def model_bytes(size: int = 60_000, seed: int = 1, **metadata: object) -> bytes:
    """A small model whose weights are random."""
    rows = size // 128
    body = Maker(gpt_oss(**metadata), [("w", (32, rows), 0, rows * 128)]).bytes()
    return body[: -rows * 128] + random.Random(seed).randbytes(rows * 128)


def known(*names: str, hub: HubStandIn | None = None) -> Catalogue:
    """A catalogue with one model of these files; their hashes are known when the Hub that has them is given."""
    files = tuple(KnownFile(n, len(hub.files[n]) if hub else None, hub.sha(n) if hub else None) for n in names)
    return Catalogue((KnownModel("small", "Small model", "4-bit", REPO, "Apache-2.0", "For tests.", {}, files),))


@pytest.fixture
def hub() -> Iterator[HubStandIn]:
    with running(HubStandIn({"m.gguf": model_bytes()})) as stand_in:
        yield stand_in


@pytest.fixture
def shelf(hub: HubStandIn, tmp_path: Path) -> Shelf:
    return Shelf(folder=_made(tmp_path / "models"), known=known("m.gguf", hub=hub))


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


def get(shelf: Shelf, hub: HubStandIn, **more: object) -> Path:
    """Download the small model and return its first file."""
    entry = download(shelf, "small", endpoint=hub.url, patience=HURRIED, timeout_s=0.5, **more)  # type: ignore[arg-type]
    assert entry.state is State.READY
    assert entry.model is not None
    return entry.files[0]


def after(hub: HubStandIn, *faults: str) -> None:
    """Let the two questions for metadata pass, and what follows fail."""
    hub.faults = ["", "", *faults]
