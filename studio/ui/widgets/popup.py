"""A list to search in, as a popup under a button or as a palette in the middle of the window."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QModelIndex, QObject, QPersistentModelIndex, QPoint, QRect, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFontMetrics, QIcon, QKeyEvent, QPainter, QStandardItem, QStandardItemModel
from PySide6.QtWidgets import QFrame, QListView, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from studio.ui.theme import BODY, SMALL, Theme
from studio.ui.widgets.basics import SearchField, column, draw_ground, row, text_label
from studio.ui.widgets.controls import Choice

ENTRY_ROLE = Qt.ItemDataRole.UserRole + 1


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a popup: words, a quiet second line, a quiet note at the right end, and what it does.

    ``marks`` are what a :class:`Facet` can ask for.
    """

    title: str
    act: Callable[[], None]
    detail: str = ""
    note: str = ""
    icon: QIcon | None = None
    heading: str = ""
    marks: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Facet:
    """A choice that narrows the list: the words for all of it, and the marks by which one can narrow, as words."""

    everything: str
    marks: Mapping[str, str]


class EntryDelegate(QStyledItemDelegate):
    """Draws an entry: title and note in one line, the detail under it."""

    def __init__(self, theme: Theme, parent: QObject) -> None:
        super().__init__(parent)
        self._theme = theme

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:  # noqa: D102
        entry: Entry = index.data(ENTRY_ROLE)
        height = QFontMetrics(self._theme.font(BODY)).height() + 12
        if entry.detail:
            height += QFontMetrics(self._theme.font(SMALL)).height() + 2
        return QSize(200, height)

    def paint(  # noqa: D102
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        entry: Entry = index.data(ENTRY_ROLE)
        tokens = self._theme.tokens
        painter.save()
        area = draw_ground(painter, option, tokens)
        text = area.adjusted(8, 5, -8, -5)
        if entry.icon is not None:
            side = self._theme.scale.px(16)
            middle = text.top() + (QFontMetrics(self._theme.font(BODY)).height() - side) // 2
            entry.icon.paint(painter, QRect(text.left(), middle, side, side))
            text.setLeft(text.left() + side + 8)
        left = int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop)
        right = int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignTop)
        small = QFontMetrics(self._theme.font(SMALL))
        title_font = self._theme.font(BODY)
        metrics = QFontMetrics(title_font)
        # The title goes before the note where there is no room for both.
        wanted = min(metrics.horizontalAdvance(entry.title), text.width() // 2)
        note = small.elidedText(entry.note, Qt.TextElideMode.ElideMiddle, text.width() - wanted - 12)
        note_width = small.horizontalAdvance(note) + 12 if note else 0
        painter.setFont(self._theme.font(SMALL))
        painter.setPen(QColor(tokens.text_quiet))
        painter.drawText(text.adjusted(0, 1, 0, 0), right, note)
        if entry.detail:
            below = text.adjusted(0, metrics.height() + 2, 0, 0)
            painter.drawText(below, left, small.elidedText(entry.detail, Qt.TextElideMode.ElideRight, below.width()))
        painter.setFont(title_font)
        painter.setPen(QColor(tokens.text))
        room = text.width() - note_width
        painter.drawText(text, left, metrics.elidedText(entry.title, Qt.TextElideMode.ElideRight, room))
        painter.restore()


class SearchPopup(QFrame):
    """Type to narrow, arrows to move, Enter to take, Esc to leave."""

    closed = Signal()

    def __init__(self, theme: Theme, hint: str, parent: QWidget) -> None:
        super().__init__(parent, Qt.WindowType.Popup | Qt.WindowType.FramelessWindowHint)
        self.setProperty("kind", "popup")
        self._theme = theme
        self._entries: Sequence[Entry] = ()
        self.search = SearchField(theme, hint)
        self.list = QListView()
        self.list.setAccessibleName(hint)
        self.list.setItemDelegate(EntryDelegate(theme, self.list))
        self.list.setUniformItemSizes(False)
        self.list.setMouseTracking(True)
        self.list.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._model = QStandardItemModel(self)
        self.list.setModel(self._model)
        self._facets: list[Choice] = []
        self._facet_row = row(spacing=8)
        self._none = text_label("Nothing found", "quiet")
        self._none.setAlignment(Qt.AlignmentFlag.AlignCenter)
        layout = column(self.search, spacing=8, margins=(8, 8, 8, 8))
        layout.addLayout(self._facet_row)
        layout.addWidget(self._none)
        layout.addWidget(self.list)
        self.setLayout(layout)
        self.search.textChanged.connect(self._narrow)
        self.search.installEventFilter(self)
        self.list.clicked.connect(lambda index: self._take(index.data(ENTRY_ROLE)))

    def open_at(self, place: QRect, entries: Sequence[Entry], facets: Sequence[Facet] = ()) -> None:
        """Open with its upper left corner at the lower left of ``place`` (global), inside the screen."""
        self._entries = entries
        self._offer(facets)
        self.search.clear()
        self._narrow("")
        self.setGeometry(self._fitted(place))
        self.show()
        self.search.setFocus(Qt.FocusReason.PopupFocusReason)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: D102  Qt's name
        if event.type() == QEvent.Type.KeyPress and isinstance(event, QKeyEvent):
            key = event.key()
            if key in (Qt.Key.Key_Down, Qt.Key.Key_Up, Qt.Key.Key_PageDown, Qt.Key.Key_PageUp):
                self._move(
                    {Qt.Key.Key_Down: 1, Qt.Key.Key_Up: -1, Qt.Key.Key_PageDown: 8, Qt.Key.Key_PageUp: -8}[Qt.Key(key)]
                )
                return True
            if key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
                index = self.list.currentIndex()
                if index.isValid():
                    self._take(index.data(ENTRY_ROLE))
                return True
            if key == Qt.Key.Key_Escape:
                self.close()
                return True
        return super().eventFilter(watched, event)

    def hideEvent(self, event: object) -> None:  # noqa: D102  Qt's name
        self.closed.emit()

    def matching(self, query: str) -> list[Entry]:
        """The entries that hold every word of the query; those whose title starts with it first."""
        words = query.casefold().split()
        marks = {choice.value for choice in self._facets} - {""}
        fitting = [entry for entry in self._entries if marks <= entry.marks]
        found = [e for e in fitting if all(word in f"{e.title} {e.detail} {e.note}".casefold() for word in words)]
        first = query.casefold().strip()
        return sorted(found, key=lambda e: not e.title.casefold().startswith(first)) if first else found

    def narrow(self, at: int, mark: str) -> None:
        """Choose in a facet as a person does; an empty mark is everything."""
        self._facets[at].pick(mark)

    def _offer(self, facets: Sequence[Facet]) -> None:
        """Put a choice for each facet under the search."""
        for old in self._facets:
            self._facet_row.removeWidget(old)
            old.deleteLater()
        self._facets = []
        for facet in facets:
            if not facet.marks:
                continue
            choice = Choice(self._theme, {"": facet.everything, **facet.marks}, facet.everything)
            choice.chosen.connect(lambda _mark: self._narrow(self.search.text()))
            self._facets.append(choice)
            self._facet_row.addWidget(choice)

    def _narrow(self, query: str) -> None:
        self._model.clear()
        found = self.matching(query)
        for entry in found:
            item = QStandardItem(entry.title)
            item.setData(entry, ENTRY_ROLE)
            item.setEditable(False)
            self._model.appendRow(item)
        self.list.setVisible(bool(found))
        self._none.setVisible(not found)
        if found:
            self.list.setCurrentIndex(self._model.index(0, 0))

    def _move(self, step: int) -> None:
        rows = self._model.rowCount()
        if rows:
            now = self.list.currentIndex().row()
            self.list.setCurrentIndex(self._model.index(max(0, min(rows - 1, now + step)), 0))

    def _take(self, entry: Entry) -> None:
        self.close()
        entry.act()

    def _fitted(self, place: QRect) -> QRect:
        width = self._theme.scale.px(480) if place.width() < 400 else place.width()
        height = self._theme.scale.px(420)
        screen = self.screen().availableGeometry()
        width, height = min(width, screen.width() - 16), min(height, screen.height() - 16)
        corner = QPoint(
            min(place.left(), screen.right() - width - 8), min(place.bottom() + 4, screen.bottom() - height - 8)
        )
        return QRect(
            QPoint(max(corner.x(), screen.left() + 8), max(corner.y(), screen.top() + 8)), QSize(width, height)
        )
