"""``policies list|show|import``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from studio.cli.common import JsonOption, WorkspaceOption, find_policy
from studio.cli.output import out, printable, show_json, show_notes
from studio.services.studio import Studio

app = typer.Typer(help="The policies of the workspace.", no_args_is_help=True)


@app.command("list")
def list_policies(workspace: WorkspaceOption = None, as_json: JsonOption = False) -> None:
    """List the policies, with their newest version and the size of their golden set."""
    with Studio.open(workspace) as studio:
        rows = [(summary, studio.golden.count(summary.id)) for summary in studio.policies.list()]
    if as_json:
        show_json(
            [
                {
                    "id": s.id,
                    "title": s.title,
                    "summary": s.summary,
                    "version": s.latest,
                    "draft": s.has_draft,
                    "starter": s.builtin,
                    "tags": list(s.tags),
                    "golden": count,
                }
                for s, count in rows
            ]
        )
        return
    table = Table(box=None, pad_edge=False)
    for column in ("id", "title"):
        table.add_column(column, overflow="fold")
    for column in ("version", "golden"):
        table.add_column(column, justify="right")
    for summary, count in rows:
        version = f"{summary.latest}{' + draft' if summary.has_draft else ''}"
        table.add_row(Text(summary.id, "bold"), Text(printable(summary.title)), version, str(count))
    out.print(table)


@app.command("show")
def show_policy(
    policy: Annotated[str, typer.Argument(help="An id, an id with a version (spam@3), or a file.")],
    workspace: WorkspaceOption = None,
) -> None:
    """Print a policy as a file: front matter and text."""
    with Studio.open(workspace) as studio:
        text = studio.policies.export_text(find_policy(studio, policy))
    typer.echo(text if not out.is_terminal else printable(text), nl=not text.endswith("\n"))


@app.command("import")
def import_policy(
    files: Annotated[list[Path], typer.Argument(help="Policy files: Markdown with front matter, or plain text.")],
    workspace: WorkspaceOption = None,
) -> None:
    """Add policy files to the workspace, each as a new version."""
    with Studio.open(workspace) as studio:
        for file in files:
            version, notes = studio.policies.import_path(file)
            out.print(
                Text.assemble(
                    (version.policy.id, "bold"), f" version {version.number}: ", printable(version.policy.title)
                )
            )
            show_notes(notes)
