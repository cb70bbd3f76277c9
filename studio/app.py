"""Starts the window: one QApplication, one studio, one main window."""

from __future__ import annotations

import logging
import os
import sys
from logging.handlers import RotatingFileHandler
from pathlib import Path

from PySide6.QtWidgets import QApplication, QMessageBox

from studio import paths, settings
from studio.core.errors import StudioError
from studio.services.studio import Studio
from studio.ui.collector import Collector
from studio.ui.context import Changes, Context
from studio.ui.errors import Errors
from studio.ui.main_window import MainWindow
from studio.ui.preferences import Preferences
from studio.ui.tasks import Tasks
from studio.ui.theme import Theme

_NO_SCREEN = (
    "There is no screen here, so the window cannot open.\n"
    "`moderation-studio --help` shows what can be done without it; over ssh, -X brings the window to your own screen."
)
_LOG_BYTES = 1_000_000
_SWITCH_S = 0.001
"""How soon a thread that works lets the window go on. Python's 5 ms add up: the window waits at every call into Qt."""


def run(workspace: Path | None = None, *, model: Path | None = None) -> int:
    """Open the window on a workspace and stay until it is closed. Returns the exit code."""
    if not _has_screen():
        print(_NO_SCREEN, file=sys.stderr)
        return 1
    app = QApplication.instance() or QApplication(sys.argv[:1])
    if not isinstance(app, QApplication):
        raise RuntimeError("the window needs a QApplication")
    app.setApplicationName(paths.APP_NAME)
    app.setApplicationDisplayName("Moderation Studio")
    app.setDesktopFileName(paths.APP_NAME)
    theme = Theme(app)
    try:
        loaded = settings.load()
        theme.choose(loaded.settings.theme, loaded.settings.font_size)
        _log_to_file()
        studio = Studio.open(workspace, model=model)
    except StudioError as error:
        QMessageBox.critical(None, error.title, str(error))
        return 1
    window = build_window(theme, studio, loaded)
    window.errors.catch_all()
    window.closed.connect(app.quit)
    app.setQuitOnLastWindowClosed(False)
    window.show()
    code = app.exec()
    window.shut_down()
    return code


def _has_screen() -> bool:
    """Whether Qt can open a window: where it cannot it would end the process without a word that helps."""
    if not sys.platform.startswith("linux") or QApplication.instance() is not None:
        return True
    return any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"))


def build_window(theme: Theme, studio: Studio, loaded: settings.Loaded) -> MainWindow:
    """The main window over an open studio."""
    sys.setswitchinterval(_SWITCH_S)
    errors = Errors()
    tasks = Tasks(errors.show)
    preferences = Preferences(loaded, tasks)
    preferences.changed.connect(
        lambda: theme.choose(preferences.values.theme, preferences.values.font_size),
    )
    context = Context(studio, tasks, errors, theme, preferences, Changes())
    window = MainWindow(context)
    for part in (errors, tasks, preferences, context.changes):
        part.setParent(window)
    window.closed.connect(Collector(window).stop)
    return window


def _log_to_file() -> None:
    """The studio's own lines, and the warnings of libraries, go to a file; what was judged never does.

    The file is opened at the first line: one that cannot be written does not keep the window shut.
    """
    handler = RotatingFileHandler(
        paths.logs_dir() / "studio.log", maxBytes=_LOG_BYTES, backupCount=2, encoding="utf-8", delay=True
    )
    handler.addFilter(lambda record: record.levelno >= logging.WARNING or record.name.startswith("studio"))
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
    root = logging.getLogger()
    root.addHandler(handler)
    root.setLevel(logging.INFO)
