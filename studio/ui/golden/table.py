"""The list of examples: it knows its length at once and reads only the rows that are looked at."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, QRectF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QColor, QPainter
from PySide6.QtWidgets import QStyledItemDelegate, QStyleOptionViewItem, QWidget

from studio.core.labels import Decision
from studio.services.golden import GoldenService
from studio.ui.context import Context
from studio.ui.golden.rows import PAGE, Outcome, Row, row_of
from studio.ui.tasks import Lane
from studio.ui.theme import Theme
from studio.ui.widgets.pill import PillSize, draw_pill, pill_size
from studio.ui.words import UNKNOWN, decision_word

_Index = QModelIndex | QPersistentModelIndex
COLUMNS = ("Expected and got", "Content", "Labels", "Tags", "Source")
VERDICT, CONTENT, LABELS, TAGS, SOURCE = range(5)
ROW_ROLE = Qt.ItemDataRole.UserRole + 1
OUTCOME_ROLE = Qt.ItemDataRole.UserRole + 2
VEILED = "Held out. Its content is veiled."
_KEPT_PAGES = 64
_LOADING = "…"


class GoldenTable(QAbstractTableModel):
    """The examples whose ids it was given. ``shown`` comes when other ones are shown."""

    shown = Signal()

    def __init__(self, context: Context) -> None:
        super().__init__()
        self._context = context
        self._golden: GoldenService = context.studio.golden
        self._ids: list[str] = []
        self._pages: OrderedDict[int, list[Row]] = OrderedDict()
        self._wanted: list[int] = []
        self._busy = False
        self._turn = 0
        self._outcomes: Mapping[str, Outcome] = {}
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(0)
        self._soon.timeout.connect(self._read)

    @property
    def busy(self) -> bool:
        """Whether rows are on their way."""
        return self._busy or self._soon.isActive()

    @property
    def ids(self) -> list[str]:
        """The ids of all rows."""
        return self._ids

    def show_ids(self, ids: list[str]) -> None:
        """Show other examples."""
        self._turn += 1
        self._busy = False
        self.beginResetModel()
        self._ids = ids
        self._pages.clear()
        self._wanted.clear()
        self.endResetModel()
        self.shown.emit()

    def show_outcomes(self, outcomes: Mapping[str, Outcome]) -> None:
        """Show what came of the examples."""
        self._outcomes = outcomes
        if self._ids:
            self.dataChanged.emit(self.index(0, VERDICT), self.index(len(self._ids) - 1, VERDICT))

    def read_again(self, example_id: str) -> None:
        """An example was changed: read its row again."""
        at = self.place(example_id)
        if at is not None:
            self._want(at // PAGE, again=True)

    def place(self, example_id: str) -> int | None:
        """Where an example stands, if it is shown."""
        try:
            return self._ids.index(example_id)
        except ValueError:
            return None

    def row(self, at: int) -> Row | None:
        """The row at a place; None while it is being read."""
        page = self._pages.get(at // PAGE)
        if page is None:
            self._want(at // PAGE)
            return None
        return page[at % PAGE] if at % PAGE < len(page) else None

    def outcome(self, example_id: str) -> Outcome | None:
        """What came of an example; None when it was not judged."""
        return self._outcomes.get(example_id)

    def rowCount(self, parent: _Index = QModelIndex()) -> int:  # noqa: D102, B008  Qt's signature
        return 0 if parent.isValid() else len(self._ids)

    def columnCount(self, parent: _Index = QModelIndex()) -> int:  # noqa: D102, B008  Qt's signature
        return 0 if parent.isValid() else len(COLUMNS)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = 0) -> Any:  # noqa: D102
        if orientation is Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return COLUMNS[section]
        return None

    def data(self, index: _Index, role: int = 0) -> Any:  # noqa: D102
        if role == OUTCOME_ROLE:
            return self._outcomes.get(self._ids[index.row()])
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft
        if role not in (ROW_ROLE, Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole,
                        Qt.ItemDataRole.ToolTipRole):  # fmt: skip
            return None
        row = self.row(index.row())
        if role == ROW_ROLE:
            return row
        if row is None:
            return _LOADING
        if index.column() == VERDICT:
            return verdict_words(row, self._outcomes.get(row.id))
        title = VEILED if row.held_out else row.title
        return (title, ", ".join(row.labels), ", ".join(row.tags), row.source)[index.column() - 1]

    def _want(self, page: int, *, again: bool = False) -> None:
        """Read a page soon. What was asked for last is read first: it is what is in sight after a long scroll."""
        if page in self._wanted:
            self._wanted.remove(page)
        if page not in self._pages or again:
            self._wanted.append(page)
            # Not at once: rows are asked for while they are painted, and work that begins changes what is in sight.
            self._soon.start()

    def _read(self) -> None:
        if self._busy or not self._wanted:
            return
        self._busy = True
        # What scrolled by meanwhile is not read: when it comes into sight again it asks again.
        page, turn = self._wanted.pop(), self._turn
        del self._wanted[:-3]
        ids, golden = self._ids[page * PAGE : (page + 1) * PAGE], self._golden

        def work() -> list[Row]:
            found = {example.id: row_of(example) for example in golden.many(ids)}
            gone = Row("", "Deleted", None, (), (), "", False)
            return [found.get(key, gone) for key in ids]

        def done(rows: list[Row]) -> None:
            if turn != self._turn:
                return
            self._busy = False
            self._pages[page] = rows
            while len(self._pages) > _KEPT_PAGES:
                self._pages.popitem(last=False)
            first = page * PAGE
            self.dataChanged.emit(self.index(first, 0), self.index(first + len(rows) - 1, len(COLUMNS) - 1))
            self._read()

        def failed(error: Exception) -> None:
            self._busy = False
            self._context.errors.show(error)

        self._context.tasks.run(Lane.READ, work, on_done=done, on_error=failed)


def expected_word(decision: Decision | None) -> str:
    """The word of an expected decision; nobody having decided is not "no verdict"."""
    return UNKNOWN if decision is None else decision_word(decision)


def verdict_words(row: Row, outcome: Outcome | None) -> str:
    """Expected and got in words."""
    expected = f"Expected: {expected_word(row.expected)}"
    if outcome is None:
        return f"{expected}. Not judged yet"
    got = "Got the same" if outcome.right else f"Got: {decision_word(outcome.got)}"
    doubt = f". Only {outcome.agree} of {outcome.repeats} repeats agree" if outcome.unstable else ""
    return f"{expected}. {got}{doubt}"


class GoldenDelegate(QStyledItemDelegate):
    """Draws what was expected as a pill, then a tick, or an arrow and the pill of what was got; a dot is doubt."""

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme

    def sizeHint(self, option: QStyleOptionViewItem, index: _Index) -> QSize:  # noqa: D102  Qt's name
        return QSize(super().sizeHint(option, index).width(), self._theme.scale.px(32))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: _Index) -> None:  # noqa: D102
        row: Row | None = index.data(ROW_ROLE)
        if row is None or index.column() != VERDICT:
            if row is None or (row.held_out and index.column() == CONTENT):
                option.palette.setColor(option.palette.ColorRole.Text, QColor(self._theme.tokens.text_quiet))
            super().paint(painter, option, index)
            return
        tokens, area = self._theme.tokens, QRectF(option.rect)
        if option.state & option.state.State_Selected:
            painter.fillRect(option.rect, QColor(tokens.accent_soft))
        painter.fillRect(option.rect.left(), option.rect.bottom(), option.rect.width(), 1, QColor(tokens.line))
        painter.save()
        painter.setClipRect(option.rect)
        at = self._pill(painter, area, area.left() + 8, row.expected, expected_word(row.expected))
        outcome: Outcome | None = index.data(OUTCOME_ROLE)
        if outcome is not None:
            self._got(painter, area, at, outcome)
        painter.restore()

    def _got(self, painter: QPainter, area: QRectF, at: float, outcome: Outcome) -> None:
        tokens = self._theme.tokens
        painter.setFont(self._theme.font(bold=True))
        sign, colour = ("✓", tokens.allowed.text) if outcome.right else ("→", tokens.text)
        painter.setPen(QColor(colour))
        place = QRectF(at, area.top(), 22, area.height())
        painter.drawText(place, int(Qt.AlignmentFlag.AlignCenter), sign)
        at += 22
        if not outcome.right:
            at = self._pill(painter, area, at, outcome.got, decision_word(outcome.got))
        if outcome.unstable:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(tokens.review.solid))
            painter.drawEllipse(QRectF(at + 6, area.center().y() - 4, 8, 8))

    def _pill(self, painter: QPainter, area: QRectF, left: float, decision: Decision | None, word: str) -> float:
        """Draw a pill and return where it ends."""
        size = pill_size(self._theme, PillSize.SMALL, word)
        place = QRectF(left, area.center().y() - size.height() / 2, size.width(), size.height())
        draw_pill(painter, self._theme, place, decision, word, PillSize.SMALL, solid=False)
        return left + size.width()
