"""``sessions list|show|search``."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from studio.cli.common import JsonOption, WorkspaceOption
from studio.cli.output import out, pill, printable, show_json
from studio.core.run import Run
from studio.services.records import kept_record
from studio.services.studio import Studio

app = typer.Typer(help="What was judged, and when.", no_args_is_help=True)

LimitOption = Annotated[int, typer.Option("--limit", "-n", min=1, max=100_000, help="At most so many.")]


@app.command("list")
def list_sessions(workspace: WorkspaceOption = None, limit: LimitOption = 50, as_json: JsonOption = False) -> None:
    """List the sessions, the last used first."""
    with Studio.open(workspace) as studio:
        sessions = studio.sessions.list(limit)
    if as_json:
        show_json(
            [
                {
                    "id": s.id,
                    "title": s.title,
                    "created_at": s.created_at.isoformat(),
                    "updated_at": s.updated_at.isoformat(),
                    "runs": s.run_count,
                }
                for s in sessions
            ]
        )
        return
    table = Table(box=None, pad_edge=False)
    table.add_column("id")
    table.add_column("last used")
    table.add_column("runs", justify="right")
    table.add_column("title", overflow="fold")
    for session in sessions:
        used = f"{session.updated_at.astimezone():%Y-%m-%d %H:%M}"
        table.add_row(session.id[:8], used, str(session.run_count), Text(printable(session.title)))
    out.print(table)


@app.command("show")
def show_session(
    session: Annotated[str, typer.Argument(help="The session's id, or its unique start.")],
    workspace: WorkspaceOption = None,
    limit: LimitOption = 100,
    as_json: JsonOption = False,
) -> None:
    """Show the runs of a session, newest first."""
    with Studio.open(workspace) as studio:
        found = studio.sessions.get(session)
        runs = studio.sessions.runs(session_id=found.id, limit=limit)
    if as_json:
        show_json({"id": found.id, "title": found.title, "runs": [kept_record(run) for run in runs]})
        return
    out.print(Text(printable(found.title), "bold"))
    for run in runs:
        _show_run(run, run.content.title)


@app.command("search")
def search(
    words: Annotated[str, typer.Argument(help="Words in content, rationale or reasoning.")],
    workspace: WorkspaceOption = None,
    limit: LimitOption = 20,
    as_json: JsonOption = False,
) -> None:
    """Find runs by their words."""
    with Studio.open(workspace) as studio:
        hits = studio.sessions.search(words, limit)
    if as_json:
        show_json([{**kept_record(hit.run), "snippet": hit.snippet} for hit in hits])
        return
    for hit in hits:
        _show_run(hit.run, " ".join(hit.snippet.replace("\x02", "«").replace("\x03", "»").split()))
    if not hits:
        out.print(Text("Nothing found.", "dim"))


def _show_run(run: Run, text: str) -> None:
    line = Text(f"{run.started_at.astimezone():%Y-%m-%d %H:%M}  ", "dim")
    line.append_text(pill(run.verdict))
    if run.verdict is not None and run.verdict.labels:
        line.append(f" {printable(', '.join(run.verdict.labels))}", "bold")
    version = f"@{run.version}" if run.version else " (draft)"
    line.append(f"  {run.policy.id}{version}  ", "dim")
    line.append(printable(text))
    out.print(line)
