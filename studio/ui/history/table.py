"""The table of runs: rows come as they are scrolled to, so that a hundred thousand cost no more than a screenful."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFontMetrics, QPainter, QTextLayout, QTextOption
from PySide6.QtWidgets import QStyledItemDelegate, QStyleOptionViewItem, QWidget

from studio.services.sessions import SessionService
from studio.ui.context import Context
from studio.ui.history.rows import Fetched, Query, RunRow, fetch
from studio.ui.tasks import Lane
from studio.ui.theme import Theme
from studio.ui.widgets.pill import PillSize, draw_pill, pill_size
from studio.ui.widgets.utf16 import to_qt
from studio.ui.words import decision_word, direction_is_rtl, when

_Index = QModelIndex | QPersistentModelIndex
COLUMNS = ("Verdict", "Content", "Label and rule", "Policy", "When")
VERDICT, CONTENT, HEADLINE, POLICY, WHEN = range(5)
_LEAD_CHARACTERS = 12
_FROM, _TO = "\x02", "\x03"
ROW_ROLE = Qt.ItemDataRole.UserRole + 1


class RunsTable(QAbstractTableModel):
    """Runs that fit a query, newest first. ``fetched`` comes after each page."""

    fetched = Signal()

    def __init__(self, context: Context) -> None:
        super().__init__()
        self._context = context
        self._sessions = context.studio.sessions
        self._rows: list[RunRow] = []
        self._query = Query()
        self._offset = 0
        self._complete = True
        self._busy = False
        self._turn = 0

    @property
    def complete(self) -> bool:
        """Whether all rows that fit are here."""
        return self._complete

    @property
    def busy(self) -> bool:
        """Whether rows are on their way."""
        return self._busy

    def read_from(self, sessions: SessionService) -> None:
        """Read runs from here from now on."""
        self._sessions = sessions

    def show_query(self, query: Query) -> None:
        """Ask for other rows. What is there stays until they come."""
        self._query = query
        self._turn += 1
        self._fetch(0)

    def row(self, at: int) -> RunRow:
        """The row at a place."""
        return self._rows[at]

    def place(self, run_id: str) -> int | None:
        """Where a run stands, if it is here."""
        return next((at for at, row in enumerate(self._rows) if row.id == run_id), None)

    def rowCount(self, parent: _Index = QModelIndex()) -> int:  # noqa: D102, B008  Qt's signature
        return 0 if parent.isValid() else len(self._rows)

    def columnCount(self, parent: _Index = QModelIndex()) -> int:  # noqa: D102, B008  Qt's signature
        return 0 if parent.isValid() else len(COLUMNS)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = 0) -> Any:  # noqa: D102
        if orientation is Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return COLUMNS[section]
        if orientation is Qt.Orientation.Horizontal and role == Qt.ItemDataRole.TextAlignmentRole and section == WHEN:
            return Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight
        return None

    def data(self, index: _Index, role: int = 0) -> Any:  # noqa: D102
        row = self._rows[index.row()]
        if role == ROW_ROLE:
            return row
        words = (decision_word(row.decision), row.content, row.headline, row.policy, when(row.started_at))[
            index.column()
        ]
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            return words
        if role == Qt.ItemDataRole.ToolTipRole:
            return words if index.column() != WHEN else f"{row.started_at.astimezone():%d %B %Y, %H:%M:%S}"
        if role == Qt.ItemDataRole.TextAlignmentRole:
            side = Qt.AlignmentFlag.AlignRight if index.column() == WHEN else Qt.AlignmentFlag.AlignLeft
            return Qt.AlignmentFlag.AlignVCenter | side
        return None

    def canFetchMore(self, parent: _Index) -> bool:  # noqa: D102  Qt's name
        return not (parent.isValid() or self._complete or self._busy)

    def fetchMore(self, parent: _Index) -> None:  # noqa: D102  Qt's name
        if self.canFetchMore(parent):
            self._fetch(self._offset)

    def _fetch(self, offset: int) -> None:
        self._busy = True
        sessions, query, turn = self._sessions, self._query, self._turn

        def done(found: Fetched) -> None:
            if turn != self._turn:
                return
            self._busy = False
            self._offset, self._complete = found.offset, found.complete
            if offset == 0:
                self.beginResetModel()
                self._rows = list(found.rows)
                self.endResetModel()
            elif found.rows:
                self.beginInsertRows(QModelIndex(), len(self._rows), len(self._rows) + len(found.rows) - 1)
                self._rows += found.rows
                self.endInsertRows()
            self.fetched.emit()

        def failed(error: Exception) -> None:
            self._busy, self._complete = False, True
            self._context.errors.show(error)

        self._context.tasks.run(Lane.READ, lambda: fetch(sessions, query, offset), on_done=done, on_error=failed)


class RunDelegate(QStyledItemDelegate):
    """Draws the pill in the first column and marks found words in the second."""

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme

    def sizeHint(self, option: QStyleOptionViewItem, index: _Index) -> QSize:  # noqa: D102  Qt's name
        return QSize(super().sizeHint(option, index).width(), self._theme.scale.px(32))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: _Index) -> None:  # noqa: D102
        row: RunRow = index.data(ROW_ROLE)
        if index.column() == VERDICT:
            self._background(painter, option)
            word = decision_word(row.decision)
            size = pill_size(self._theme, PillSize.SMALL, word)
            area: QRectF = QRectF(option.rect)
            place = QRectF(area.left() + 8, area.center().y() - size.height() / 2, size.width(), size.height())
            draw_pill(painter, self._theme, place, row.decision, word, PillSize.SMALL, solid=False)
        elif index.column() == CONTENT and row.snippet:
            self._background(painter, option)
            self._draw_snippet(painter, QRectF(option.rect).adjusted(8, 0, -8, -1), row.snippet)
        else:
            super().paint(painter, option, index)

    def _background(self, painter: QPainter, option: QStyleOptionViewItem) -> None:
        tokens = self._theme.tokens
        area = option.rect
        if option.state & option.state.State_Selected:
            painter.fillRect(area, QColor(tokens.accent_soft))
        painter.fillRect(area.left(), area.bottom(), area.width(), 1, QColor(tokens.line))

    def _draw_snippet(self, painter: QPainter, area: QRectF, snippet: str) -> None:
        font, tokens = self._theme.font(), self._theme.tokens
        metrics = QFontMetrics(font)
        rtl = direction_is_rtl(snippet)
        before, sign, rest = snippet.partition(_FROM)
        if sign and not rtl and metrics.horizontalAdvance(before) > area.width() / 3:
            snippet = f"…{before[-_LEAD_CHARACTERS:]}{sign}{rest}"
        text, found = _parted(snippet)
        if not rtl:
            text = metrics.elidedText(text, Qt.TextElideMode.ElideRight, int(area.width()))
        place = to_qt(text)
        formats = []
        for start, end in found:
            if start < len(text):
                mark = QTextLayout.FormatRange()
                mark.start, mark.length = place(start), place(min(end, len(text))) - place(start)
                mark.format.setBackground(QColor(tokens.found))
                formats.append(mark)
        layout = QTextLayout(text, font)
        option = QTextOption(Qt.AlignmentFlag.AlignRight if rtl else Qt.AlignmentFlag.AlignLeft)
        option.setWrapMode(QTextOption.WrapMode.NoWrap)
        option.setTextDirection(Qt.LayoutDirection.RightToLeft if rtl else Qt.LayoutDirection.LeftToRight)
        layout.setTextOption(option)
        layout.setFormats(formats)
        layout.beginLayout()
        line = layout.createLine()
        line.setLineWidth(area.width())
        layout.endLayout()
        painter.save()
        painter.setClipRect(area)
        painter.setPen(QColor(tokens.text))
        layout.draw(painter, QPointF(area.left(), area.center().y() - line.height() / 2))
        painter.restore()


def _parted(snippet: str) -> tuple[str, list[tuple[int, int]]]:
    """A snippet's text without its marks, and from where to where each mark went."""
    text, found = "", []
    for number, part in enumerate(snippet.replace(_TO, _FROM).split(_FROM)):
        if number % 2:
            found.append((len(text), len(text) + len(part)))
        text += part
    return text, found
