"""The sessions on the left: all runs, or those of one sitting."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QModelIndex, QObject, QPoint, Qt, Signal
from PySide6.QtGui import QKeyEvent, QStandardItem, QStandardItemModel
from PySide6.QtWidgets import QFrame, QListView, QMenu

from studio.core.run import Session
from studio.ui.context import Context
from studio.ui.tasks import Lane
from studio.ui.widgets.ask_line import AskLine
from studio.ui.widgets.basics import column, frame, icon_button, row, text_label
from studio.ui.widgets.popup import ENTRY_ROLE, Entry, EntryDelegate
from studio.ui.words import count, when

_SESSION = ENTRY_ROLE + 1
_MOST = 1000


class SessionList(QFrame):
    """The list. ``chosen`` carries a session's id, or None for all."""

    chosen = Signal(object)

    def __init__(self, context: Context) -> None:
        super().__init__()
        self.setProperty("kind", "pane")
        self._context = context
        self._wanted: str | None = None
        self._sessions: list[Session] = []
        self._rename = icon_button(context.theme, "pencil-simple", "Rename this session (F2)", act=self.rename)
        head = frame("bar", row(text_label("Sessions", "section"), None, self._rename, margins=(16, 6, 8, 6)))
        self.list = QListView()
        self.list.setAccessibleName("Sessions")
        self.list.setItemDelegate(EntryDelegate(context.theme, self.list))
        self.list.setEditTriggers(QListView.EditTrigger.NoEditTriggers)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.list.customContextMenuRequested.connect(self._menu)
        self.list.installEventFilter(self)
        self._model = QStandardItemModel(self)
        self.list.setModel(self._model)
        self.list.selectionModel().currentChanged.connect(self._changed)
        layout = column(head, self.list, spacing=0)
        layout.setStretch(1, 1)
        self.setLayout(layout)

    def refresh(self) -> None:
        """Read the sessions again."""
        sessions = self._context.studio.sessions
        self._context.tasks.run(Lane.READ, lambda: sessions.list(limit=_MOST), on_done=self._show)

    def choose(self, session_id: str | None) -> None:
        """Choose a session, now or as soon as it is read."""
        self._wanted = session_id
        self._select()

    def rename(self) -> None:
        """Ask for another title."""
        session = self._current()
        if session is None:
            return
        ask = AskLine(
            self._context.theme, self, title="Rename session", label="Title", take="Rename", text=session.title
        )
        if ask.exec():
            sessions, title = self._context.studio.sessions, ask.text
            self._context.tasks.run(
                Lane.STORE, lambda: sessions.rename(session.id, title), on_done=lambda _none: self.refresh()
            )

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: D102  Qt's name
        if event.type() == QEvent.Type.KeyPress and isinstance(event, QKeyEvent) and event.key() == Qt.Key.Key_F2:
            self.rename()
            return True
        return super().eventFilter(watched, event)

    def _show(self, sessions: list[Session]) -> None:
        self._sessions = sessions
        keep = self._wanted
        self.list.selectionModel().blockSignals(True)
        self._model.clear()
        total = sum(session.run_count for session in sessions)
        self._append(Entry("All sessions", _nothing, count(total, "run")), None)
        for session in sessions:
            detail = f"{count(session.run_count, 'run')} · {when(session.updated_at)}"
            self._append(Entry(session.title, _nothing, detail), session.id)
        self.list.selectionModel().blockSignals(False)
        self._wanted = keep
        self._select()

    def _append(self, entry: Entry, session_id: str | None) -> None:
        item = QStandardItem(entry.title)
        item.setData(entry, ENTRY_ROLE)
        item.setData(session_id, _SESSION)
        item.setToolTip(entry.title)
        self._model.appendRow(item)

    def _select(self) -> None:
        for at in range(self._model.rowCount()):
            if self._model.index(at, 0).data(_SESSION) == self._wanted:
                self.list.setCurrentIndex(self._model.index(at, 0))
                return
        if self._model.rowCount():
            self.list.setCurrentIndex(self._model.index(0, 0))

    def _changed(self, current: QModelIndex) -> None:
        if current.isValid():
            self._wanted = current.data(_SESSION)
            self._rename.setEnabled(self._wanted is not None)
            self.chosen.emit(self._wanted)

    def _current(self) -> Session | None:
        return next((session for session in self._sessions if session.id == self._wanted), None)

    def _menu(self, place: QPoint) -> None:
        if self._current() is None:
            return
        menu = QMenu(self)
        menu.addAction("Rename", self.rename)
        menu.exec(self.list.viewport().mapToGlobal(place))
        menu.deleteLater()


def _nothing() -> None:
    """Entries of this list are chosen, not run."""
