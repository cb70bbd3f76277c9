"""`lint` checks policy files and says what is wrong where."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from studio.cli.common import JsonOption
from studio.cli.exit_codes import Exit
from studio.cli.output import out, printable, show_error, show_json
from studio.services.lint import Finding, LintedFile, Severity, lint_files, policy_files

_STYLES = {Severity.ERROR: "bold red", Severity.WARNING: "bold yellow", Severity.NOTE: "bold cyan"}
_BEFORE, _WIDE = 40, 100
"""Of a long line so many characters are shown: those before the place, and in all."""


def lint(
    files: Annotated[list[Path], typer.Argument(help="Policy files, or folders of them.", metavar="FILE…")],
    as_json: JsonOption = False,
) -> None:
    """Check policies: what misleads the model, what weakens the policy, and how to mend it.

    Exit code 1 when there are errors, 2 when a file cannot be read, else 0.
    """
    linted = list(lint_files(policy_files(files)))
    if as_json:
        show_json([_row(file, finding) for file in linted for finding in file.findings])
    for file in linted:
        if file.error is not None:
            show_error(file.error)
        elif not as_json:
            for finding in file.findings:
                _show(file, finding)
    counts = Counter(finding.severity for file in linted for finding in file.findings)
    unreadable = any(file.error is not None for file in linted)
    if not as_json and not (unreadable and len(linted) == 1):
        _sum_up(counts, len(linted))
    if unreadable:
        raise typer.Exit(Exit.USAGE)
    if counts[Severity.ERROR]:
        raise typer.Exit(Exit.FAILED)


def _row(file: LintedFile, finding: Finding) -> dict[str, object]:
    """The finding for scripts; the edits of a fix are character offsets in the file's text."""
    return {
        "file": str(file.path),
        "line": finding.line,
        "column": finding.column,
        "rule": finding.rule,
        "severity": str(finding.severity),
        "message": f"{finding.message} {finding.reason} {finding.advice}",
        "fix": [{"start": edit.start, "end": edit.end, "text": edit.text} for edit in finding.fix] or None,
    }


def _show(file: LintedFile, finding: Finding) -> None:
    """The place, the message, the line with a caret under the place, the reason, and what to do."""
    place = f"{printable(str(file.path))}:{finding.line}:{finding.column}: "
    out.print(
        Text.assemble(
            place,
            (str(finding.severity), _STYLES[finding.severity]),
            f" {printable(finding.message)} ",
            (f"[{finding.rule}]", "dim"),
        )
    )
    start = finding.start - finding.column + 1
    line = file.text[start : file.text.find("\n", start) if "\n" in file.text[start:] else None].rstrip("\r")
    first = max(0, finding.column - 1 - _BEFORE)
    before = ("…" if first else "") + printable(line[first : finding.column - 1]).replace("\t", " ")
    marked = printable(line[finding.column - 1 : finding.column - 1 + max(1, finding.end - finding.start)])
    after = printable(line[finding.column - 1 + finding.end - finding.start :])
    shown = (before + (marked + after).replace("\t", " "))[:_WIDE]
    out.print(Text(f"    {shown}"))
    out.print(Text(f"    {' ' * len(before)}{'^' * max(1, min(len(marked), _WIDE - len(before)))}", "bold"))
    fixable = " (has a safe fix)" if finding.fix else ""
    out.print(Text(f"    {printable(finding.reason)} {printable(finding.advice)}{fixable}", "dim"))


def _sum_up(counts: Counter[Severity], files: int) -> None:
    where = "1 file" if files == 1 else f"{files} files"
    parts = [
        f"{counts[severity]} {severity}{'' if counts[severity] == 1 else 's'}"
        for severity in Severity
        if counts[severity]
    ]
    out.print(Text(f"{', '.join(parts) or 'No findings'} in {where}", "bold"))
