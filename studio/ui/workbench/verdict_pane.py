"""The lower right of the Workbench: the verdict as it comes in, and what to do with it."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QApplication, QFrame, QMenu, QStackedWidget, QWidget

from studio.core.golden import GoldenExample
from studio.core.labels import Decision
from studio.core.run import Run
from studio.services.repeat import TIMES
from studio.ui.actions import Act, keys_text
from studio.ui.context import Context, is_demo
from studio.ui.copying import run_as_json, run_as_text
from studio.ui.tasks import Lane
from studio.ui.widgets.basics import ElidedLabel, column, frame, push_button, row, scrolling, set_icon
from studio.ui.widgets.controls import CaretButton, ElidingButton
from studio.ui.widgets.empty import EmptyState
from studio.ui.widgets.verdict_card import VerdictCard
from studio.ui.words import decision_word
from studio.ui.workbench.repeats import RepeatStrip
from studio.ui.workbench.why_panel import WhyPanel
from studio.ui.workbench.wrong_dialog import WrongDialog


class VerdictPane(QFrame):
    """Shows nothing yet, a run under way, or a verdict."""

    again = Signal()
    rule_clicked = Signal(str)

    def __init__(self, context: Context) -> None:
        super().__init__()
        self.setProperty("kind", "pane")
        self._context = context
        theme = context.theme
        self.card = VerdictCard(theme)
        self.empty = EmptyState(
            theme,
            "scales",
            "No verdict yet",
            f"Press {keys_text(Act.RUN)} to judge the content above under the policy.",
        )
        self._stack = QStackedWidget()
        card = QWidget()
        card.setObjectName("body")
        card.setLayout(column(self.card, margins=(12, 16, 12, 8)))
        self._stack.addWidget(self.empty)
        self._stack.addWidget(scrolling(card))
        self._make_buttons()
        self.repeats = RepeatStrip(context)
        self.repeats.changed.connect(self._allow)
        self.why = WhyPanel(context)
        self.why.changed.connect(self._allow)
        self.why.closed.connect(self.show_verdict)
        self._stack.addWidget(self.why)
        self._lay_out()
        self._example: GoldenExample | None = None
        self.card.again.connect(self.again)
        self.card.rule_clicked.connect(self.rule_clicked)
        self._allow()

    @property
    def run(self) -> Run | None:
        """The run that is shown."""
        return self.card.run if self._stack.currentIndex() else None

    @property
    def busy(self) -> bool:
        """Whether something is shown or under way that belongs to the verdict and would go with it."""
        return self.repeats.running or self._stack.currentWidget() is self.why

    def show_verdict(self) -> None:
        """Show the verdict in place of what explains it."""
        if self._stack.currentWidget() is self.why:
            focused = QApplication.focusWidget()
            had_focus = focused is not None and self.why.isAncestorOf(focused)
            self.why.stop()
            self._stack.setCurrentIndex(1)
            if had_focus:
                self.why_button.setFocus(Qt.FocusReason.OtherFocusReason)

    def ask_why(self) -> None:
        """Take the policy apart, to see which rule decides."""
        if self.run is not None and self.why_button.isEnabled():
            self._stack.setCurrentWidget(self.why)
            self.why.start(self.run)
            self.why.take_focus()

    def stop(self) -> None:
        """Stop what runs here; where nothing does, the verdict comes back."""
        if self.repeats.running or self.why.running:
            self.repeats.stop()
            self.why.stop()
        else:
            self.show_verdict()

    def show_empty(self) -> None:
        """Show that nothing was judged yet."""
        self.why.forget()
        self.repeats.forget()
        self._stack.setCurrentIndex(0)
        self._allow()

    def show_start(self) -> None:
        """A run begins."""
        self.why.forget()
        self.repeats.forget()
        self._stack.setCurrentIndex(1)
        info = self._context.studio.models.info
        self.card.show_start("Starting", demo=info is not None and info.is_demo)
        self._forget_example()
        self._allow()

    def show_loading(self, done: int, total: int, words: str) -> None:
        """The model is being loaded first."""
        part = f" {100 * done // total} %" if total else ""
        self.card.pill.show_thinking("Loading")
        self.card.facts.setText(f"{words or 'Loading the model'}{part}")

    def show_prompt_read(self, prompt_tokens: int, cached: int) -> None:
        """The prompt is being read."""
        reused = f" ({cached:,} reused)" if cached else ""
        self.card.pill.show_thinking("Reading")
        self.card.facts.setText(f"{prompt_tokens:,} tokens of policy and content{reused}")

    def show_thinking(self, text: str) -> None:
        """More reasoning."""
        self.card.pill.show_thinking()
        self.card.reasoning.view.append_text(text)

    def show_answering(self, _text: str) -> None:
        """The answer is being written."""
        self.card.pill.show_thinking("Answering")

    def show_run(self, run: Run) -> None:
        """Show a finished run."""
        self.why.forget()
        self.repeats.forget()
        self._stack.setCurrentIndex(1)
        self.card.show_run(run, demo=is_demo(run))
        self._forget_example()
        self._allow()

    def save_right(self) -> None:
        """Save the content with this decision as a golden example."""
        run = self.run
        if run is None or run.verdict is None or self._example is not None:
            return
        if run.verdict.decision is not None:
            self._save(run, run.verdict.decision, run.verdict.labels, "")

    def ask_right(self) -> None:
        """Ask for the right decision and save that."""
        run = self.run
        if run is None or not self.wrong.isEnabled():
            return
        dialog = WrongDialog(self._context.theme, run, self)
        if dialog.exec():
            self._save(run, dialog.decision, dialog.labels, dialog.why.exact_text().strip())

    def repeat(self) -> None:
        """Judge the same several times, to see whether the verdict holds."""
        if self.run is not None and self.repeat_button.isEnabled():
            self.repeats.start(self.run)

    def copy_json(self) -> None:
        """Copy the run as one JSON object."""
        if self.run is not None:
            QApplication.clipboard().setText(run_as_json(self.run))
            self._context.changes.status.emit("Copied as JSON")

    def copy_text(self) -> None:
        """Copy the verdict as text for a mail or a ticket."""
        if self.run is not None:
            QApplication.clipboard().setText(run_as_text(self.run))
            self._context.changes.status.emit("Copied as text")

    def _make_buttons(self) -> None:
        theme = self._context.theme
        self.right = push_button(
            theme,
            "Right",
            icon_name="check",
            act=self.save_right,
            tip=f"Save as golden example ({keys_text(Act.GOLDEN)})",
        )
        self.wrong = push_button(
            theme,
            "Wrong…",
            icon_name="x",
            act=self.ask_right,
            tip=f"Say what is right, and save that ({keys_text(Act.WRONG)})",
        )
        self.repeat_button = ElidingButton(theme, f"Repeat ×{TIMES}", short=f"×{TIMES}")
        self.repeat_button.setAccessibleName(f"Repeat {TIMES} times")
        self.repeat_button.setToolTip(f"Judge the same {TIMES} times: does it hold? ({keys_text(Act.REPEAT)})")
        self.repeat_button.clicked.connect(self.repeat)
        set_icon(self.repeat_button, theme, "arrows-clockwise")
        self.why_button = ElidingButton(theme, "Why?")
        self.why_button.setAccessibleName("Why: which rule decides")
        self.why_button.setToolTip(f"Which rule decides: take each part away and see ({keys_text(Act.WHY)})")
        self.why_button.clicked.connect(self.ask_why)
        set_icon(self.why_button, theme, "tree-structure")
        self.saved = ElidedLabel(kind="small")
        self.undo = push_button(theme, "Undo", "link")
        self.undo.clicked.connect(self._undo)
        self.copy = CaretButton(theme, "Copy")
        self.copy.setProperty("kind", "quiet")
        menu = QMenu(self.copy)
        menu.addAction("Copy as text", self.copy_text)
        menu.addAction("Copy as JSON", self.copy_json)
        self.copy.setMenu(menu)

    def _lay_out(self) -> None:
        foot = frame(
            "foot",
            row(
                self.right,
                self.wrong,
                self.saved,
                self.undo,
                None,
                self.why_button,
                self.repeat_button,
                self.copy,
                margins=(12, 8, 8, 8),
            ),
        )
        layout = column(self._stack, self.repeats, foot, spacing=0)
        layout.setStretch(0, 1)
        self.setLayout(layout)

    def _save(self, run: Run, expected: Decision, labels: tuple[str, ...], why: str) -> None:
        golden = self._context.studio.golden
        known = tuple(label for label in labels if run.policy.label(label) is not None)

        def done(example: GoldenExample) -> None:
            self._example = example
            self.saved.setText(f"Golden example: {decision_word(expected).lower()}")
            had_focus = self.right.hasFocus() or self.wrong.hasFocus()
            self._allow()
            if had_focus:
                self.undo.setFocus(Qt.FocusReason.OtherFocusReason)

        self._context.tasks.run(
            Lane.STORE, lambda: golden.add_from_run(run, expected=expected, labels=known, why=why), on_done=done
        )

    def _undo(self) -> None:
        if self._example is not None:
            golden, example_id = self._context.studio.golden, self._example.id
            self._context.tasks.run(Lane.STORE, lambda: golden.delete(example_id))
            self._forget_example()
            self._allow()

    def _forget_example(self) -> None:
        self._example = None
        self.saved.setText("")

    def _allow(self) -> None:
        run = self.run
        decided = run is not None and run.verdict is not None and run.verdict.is_verdict
        self.right.setEnabled(decided and self._example is None)
        self.wrong.setEnabled(run is not None and self._example is None)
        self.copy.setEnabled(run is not None)
        self.why_button.setEnabled(decided and not self.why.running)
        self.repeat_button.setEnabled(run is not None and not self.repeats.running)
        # Once saved, the words about it take the place of the two buttons.
        for button in (self.right, self.wrong):
            button.setVisible(self._example is None)
        for part in (self.saved, self.undo):
            part.setVisible(self._example is not None)
