"""Why? Each part of the policy, or of the content, is taken away in turn: which of them decide the verdict."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QModelIndex, Qt, QTimer, Signal, Slot
from PySide6.QtGui import QStandardItem, QStandardItemModel
from PySide6.QtWidgets import QFrame, QListView, QProgressBar

from studio.core.progress import Cancel, Progress
from studio.core.run import Run
from studio.services.explain import Explanation, Part, Piece, Removal, Unit, decided_share, explain, ranked, same_as
from studio.services.models import DEMO_NOTICE
from studio.ui.context import Context, is_demo
from studio.ui.tasks import Job, Lane
from studio.ui.widgets.basics import ElidedLabel, column, frame, icon_button, push_button, row, spread, text_label
from studio.ui.widgets.controls import Segments
from studio.ui.widgets.pill import PillSize, VerdictPill
from studio.ui.words import count, headline, left_words
from studio.ui.workbench.why_rows import ROW_ROLE, WhyDelegate, WhyRow

_PAUSE_MS = 120
_UNITS: dict[Unit | None, str] = {None: "Policy", Unit.SENTENCES: "Sentences", Unit.WORDS: "Words"}


class WhyPanel(QFrame):
    """Explains one run. ``part_wanted`` asks to show a part where it stands; ``closed`` that the verdict comes back."""

    part_wanted = Signal(object, object)
    runs_wanted = Signal(str)
    closed = Signal()
    changed = Signal()
    _came = Signal(object, object, object)
    _told = Signal(object, object)

    def __init__(self, context: Context) -> None:
        super().__init__()
        self.setProperty("kind", "pane")
        self._context = context
        self._run: Run | None = None
        self._base: Run | None = None
        self._removals: list[Removal] = []
        self._cancel: Cancel | None = None
        self._picked: Part | Piece | None = None
        self._job: Job | None = None
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_PAUSE_MS)
        self._timer.timeout.connect(self._fill)
        self._lay_out()
        self._came.connect(self._take)
        self._told.connect(self._tell)
        context.theme.changed.connect(self._fill)

    @property
    def running(self) -> bool:
        """Whether parts are still being taken away."""
        return self._cancel is not None

    @property
    def removals(self) -> tuple[Removal, ...]:
        """What has come so far, the strongest first."""
        return ranked(self._removals)

    def start(self, run: Run, unit: Unit | None = None) -> None:
        """Take the policy of ``run`` apart, or its content; its own texts, even if others stand there now."""
        self.stop()
        cancel = Cancel()
        self._run, self._base, self._removals, self._cancel = run, None, [], cancel
        self._picked = None
        self.unit.choose(unit)
        self.demo.setVisible(is_demo(run))
        studio, came, told = self._context.studio, self._came, self._told

        def work() -> Explanation | None:
            return explain(
                studio,
                run.policy,
                run.content,
                same_as(run),
                unit=unit,
                on_progress=lambda progress: told.emit(cancel, progress),
                on_removal=lambda base, removal: came.emit(cancel, base, removal),
                cancel=cancel,
            )

        def failed(error: Exception) -> None:
            self._end(cancel, None)
            self._context.errors.show(error)
            if not self._removals and unit is None:
                self.closed.emit()

        self._job = self._context.tasks.run(
            Lane.EXPLAIN,
            work,
            on_done=lambda found: self._end(cancel, found),
            on_error=failed,
            title="Which rule decides",
            cancel=cancel,
        )
        cancel.on_request(lambda: told.emit(cancel, None))
        self._say("Judging with everything in place", "")
        self._bar.setRange(0, 0)
        self._fill()
        self.changed.emit()

    def stop(self) -> None:
        """Stop; what has come stays."""
        if self._cancel is not None:
            self._cancel.request()
            self._end(self._cancel, None)

    def forget(self) -> None:
        """Stop and hold nothing; the runs stay in the History."""
        self.stop()
        self._run, self._base, self._removals = None, None, []

    def take_focus(self) -> None:
        """Put the focus where the keys are wanted."""
        self.list.setFocus(Qt.FocusReason.OtherFocusReason)

    def _lay_out(self) -> None:
        theme = self._context.theme
        self.back = icon_button(theme, "arrow-left", "Back to the verdict", act=self.closed.emit)
        title = ElidedLabel("Which rule decides", "section")
        self.unit = Segments(_UNITS, "What is taken away")
        self.unit.chosen.connect(self._again)
        head = frame("bar", row(self.back, spread(title), self.unit, spacing=8, margins=(8, 6, 12, 6)))
        self._pill = VerdictPill(theme, PillSize.SMALL)
        self._of = ElidedLabel(kind="small")
        self.demo = text_label(DEMO_NOTICE, "warn", wrap=True)
        self.demo.hide()
        self.words = ElidedLabel(kind="section")
        self.detail = ElidedLabel(kind="small")
        self._bar = QProgressBar()
        self._bar.setTextVisible(False)
        self._bar.setAccessibleName("How far taking apart has come")
        self.stop_button = push_button(theme, "Stop", icon_name="stop", act=self.stop, tip="Stop (Esc)")
        self.show_runs = push_button(theme, "Runs", "link", act=self._want_runs, tip="Show these runs in the History")
        top = row(self._pill, self._of, spacing=8)
        top.setStretch(1, 1)
        below = row(spacing=8)
        below.addLayout(column(self.words, self.detail, spacing=0), 1)
        below.addWidget(self.stop_button)
        below.addWidget(self.show_runs)
        says = column(spacing=8, margins=(16, 12, 12, 8))
        says.addLayout(top)
        says.addWidget(self.demo)
        says.addLayout(below)
        says.addWidget(self._bar)
        self._model = QStandardItemModel(self)
        self.list = QListView()
        self.list.setAccessibleName("What happens without each part")
        self.list.setModel(self._model)
        self.list.setItemDelegate(WhyDelegate(theme, self.list))
        self.list.setEditTriggers(QListView.EditTrigger.NoEditTriggers)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.clicked.connect(self._want)
        self.list.activated.connect(self._want)
        layout = column(head, spacing=0)
        layout.addLayout(says)
        layout.addWidget(self.list, 1)
        self.setLayout(layout)

    def _again(self, unit: Any) -> None:
        if self._run is not None:
            self.start(self._run, unit)

    @Slot(object, object, object)
    def _take(self, cancel: Cancel, base: Run, removal: Removal) -> None:
        if cancel is not self._cancel:
            return
        self._base = base
        self._removals.append(removal)
        if not self._timer.isActive():
            self._timer.start()

    @Slot(object, object)
    def _tell(self, cancel: Cancel, progress: Progress | None) -> None:
        if cancel is not self._cancel:
            return
        if progress is None:
            self._end(cancel, None)
            return
        self._bar.setRange(0, progress.total)
        self._bar.setValue(progress.done)
        left = left_words(progress.eta_s) if progress.eta_s is not None and progress.done < progress.total else ""
        self._say(f"{progress.done} of {progress.total} taken away", left)
        if self._job is not None:
            self._job.eta_s = progress.eta_s
            self._context.tasks.progressed.emit(self._job, progress.done, progress.total)

    def _end(self, cancel: Cancel, found: Explanation | None) -> None:
        if cancel is not self._cancel:
            return
        self._cancel, self._job = None, None
        if found is not None:
            self._base, self._removals = found.run, list(found.removals)
        self._fill()
        self._sum_up(found)
        self._context.changes.runs.emit()
        self.changed.emit()

    def _sum_up(self, found: Explanation | None) -> None:
        if found is None:
            tried = count(len(self._removals), "part")
            self._say(f"Stopped after {tried}" if self._removals else "Stopped", "")
            return
        flips = len(found.deciding)
        what = "policy" if self.unit.value is None else "content"
        if not flips:
            words = f"No part of the {what} decides alone"
            detail = f"Without any one of {count(found.total, 'part')} the decision stays the same"
        else:
            words = f"{count(flips, 'part')} of {found.total} {'decides' if flips == 1 else 'decide'}"
            detail = (
                "Without it the decision is another one" if flips == 1 else "Without each of them it is another one"
            )
        shown = self._run.verdict if self._run else None
        now = found.run.verdict
        if shown is not None and now is not None and shown.decision is not now.decision:
            detail = "The verdict shown was another one: these judgements are greedy"
        self._say(words, detail)

    def _say(self, words: str, detail: str) -> None:
        self.words.setText(words)
        self.detail.setText(detail)
        for part, shown in (
            (self._bar, self.running),
            (self.stop_button, self.running),
            (self.show_runs, not self.running),
        ):
            part.setVisible(shown)
        self.show_runs.setEnabled(bool(self._removals))
        base = self._base or self._run
        if base is not None:
            self._pill.show_decision(base.verdict.decision if base.verdict else None)
            self._of.setText(headline(base))
        self.setAccessibleName(f"Which rule decides: {words}. {detail}")

    def _fill(self) -> None:
        self._timer.stop()
        self._model.clear()
        if self._base is None or self._base.verdict is None:
            return
        share = decided_share(self._base.policy, self._base.verdict, self._base.verdict)
        for removal in self.removals:
            line = WhyRow(self._base, share, removal)
            item = QStandardItem(line.title)
            item.setData(line, ROW_ROLE)
            item.setData(line.spoken, Qt.ItemDataRole.AccessibleTextRole)
            item.setToolTip(line.removal.part.text)
            self._model.appendRow(item)
        rows = [removal.part for removal in self.removals]
        # The strongest stays chosen while they come, unless a person chose another.
        self.list.setCurrentIndex(self._model.index(rows.index(self._picked) if self._picked in rows else 0, 0))

    def _want(self, index: QModelIndex) -> None:
        line = index.data(ROW_ROLE)
        if line is not None and self._run is not None:
            self._picked = line.removal.part
            self.part_wanted.emit(self._run, line.removal.part)

    def _want_runs(self) -> None:
        if self._removals:
            self.runs_wanted.emit(self._removals[0].run.session_id)
