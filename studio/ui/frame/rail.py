"""The rail on the left: one button for each page, icon and word; only icons where the window is narrow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import QButtonGroup, QFrame, QSizePolicy, QToolButton, QVBoxLayout

from studio.ui.icons import LARGE, tinted
from studio.ui.theme import Theme

WIDE, NARROW = 88, 48


@dataclass(frozen=True, slots=True)
class Place:
    """A page on the rail. ``low`` puts it at the lower end."""

    key: str
    word: str
    icon: str
    keys: str
    low: bool = False


class Rail(QFrame):
    """The rail."""

    chosen = Signal(str)

    def __init__(self, theme: Theme, places: Sequence[Place]) -> None:
        super().__init__()
        self.setObjectName("rail")
        self._theme = theme
        self._places = places
        self._narrow = False
        self._group = QButtonGroup(self)
        self._group.setExclusive(True)
        self._buttons: dict[str, QToolButton] = {}
        layout = QVBoxLayout(self)
        layout.setContentsMargins(4, 8, 5, 8)
        layout.setSpacing(4)
        for place in [p for p in places if not p.low]:
            layout.addWidget(self._button(place))
        layout.addStretch(1)
        for place in [p for p in places if p.low]:
            layout.addWidget(self._button(place))
        theme.changed.connect(self._paint)
        self._paint()

    def show_page(self, key: str) -> None:
        """Mark the page in view."""
        self._buttons[key].setChecked(True)
        self._paint()

    def set_narrow(self, narrow: bool) -> None:
        """Show icons only, or icons with words."""
        if narrow != self._narrow:
            self._narrow = narrow
            self._paint()

    def _button(self, place: Place) -> QToolButton:
        button = QToolButton()
        button.setProperty("kind", "rail")
        button.setCheckable(True)
        button.setText(place.word)
        button.setAccessibleName(place.word)
        button.setToolTip(f"{place.word} ({place.keys})")
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        button.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        button.clicked.connect(lambda: self.chosen.emit(place.key))
        self._group.addButton(button)
        self._buttons[place.key] = button
        return button

    def _paint(self) -> None:
        tokens = self._theme.tokens
        size = self._theme.scale.px(LARGE)
        style = Qt.ToolButtonStyle.ToolButtonIconOnly if self._narrow else Qt.ToolButtonStyle.ToolButtonTextUnderIcon
        self.setFixedWidth(self._theme.scale.px(NARROW if self._narrow else WIDE))
        for place in self._places:
            button = self._buttons[place.key]
            colour = tokens.accent if button.isChecked() else tokens.text_quiet
            button.setIcon(QIcon(tinted(place.icon, colour)))
            button.setIconSize(QSize(size, size))
            button.setToolButtonStyle(style)
