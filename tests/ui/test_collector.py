"""Python's collector of cycles does not make the window wait."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from studio.ui.collector import Collector


@pytest.fixture
def full() -> Iterator[list[int]]:
    """How many objects each full collection had to look at."""
    found: list[int] = []

    def note(phase: str, info: dict[str, Any]) -> None:
        if phase == "start" and info["generation"] == 2:
            found.append(len(gc.get_objects()))

    gc.callbacks.append(note)
    yield found
    gc.callbacks.remove(note)


@pytest.fixture
def window(qtbot: QtBot) -> QWidget:
    made = QWidget()
    qtbot.addWidget(made)
    return made


class Ring:
    """Garbage that only the collector finds."""

    def __init__(self) -> None:
        self.itself = self


def test_full_collections_never_look_at_much(window: QWidget, full: list[int]) -> None:
    before = gc.get_threshold()
    collector = Collector(window)
    many = []
    for part in range(20):
        many += [[number] for number in range(20_000)]
        if part % 5 == 0:
            collector.tidy()
    assert max(full, default=0) < 60_000
    assert gc.get_freeze_count() > len(many) / 2, "what has lived for a while is set aside"
    del many
    collector.stop()
    assert gc.get_threshold() == before
    assert gc.get_freeze_count() == 0


def test_garbage_that_was_set_aside_goes_when_the_window_is_minimised(window: QWidget, qtbot: QtBot) -> None:
    collector = Collector(window)
    window.show()
    ring = Ring()
    known: Callable[[], object] = weakref.ref(ring)
    gc.freeze()
    del ring
    gc.collect()
    assert known() is not None
    window.showMinimized()
    qtbot.waitUntil(lambda: known() is None)
    collector.stop()
