"""The map of the keys: those of the page in view beside those that work everywhere."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence, QShowEvent
from PySide6.QtWidgets import QDialog, QGridLayout, QLabel, QVBoxLayout, QWidget

from studio.ui.actions import TABLE, ActionSpec
from studio.ui.theme import Theme
from studio.ui.widgets.basics import column, push_button, row, rule, scrolling, text_label

_EVERYWHERE = "Everywhere"
_MOST = 0.9
"""How much of the window it may cover; what does not fit is scrolled."""


class KeysDialog(QDialog):
    """Lists the actions that have keys. ``page`` is the page in view, ``word`` its name."""

    def __init__(self, theme: Theme, parent: QWidget, page: str, word: str) -> None:
        super().__init__(parent)
        theme.dress(self)
        self.setWindowTitle("Keys of this window")
        columns = row(spacing=48)
        for title, wanted in ((word, page), (_EVERYWHERE, "")):
            specs = [spec for spec in TABLE if spec.keys and spec.page == wanted]
            if specs:
                columns.addLayout(self._section(title, specs))
        body = QWidget()
        around = column(margins=(24, 24, 24, 24), spacing=0)
        around.addLayout(columns)
        around.addStretch(1)
        body.setLayout(around)
        area = scrolling(body)
        area.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        area.setAccessibleName("Keys")
        close = push_button(theme, "Close", "primary", act=self.accept)
        close.setDefault(True)
        layout = column(area, rule(), spacing=0)
        layout.addLayout(row(None, close, margins=(24, 12, 24, 12)))
        self.setLayout(layout)
        close.setFocus(Qt.FocusReason.OtherFocusReason)
        self._body, self._foot, self._window = body, close, parent.window()

    def showEvent(self, event: QShowEvent) -> None:  # noqa: D102  Qt's name
        needed, most = self._body.sizeHint(), self._window.size() * _MOST
        foot = self._foot.sizeHint().height() + 32
        self.resize(min(needed.width() + 24, most.width()), min(needed.height() + foot, most.height()))
        super().showEvent(event)

    def _section(self, title: str, specs: list[ActionSpec]) -> QVBoxLayout:
        grid = QGridLayout()
        grid.setHorizontalSpacing(24)
        grid.setVerticalSpacing(6)
        for line, spec in enumerate(specs):
            keys = (QKeySequence(key).toString(QKeySequence.SequenceFormat.NativeText) for key in spec.keys)
            # The Enter of the number block and that of the letters are one key to a person, and so are ? and Shift+?.
            first, *others = dict.fromkeys(key.replace("Return", "Enter").replace("Shift+?", "?") for key in keys)
            grid.addWidget(self._label(spec.words), line, 0)
            grid.addWidget(self._label(" or ".join((first, *others)), "chip"), line, 1, Qt.AlignmentFlag.AlignLeft)
        grid.setColumnStretch(0, 1)
        layout = column(self._label(title, "lead"), spacing=12)
        layout.addLayout(grid)
        layout.addStretch(1)
        return layout

    def _label(self, words: str, kind: str = "") -> QLabel:
        """A label that knows at once how much room it takes in the style of the dialog."""
        label = text_label(words, kind, parent=self)
        label.ensurePolished()
        return label
