"""How the servers of a remote model stand right now: each is asked what it is, once, and nothing is judged."""

from __future__ import annotations

import time
from contextlib import AbstractContextManager
from dataclasses import dataclass

from studio.core.errors import StudioError
from studio.engine.remote.dialect import Served, describe
from studio.engine.remote.engine import Allow
from studio.engine.remote.http import Patience, Server
from studio.engine.remote.model import RemoteModel

BRIEF = Patience(connect_s=5.0, silence_s=20.0)
"""For questions that every server answers at once."""


@dataclass(frozen=True, slots=True)
class Looked:
    """One server: what it says of itself and in how many seconds it did, or why it did not."""

    url: str
    seconds: float
    served: Served | None = None
    error: StudioError | None = None


def look(remote: RemoteModel, allow: Allow, key: str) -> tuple[Looked, ...]:
    """Ask each server of a remote model. The shield is open for each while it is asked."""
    found = []

    def gate(name: str, port: int) -> AbstractContextManager[object]:
        return allow(frozenset([(name, port)]), f"Checking {remote.name}")

    for url in remote.urls:
        began = time.monotonic()
        try:
            served = describe(Server(url, gate, key=key, ca=remote.ca, patience=BRIEF), remote.model)
        except StudioError as error:
            found.append(Looked(url, time.monotonic() - began, error=error))
        else:
            found.append(Looked(url, time.monotonic() - began, served))
    return tuple(found)
