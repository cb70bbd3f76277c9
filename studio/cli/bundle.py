"""``bundle create|verify``: all that a machine without a network needs, in one folder or archive."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from studio.cli.common import JsonOption, WorkspaceOption, find_policy
from studio.cli.exit_codes import Exit
from studio.cli.output import out, printable, show_json, show_notes
from studio.cli.progress import bar, show
from studio.services import bundle
from studio.services.studio import Studio

app = typer.Typer(help="Bundles for machines without a network.", no_args_is_help=True)


@app.command("create")
def create(
    target: Annotated[
        Path, typer.Argument(metavar="OUT", help="The folder, or archive, to make. Nothing may be there.")
    ],
    models: Annotated[
        list[str] | None,
        typer.Option("--model", help="A model by its id (`models list`). The demo model is always in."),
    ] = None,
    policies: Annotated[list[str] | None, typer.Option("--policy", help="A policy: spam, spam@3, or a file.")] = None,
    wheels: Annotated[
        Path | None, typer.Option("--wheels", help="Take the wheels of this folder, not what is installed here.")
    ] = None,
    archive: Annotated[bool, typer.Option("--archive", help="Make one tar archive.")] = False,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make a bundle: program, libraries, models, policies, licences, installer and manifest. No network is used."""
    with Studio.open(workspace) as studio, bar() as progress:
        made = bundle.create(
            studio,
            target,
            models=models or (),
            policies=[find_policy(studio, wanted) for wanted in policies or ()],
            wheels=wheels,
            archive=archive,
            on_progress=show(progress),
        )
    if as_json:
        show_json({**asdict(made), "path": str(made.path)})
        return
    words = f"{made.files} files, {made.size / 1e6:,.0f} MB, {len(made.packages)} packages"
    out.print(Text.assemble((printable(str(made.path)), "bold"), f"  {words}"))
    out.print(Text(f"manifest sha256 {made.manifest_sha256}: tell it to the other side by another way."))
    start = f"tar -xf {made.path.name} && ./{made.path.name.removesuffix('.tar')}" if archive else f"./{made.path.name}"
    out.print(Text(f"There, without a network: {printable(start)}/install.sh"))
    show_notes(made.notes)


@app.command("verify")
def verify(
    path: Annotated[Path, typer.Argument(help="A bundle: its folder, or its archive.")], as_json: JsonOption = False
) -> None:
    """Compare every file of a bundle with its manifest. Exit code 1 when one is wrong, missing or not listed."""
    with bar() as progress:
        task = progress.add_task("Reading", total=None)
        found = bundle.verify(path, told=lambda name: progress.update(task, description=f"Reading {name[-60:]}"))
    if as_json:
        show_json({**asdict(found), "path": str(found.path), "right": not found.problems})
    else:
        for problem in found.problems:
            out.print(Text(printable(problem), "red"))
        if not found.problems:
            models, policies = ", ".join(found.models) or "demo only", ", ".join(found.policies) or "none of its own"
            out.print(Text(f"All {found.files} files are as the manifest says, and there are no others."))
            out.print(Text(printable(f"Studio {found.studio}. Models: {models}. Policies: {policies}.")))
        out.print(Text(f"manifest sha256 {found.manifest_sha256}", "dim"))
        show_notes(found.misfits)
    raise typer.Exit(Exit.FAILED if found.problems else Exit.OK)
