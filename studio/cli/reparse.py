"""``reparse``: read stored raw answers again."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path
from typing import Annotated

import typer

from studio.cli.common import JsonOption, PolicyOption, WorkspaceOption, find_policy
from studio.cli.output import out, printable, show_json
from studio.services.reparse import reparse as read_again
from studio.services.reparse import reparse_file
from studio.services.studio import Studio

InputOption = Annotated[
    Path,
    typer.Option(
        "--input",
        "-i",
        help="A JSONL file with the fields raw_output, and optionally reasoning and id. - is standard input.",
    ),
]


def reparse(
    policy: PolicyOption, source: InputOption, workspace: WorkspaceOption = None, as_json: JsonOption = False
) -> None:
    """Read the verdicts of stored raw answers again, by a policy's output contract.

    With --json one object for each input line, in order; without, a count of what was found.
    """
    with Studio.open(workspace) as studio:
        chosen = find_policy(studio, policy)
    found: Counter[str] = Counter()
    if source == Path("-") and sys.stdin is not None:
        answers = read_again(chosen, sys.stdin.buffer.read(), "standard input")
    else:
        answers = reparse_file(chosen, source)
    for item in answers:
        verdict = item.verdict
        found[verdict.decision or f"no verdict: {verdict.status}"] += 1
        if as_json:
            show_json(
                {
                    "id": item.id,
                    "decision": verdict.decision,
                    "status": verdict.status,
                    "labels": list(verdict.labels),
                    "rule_ids": list(verdict.rule_ids),
                    "rationale": verdict.rationale,
                }
            )
    if not as_json:
        total = found.total()
        for name, count in found.most_common():
            out.print(f"{count:>8,}  {count / total:>6.1%}  {printable(name)}")
        out.print(f"{total:>8,}  answers")
