"""The start of the window: what goes into the log, and what is said when it cannot start."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication, QMessageBox

from studio import paths
from studio.app import _log_to_file, run


@pytest.fixture
def log_file() -> Iterator[Path]:
    root = logging.getLogger()
    before, level = list(root.handlers), root.level
    _log_to_file()
    yield paths.logs_dir() / "studio.log"
    root.setLevel(level)
    for handler in set(root.handlers) - set(before):
        root.removeHandler(handler)
        handler.close()


@pytest.mark.expects_log
def test_the_log_holds_the_studios_lines_and_the_warnings_of_libraries(log_file: Path) -> None:
    assert not log_file.exists()
    logging.getLogger("alembic.runtime.migration").info("Context impl SQLiteImpl.")
    logging.getLogger("studio.ui.errors").info("shown: input")
    logging.getLogger("sqlalchemy.pool").warning("a pool leaks")
    text = log_file.read_text(encoding="utf-8")
    assert "Context impl" not in text
    assert "shown: input" in text
    assert "a pool leaks" in text


def test_folders_that_cannot_be_made_are_said_and_not_thrown(
    qapp: QApplication, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("no folder", encoding="utf-8")
    monkeypatch.setenv(paths.HOME_VARIABLE, str(tmp_path / "file" / "home"))
    said: list[str] = []
    monkeypatch.setattr(QMessageBox, "critical", lambda _parent, title, text: said.extend((title, text)))
    assert run() == 1
    assert said[0] == "A folder cannot be used"
    assert str(tmp_path / "file") in said[1]
