"""``doctor``: what runs where, what is missing, and how many connections there are."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, NoReturn

import typer
from rich.text import Text

from studio.cli.common import JsonOption, ModelOption, WorkspaceOption
from studio.cli.exit_codes import Exit
from studio.cli.output import out, printable, show_json
from studio.services.doctor import Health, report
from studio.services.offline_proof import Proof, prove
from studio.services.studio import Studio

_MARKS = {Health.GOOD: ("●", "cyan"), Health.WARN: ("▲", "yellow"), Health.BAD: ("⬣", "red")}


def doctor(
    workspace: WorkspaceOption = None,
    model: ModelOption = None,
    retry: Annotated[
        bool, typer.Option("--retry-gpu", help="Let a GPU try again that could not load this model before.")
    ] = False,
    offline: Annotated[
        bool, typer.Option("--prove-offline", help="Judge once on the demo model and show that nothing was connected.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Look at everything the studio needs, and load the model once. Exit code 1 when something is broken."""
    if offline:
        _prove_offline(as_json)
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


_PROOFS = {Proof.PROVEN: ("●", "cyan"), Proof.NOT_PROVEN: ("▲", "yellow"), Proof.BROKEN: ("⬣", "red")}


def _prove_offline(as_json: bool) -> NoReturn:
    found = prove()
    if as_json:
        attempts = [{**asdict(attempt), "at": attempt.at.isoformat()} for attempt in found.attempts]
        show_json({"holds": found.holds, "lines": [asdict(line) for line in found.lines], "attempts": attempts})
    else:
        width = max(len(line.what) for line in found.lines)
        for line in found.lines:
            mark, style = _PROOFS[line.proof]
            words = f" {line.what:<{width}}  {line.proof:<10}  "
            out.print(Text.assemble((mark, style), words, printable(line.seen)))
        out.print(Text("\nAsked for meanwhile:", "dim"))
        for attempt in found.attempts:
            out.print(
                Text(f"  {attempt.at:%H:%M:%S} UTC  {attempt.call} to {printable(attempt.address)}: refused", "dim")
            )
    raise typer.Exit(Exit.OK if found.holds else Exit.FAILED)
