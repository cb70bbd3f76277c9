"""What several commands share: the options that name a workspace, a model and a policy."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from studio.cli.output import show_notes
from studio.core.errors import InputError
from studio.core.policy import Policy
from studio.services.studio import Studio

WorkspaceOption = Annotated[
    Path | None, typer.Option("--workspace", "-w", help="The workspace file; the one used last if not given.")
]
ModelOption = Annotated[
    Path | None, typer.Option("--model", "-m", help="A GGUF file; the chosen model, or the demo model, if not given.")
]
PolicyOption = Annotated[
    str, typer.Option("--policy", "-p", help="A policy of the workspace (spam, or spam@3 for version 3), or a file.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON for scripts.")]


def find_policy(studio: Studio, wanted: str) -> Policy:
    """The policy that ``wanted`` names: an id, an id with a version, or a file. Raises NotFoundError or PolicyError.

    What had to be inferred from a file is told on standard error.
    """
    path = Path(wanted)
    if len(path.parts) > 1 or path.suffix.casefold() in {".md", ".txt"}:
        read = studio.policies.read(path / "policy.md" if path.is_dir() else path)
        show_notes(read.notes)
        return read.policy
    name, _, number = wanted.partition("@")
    if number and not (number.isdecimal() and len(number) < 10):
        raise InputError(f"{wanted!r} names no version.", hint="Write the number of a version, such as spam@3.")
    return studio.policies.get(name, int(number) if number else None).policy
