"""Hands a finished download over to the cache of the Hub's own library, so that other programs use the same copy.

The layout is the library's: the bytes under their sha256 in ``blobs``, a link to them under their name in
``snapshots/commit``, and ``refs/main`` naming the commit.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from pathlib import Path

from studio.hub.discovery import hub_cache
from studio.hub.partial import Promise, Slot


def hand_over(slot: Slot, promise: Promise) -> Path:
    """Move the finished file of ``slot`` into the cache; returns its path there. Raises OSError.

    On another disk this copies; the file has its name in the cache only when it is whole.
    """
    root = hub_cache() / f"models--{promise.repo.replace('/', '--')}"
    blob = root / "blobs" / promise.sha256
    name = root / "snapshots" / promise.commit / slot.target.name
    for folder in (blob.parent, name.parent, root / "refs"):
        folder.mkdir(parents=True, exist_ok=True)
    # In the place of what may be there: ours was checked just now, and what lies there perhaps never.
    moving = blob.with_name(f"{blob.name}.studio")
    shutil.move(slot.target, moving)
    os.replace(moving, blob)
    with contextlib.suppress(FileNotFoundError):
        name.unlink()
    try:
        name.symlink_to(Path("../../blobs") / blob.name)
    except OSError:
        # Windows without the right to make links: the library then keeps the file itself under its name.
        os.replace(blob, name)
    ref = root / "refs" / "main"
    if not ref.exists():
        ref.write_text(promise.commit, encoding="ascii")
    slot.delete()
    return name
