"""The command line's root: all commands, and the one place that turns errors into messages and exit codes."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from studio import __version__
from studio.cli import (
    bundle,
    classify,
    demo,
    doctor,
    evaluate,
    explain,
    golden,
    lint,
    matrix,
    models,
    policies,
    policy_tools,
    reparse,
    sessions,
    versions,
)
from studio.cli.exit_codes import Exit, of_error
from studio.cli.output import err, out, show_error
from studio.core.errors import StudioError

app = typer.Typer(
    name="moderation-studio",
    help="Judge content by your own written policy with gpt-oss-safeguard, on this machine alone. "
    "Without a command the window opens.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
app.command("demo")(demo.demo)
app.command("classify")(classify.classify)
app.command("explain")(explain.explain)
app.command("matrix")(matrix.matrix)
app.command("prompt")(classify.prompt)
app.command("reparse")(reparse.reparse)
app.command("lint")(lint.lint)
app.command("evaluate")(evaluate.evaluate)
app.command("report")(evaluate.report)
app.command("doctor")(doctor.doctor)
for command in (
    *(policy_tools.diff, policy_tools.merge, policy_tools.split, policy_tools.new),
    *(versions.history, versions.restore, versions.branch, versions.release, versions.bisect),
):
    policies.app.command()(command)
app.add_typer(policies.app, name="policies")
app.add_typer(sessions.app, name="sessions")
app.add_typer(models.app, name="models")
app.add_typer(bundle.app, name="bundle")
app.add_typer(golden.app, name="golden")
_INTERRUPTED = 130
"""What Typer makes of Ctrl+C: 128 and the number of the signal, as shells count."""


def _show_version(wanted: bool) -> None:
    if wanted:
        out.print(f"moderation-studio {__version__}")
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version and stop.")
    ] = False,
) -> None:
    """Options that stand before a command."""


def run() -> int:
    """Run the command that the arguments name and return its exit code."""
    for stream in (sys.stdout, sys.stderr):
        # A terminal of another encoding must not stop a command half way.
        getattr(stream, "reconfigure", lambda **_: None)(errors="backslashreplace")
    try:
        app()
    except StudioError as error:
        show_error(error)
        return of_error(error)
    except OSError as error:
        # What services meet is turned into a StudioError there; without a file's name it is the output that fails.
        _end_output()
        message = f"{error.filename or 'The output'} could not be written or read: {error.strerror or error}."
        show_error(StudioError(message, hint="Check that there is room, and who may write there."))
        return Exit.FAILED
    except SystemExit as done:
        if done.code == _INTERRUPTED:
            err.print("Stopped.")
        return done.code if isinstance(done.code, int) else Exit.OK
    return Exit.OK


def _end_output() -> None:
    """Give the output up: what is still in its buffer cannot be written, and must not be tried again at the end."""
    sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115 - stays open until the process ends
