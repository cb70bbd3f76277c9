"""Progress bars on standard error, so that standard output stays clean for scripts."""

from __future__ import annotations

from collections.abc import Callable

from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from studio.cli.output import err
from studio.core.progress import Progress as Done


def bar() -> Progress:
    """A bar with what is done, the share and the time left. It shows nothing when there is no terminal."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
        TimeRemainingColumn(),
        console=err,
        transient=True,
    )


def show(progress: Progress) -> Callable[[Done], None]:
    """A callback for a service that moves a new line of ``progress``."""
    task = progress.add_task("", total=None)

    def update(done: Done) -> None:
        progress.update(task, completed=done.done, total=done.total or None, description=done.message)

    return update
