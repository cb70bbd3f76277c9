"""``policies diff|merge|split|new``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from studio.cli.common import JsonOption, WorkspaceOption, find_policy
from studio.cli.output import out, printable, show_json, show_notes
from studio.core.errors import InputError
from studio.services import policy_tools
from studio.services.policy_tools import Change, Hunk, Made
from studio.services.studio import Studio

_STYLES = {Change.ADDED: "bold green", Change.REMOVED: "bold red strike"}
_SIGNS = {Change.ADDED: ("[+", "+]"), Change.REMOVED: ("[-", "-]")}


def diff(
    policy: Annotated[str, typer.Argument(help="The policy's id.")],
    one: Annotated[str, typer.Argument(metavar="A", help='The number of a version, or "draft".')],
    other: Annotated[str, typer.Argument(metavar="B", help='The number of a version, or "draft".')],
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show what changed in a policy's text from version A to B, word by word."""
    with Studio.open(workspace) as studio:
        hunks = policy_tools.compare(studio, policy, one, other)
    if as_json:
        show_json([hunk_row(hunk) for hunk in hunks])
        return
    for hunk in hunks:
        show_hunk(hunk)
    if not hunks:
        out.print("The texts are equal")


def merge(
    policies: Annotated[list[str], typer.Argument(help="Policies of the workspace, or files.")],
    title: Annotated[str, typer.Option("--title", help="The title of the merged policy.")],
    workspace: WorkspaceOption = None,
) -> None:
    """Merge several short policies into a new one, and say what that costs."""
    with Studio.open(workspace) as studio:
        _tell(policy_tools.merge(studio, [find_policy(studio, policy) for policy in policies], title))


def split(
    policy: Annotated[str, typer.Argument(help="A policy of the workspace, or a file.")],
    workspace: WorkspaceOption = None,
) -> None:
    """Split a policy into a new one for each of its violating labels."""
    with Studio.open(workspace) as studio:
        for made in policy_tools.split(studio, find_policy(studio, policy)):
            _tell(made)


def new(
    title: Annotated[str, typer.Argument(help="The title; that of the guideline's file if not given.")] = "",
    guideline: Annotated[
        Path | None, typer.Option("--from-guideline", help="A text file whose sentences are laid out as a policy.")
    ] = None,
    workspace: WorkspaceOption = None,
) -> None:
    """Begin a policy: blank in the four sections, or laid out from a community guideline with its gaps marked."""
    with Studio.open(workspace) as studio:
        if guideline is not None:
            _tell(policy_tools.from_guideline(studio, guideline, title))
        elif title:
            policy = studio.policies.create(title)
            studio.policies.save(policy, message="Blank")
            out.print(Text.assemble((policy.id, "bold"), f" version 1: {printable(policy.title)}"))
        else:
            raise InputError("The new policy has no title.", hint="Name it: policies new TITLE.")


def _tell(made: Made) -> None:
    version = made.version
    title = printable(version.policy.title)
    out.print(Text.assemble((version.policy.id, "bold"), f" version {version.number}: {title}"))
    show_notes(made.notes)


def hunk_row(hunk: Hunk) -> dict[str, object]:
    """A hunk as one JSON object."""
    return {
        "change": str(hunk.change),
        "old_line": hunk.old_line,
        "new_line": hunk.new_line,
        "old": hunk.old,
        "new": hunk.new,
        "words": [{"change": str(piece.change), "text": piece.text} for piece in hunk.pieces],
    }


def show_hunk(hunk: Hunk) -> None:
    """A hunk on its lines: what went in [-…-], what came in [+…+], so that it reads without colour too."""
    out.print(Text(f"line {hunk.old_line} -> {hunk.new_line}", "dim"))
    line = Text("  ")
    for piece in hunk.pieces:
        before, after = _SIGNS.get(piece.change, ("", ""))
        shown = printable(piece.text.rstrip("\n")).replace("\n", "\n  ")
        line.append(f"{before}{shown}{after}", _STYLES.get(piece.change, ""))
        line.append("\n  " if piece.text.endswith("\n") and piece is not hunk.pieces[-1] else "")
    out.print(line)
