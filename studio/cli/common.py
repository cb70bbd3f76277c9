"""What several commands share: the options that name a workspace, a model and a policy."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from studio.cli.output import show_notes
from studio.core.errors import NotFoundError
from studio.core.policy import Policy
from studio.services.studio import Studio

WorkspaceOption = Annotated[
    Path | None, typer.Option("--workspace", "-w", help="The workspace file; the one used last if not given.")
]
ModelOption = Annotated[
    Path | None, typer.Option("--model", "-m", help="A GGUF file; the chosen model, or the demo model, if not given.")
]
PolicyOption = Annotated[
    str,
    typer.Option(
        "--policy", "-p", help="A policy of the workspace (spam, or spam@3 for version 3 or a release name), or a file."
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON for scripts.")]


def version_number(studio: Studio, policy_id: str, wanted: str) -> int:
    """The number of the version that ``wanted`` names: a number, or the name of a release. Raises NotFoundError."""
    if wanted.isdecimal() and len(wanted) < 10:
        return studio.policies.get(policy_id, int(wanted)).number
    return studio.policies.release(policy_id, wanted).number


def find_policy(studio: Studio, wanted: str) -> Policy:
    """The policy that ``wanted`` names: an id, an id with a version or release, or a file. Raises InputError.

    What had to be inferred from a file is told on standard error.
    """
    path = Path(wanted)
    if len(path.parts) > 1 or path.suffix.casefold() in {".md", ".txt"}:
        read = studio.policies.read(path / "policy.md" if path.is_dir() else path)
        show_notes(read.notes)
        return read.policy
    name, _, number = wanted.partition("@")
    if not number:
        try:
            return studio.policies.get(name).policy
        except NotFoundError:
            if not path.is_file():
                raise
        return find_policy(studio, str(path.absolute()))
    return studio.policies.get(name, version_number(studio, name, number)).policy
