"""The map of all keys."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QDialog, QGridLayout, QWidget

from studio.ui.actions import TABLE
from studio.ui.theme import Theme
from studio.ui.widgets.basics import column, push_button, row, text_label


class KeysDialog(QDialog):
    """Lists every action with its keys."""

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        theme.dress(self)
        self.setWindowTitle("Keys of this window")
        grid = QGridLayout()
        grid.setHorizontalSpacing(32)
        grid.setVerticalSpacing(8)
        for line, spec in enumerate(spec for spec in TABLE if spec.keys):
            keys = QKeySequence(spec.keys[0]).toString(QKeySequence.SequenceFormat.NativeText)
            grid.addWidget(text_label(spec.words), line, 0)
            grid.addWidget(text_label(keys, "chip"), line, 1, Qt.AlignmentFlag.AlignLeft)
        layout = column(text_label("Keys of this window", "lead"), 8, spacing=8, margins=(24, 24, 24, 16))
        layout.addLayout(grid)
        layout.addSpacing(8)
        close = push_button(theme, "Close", "primary", act=self.accept)
        close.setDefault(True)
        layout.addLayout(row(None, close))
        self.setLayout(layout)
