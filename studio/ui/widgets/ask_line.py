"""A small dialog that asks for one line: a title, a message."""

from __future__ import annotations

from PySide6.QtWidgets import QDialog, QLineEdit, QWidget

from studio.ui.theme import Theme
from studio.ui.widgets.basics import column, push_button, row, text_label


class AskLine(QDialog):
    """Asks for one line of text."""

    def __init__(
        self,
        theme: Theme,
        parent: QWidget,
        *,
        title: str,
        label: str,
        take: str,
        text: str = "",
        may_be_empty: bool = False,
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle(title)
        self._may_be_empty = may_be_empty
        self.line = QLineEdit(text)
        self.line.setAccessibleName(label)
        self.line.setMinimumWidth(theme.scale.px(360))
        self._take = push_button(theme, take, "primary", act=self.accept)
        self._take.setDefault(True)
        buttons = row(None, push_button(theme, "Cancel", act=self.reject), self._take)
        layout = column(
            text_label(title, "lead"), text_label(label, "quiet"), self.line, 8, spacing=8, margins=(24, 24, 24, 16)
        )
        layout.addLayout(buttons)
        self.setLayout(layout)
        self.line.textChanged.connect(self._check)
        self.line.selectAll()
        self._check()

    @property
    def text(self) -> str:
        """What was typed, without blanks around it."""
        return self.line.text().strip()

    def _check(self) -> None:
        self._take.setEnabled(self._may_be_empty or bool(self.text))
