"""``models list|import|use|check-demo``."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from studio.cli.common import JsonOption, ModelOption, WorkspaceOption
from studio.cli.exit_codes import Exit
from studio.cli.output import out, printable, show_json
from studio.cli.progress import bar, show
from studio.services.check_demo import CheckResult
from studio.services.check_demo import check_demo as run_check
from studio.services.studio import Studio

app = typer.Typer(help="The model files.", no_args_is_help=True)

BAR = 0.98
"""What the demo model must reach; the model card says where the bar comes from."""


@app.command("list")
def list_models(workspace: WorkspaceOption = None, as_json: JsonOption = False) -> None:
    """List the model files; the one in use is marked."""
    with Studio.open(workspace) as studio:
        entries = studio.models.list()
        current = studio.models.current().path
    if as_json:
        show_json(
            [
                {
                    "name": e.name,
                    "path": str(e.path),
                    "size": e.size,
                    "sha256": e.sha256,
                    "demo": e.is_demo,
                    "present": e.present,
                    "in_use": e.path == current,
                }
                for e in entries
            ]
        )
        return
    table = Table(box=None, pad_edge=False)
    for column in ("", "name", "size", "file"):
        table.add_column(column, overflow="fold", justify="right" if column == "size" else "left")
    for entry in entries:
        size = f"{entry.size / 1e9:.1f} GB" if entry.size >= 1e9 else f"{entry.size / 1e6:.1f} MB"
        mark = "▸" if entry.path == current else ""
        where = str(entry.path) if entry.present else f"{entry.path} (missing)"
        table.add_row(mark, Text(printable(entry.name), "bold"), size, Text(printable(where)))
    out.print(table)


@app.command("import")
def import_model(
    file: Annotated[Path, typer.Argument(help="A GGUF file of gpt-oss-safeguard. It stays where it is.")],
    use: Annotated[bool, typer.Option("--use/--no-use", help="Judge with it from now on.")] = True,
    workspace: WorkspaceOption = None,
) -> None:
    """Add a model file that is on this machine, after reading its checksum."""
    with Studio.open(workspace) as studio, bar() as progress:
        entry = studio.models.add(file, on_progress=show(progress))
        if use:
            studio.models.use(entry)
    out.print(Text.assemble((printable(entry.name), "bold"), f"  sha256 {entry.sha256}"))


@app.command("use")
def use_model(
    name: Annotated[str, typer.Argument(help="The model's name or file, or `demo`.")], workspace: WorkspaceOption = None
) -> None:
    """Choose the model that judges from now on."""
    with Studio.open(workspace) as studio:
        entry = studio.models.named(name)
        studio.models.use(entry)
    out.print(Text(f"Now judging with {printable(entry.name)}."))


@app.command("check-demo")
def check_demo(
    model: ModelOption = None,
    most: Annotated[int | None, typer.Option("--most", min=1, help="Judge only so many cases, flips included.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Measure the demo model on its held-out cases, and on the same cases with one rule moved."""
    if as_json:
        result = run_check(model=model, most=most)
        show_json({key: value for key, value in asdict(result).items() if key != "wrong"})
    else:
        with bar() as progress:
            result = run_check(model=model, most=most, on_progress=show(progress))
        out.print(f"{result.accuracy:.1%} of {result.n} held-out verdicts are right")
        out.print(f"{result.flip_accuracy:.1%} of {result.flip_n} flips are right on both sides")
        out.print(f"{result.well_formed:.1%} of all answers are well formed")
    raise typer.Exit(Exit.OK if _good(result) else Exit.FAILED)


def _good(result: CheckResult) -> bool:
    return result.accuracy >= BAR and result.flip_accuracy >= BAR and result.well_formed == 1.0
