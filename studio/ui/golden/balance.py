"""Labels and balance: how many examples each decision and label has, and how well each label is told."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QPainter
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableWidget,
    QTableWidgetItem,
)

from studio.core.evaluation import FigureSet, Scores
from studio.core.labels import Decision
from studio.services.golden_care import Balance
from studio.ui.golden.figures import detail, number
from studio.ui.golden.table import expected_word
from studio.ui.theme import Theme
from studio.ui.widgets.controls import decision_icon

_SHARE = Qt.ItemDataRole.UserRole + 1
_COLUMNS = ("Decision or label", "Examples", "Share", "Precision", "Recall", "F1")
NAME, EXAMPLES, SHARE, PRECISION, RECALL, F1 = range(6)


class BalanceTable(QTableWidget):
    """A row for each decision and each label. ``label_chosen`` asks for the examples of a label."""

    label_chosen = Signal(str)

    def __init__(self, theme: Theme) -> None:
        super().__init__(0, len(_COLUMNS))
        self._theme = theme
        self._balance = Balance((), ())
        self._scores: Scores | None = None
        self._bounds: Mapping[str, float] = {}
        self._met: Mapping[str, bool] = {}
        self.setAccessibleName("Labels and balance")
        for at, word in enumerate(_COLUMNS):
            item = QTableWidgetItem(word)
            side = Qt.AlignmentFlag.AlignLeft if at == NAME else Qt.AlignmentFlag.AlignRight
            item.setTextAlignment(side | Qt.AlignmentFlag.AlignVCenter)
            self.setHorizontalHeaderItem(at, item)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setTabKeyNavigation(False)
        self.setShowGrid(False)
        self.verticalHeader().hide()
        self.setItemDelegateForColumn(SHARE, _ShareDelegate(theme, self))
        header = self.horizontalHeader()
        header.setHighlightSections(False)
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(SHARE, QHeaderView.ResizeMode.Stretch)
        self.itemActivated.connect(self._take)
        self.itemDoubleClicked.connect(self._take)
        theme.changed.connect(self._fill)

    def show_balance(self, balance: Balance) -> None:
        """Show how many examples there are of what."""
        self._balance = balance
        self._fill()

    def show_scores(
        self, scores: Scores | None, bounds: Mapping[str, float] | None = None, met: Mapping[str, bool] | None = None
    ) -> None:
        """Show how well each label is told from the rest, and whether its targets (``recall[SP4]``) are met."""
        self._scores, self._bounds, self._met = scores, bounds or {}, met or {}
        self._fill()

    def _fill(self) -> None:
        sets = {item.label: item for item in self._scores.labels} if self._scores is not None else {}
        decisions, labels, total = self._balance.decisions(), self._balance.labels(), max(1, self._balance.total)
        self.setRowCount(0)
        for decision in (*Decision, None):
            if decisions.get(decision):
                name = self._add(expected_word(decision), "", decisions[decision], total, None)
                name.setIcon(decision_icon(self._theme, decision))
        for label in dict.fromkeys((*sets, *sorted(labels))):
            self._add(label, label, labels.get(label, 0), total, sets.get(label))
        height = self._theme.scale.px(30)
        for at in range(self.rowCount()):
            self.setRowHeight(at, height)

    def _add(self, name: str, label: str, examples: int, total: int, scores: FigureSet | None) -> QTableWidgetItem:
        at = self.rowCount()
        self.insertRow(at)
        cells = [name, f"{examples:,}", f"{100 * examples / total:.1f} %"]
        tips = ["", "", ""]
        for figure in ("precision", "recall", "f1"):
            shown = scores.get(figure) if scores is not None else None
            words, tip = ("", "") if shown is None else (number(figure, shown.value), detail(figure, shown))
            bound = self._bounds.get(f"{figure}[{label}]")
            if bound is not None:
                met = self._met.get(f"{figure}[{label}]", False)
                words = f"{words}  {'✓' if met else '✗'} ≥ {100 * bound:g}"
                tip = f"{tip}. Target: at least {100 * bound:g} %, {'met' if met else 'not met'} by the interval's end"
            cells.append(words)
            tips.append(tip)
        items = [QTableWidgetItem(words) for words in cells]
        for column, (item, tip) in enumerate(zip(items, tips, strict=True)):
            item.setToolTip(tip)
            side = Qt.AlignmentFlag.AlignLeft if column == NAME else Qt.AlignmentFlag.AlignRight
            item.setTextAlignment(side | Qt.AlignmentFlag.AlignVCenter)
            self.setItem(at, column, item)
        items[NAME].setData(_SHARE, label)
        items[SHARE].setData(_SHARE, examples / total)
        return items[NAME]

    def _take(self, item: QTableWidgetItem) -> None:
        name = self.item(item.row(), NAME)
        if name is not None and name.data(_SHARE):
            self.label_chosen.emit(name.data(_SHARE))


class _ShareDelegate(QStyledItemDelegate):
    """Draws the share of the set as a bar with its number."""

    def __init__(self, theme: Theme, parent: QTableWidget) -> None:
        super().__init__(parent)
        self._theme = theme

    def paint(  # noqa: D102  Qt's name
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        super().paint(painter, option, index)
        tokens = self._theme.tokens
        room = QRectF(option.rect).adjusted(8, 0, -self._theme.scale.px(64), 0)
        share = float(index.data(_SHARE) or 0.0)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(tokens.accent))
        bar = QRectF(room.left(), room.center().y() - 3, max(2.0, room.width() * share), 6)
        painter.drawRoundedRect(bar, 3, 3)
        painter.restore()
