"""The History page: sessions, the table of runs, and the run that is chosen."""

from __future__ import annotations

from PySide6.QtCore import QItemSelectionModel, QModelIndex, Qt, QTimer, Signal
from PySide6.QtWidgets import QPushButton, QStackedWidget, QVBoxLayout

from studio.core.labels import Decision
from studio.core.run import Run
from studio.ui.context import Context, Page
from studio.ui.history.detail import RunDetail
from studio.ui.history.rows import Query
from studio.ui.history.sessions import SessionList
from studio.ui.history.table import CONTENT, HEADLINE, POLICY, VERDICT, WHEN, RunDelegate, RunsTable
from studio.ui.tasks import Lane
from studio.ui.widgets.basics import ElidedLabel, SearchField, column, frame, row, spread
from studio.ui.widgets.controls import Choice, ElidingButton, KeptSplitter, decision_icon
from studio.ui.widgets.empty import EmptyState
from studio.ui.widgets.rows_table import RowsTable
from studio.ui.words import count, decision_word

_PAUSE_MS = 180
_ANY = ""
_NO_RUNS = ("No runs yet", "Judge something on the Workbench: every run is kept here, and opens there again.")
_WIDTHS = {VERDICT: 138, HEADLINE: 136, POLICY: 140, WHEN: 76}
_LEAST = {POLICY: 640, HEADLINE: 480, WHEN: 320}


