"""The Qt binding itself: PySide6 6.12.0 lost references, so that a window died after some thousand calls."""

from __future__ import annotations

import sys

from PySide6.QtWidgets import QApplication, QLabel

CALLS = 1000


def test_calls_that_return_nothing_cost_no_reference(qapp: QApplication) -> None:
    label = QLabel()
    before = sys.getrefcount(None)

    for _ in range(CALLS):
        label.setText("words")

    assert abs(sys.getrefcount(None) - before) < CALLS / 2
    label.deleteLater()
