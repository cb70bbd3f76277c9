"""The one place that shows errors: as banners with what happened, why, and what to do. Never a bare traceback."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType

from PySide6.QtCore import QObject, Signal

from studio.core.errors import StudioError

_log = logging.getLogger("studio.ui")


@dataclass(frozen=True, slots=True)
class Mend:
    """The one button of a banner: its word, and what it does."""

    word: str
    act: Callable[[], None]


@dataclass(frozen=True, slots=True)
class Notice:
    """What a banner shows. ``level`` is ``error``, ``warn`` or ``info``."""

    title: str
    message: str
    hint: str = ""
    level: str = "info"
    mend: Mend | None = None


class Errors(QObject):
    """Takes errors from anywhere in the window's thread and asks for a banner."""

    raised = Signal(object)

    def show(self, error: BaseException, mend: Mend | None = None) -> None:
        """Show an error. One that is not ours is logged whole and shown as unexpected."""
        if isinstance(error, StudioError):
            _log.info("shown: %s: %s", error.code, error.title)
            self.raised.emit(Notice(error.title, error.message, error.hint, "error", mend))
            return
        _log.error("unexpected error", exc_info=(type(error), error, error.__traceback__))
        self.raised.emit(
            Notice(
                "Something unexpected happened",
                f"{type(error).__name__}: {error}".strip().rstrip(":"),
                "Your work is kept. The log file says more; Settings shows where it is.",
                "error",
                mend,
            )
        )

    def tell(self, title: str, message: str, *, mend: Mend | None = None, level: str = "info") -> None:
        """Show a quiet notice that is no error."""
        self.raised.emit(Notice(title, message, "", level, mend))

    def catch_all(self) -> None:
        """Send exceptions that nobody caught in the window's thread here instead of to the terminal."""

        def hook(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
            if issubclass(kind, KeyboardInterrupt):
                sys.__excepthook__(kind, error, trace)
                return
            self.show(error.with_traceback(trace))

        sys.excepthook = hook