class HistoryPage(Page):
    """Find a run, look at it, open it again. ``reopen_wanted`` carries the run."""

    reopen_wanted = Signal(object)

    def __init__(self, context: Context) -> None:
        super().__init__()
        self._context = context
        theme = context.theme
        self._session_id: str | None = None
        self._wanted_run: str | None = None
        self._stale = True
        self.sessions = SessionList(context)
        self.table = RunsTable(context)
        self.view = RowsTable(theme, self.table, stretched=CONTENT, widths=_WIDTHS, least=_LEAST)
        self.view.setItemDelegate(RunDelegate(theme, self.view))
        self.view.setAccessibleName("Runs")
        self.detail = RunDetail(context)
        self.search = SearchField(theme, "Search content, rationale and reasoning")
        self.policy_choice = Choice(theme, {_ANY: "All policies"}, "Policy")
        self.policy_choice.setMaximumWidth(theme.scale.px(176))
        self._chips: dict[Decision | None, QPushButton] = {}
        self._count = ElidedLabel(kind="small")
        self._empty = EmptyState(theme, "clock-counter-clockwise", *_NO_RUNS)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_PAUSE_MS)
        self._lay_out()
        self._connect()

    def entered(self) -> None:
        """Read anew what has changed since the page was last seen."""
        if self._stale:
            self._stale = False
            self.sessions.refresh()
            self._read_policies()
            self._ask()
        self.search.setFocus(Qt.FocusReason.OtherFocusReason)

    def chip(self, decision: Decision | None) -> QPushButton:
        """The filter of a decision; None is "no verdict"."""
        return self._chips[decision]

    def show_session(self, session_id: str) -> None:
        """Show the runs of one session."""
        self.search.clear()
        self.sessions.choose(session_id)

    def show_run(self, run: Run) -> None:
        """Show one run."""
        self._wanted_run = run.id
        self.search.clear()
        self._session_id = None
        self.sessions.choose(None)
        self.detail.show_run(run)
        self._ask()

    def _lay_out(self) -> None:
        theme = self._context.theme
        chips = row(spacing=8, margins=(12, 0, 12, 8))
        for decision in (*Decision, None):
            chip = ElidingButton(theme, decision_word(decision))
            chip.setProperty("kind", "filter")
            chip.setAccessibleName(decision_word(decision))
            chip.setCheckable(True)
            chip.setIcon(decision_icon(theme, decision))
            chip.toggled.connect(lambda _on: self._ask())
            self._chips[decision] = chip
            chips.addWidget(chip)
        chips.addStretch(1)
        head = frame("bar")
        lines = column(spacing=0)
        lines.addLayout(row(spread(self.search), self.policy_choice, margins=(12, 8, 12, 8)))
        lines.addLayout(chips)
        head.setLayout(lines)
        self._stack = QStackedWidget()
        self._stack.addWidget(self.view)
        self._stack.addWidget(self._empty)
        middle = frame("pane")
        foot = frame("foot", row(self._count, margins=(16, 4, 16, 4)))
        filled = column(head, self._stack, foot, spacing=0)
        filled.setStretch(1, 1)
        middle.setLayout(filled)
        self.splitter = KeptSplitter(self._context.preferences, "history", Qt.Orientation.Horizontal, (168, 580, 444))
        for part in (self.sessions, middle, self.detail):
            self.splitter.addWidget(part)
        self.splitter.setStretchFactor(1, 1)
        self.splitter.restore()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.splitter)

    def _connect(self) -> None:
        self.sessions.chosen.connect(self._session_chosen)
        self.search.textChanged.connect(self._timer.start)
        self._timer.timeout.connect(self._ask)
        self.policy_choice.chosen.connect(lambda _key: self._ask())
        self.table.fetched.connect(self._fetched)
        self.view.selectionModel().currentRowChanged.connect(self._chosen)
        self.view.doubleClicked.connect(lambda _index: self.detail.reopen.click())
        self.view.activated.connect(lambda _index: self.detail.reopen.click())
        self.detail.reopen_wanted.connect(self.reopen_wanted)
        self._context.changes.runs.connect(self._runs_changed)
        self._context.changes.policies.connect(self._runs_changed)
        self._context.theme.changed.connect(self._paint_chips)

    def _ask(self) -> None:
        self._timer.stop()
        wanted = frozenset(decision for decision, chip in self._chips.items() if chip.isChecked())
        policy: str = self.policy_choice.value or _ANY
        self.table.show_query(Query(self.search.text(), self._session_id, policy or None, wanted))

    def _session_chosen(self, session_id: str | None) -> None:
        if session_id != self._session_id:
            self._session_id = session_id
            self._ask()

    def _fetched(self) -> None:
        rows = self.table.rowCount()
        self._count.setText(count(rows, "run") if self.table.complete else f"{rows:,} runs and more")
        searching = bool(self.search.text() or any(chip.isChecked() for chip in self._chips.values()))
        if searching:
            self._empty.show_words("No run fits", "Try other words, or take a filter away.")
        else:
            self._empty.show_words(*_NO_RUNS)
        self._stack.setCurrentIndex(0 if rows else 1)
        if not rows:
            self.detail.show_nothing()
            return
        at = self.table.place(self._wanted_run) if self._wanted_run else None
        if at is not None or not self.view.currentIndex().isValid():
            index = self.table.index(at or 0, VERDICT)
            flags = QItemSelectionModel.SelectionFlag.ClearAndSelect | QItemSelectionModel.SelectionFlag.Rows
            self.view.selectionModel().setCurrentIndex(index, flags)
            self.view.scrollTo(index)

    def _chosen(self, current: QModelIndex) -> None:
        if not current.isValid():
            return
        run_id = self.table.row(current.row()).id
        self._wanted_run = run_id
        if self.detail.run is not None and self.detail.run.id == run_id:
            return
        sessions = self._context.studio.sessions

        def show(run: Run) -> None:
            if run.id == self._wanted_run:
                self.detail.show_run(run)

        self._context.tasks.run(Lane.READ, lambda: sessions.run(run_id), on_done=show)

    def _runs_changed(self) -> None:
        self._stale = True
        self._wanted_run = None
        if self.isVisible():
            self.entered()

    def _read_policies(self) -> None:
        policies = self._context.studio.policies
        self._context.tasks.run(
            Lane.READ,
            lambda: {summary.id: summary.title for summary in policies.list()},
            on_done=lambda titles: self.policy_choice.set_choices({_ANY: "All policies", **titles}),
        )

    def _paint_chips(self) -> None:
        for decision, chip in self._chips.items():
            chip.setIcon(decision_icon(self._context.theme, decision))
