"""The Golden set page: examples on the left, how a policy does on them on the right."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QItemSelectionModel, QModelIndex, Qt, Signal
from PySide6.QtWidgets import QStackedWidget, QVBoxLayout, QWidget

from studio.core.evaluation import Comparison
from studio.core.golden import GoldenExample
from studio.core.policy import PolicySummary
from studio.core.run import Run
from studio.services.golden_care import Balance, Duplicates
from studio.ui.context import Context, Page
from studio.ui.golden.bar import GoldenBar, Opened
from studio.ui.golden.chores import GoldenChores
from studio.ui.golden.confusion import cell_word
from studio.ui.golden.detail import ExampleDetail
from studio.ui.golden.editing import ExampleEditing
from studio.ui.golden.filters import FilterBar
from studio.ui.golden.list_view import GoldenView
from studio.ui.golden.results import ResultsPane
from studio.ui.golden.rows import Mark, Wanted
from studio.ui.golden.table import VERDICT, GoldenTable
from studio.ui.golden.work import GoldenWork
from studio.ui.tasks import Lane
from studio.ui.widgets.basics import ElidedLabel, column, frame, row
from studio.ui.widgets.controls import KeptSplitter
from studio.ui.widgets.empty import EmptyState
from studio.ui.widgets.file_drop import FileDrop
from studio.ui.words import count


class GoldenPage(Page):
    """Prove that a policy is good. ``bench_wanted`` carries a run that is to be opened on the Workbench."""

    bench_wanted = Signal(object)

    def __init__(self, context: Context) -> None:
        super().__init__()
        self._context = context
        theme = context.theme
        self._policy_id = ""
        self._stale = True
        self._balance = Balance((), ())
        self._duplicates = Duplicates((), (), ())
        self._compared: Comparison | None = None
        self._wanted_id = ""
        self._on_bench = self._preferred = ""
        self._turn = 0
        self.bar = GoldenBar(context)
        self.filters = FilterBar(context)
        self.table = GoldenTable(context)
        self.view = GoldenView(context, self.table)
        self.detail = ExampleDetail(context)
        self.results = ResultsPane(context)
        self.work = GoldenWork(context, self)
        self.chores = GoldenChores(context, self.work, self)
        self.editing = ExampleEditing(context, self)
        self._count = ElidedLabel(kind="small")
        self._none = EmptyState(theme, "funnel", "No example fits", "Try other words, or take a filter away.")
        self._empty = EmptyState(
            theme,
            "circle-wavy-check",
            "No golden examples yet",
            "Import a labelled file, drop one here, or save verdicts on the Workbench as right or wrong.",
            button="Import a file",
            act=lambda: self.bar.import_wanted.emit(),
        )
        self._lay_out()
        self.drop = FileDrop(self, "Drop to see what it would become", context.errors)
        self._connect()

    @property
    def parts(self) -> Sequence[QWidget]:
        """Its panes, each by itself."""
        return (self.bar, self._left, self.results, self.detail, self._empty, self.drop.sign)

    def entered(self) -> None:
        """Read anew what has changed since the page was last seen."""
        self._refresh()
        self.filters.search.setFocus(Qt.FocusReason.OtherFocusReason)

    def prefer(self, policy_id: str) -> None:
        """The Workbench has this policy open: its set is looked at next, unless that was said before."""
        if policy_id != self._on_bench:
            self._on_bench = self._preferred = policy_id
            self._stale = True

    def _refresh(self) -> None:
        if self._stale:
            self._stale = False
            self._read_policies()
        else:
            # Verdicts may have been saved as examples meanwhile.
            self.read()

    def leaving(self) -> None:
        """Stop what runs and keep what was typed; what was judged is kept."""
        self.detail.settle()
        self.work.stop()

    def open_policy(self, policy_id: str) -> None:
        """Look at the set of another policy."""
        if policy_id and policy_id != self._policy_id:
            self.detail.settle()
            self._policy_id = policy_id
            self.bar.held_out = False
            self.results.part.choose(False)
            self.chores.policy_id = policy_id
            self._duplicates = Duplicates((), (), ())
            self.filters.clear()
            self.work.forget()
            self.detail.show_nothing()
        self.read()

    def read(self) -> None:
        """Read the set and its policy again."""
        studio, policy_id = self._context.studio, self._policy_id
        if not policy_id:
            return

        def work() -> tuple[Opened, Balance]:
            versions = tuple(studio.policies.versions(policy_id))
            opened = Opened(policy_id, studio.policies.draft(policy_id), versions)
            return opened, studio.golden_care.balance(policy_id)

        def done(found: tuple[Opened, Balance]) -> None:
            if policy_id != self._policy_id:
                return
            opened, self._balance = found
            self.bar.show_opened(opened)
            self._show_policy()
            self.filters.show_balance(self._balance)
            self.results.show_balance(self._balance)
            self._body.setCurrentIndex(1 if self._balance.total else 0)
            if not self._balance.held_out:
                self.bar.held_out = False
            self._list()
            self._recall()

        self._context.tasks.run(Lane.READ, work, on_done=done)

    def run(self) -> None:
        """Judge the set, or stop judging it."""
        if self.work.running:
            self.work.stop()
            return
        ask = self.bar.ask
        if ask is not None and self._balance.total:
            self.work.run(ask)

    def choose_part(self, held_out: bool) -> None:
        """Look at the drafting part or at the held-out part. The scores of the latter come only when asked for."""
        self.bar.held_out = held_out
        self.results.part.choose(held_out)
        self.filters.held_out.blockSignals(True)
        self.filters.held_out.setChecked(held_out)
        self.filters.held_out.blockSignals(False)
        self._list()
        self._recall()

    def _recall(self) -> None:
        ask = self.bar.ask
        if ask is None or not self._balance.total or self.work.running:
            return
        self.work.recall(ask)
        if self.work.shown is None:
            self._reckoned()

    def _list(self) -> None:
        """Ask for the examples that the filters want."""
        self._turn += 1
        golden, policy_id, wanted, turn = self._context.studio.golden, self._policy_id, self.filters.wanted, self._turn
        marked = self._marked()

        def done(ids: list[str]) -> None:
            if turn == self._turn:
                self._listed(ids, wanted)

        self._context.tasks.run(
            Lane.READ, lambda: wanted.pick(golden.find(policy_id, wanted.query), marked), on_done=done
        )

    def _listed(self, ids: list[str], wanted: Wanted) -> None:
        self.table.show_ids(ids)
        part = self._balance.held_out if wanted.query.held_out else self._balance.total - self._balance.held_out
        what = "held-out example" if wanted.query.held_out else "example"
        self._count.setText(f"{len(ids):,} of {count(part, what)}" if wanted.narrows else count(part, what))
        self._places.setCurrentIndex(0 if ids else 1)
        if not ids:
            self.detail.show_nothing()
            return
        at = self.table.place(self._wanted_id) if self._wanted_id else None
        index = self.table.index(at or 0, VERDICT)
        flags = QItemSelectionModel.SelectionFlag.ClearAndSelect | QItemSelectionModel.SelectionFlag.Rows
        self.view.selectionModel().setCurrentIndex(index, flags)
        self.view.scrollTo(index)

    def _marked(self) -> dict[Mark, frozenset[str]]:
        found = {} if self.work.shown is None else self.work.shown.marked
        apart = self._duplicates
        twice = frozenset(key for group in (*apart.exact, *apart.near) for key in group)
        return {
            **found,
            Mark.DUPLICATE: twice,
            Mark.CONTRADICTING: frozenset(key for group in apart.contradicting for key in group),
        }

    def _reckoned(self) -> None:
        """Show the figures that came, or that there are none."""
        shown, policy = self.work.shown, self.bar.shown_policy
        self.table.show_outcomes({} if shown is None else shown.result.outcomes)
        self.view.set_judged(shown is not None)
        wanted = self.filters.wanted
        self.filters.show_marks(self._marked())
        compared = None if shown is None else shown.comparison
        if compared is not self._compared:
            self._compared = compared
            self.filters.show_flips(compared is not None)
        if shown is not None:
            self.results.show_result(shown)
        elif policy is not None:
            known = self._balance.total - self._balance.undecided
            where = "the held-out part" if self.bar.held_out else f"{count(known, 'example')} with a known decision"
            self.results.show_nothing(
                f"Run judges {where} and shows how “{policy.title}” does. What was judged is kept, so that you can "
                "stop at any time.",
                can_run=bool(known),
            )
        if wanted != self.filters.wanted or wanted.marks:
            self._list()
        self._show_runs()

    def _chosen(self, current: QModelIndex) -> None:
        if not current.isValid():
            return
        self._wanted_id = example_id = self.table.ids[current.row()]
        if self.detail.example is not None and self.detail.example.id == example_id:
            return
        self.detail.settle()
        golden = self._context.studio.golden

        def done(found: list[GoldenExample]) -> None:
            if found and found[0].id == self._wanted_id:
                self._show_example(found[0])

        self._context.tasks.run(Lane.READ, lambda: golden.many([example_id]), on_done=done)

    def _show_example(self, example: GoldenExample) -> None:
        policy = self.bar.shown_policy
        if policy is not None:
            self.detail.show_example(example, policy, self.table.outcome(example.id))
            self._show_runs()

    def _show_runs(self) -> None:
        """Fetch the run that speaks for the example in sight, and the one before it where two are compared."""
        shown, example = self.work.shown, self.detail.example
        if example is None:
            return
        self.detail.show_outcome(self.table.outcome(example.id))
        service = self._context.studio.evaluate
        now = None if shown is None else shown.result.runs.get(example.id)
        before = None if shown is None or shown.before is None else shown.before.runs.get(example.id)
        if now is None:
            self.detail.show_runs(None, None)
            return

        def done(found: tuple[Run | None, Run | None]) -> None:
            if self.detail.example is not None and self.detail.example.id == example.id:
                self.detail.show_runs(*found)

        self._context.tasks.run(
            Lane.READ, lambda: (service.run_of(now), service.run_of(before) if before else None), on_done=done
        )

    def _kept(self, example: GoldenExample) -> None:
        self.table.read_again(example.id)
        if self.detail.example is not None and self.detail.example.id == example.id:
            self._show_example(example)
        self._read_balance()
        self._recall()

    def _changed_by_hand(self) -> None:
        self.detail.show_nothing()
        self.read()

    def _read_balance(self) -> None:
        care, policy_id = self._context.studio.golden_care, self._policy_id

        def done(balance: Balance) -> None:
            self._balance = balance
            self.filters.show_balance(balance)
            self.results.show_balance(balance)

        self._context.tasks.run(Lane.READ, lambda: care.balance(policy_id), on_done=done)

    def _read_policies(self) -> None:
        studio, kept = self._context.studio, self._context.preferences.layout("golden.policy")
        wanted, self._preferred = self._preferred or self._policy_id or kept, ""

        def done(found: list[PolicySummary]) -> None:
            if found:
                self.bar.show_policies(found, wanted)
                self.open_policy(self.bar.policy.value)

        self._context.tasks.run(Lane.READ, studio.policies.list, on_done=done)

    def _policy_chosen(self, policy_id: str) -> None:
        self._context.preferences.keep_layout("golden.policy", policy_id)
        self.open_policy(policy_id)

    def _running_changed(self) -> None:
        self.bar.set_running(self.work.running)

    def _changed_elsewhere(self) -> None:
        self._stale = True
        if self.isVisible():
            self._refresh()

    def _ask_changed(self) -> None:
        self._show_policy()
        if not self.work.running:
            self._recall()

    def _show_policy(self) -> None:
        policy = self.chores.policy = self.bar.shown_policy
        if policy is not None:
            self.filters.show_policy(policy)

    def _connect(self) -> None:
        bar, menu = self.bar, self.bar.menu
        bar.policy_chosen.connect(self._policy_chosen)
        bar.changed.connect(self._ask_changed)
        bar.run_wanted.connect(self.run)
        bar.import_wanted.connect(self.chores.choose_file)
        self.drop.dropped.connect(self.chores.import_file)
        self.chores.set_changed.connect(self._set_changed)
        self.chores.duplicates_found.connect(self._duplicates_found)
        # What is typed is kept before a chore changes the set, so that neither overwrites the other.
        menu.aboutToShow.connect(self.detail.settle)
        self.chores.offer(menu, listed=lambda: self.table.ids, balance=lambda: self._balance)
        self.filters.changed.connect(self._list)
        self.filters.held_out.toggled.connect(self.choose_part)
        self.view.selectionModel().currentRowChanged.connect(self._chosen)
        self.detail.save_wanted.connect(lambda edited: self.editing.save(edited, self.bar.shown_policy))
        self.detail.delete_wanted.connect(self.editing.delete)
        self.editing.kept.connect(self._kept)
        self.editing.set_changed.connect(self._changed_by_hand)
        self.detail.bench_wanted.connect(self.bench_wanted)
        self.results.cell_chosen.connect(self._cell_chosen)
        self.results.label_chosen.connect(self.filters.choose_label)
        self.results.part_chosen.connect(self.choose_part)
        self.results.run_wanted.connect(self.run)
        self.work.reckoned.connect(self._reckoned)
        self.work.running_changed.connect(self._running_changed)
        self._context.changes.policies.connect(self._changed_elsewhere)
        self._context.changes.model.connect(self._changed_elsewhere)

    def _set_changed(self) -> None:
        if self.bar.held_out or self.filters.held_out.isChecked():
            self.choose_part(False)
        # What is shown may have another tag, or be held out now: it is read again.
        self._changed_by_hand()

    def _duplicates_found(self, found: Duplicates) -> None:
        self._duplicates = found
        self.filters.show_marks(self._marked())

    def _cell_chosen(self, expected: str, got: str, ids: tuple[str, ...]) -> None:
        self.filters.choose_cell(f"{cell_word(expected)} → {cell_word(got)}", ids)

    def _lay_out(self) -> None:
        preferences = self._context.preferences
        self._places = QStackedWidget()
        self._places.addWidget(self.view)
        self._places.addWidget(self._none)
        self._left = frame("pane")
        filled = column(self.filters, self._places, frame("foot", row(self._count, margins=(16, 4, 16, 4))), spacing=0)
        filled.setStretch(1, 1)
        self._left.setLayout(filled)
        right = KeptSplitter(preferences, "golden.right", Qt.Orientation.Vertical, (360, 300))
        right.addWidget(self.results)
        right.addWidget(self.detail)
        right.restore()
        self.splitter = KeptSplitter(preferences, "golden", Qt.Orientation.Horizontal, (540, 650))
        self.splitter.addWidget(self._left)
        self.splitter.addWidget(right)
        self.splitter.restore()
        self._body = QStackedWidget()
        self._body.addWidget(self._empty)
        self._body.addWidget(self.splitter)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.bar)
        layout.addWidget(self._body, 1)
