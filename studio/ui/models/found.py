"""Model files that other programs keep on this disk, offered for use where they lie."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QWidget

from studio.services.shelf import Found
from studio.ui.theme import Theme
from studio.ui.widgets.basics import ElidedLabel, column, push_button, row, text_label
from studio.ui.words import path_words, size

_MOST = 20


class FoundFiles(QFrame):
    """The list; hidden when there are none. ``adopt_wanted`` carries the Found."""

    adopt_wanted = Signal(object)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._rows: list[QWidget] = []
        self.shown: tuple[Found, ...] = ()
        self.setProperty("kind", "card")
        self._list = column(spacing=8)
        whole = column(
            text_label("Already on this disk", "section"),
            text_label("Files of other programs. They are used where they lie and not copied.", "small", wrap=True),
            spacing=4,
            margins=(16, 16, 16, 16),
        )
        whole.addSpacing(4)
        whole.addLayout(self._list)
        self.setLayout(whole)
        self.hide()

    def show_found(self, found: Sequence[Found]) -> None:
        """Show these, at most so many as one reads."""
        wanted = tuple(found[:_MOST])
        self.setVisible(bool(wanted))
        if wanted == self.shown:
            return
        self.shown = wanted
        for old in self._rows:
            self._list.removeWidget(old)
            old.hide()
            old.deleteLater()
        self._rows = [self._row(item) for item in wanted]
        for line in self._rows:
            self._list.addWidget(line)

    def _row(self, found: Found) -> QWidget:
        name = ElidedLabel(found.name, mode=Qt.TextElideMode.ElideMiddle)
        told = [
            found.owner,
            size(found.size),
            *([] if found.fitting else ["not a gpt-oss model"]),
            path_words(found.path),
        ]
        where = ElidedLabel(" · ".join(told), "small", mode=Qt.TextElideMode.ElideMiddle)
        line = row(spacing=12)
        line.addLayout(column(name, where, spacing=0), 1)
        use = push_button(self._theme, "Add to the shelf", act=partial(self.adopt_wanted.emit, found))
        use.setAccessibleName(f"Add {found.name} to the shelf")
        line.addWidget(use)
        made = QWidget()
        made.setLayout(line)
        return made
