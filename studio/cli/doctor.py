"""``doctor``: what runs where, what is missing, and how many connections there are."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer
from rich.text import Text

from studio.cli.common import JsonOption, ModelOption, WorkspaceOption
from studio.cli.exit_codes import Exit
from studio.cli.output import out, printable, show_json
from studio.services.doctor import Health, report
from studio.services.studio import Studio

_MARKS = {Health.GOOD: ("●", "cyan"), Health.WARN: ("▲", "yellow"), Health.BAD: ("⬣", "red")}


def doctor(
    workspace: WorkspaceOption = None,
    model: ModelOption = None,
    retry: Annotated[
        bool, typer.Option("--retry-gpu", help="Let a GPU try again that could not load this model before.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Look at everything the studio needs, and load the model once. Exit code 1 when something is broken."""
    with Studio.open(workspace, model=model) as studio:
        if retry:
            studio.models.try_again(studio.models.current())
        found = report(studio)
    if as_json:
        show_json(
            {"healthy": found.healthy, "connections": found.connections, "facts": [asdict(f) for f in found.facts]}
        )
    else:
        width = max(len(fact.name) for fact in found.facts)
        for fact in found.facts:
            mark, style = _MARKS[fact.health]
            out.print(Text.assemble((mark, style), f" {fact.name:<{width}}  ", printable(fact.value)))
            if fact.hint:
                out.print(Text(f"  {'':<{width}}  {printable(fact.hint)}", "dim"))
    raise typer.Exit(Exit.OK if found.healthy else Exit.FAILED)
