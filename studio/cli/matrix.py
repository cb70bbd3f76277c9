"""``matrix``: contents judged under several policies at once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from studio.cli.classify import DateOption, EffortOption
from studio.cli.common import JsonOption, ModelOption, WorkspaceOption, find_policy
from studio.cli.output import err, out, pill, printable, show_json, show_notes
from studio.cli.progress import bar, show
from studio.core.content import Content, user_message
from studio.core.errors import InputError
from studio.core.policy import Policy
from studio.core.run import Run
from studio.services.contents import read_content_file
from studio.services.evaluation import Settings
from studio.services.matrix import Matrix
from studio.services.matrix import matrix as judge_all
from studio.services.models import DEMO_NOTICE
from studio.services.studio import Studio


def matrix(
    texts: Annotated[list[str] | None, typer.Argument(help="The texts to judge.")] = None,
    policies: Annotated[
        list[str] | None, typer.Option("--policy", "-p", help="A policy, a version (spam@3) or a file; several times.")
    ] = None,
    files: Annotated[
        list[Path] | None, typer.Option("--file", "-f", help="A content from a file, as in classify; several times.")
    ] = None,
    tag: Annotated[str, typer.Option("--tag", help="All policies with this tag.")] = "",
    jurisdiction: Annotated[str, typer.Option("--jurisdiction", help="All policies for this jurisdiction.")] = "",
    combined: Annotated[
        bool, typer.Option("--combined", help="Merge the policies into one call. Faster, and less accurate.")
    ] = False,
    effort: EffortOption = None,
    day: DateOption = None,
    workspace: WorkspaceOption = None,
    model: ModelOption = None,
    as_json: JsonOption = False,
) -> None:
    """Judge contents under several policies: one call for each policy, and a table of what each decides."""
    contents = [*(Content.message(text) for text in texts or ()), *(read_content_file(file) for file in files or ())]
    if any(not user_message(content).strip() for content in contents):
        raise InputError("One of the contents is empty.", hint="Check what was handed over.")
    with Studio.open(workspace, model=model) as studio:
        chosen = _policies(studio, policies or [], tag, jurisdiction)
        settings = Settings(effort=effort, pinned_date=day.date() if day else None)
        with bar() as progress:
            found = judge_all(studio, chosen, contents, settings, combined=combined, on_progress=show(progress))
        demo = studio.models.current().is_demo
    if as_json:
        show_json(_record(found))
        return
    _show(found)
    show_notes(found.notes)
    if demo:
        err.print(Text(DEMO_NOTICE, "dim italic"))


def _policies(studio: Studio, named: list[str], tag: str, jurisdiction: str) -> list[Policy]:
    chosen = {policy.sha256: policy for policy in (find_policy(studio, name) for name in named)}
    if tag or jurisdiction:
        for summary in studio.policies.list(tag=tag, jurisdiction=jurisdiction):
            if summary.latest:
                policy = studio.policies.get(summary.id).policy
                chosen.setdefault(policy.sha256, policy)
    if not chosen:
        raise InputError("No policy was named, or none fits.", hint="Use --policy, --tag or --jurisdiction.")
    return [*chosen.values()]


def _record(found: Matrix) -> dict[str, Any]:
    return {
        "policies": [{"id": policy.id, "title": policy.title, "sha256": policy.sha256} for policy in found.policies],
        "contents": [content.title for content in found.contents],
        "cells": [[_cell(run) for run in row] for row in found.runs],
        "notes": list(found.notes),
    }


def _cell(run: Run | None) -> dict[str, Any] | None:
    if run is None or run.verdict is None:
        return None
    verdict = run.verdict
    return {
        "run": run.id,
        "decision": verdict.decision,
        "status": verdict.status,
        "labels": list(verdict.labels),
        "confidence": verdict.confidence,
    }


def _show(found: Matrix) -> None:
    table = Table(box=None, pad_edge=False)
    table.add_column("content", overflow="fold")
    for policy in found.policies:
        table.add_column(printable(policy.title), overflow="fold")
    for content, row in zip(found.contents, found.runs, strict=True):
        table.add_row(Text(printable(content.title)), *(_words(run) for run in row))
    out.print(table)


def _words(run: Run | None) -> Text:
    if run is None:
        return Text("")
    labels = ", ".join(run.verdict.labels) if run.verdict else ""
    return Text.assemble(pill(run.verdict), f" {printable(labels)}")
