"""A table read row by row: one column stretches, and others give way to it when there is no room."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import QAbstractItemModel, Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableView

from studio.ui.theme import Theme

_ROW = 32


class RowsTable(QTableView):
    """Shows ``model``; ``widths`` and ``least`` are by column, in pixels before scaling.

    ``stretched`` takes what room is left. A column of ``least`` is hidden while the table is narrower than that.
    """

    def __init__(
        self,
        theme: Theme,
        model: QAbstractItemModel,
        *,
        stretched: int,
        widths: Mapping[int, int],
        least: Mapping[int, int],
    ) -> None:
        super().__init__()
        self._theme, self._widths, self._least = theme, widths, least
        self.setModel(model)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setTabKeyNavigation(False)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setTextElideMode(Qt.TextElideMode.ElideRight)
        self.verticalHeader().hide()
        self.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        header = self.horizontalHeader()
        header.setHighlightSections(False)
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        header.setSectionResizeMode(stretched, QHeaderView.ResizeMode.Stretch)
        self._size_columns()
        theme.changed.connect(self._size_columns)

    def set_widths(self, widths: Mapping[int, int]) -> None:
        """Give the columns other widths."""
        self._widths = widths
        self._size_columns()

    def _size_columns(self) -> None:
        px = self._theme.scale.px
        self.verticalHeader().setDefaultSectionSize(px(_ROW))
        for at, width in self._widths.items():
            self.setColumnWidth(at, px(width))

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: D102  Qt's name
        super().resizeEvent(event)
        for at, least in self._least.items():
            self.setColumnHidden(at, self.width() < self._theme.scale.px(least))
