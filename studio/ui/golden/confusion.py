"""The confusion matrix as a heat table: a cell that is chosen asks for its examples."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPen
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableWidget,
    QTableWidgetItem,
)

from studio.core.evaluation import Confusion
from studio.core.labels import Decision
from studio.ui.theme import Theme
from studio.ui.words import DECISION

_MOST = 40
_IDS = Qt.ItemDataRole.UserRole + 1
_SHADE = Qt.ItemDataRole.UserRole + 2


class ConfusionTable(QTableWidget):
    """Expected in rows, got in columns. ``cell_chosen`` carries expected, got and the ids of the examples."""

    cell_chosen = Signal(str, str, object)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._matrix = Confusion((), (), ())
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setTabKeyNavigation(False)
        self.setShowGrid(False)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
        self.horizontalHeader().setHighlightSections(False)
        self.verticalHeader().setHighlightSections(False)
        self.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        self.itemClicked.connect(self._take)
        self.itemActivated.connect(self._take)
        self.setItemDelegate(_HeatDelegate(theme, self))
        theme.changed.connect(self._paint)

    def show_matrix(self, matrix: Confusion) -> None:
        """Show a matrix; of a very large one the first rows and columns."""
        self._matrix = matrix
        rows, columns = matrix.rows[:_MOST], matrix.columns[:_MOST]
        self.clear()
        self.setRowCount(len(rows))
        self.setColumnCount(len(columns))
        self.setVerticalHeaderLabels([cell_word(name) for name in rows])
        self.setHorizontalHeaderLabels([cell_word(name) for name in columns])
        for y, expected in enumerate(rows):
            for x, got in enumerate(columns):
                ids = matrix.ids(expected, got)
                item = QTableWidgetItem(f"{len(ids):,}" if ids else "·")
                item.setTextAlignment(Qt.AlignmentFlag.AlignCenter)
                item.setData(_IDS, ids)
                words = f"{len(ids):,} expected {cell_word(expected).lower()}, got {cell_word(got).lower()}"
                item.setToolTip(f"{words}. Click to list them." if ids else words)
                item.setData(Qt.ItemDataRole.AccessibleTextRole, words)
                self.setItem(y, x, item)
        self._paint()

    def _paint(self) -> None:
        px, tokens = self._theme.scale.px, self._theme.tokens
        self.verticalHeader().setDefaultSectionSize(px(28))
        wrong, right = QColor(tokens.violates.solid), QColor(tokens.accent)
        for y in range(self.rowCount()):
            items = [item for x in range(self.columnCount()) if (item := self.item(y, x)) is not None]
            total = sum(len(item.data(_IDS)) for item in items) or 1
            for x, item in enumerate(items):
                shade = QColor(right if self._matrix.rows[y] == self._matrix.columns[x] else wrong)
                number = len(item.data(_IDS))
                # Never stronger than this, so that the number stays readable on it.
                shade.setAlphaF(0.08 + 0.37 * number / total if number else 0.0)
                item.setData(_SHADE, shade)
        header = self.horizontalHeader().sizeHint().height()
        self.setFixedHeight(header + self.rowCount() * px(28) + 6)

    def _take(self, item: QTableWidgetItem) -> None:
        ids = item.data(_IDS)
        if ids:
            self.cell_chosen.emit(self._matrix.rows[item.row()], self._matrix.columns[item.column()], ids)


class _HeatDelegate(QStyledItemDelegate):
    """Draws a cell's shade under its number; a style sheet would leave the shade out."""

    def __init__(self, theme: Theme, parent: QTableWidget) -> None:
        super().__init__(parent)
        self._theme = theme

    def paint(  # noqa: D102  Qt's name
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        tokens, number = self._theme.tokens, len(index.data(_IDS) or ())
        area = option.rect.adjusted(1, 1, -1, -1)
        painter.fillRect(area, QColor(tokens.surface))
        painter.fillRect(area, index.data(_SHADE) or QColor(0, 0, 0, 0))
        if option.state & option.state.State_Selected:
            painter.setPen(QPen(QColor(tokens.accent), 2))
            painter.drawRect(area.adjusted(1, 1, -1, -1))
        painter.setPen(QColor(tokens.text if number else tokens.text_quiet))
        painter.setFont(self._theme.font(bold=bool(number)))
        painter.drawText(area, int(Qt.AlignmentFlag.AlignCenter), index.data())


def cell_word(name: str) -> str:
    """A row's or column's name for people: a decision by its word, anything else as it is."""
    return DECISION[Decision(name)] if name in tuple(Decision) else name.capitalize() if name.islower() else name
