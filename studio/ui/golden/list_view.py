"""The view of the list: which columns have room, and how the rows stand."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableView

from studio.ui.context import Context
from studio.ui.golden.table import CONTENT, LABELS, SOURCE, TAGS, VERDICT, GoldenDelegate, GoldenTable

_ONLY_EXPECTED = 124
_WIDTHS = {VERDICT: 232, LABELS: 84, TAGS: 110, SOURCE: 150}
_LEAST = {LABELS: 470, TAGS: 640, SOURCE: 780}
"""The columns that give way to the content, with the width of the table that they need."""


class GoldenView(QTableView):
    """The list of examples."""

    def __init__(self, context: Context, table: GoldenTable) -> None:
        super().__init__()
        self._theme = context.theme
        self._judged = False
        self.setModel(table)
        self.setItemDelegate(GoldenDelegate(context.theme, self))
        self.setAccessibleName("Golden examples")
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
        header.setSectionResizeMode(CONTENT, QHeaderView.ResizeMode.Stretch)
        self._size_columns()
        context.theme.changed.connect(self._size_columns)

    def set_judged(self, judged: bool) -> None:
        """Make room for what was got, or leave that room to the content."""
        self._judged = judged
        self._size_columns()

    def _size_columns(self) -> None:
        px = self._theme.scale.px
        self.verticalHeader().setDefaultSectionSize(px(32))
        for at, width in (_WIDTHS if self._judged else {**_WIDTHS, VERDICT: _ONLY_EXPECTED}).items():
            self.setColumnWidth(at, px(width))

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: D102  Qt's name
        super().resizeEvent(event)
        for column, least in _LEAST.items():
            self.setColumnHidden(column, self.width() < self._theme.scale.px(least))
