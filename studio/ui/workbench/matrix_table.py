"""Contents down, policies across: the verdicts as pills in a table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetrics, QPainter
from PySide6.QtWidgets import QStyledItemDelegate, QStyleOptionViewItem, QWidget

from studio.core.content import Content
from studio.core.policy import Policy
from studio.core.run import Run
from studio.ui.theme import SMALL, Theme
from studio.ui.widgets.pill import PillSize, draw_pill, pill_size
from studio.ui.words import decision_word, headline

_Index = QModelIndex | QPersistentModelIndex
RUN_ROLE = Qt.ItemDataRole.UserRole + 1


class MatrixTable(QAbstractTableModel):
    """The first column is the content; each further one a policy. Cells fill as verdicts come."""

    def __init__(self) -> None:
        super().__init__()
        self._policies: Sequence[Policy] = ()
        self._contents: Sequence[Content] = ()
        self._runs: dict[tuple[str, str], Run] = {}

    def show_questions(self, policies: Sequence[Policy], contents: Sequence[Content]) -> None:
        """Show empty cells for these."""
        self.beginResetModel()
        self._policies, self._contents, self._runs = policies, contents, {}
        self.endResetModel()

    def take(self, run: Run) -> None:
        """Fill the cells of a run."""
        self._runs[run.policy.sha256, run.content.sha256] = run
        rows, columns = self.rowCount(), self.columnCount()
        if rows:
            self.dataChanged.emit(self.index(0, 0), self.index(rows - 1, columns - 1))

    def run(self, index: _Index) -> Run | None:
        """The run behind a cell, None in the first column and where none has come yet."""
        if index.column() < 1:
            return None
        key = self._policies[index.column() - 1].sha256, self._contents[index.row()].sha256
        return self._runs.get(key)

    def rowCount(self, parent: _Index = QModelIndex()) -> int:  # noqa: D102, B008  Qt's signature
        return 0 if parent.isValid() else len(self._contents)

    def columnCount(self, parent: _Index = QModelIndex()) -> int:  # noqa: D102, B008  Qt's signature
        return 0 if parent.isValid() else len(self._policies) + 1

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = 0) -> Any:  # noqa: D102
        if orientation is not Qt.Orientation.Horizontal:
            return None
        title = self._policies[section - 1].title if section else "Content"
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.ToolTipRole):
            return title
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        return None

    def data(self, index: _Index, role: int = 0) -> Any:  # noqa: D102
        content = self._contents[index.row()]
        if index.column() == 0:
            return content.title if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.ToolTipRole) else None
        run = self.run(index)
        if role == RUN_ROLE:
            return run
        if role in (Qt.ItemDataRole.AccessibleTextRole, Qt.ItemDataRole.ToolTipRole):
            title = self._policies[index.column() - 1].title
            if run is None:
                return f"{title}: not judged yet"
            return f"{title}: {decision_word(run.verdict.decision if run.verdict else None)}, {headline(run)}"
        return None


class CellDelegate(QStyledItemDelegate):
    """Draws a verdict: the pill, and the label behind it."""

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme

    def sizeHint(self, option: QStyleOptionViewItem, index: _Index) -> QSize:  # noqa: D102
        return QSize(self._theme.scale.px(180), self._theme.scale.px(36))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: _Index) -> None:  # noqa: D102
        super().paint(painter, option, index)
        run: Run | None = index.data(RUN_ROLE)
        if run is None:
            return
        decision = run.verdict.decision if run.verdict else None
        word = decision_word(decision)
        size = pill_size(self._theme, PillSize.SMALL, word)
        area = option.rect.adjusted(8, 0, -8, 0)
        box = QRectF(area.left(), area.center().y() - size.height() / 2, size.width(), size.height())
        painter.save()
        draw_pill(painter, self._theme, box, decision, word, PillSize.SMALL, solid=False)
        font = self._theme.font(SMALL)
        painter.setFont(font)
        painter.setPen(QColor(self._theme.tokens.text_quiet))
        rest = area.adjusted(size.width() + 8, 0, 0, 0)
        labels = ", ".join(run.verdict.labels) if run.verdict else ""
        words = QFontMetrics(font).elidedText(labels, Qt.TextElideMode.ElideRight, rest.width())
        painter.drawText(rest, int(Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft), words)
        painter.restore()
