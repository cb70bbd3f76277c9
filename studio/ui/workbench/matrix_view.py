"""Contents under several policies at once, as a table whose cells open their verdict."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QModelIndex, QPoint, QRect, Qt, Signal, Slot
from PySide6.QtWidgets import (
    QAbstractItemView,
    QCheckBox,
    QFrame,
    QHeaderView,
    QListWidget,
    QListWidgetItem,
    QTableView,
    QWidget,
)

from studio.core.content import Content
from studio.core.golden import GoldenExample
from studio.core.policy import Policy, PolicySummary
from studio.core.progress import Cancel, Progress
from studio.core.run import Run
from studio.services.matrix import MERGE_COST, Matrix, matrix
from studio.ui.context import Context, is_demo
from studio.ui.tasks import Job, Lane
from studio.ui.widgets.basics import (
    ElidedLabel,
    SearchField,
    column,
    frame,
    icon_button,
    push_button,
    row,
    scrolling,
)
from studio.ui.widgets.controls import KeptSplitter, decision_icon
from studio.ui.widgets.popup import Entry, SearchPopup
from studio.ui.widgets.verdict_card import VerdictCard
from studio.ui.words import count, left_words
from studio.ui.workbench.matrix_table import CellDelegate, MatrixTable

_ID = Qt.ItemDataRole.UserRole
_WORDS = Qt.ItemDataRole.UserRole + 1


class MatrixView(QFrame):
    """Judges the contents that were chosen under the policies that are ticked."""

    closed = Signal()
    run_wanted = Signal(object)
    _came = Signal(object, object)
    _told = Signal(object, object)

    def __init__(self, context: Context) -> None:
        super().__init__()
        self.setProperty("kind", "pane")
        self._context = context
        self._policy_id = ""
        self._contents: list[Content] = []
        self._cancel: Cancel | None = None
        self._job: Job | None = None
        self.table = MatrixTable()
        self._examples = SearchPopup(context.theme, "Find a golden example", self)
        self._lay_out()
        self._came.connect(self._take)
        self._told.connect(self._tell)

    @property
    def running(self) -> bool:
        """Whether verdicts are still to come."""
        return self._cancel is not None

    def show_content(self, content: Content | None, policy_id: str) -> None:
        """Begin with the content on the bench, if there is one, and the policy that is open."""
        self._policy_id = policy_id
        self._contents = [content] if content is not None else []
        self.card_area.hide()
        self._show_contents()
        policies = self._context.studio.policies
        self._context.tasks.run(Lane.READ, policies.list, on_done=self._offer)

    def ticked(self) -> list[str]:
        """The ids of the policies that are ticked."""
        items = [self.policies.item(at) for at in range(self.policies.count())]
        return [item.data(_ID) for item in items if item.checkState() is Qt.CheckState.Checked]

    def tick(self, ids: Sequence[str]) -> None:
        """Tick these policies and no other."""
        for at in range(self.policies.count()):
            item = self.policies.item(at)
            item.setCheckState(Qt.CheckState.Checked if item.data(_ID) in ids else Qt.CheckState.Unchecked)

    def start(self) -> None:
        """Judge every content under every ticked policy."""
        ids, contents = self.ticked(), tuple(self._contents)
        if self.running:
            return
        if not ids or not contents:
            self.words.setText("Tick at least one policy" if contents else "Add a content to judge")
            return
        cancel = Cancel()
        self._cancel = cancel
        studio, came, told, combined = self._context.studio, self._came, self._told, self.combined.isChecked()
        cancel.on_request(lambda: told.emit(cancel, None))

        def work() -> Matrix:
            policies = [studio.policies.open(one) for one in ids]
            if not combined:
                told.emit(cancel, policies)
            return matrix(
                studio,
                policies,
                contents,
                combined=combined,
                on_progress=lambda one: told.emit(cancel, one),
                on_run=lambda run: came.emit(cancel, run),
                cancel=cancel,
            )

        def failed(error: Exception) -> None:
            self._over(cancel, "")
            self._context.errors.show(error)

        self.table.show_questions((), contents)
        self._job = self._context.tasks.run(
            Lane.EXPLAIN,
            work,
            on_done=lambda found: self._show(cancel, found),
            on_error=failed,
            title="Judging under several policies",
            cancel=cancel,
        )
        self.words.setText("Starting")
        self._allow()

    def stop(self) -> None:
        """Stop; the verdicts that have come stay."""
        if self._cancel is not None:
            self._cancel.request()

    def _lay_out(self) -> None:
        theme = self._context.theme
        self.back = icon_button(theme, "arrow-left", "Back to the policy", act=self.closed.emit)
        self.words = ElidedLabel(kind="small")
        self.combined = QCheckBox("Combined in one call")
        self.combined.setToolTip(MERGE_COST)
        self.add_button = push_button(theme, "Add golden examples…", "", "plus", act=self._choose_examples)
        self.run_button = push_button(theme, "Judge all", "primary", "play", act=self.start)
        self.stop_button = push_button(theme, "Stop", "", "stop", act=self.stop, tip="Stop (Esc)")
        head = row(
            self.back, ElidedLabel("Several policies", "lead"), self.words, None, self.combined, self.add_button,
            self.stop_button, self.run_button, margins=(8, 7, 12, 7),
        )  # fmt: skip
        head.setStretch(2, 1)
        self.search = SearchField(theme, "Title, tag or jurisdiction")
        self.search.textChanged.connect(self._narrow)
        self.policies = QListWidget()
        self.policies.setAccessibleName("Policies to judge under")
        self.policies.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.policies.setTextElideMode(Qt.TextElideMode.ElideRight)
        left = QWidget()
        left.setLayout(column(frame("bar", row(self.search, margins=(12, 8, 12, 8))), self.policies, spacing=0))
        self.view = QTableView()
        self.view.setAccessibleName("Verdicts by content and policy")
        self.view.setModel(self.table)
        self.view.setItemDelegate(CellDelegate(theme, self.view))
        self.view.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.view.setShowGrid(False)
        self.view.setWordWrap(False)
        self.view.setTabKeyNavigation(False)
        self.view.verticalHeader().hide()
        self.view.horizontalHeader().setHighlightSections(False)
        theme.follow(self.view, lambda: self.view.verticalHeader().setDefaultSectionSize(theme.scale.px(36)))
        self.view.selectionModel().currentChanged.connect(lambda index, _old: self._open(index))
        self.table.modelReset.connect(self._fit)
        self.card = VerdictCard(theme)
        body = QWidget()
        body.setLayout(column(self.card, margins=(12, 12, 12, 8)))
        self.open_button = push_button(theme, "Open on the bench", "", "arrow-square-out", act=self._open_on_bench)
        foot = frame("foot", row(self.open_button, None, margins=(12, 8, 12, 8)))
        self.card_area = QWidget()
        shown = column(scrolling(body), foot, spacing=0)
        shown.setStretch(0, 1)
        self.card_area.setLayout(shown)
        right = KeptSplitter(self._context.preferences, "matrix.verdict", Qt.Orientation.Vertical, (320, 320))
        right.addWidget(self.view)
        right.addWidget(self.card_area)
        right.restore()
        whole = KeptSplitter(self._context.preferences, "matrix", Qt.Orientation.Horizontal, (280, 900))
        whole.addWidget(left)
        whole.addWidget(right)
        whole.setStretchFactor(1, 1)
        whole.restore()
        layout = column(frame("bar", head), whole, spacing=0)
        layout.setStretch(1, 1)
        self.setLayout(layout)
        self.card_area.hide()
        self._allow()

    def _offer(self, summaries: Sequence[PolicySummary]) -> None:
        chosen = {*self.ticked(), self._policy_id}
        self.policies.clear()
        for summary in summaries:
            places, tags = ", ".join(summary.jurisdictions), ", ".join(summary.tags)
            item = QListWidgetItem(f"{summary.title}  ·  {places}" if places else summary.title)
            item.setData(_ID, summary.id)
            item.setData(_WORDS, f"{summary.title} {places} {tags}".casefold())
            item.setToolTip("\n".join(line for line in (summary.title, summary.summary, tags) if line))
            item.setFlags(item.flags() | Qt.ItemFlag.ItemIsUserCheckable)
            item.setCheckState(Qt.CheckState.Checked if summary.id in chosen else Qt.CheckState.Unchecked)
            self.policies.addItem(item)
        self.policies.setCurrentRow(0)
        self._narrow(self.search.text())
        self.policies.setFocus(Qt.FocusReason.OtherFocusReason)

    def _narrow(self, query: str) -> None:
        wanted = query.casefold().split()
        for at in range(self.policies.count()):
            item = self.policies.item(at)
            item.setHidden(not all(word in item.data(_WORDS) for word in wanted))

    def _choose_examples(self) -> None:
        golden, policy_id, theme = self._context.studio.golden, self._policy_id, self._context.theme

        def show(examples: Sequence[GoldenExample]) -> None:
            whole = [one.content for one in examples]
            entries = [Entry(f"All {count(len(whole), 'example')}", lambda: self._add(whole))] if whole else []
            entries += [
                Entry(
                    one.content.title,
                    lambda one=one: self._add([one.content]),  # type: ignore[misc]  # bound now
                    detail=", ".join(one.tags),
                    icon=decision_icon(theme, one.expected),
                )
                for one in examples
            ]
            corner = self.add_button.mapToGlobal(QPoint(0, 0))
            self._examples.open_at(QRect(corner, self.add_button.size()), entries)

        self._context.tasks.run(Lane.READ, lambda: golden.list(policy_id, limit=500), on_done=show)

    def _add(self, contents: Sequence[Content]) -> None:
        self._contents += [one for one in dict.fromkeys(contents) if one not in self._contents]
        self._show_contents()

    def _show_contents(self) -> None:
        self.table.show_questions((), tuple(self._contents))
        self.words.setText(count(len(self._contents), "content"))

    @Slot(object, object)
    def _take(self, cancel: Cancel, run: Run) -> None:
        if cancel is self._cancel:
            self.table.take(run)

    @Slot(object, object)
    def _tell(self, cancel: Cancel, told: Progress | list[Policy] | None) -> None:
        if cancel is not self._cancel:
            return
        if told is None:
            self._over(cancel, "Stopped")
        elif isinstance(told, list):
            self.table.show_questions(told, tuple(self._contents))
        else:
            left = f" · {left_words(told.eta_s)}" if told.eta_s is not None and told.done < told.total else ""
            self.words.setText(f"{told.done} of {told.total} judged{left}")
            if self._job is not None:
                self._job.eta_s = told.eta_s
                self._context.tasks.progressed.emit(self._job, told.done, told.total)

    def _show(self, cancel: Cancel, found: Matrix) -> None:
        if cancel is not self._cancel:
            return
        if found.notes:
            self.table.show_questions(found.policies, found.contents)
            for run in (run for line in found.runs for run in line if run is not None):
                self.table.take(run)
        self._over(cancel, found.notes[0] if found.notes else count(sum(map(len, found.runs)), "verdict"))
        self.view.setCurrentIndex(self.table.index(0, 1))
        self.view.setFocus(Qt.FocusReason.OtherFocusReason)

    def _over(self, cancel: Cancel, words: str) -> None:
        if cancel is self._cancel:
            self._cancel, self._job = None, None
            self.words.setText(words)
            self._context.changes.runs.emit()
            self._allow()

    def _open(self, index: QModelIndex) -> None:
        run = self.table.run(index) if index.isValid() else None
        if run is not None:
            # The whole run: what was judged before comes without its texts.
            sessions = self._context.studio.sessions
            self._context.tasks.run(Lane.READ, lambda: sessions.run(run.id), on_done=self._show_run)

    def _show_run(self, run: Run) -> None:
        self.card.show_run(run, demo=is_demo(run))
        self.card_area.show()

    def _open_on_bench(self) -> None:
        if self.card.run is not None:
            self.run_wanted.emit(self.card.run)

    def _fit(self) -> None:
        header = self.view.horizontalHeader()
        for at in range(self.table.columnCount()):
            header.setSectionResizeMode(at, QHeaderView.ResizeMode.Stretch)

    def _allow(self) -> None:
        self.run_button.setVisible(not self.running)
        self.stop_button.setVisible(self.running)
        self.add_button.setEnabled(not self.running)
        self.combined.setEnabled(not self.running)
