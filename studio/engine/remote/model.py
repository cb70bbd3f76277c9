"""A model on servers, as the user added it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class RemoteModel:
    """A model on servers, as the user added it: all ``urls`` serve the same.

    ``id`` names it in the settings; ``model`` is its name there, "" for the only one; ``key_env`` names the environment
    variable that holds the key, never the key; ``key_kept``: the key is in the system's keyring under the id; ``ca``: a
    file of certificates in PEM form.
    """

    id: str
    name: str
    urls: tuple[str, ...]
    model: str = ""
    key_env: str = ""
    ca: Path | None = None
    key_kept: bool = False
