"""``policies list|show|import|export|pack|unpack``."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from studio.cli.common import JsonOption, WorkspaceOption, find_policy, version_number
from studio.cli.exit_codes import of_error
from studio.cli.output import out, printable, show_error, show_json, show_notes
from studio.core.policy import PolicyVersion
from studio.services.packs import SUFFIX, Imported
from studio.services.studio import Studio

app = typer.Typer(help="The policies of the workspace.", no_args_is_help=True)


@app.command("list")
def list_policies(
    tag: Annotated[str, typer.Option("--tag", help="Only policies with this tag.")] = "",
    jurisdiction: Annotated[str, typer.Option("--jurisdiction", help="Only policies for this jurisdiction.")] = "",
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the policies, with their newest version and the size of their golden set."""
    with Studio.open(workspace) as studio:
        found = studio.policies.list(tag=tag, jurisdiction=jurisdiction)
        rows = [(summary, studio.golden.count(summary.id)) for summary in found]
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
                    "jurisdictions": list(s.jurisdictions),
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
    files: Annotated[
        list[Path], typer.Argument(help="Policy files, Markdown with front matter or plain text; or folders of them.")
    ],
    message: Annotated[str, typer.Option(help="What has changed; stands beside the version.")] = "",
    workspace: WorkspaceOption = None,
) -> None:
    """Add policy files to the workspace, each as a new version. In a folder, one that cannot be used stops no other."""
    refused, begun = None, datetime.now(UTC)
    with Studio.open(workspace) as studio:
        for file in files:
            found = (
                studio.packs.import_folder(file, message)
                if file.is_dir()
                else (Imported(file, *studio.policies.import_path(file, message)),)
            )
            for one in found:
                if one.version is not None:
                    _tell(one.version, unchanged=one.version.created_at < begun)
                show_notes(one.notes)
                if one.problem is not None:
                    refused = one.problem
                    show_error(one.problem)
    if refused is not None:
        raise typer.Exit(of_error(refused))


@app.command("export")
def export_policy(
    policy: Annotated[str, typer.Argument(help="An id, or an id with a version or release (spam@3).")],
    file: Annotated[Path, typer.Argument(help="The file to write.")],
    plain: Annotated[bool, typer.Option("--plain", help="The text alone, byte for byte; always for .txt.")] = False,
    workspace: WorkspaceOption = None,
) -> None:
    """Write a policy to a file: with its labels as front matter, or its text alone."""
    with Studio.open(workspace) as studio:
        studio.policies.export(find_policy(studio, policy), file, plain=plain or file.suffix.casefold() == ".txt")
    out.print(Text(f"Saved as {printable(str(file))}"))


@app.command("pack")
def pack_policy(
    policy: Annotated[str, typer.Argument(help="An id, or an id with a version or release (spam@3).")],
    file: Annotated[Path, typer.Argument(help=f"The pack to write, such as spam{SUFFIX}.")],
    note: Annotated[str, typer.Option("--note", help="The release note; the version's message if not given.")] = "",
    workspace: WorkspaceOption = None,
) -> None:
    """Write a saved policy with its golden set and a release note as one file, with a manifest and hashes."""
    with Studio.open(workspace) as studio:
        name, _, wanted = policy.partition("@")
        version = studio.policies.get(name, version_number(studio, name, wanted) if wanted else None)
        made = studio.packs.pack(version, file, note=note)
    out.print(
        Text.assemble((printable(str(file)), "bold"), f"  version {version.number}, {len(made.examples)} examples")
    )


@app.command("unpack")
def unpack_policy(
    file: Annotated[Path, typer.Argument(help="A policy pack.")],
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Bring a policy pack into the workspace. Its hashes are checked first; examples that are here stay as they are."""
    with Studio.open(workspace) as studio:
        done = studio.packs.unpack(file)
    version = done.version
    if as_json:
        show_json(
            {
                "id": version.policy.id,
                "version": version.number,
                "release": version.release,
                "note": done.note,
                "added": done.added,
                "known": done.known,
                "differing": done.differing,
                "notes": list(done.notes),
            }
        )
        return
    _tell(version)
    show_notes(done.notes)
    out.print(f"{done.added} golden examples added, {done.known} were here already")
    if done.differing:
        show_notes([f"{done.differing} of those have another decision here, and keep it."])
    if done.note:
        out.print(Text(printable(done.note), "dim"))


def _tell(version: PolicyVersion, *, unchanged: bool = False) -> None:
    title = printable(version.policy.title)
    as_before = (", unchanged", "dim") if unchanged else ""
    out.print(Text.assemble((version.policy.id, "bold"), f" version {version.number}: ", title, as_before))
