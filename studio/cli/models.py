"""``models use|check-demo``, and with them those of the shelf."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer
from rich.text import Text

from studio.cli import fit, remotes, shelf
from studio.cli.common import JsonOption, ModelOption, WorkspaceOption
from studio.cli.exit_codes import Exit
from studio.cli.output import out, printable, show_json
from studio.cli.progress import bar, show
from studio.services.check_demo import CheckResult
from studio.services.check_demo import check_demo as run_check
from studio.services.studio import Studio

app = typer.Typer(help="The model files.", no_args_is_help=True)
shelf.register(app)
remotes.register(app)
app.command("fit")(fit.fit)

BAR = 0.98
"""What the demo model must reach; the model card says where the bar comes from."""


@app.command("use")
def use_model(
    name: Annotated[str, typer.Argument(help="The model's id, name or file, or `demo`.")],
    workspace: WorkspaceOption = None,
) -> None:
    """Choose the model that judges from now on."""
    with Studio.open(workspace) as studio:
        on_shelf = next((e.model for e in studio.shelf.list() if e.id == name and e.model is not None), None)
        entry = on_shelf or studio.models.named(name)
        studio.models.use(entry)
    out.print(Text(f"Now judging with {printable(entry.name)}."))


@app.command("check-demo")
def check_demo(
    model: ModelOption = None,
    most: Annotated[int | None, typer.Option("--most", min=1, help="Judge only so many cases, flips included.")] = None,
    free: Annotated[bool, typer.Option("--free", help="Hold no answer to the policy's form of answer.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Measure the demo model on its held-out cases, and on the same cases with one rule moved."""
    if as_json:
        result = run_check(model=model, most=most, free=free)
        show_json({key: value for key, value in asdict(result).items() if key != "wrong"})
    else:
        with bar() as progress:
            result = run_check(model=model, most=most, free=free, on_progress=show(progress))
        out.print(f"{result.accuracy:.1%} of {result.n} held-out verdicts are right")
        out.print(f"{result.flip_accuracy:.1%} of {result.flip_n} flips are right on both sides")
        out.print(f"{result.well_formed:.1%} of all answers are well formed")
    raise typer.Exit(Exit.OK if _good(result) else Exit.FAILED)


def _good(result: CheckResult) -> bool:
    return result.accuracy >= BAR and result.flip_accuracy >= BAR and result.well_formed == 1.0
