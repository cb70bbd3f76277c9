"""What every test stands on: no screen, a home of its own, no network, and nothing left behind.

A test fails when a thread, a process or a window outlives it, when Qt warns, or when anything logs a warning that it
did not announce with ``@pytest.mark.expects_log``.
"""

from __future__ import annotations

import logging
import multiprocessing
import os
import socket
import sys
import threading
import time
from collections.abc import Iterator
from multiprocessing import resource_tracker
from pathlib import Path
from typing import Any

import hypothesis
import pytest

from studio import paths

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

# Examples take as long as the machine needs: a slow machine is not a failure.
hypothesis.settings.register_profile("studio", deadline=None)
hypothesis.settings.load_profile("studio")

GRACE_S = 5.0


@pytest.fixture(autouse=True)
def studio_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The one folder that holds all the test's studio writes; it does not exist yet."""
    home = tmp_path / "studio-home"
    monkeypatch.setenv(paths.HOME_VARIABLE, str(home))
    return home


@pytest.fixture(scope="session")
def demo_gguf() -> Path:
    """The demo model that ships with the studio. Read it, never write it."""
    return paths.resource("demo.gguf")


@pytest.fixture(autouse=True)
def nothing_left_behind() -> Iterator[None]:
    """Fail the test that leaves a thread, a process or a window; what wider fixtures hold is not its fault."""
    before_threads = set(threading.enumerate())
    before_children = _children()
    yield
    deadline = time.monotonic() + GRACE_S
    while left := _left(before_threads, before_children):
        if time.monotonic() > deadline:
            pytest.fail(f"left behind: {', '.join(left)}", pytrace=False)
        time.sleep(0.02)


@pytest.fixture(autouse=True)
def no_unannounced_warnings(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail the test during which something logged a warning or worse, unless it is marked ``expects_log``."""
    handler = _Collector()
    logging.getLogger().addHandler(handler)
    yield
    logging.getLogger().removeHandler(handler)
    if handler.lines and request.node.get_closest_marker("expects_log") is None:
        pytest.fail("unexpected in the log:\n" + "\n".join(handler.lines), pytrace=False)


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a test reach this machine only."""
    real = socket.socket.connect

    def connect(self: socket.socket, address: Any) -> None:
        inet = self.family in (socket.AF_INET, socket.AF_INET6)
        if inet and address[0] not in ("127.0.0.1", "::1", "localhost"):
            raise AssertionError(f"the studio tried to connect to {address!r}")
        real(self, address)

    monkeypatch.setattr(socket.socket, "connect", connect)


class _Collector(logging.Handler):
    """Keeps what is logged at WARNING or above."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(f"{record.levelname} {record.name}: {record.getMessage()}")


def _left(threads: set[threading.Thread], children: set[int]) -> list[str]:
    left = [f"thread {thread.name!r}" for thread in set(threading.enumerate()) - threads if not thread.daemon]
    left += [f"process {pid}" for pid in _children() - children]
    return left + _windows()


def _children() -> set[int]:
    """The ids of this process's children, without the one helper that multiprocessing itself keeps."""
    own = {child.pid for child in multiprocessing.active_children() if child.pid is not None}
    for listing in Path("/proc/self/task").glob("*/children"):
        try:
            own.update(int(pid) for pid in listing.read_text().split())
        except OSError:  # the thread ended while we looked
            continue
    own.discard(getattr(resource_tracker, "_resource_tracker")._pid)  # noqa: B009  (the stubs do not know it)
    return own


def _windows() -> list[str]:
    """The windows that still show. Only a test that brought Qt's widgets in can have any."""
    widgets = sys.modules.get("PySide6.QtWidgets")
    if widgets is None or widgets.QApplication.instance() is None:
        return []
    return [
        f"window {window.objectName()!r}" for window in widgets.QApplication.topLevelWidgets() if window.isVisible()
    ]
