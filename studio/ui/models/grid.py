"""Cards side by side, as many as find room; one below the other in a narrow window."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFrame, QGridLayout, QWidget

from studio.ui.theme import Theme

_CARD, _MOST = 500, 3


class GridCard(QFrame):
    """What stands in the grid. ``opened`` tells that ``is_open`` changed."""

    opened = Signal()

    @property
    def is_open(self) -> bool:
        """Whether more of it is shown than of the others."""
        return False


class CardGrid(QWidget):
    """A grid whose number of columns follows its width."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._cards: tuple[GridCard, ...] = ()
        self.columns = 1
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setSpacing(16)
        theme.follow(self, self._fit)

    def set_cards(self, cards: Sequence[GridCard]) -> None:
        """Show these, in this order; those that are no longer among them are taken away."""
        if tuple(cards) == self._cards:
            return
        for old in self._cards:
            self._grid.removeWidget(old)
            if old not in cards:
                old.hide()
                old.deleteLater()
        for new in set(cards).difference(self._cards):
            new.opened.connect(self._place)
        self._cards = tuple(cards)
        self._place()

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: D102  Qt's name
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        wanted = min(_MOST, max(1, self.width() // self._theme.scale.px(_CARD)))
        if wanted != self.columns:
            self.columns = wanted
            self._place()

    def _place(self) -> None:
        """Cards of a row are equally high, unless one of them is open: then the others need not grow with it."""
        for number, card in enumerate(self._cards):
            first = number - number % self.columns
            opened = any(other.is_open for other in self._cards[first : first + self.columns])
            alignment = Qt.AlignmentFlag.AlignTop if opened else Qt.AlignmentFlag(0)
            self._grid.addWidget(card, number // self.columns, number % self.columns, alignment)
        for column in range(_MOST):
            self._grid.setColumnStretch(column, 1 if column < self.columns else 0)
