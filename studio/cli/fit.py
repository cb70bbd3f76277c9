"""``models fit``: which models fit this machine, how, and how long an item takes."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from studio.cli.common import JsonOption, WorkspaceOption
from studio.cli.output import err, out, printable, show_json
from studio.cli.progress import bar, show
from studio.services.fit import Advice, Fits
from studio.services.fit_words import METHOD, badge, time_words
from studio.services.shelf import ShelfEntry
from studio.services.studio import Studio

_STYLES = {Fits.WHOLE: "cyan", Fits.CPU_EXPERTS: "cyan", Fits.CPU_LAYERS: "yellow", Fits.NOT_NOW: "yellow"}


def fit(
    measure: Annotated[
        bool, typer.Option("--measure", help="Measure this machine first, about ten seconds; it is remembered.")
    ] = False,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say for every model whether it fits this machine, what would lie where, and how long an item takes."""
    with Studio.open(workspace) as studio:
        if measure:
            with bar() as progress:
                studio.fit.measure(on_progress=show(progress))
        machine = studio.fit.machine()
        measured = studio.fit.measured(machine)
        entries = studio.shelf.list()
        advice = studio.fit.all(entries)
    if as_json:
        show_json(
            {
                "machine": asdict(machine),
                "measured_at": measured.at if measured else None,
                "method": METHOD,
                "models": [_record(entry, advice[entry.id]) for entry in entries],
            }
        )
        return
    out.print(Text(printable(" · ".join((*machine.room, *machine.pace)))))
    table = Table(box=None, pad_edge=False)
    for column in ("id", "fit", "plan"):
        table.add_column(column, overflow="fold")
    for entry in entries:
        found = advice[entry.id]
        table.add_row(Text(entry.id, "bold"), Text(badge(found), _STYLES.get(found.fits, "")), Text(_plan(found)))
    out.print(table)
    if measured is None:
        err.print(Text("How long an item takes is not known: add --measure, about ten seconds.", "dim"))
    else:
        err.print(Text(f"Measured {measured.at[:16].replace('T', ' ')} UTC. {METHOD}", "dim"))


def _plan(advice: Advice) -> str:
    words = advice.plan or advice.why
    return printable(f"{words} {time_words(advice.time)}" if advice.time is not None else words)


def _record(entry: ShelfEntry, advice: Advice) -> dict[str, Any]:
    return {
        "id": entry.id,
        "state": entry.state,
        "badge": badge(advice),
        "needed": advice.needed,
        **asdict(advice),
    }
