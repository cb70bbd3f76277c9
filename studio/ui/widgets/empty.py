"""What stands where there is nothing yet: an icon, a few words, and what to do next."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget

from studio.ui.icons import tinted
from studio.ui.theme import Theme
from studio.ui.widgets.basics import push_button, text_label

_ICON = 32


class EmptyState(QWidget):
    """An empty place."""

    def __init__(
        self,
        theme: Theme,
        icon_name: str,
        title: str,
        words: str,
        *,
        button: str = "",
        act: Callable[[], None] | None = None,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._theme, self._icon_name = theme, icon_name
        self._icon = QLabel()
        self._icon.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._title = text_label(title, "section", wrap=True)
        self._words = text_label(words, "quiet", wrap=True)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(24, 16, 24, 16)
        layout.setSpacing(8)
        layout.addStretch(1)
        layout.addWidget(self._icon)
        for label in (self._title, self._words):
            label.setAlignment(Qt.AlignmentFlag.AlignCenter)
            layout.addWidget(label)
        if button:
            layout.addSpacing(8)
            layout.addWidget(push_button(theme, button, act=act), 0, Qt.AlignmentFlag.AlignCenter)
        layout.addStretch(2)
        theme.changed.connect(self._paint)
        self._paint()

    def show_words(self, title: str, words: str) -> None:
        """Say something else."""
        self._title.setText(title)
        self._words.setText(words)

    def _paint(self) -> None:
        size = self._theme.scale.px(_ICON)
        picture = tinted(self._icon_name, self._theme.tokens.line_strong)
        self._icon.setPixmap(picture.pixmap(QSize(size, size), self.devicePixelRatioF()))
