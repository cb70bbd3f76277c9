"""One example in full: its content, what is right and why, where it came from, and what the model said."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import (
    QBoxLayout,
    QCheckBox,
    QFrame,
    QGridLayout,
    QLineEdit,
    QMenu,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from studio.core.content import Content
from studio.core.golden import GoldenExample
from studio.core.labels import Decision
from studio.core.policy import ContentKind, Policy
from studio.core.run import Run
from studio.ui.context import Context, is_demo
from studio.ui.golden.rows import Outcome
from studio.ui.golden.table import expected_word
from studio.ui.widgets.basics import ElidedLabel, column, frame, push_button, row, scrolling, tab_row, text_label
from studio.ui.widgets.controls import CaretButton, Segments
from studio.ui.widgets.empty import EmptyState
from studio.ui.widgets.exact_edit import ExactEdit
from studio.ui.widgets.pill import PillSize, VerdictPill
from studio.ui.widgets.reading import ReadText
from studio.ui.widgets.verdict_card import VerdictCard
from studio.ui.words import KIND, content_text, when

_SIDE_BY_SIDE = 840
"""From this width on, what two versions said stands side by side."""


class ExampleDetail(QFrame):
    """Shows an example and lets it be edited. ``save_wanted`` carries the edited one, ``delete_wanted`` the shown one.

    ``bench_wanted`` carries the run that speaks for it, to be opened on the Workbench.
    """

    save_wanted = Signal(object)
    delete_wanted = Signal(object)
    bench_wanted = Signal(object)

    def __init__(self, context: Context) -> None:
        super().__init__()
        self.setProperty("kind", "pane")
        self._context = context
        theme = context.theme
        self._example: GoldenExample | None = None
        self._policy: Policy | None = None
        self._run: Run | None = None
        self._lifted: set[str] = set()
        self.expected = VerdictPill(theme, PillSize.MEDIUM)
        self.arrow = text_label("", "section")
        self.got = VerdictPill(theme, PillSize.MEDIUM)
        self.doubt = ElidedLabel(kind="warn")
        self.save = push_button(theme, "Save", "primary", act=self.settle)
        self.revert = push_button(theme, "Revert", act=self._fill)
        self._more = CaretButton(theme, "More")
        self._more.setProperty("kind", "quiet")
        self.decision = Segments(
            {decision: expected_word(decision) for decision in (*Decision, None)}, "Expected decision"
        )
        self.message = ExactEdit(theme, "Content")
        self.reading = ReadText(theme, "Content")
        self.why = ExactEdit(theme, "Why")
        self.who = QLineEdit()
        self.who.setAccessibleName("Who decided")
        self.tags = QLineEdit()
        self.tags.setAccessibleName("Tags, parted by commas")
        self.tags.setPlaceholderText("parted by commas")
        self.labels: dict[str, QCheckBox] = {}
        self._labels_box = QWidget()
        self._labels_grid = QGridLayout(self._labels_box)
        self._labels_grid.setContentsMargins(0, 0, 0, 0)
        self._labels_grid.setSpacing(2)
        self.cards = (VerdictCard(theme), VerdictCard(theme))
        self.origin = ReadText(theme, "Where it came from")
        self._lay_out()
        self._connect()

    @property
    def example(self) -> GoldenExample | None:
        """The example that is shown, as it is kept."""
        return self._example

    @property
    def veiled(self) -> bool:
        """Whether the content is held back."""
        return self._example is not None and self._example.held_out and self._example.id not in self._lifted

    def show_example(self, example: GoldenExample, policy: Policy, outcome: Outcome | None) -> None:
        """Show an example under a policy, with what came of it."""
        other = self._example is None or self._example.id != example.id
        self._example, self._policy = example, policy
        self._stack.setCurrentIndex(1)
        if other:
            self._run = None
            self.show_runs(None, None)
        self._fill()
        self.show_outcome(outcome)

    def show_outcome(self, outcome: Outcome | None) -> None:
        """Show what came of the example."""
        self.got.setVisible(outcome is not None)
        self.arrow.setText("" if outcome is None else "✓" if outcome.right else "→")
        self.doubt.setVisible(outcome is not None and outcome.unstable)
        if outcome is not None:
            self.got.show_decision(outcome.got)
            self.doubt.setText(f"{outcome.agree} of {outcome.repeats} repeats agree")

    def show_runs(self, run: Run | None, before: Run | None) -> None:
        """Show what the model said, and what it said before where two are compared."""
        self._run = run
        self._bench.setEnabled(run is not None)
        self._unjudged.setVisible(run is None)
        for card, title, shown in zip(self.cards, self._card_titles, (run, before), strict=True):
            card.setVisible(shown is not None)
            title.setVisible(shown is not None and before is not None)
            if shown is not None:
                card.show_run(shown, demo=is_demo(shown))
                version = f"version {shown.version}" if shown.version else "draft"
                name = "Now" if shown is run else "Before"
                title.setText(f"{name}: {version}, {shown.provenance.effort if shown.provenance else ''} effort")

    def show_nothing(self) -> None:
        """No example is chosen."""
        self._example = None
        self._stack.setCurrentIndex(0)

    def lift(self) -> None:
        """Show the content of a held-out example."""
        if self._example is not None:
            self._lifted.add(self._example.id)
            self._fill()

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: D102  Qt's name
        super().resizeEvent(event)
        wide = self.width() >= self._context.theme.scale.px(_SIDE_BY_SIDE)
        # What it said before stands on the left, as one reads; below each other, what it says now comes first.
        flow = QBoxLayout.Direction.RightToLeft if wide else QBoxLayout.Direction.TopToBottom
        self._sides.setDirection(flow)

    def _fill(self) -> None:
        example, policy = self._example, self._policy
        if example is None or policy is None:
            return
        self.expected.show_decision(example.expected, word=expected_word(example.expected))
        self._content_stack.setCurrentIndex(2 if self.veiled else self._kind(example))
        self.message.set_exact_text("" if self.veiled else example.content.text)
        self.reading.show_text("" if self.veiled else content_text(example.content))
        self._kind_line.setText(KIND[example.content.kind])
        self.decision.choose(example.expected)
        self._fill_labels(example, policy)
        self.why.set_exact_text("" if self.veiled else example.why)
        self.who.setText(example.decided_by)
        self.tags.setText(", ".join(example.tags))
        self.origin.show_text("Held out." if self.veiled else origin_words(example))
        self.tabs.setTabEnabled(1, not self.veiled)
        for part in (self.decision, self._labels_box, self.why, self.who, self.tags):
            part.setEnabled(not self.veiled)
        self._look()

    def _fill_labels(self, example: GoldenExample, policy: Policy) -> None:
        for box in self.labels.values():
            self._labels_grid.removeWidget(box)
            box.deleteLater()
        self.labels = {}
        known = {label.id: f"{label.id}  {label.name}".strip() for label in policy.labels}
        # A label that the policy has lost since stays with its example until somebody takes it away.
        offered = {
            **known,
            **{label: f"{label}  (not in the policy)" for label in example.labels if label not in known},
        }
        for at, (label, words) in enumerate(offered.items()):
            box = QCheckBox(words)
            box.setChecked(label in example.labels)
            box.toggled.connect(self._look)
            self._labels_grid.addWidget(box, at // 2, at % 2)
            self.labels[label] = box

    def edited(self) -> GoldenExample | None:
        """The example as it stands in the fields; None when none is shown or its content is veiled."""
        example = self._example
        if example is None or self.veiled:
            return None
        content = example.content
        if content.kind is ContentKind.MESSAGE and self.message.exact_text() != content.text:
            content = Content.message(self.message.exact_text())
        tags = tuple(dict.fromkeys(tag.strip() for tag in self.tags.text().split(",") if tag.strip()))
        return replace(
            example,
            content=content,
            expected=self.decision.value,
            labels=tuple(label for label, box in self.labels.items() if box.isChecked()),
            why=self.why.exact_text(),
            decided_by=self.who.text().strip(),
            tags=tags,
        )

    @property
    def changed(self) -> bool:
        """Whether something stands in the fields that is not kept."""
        edited = self.edited()
        return edited is not None and self._example is not None and not _same(edited, self._example)

    def settle(self) -> None:
        """Ask to keep what was typed: another example is looked at, or the window closes."""
        if self.changed:
            self.save_wanted.emit(self.edited())

    def _look(self) -> None:
        for button in (self.save, self.revert):
            button.setVisible(self.changed)

    def _kind(self, example: GoldenExample) -> int:
        return 0 if example.content.kind is ContentKind.MESSAGE else 1

    def _open_on_bench(self) -> None:
        if self._run is not None:
            self.bench_wanted.emit(self._run)

    def _connect(self) -> None:
        menu = QMenu(self._more)
        self._bench = menu.addAction("Open in Workbench", self._open_on_bench)
        menu.addAction("Delete this example", lambda: self.delete_wanted.emit(self._example))
        self._more.setMenu(menu)
        self.decision.chosen.connect(lambda _key: self._look())
        for edit in (self.message, self.why):
            edit.textChanged.connect(self._look)
        for line in (self.who, self.tags):
            line.textChanged.connect(lambda _text: self._look())

    def _said(self) -> QWidget:
        """What the model said, and what it said before."""
        self._card_titles = (text_label("", "section"), text_label("", "section"))
        self._unjudged = text_label("Not judged under this version and model yet.", "quiet")
        said = QWidget()
        cards = QVBoxLayout(said)
        cards.setContentsMargins(16, 12, 16, 12)
        cards.setSpacing(8)
        cards.addWidget(self._unjudged)
        self._sides = QBoxLayout(QBoxLayout.Direction.TopToBottom)
        self._sides.setSpacing(16)
        for title, card in zip(self._card_titles, self.cards, strict=True):
            side = QVBoxLayout()
            side.setSpacing(8)
            side.addWidget(title)
            side.addWidget(card)
            side.addStretch(1)
            self._sides.addLayout(side, 1)
        cards.addLayout(self._sides)
        cards.addStretch(1)
        return said

    def _lay_out(self) -> None:
        theme = self._context.theme
        head = frame(
            "bar",
            row(self.expected, self.arrow, self.got, self.doubt, None, self.revert, self.save, self._more,
                margins=(16, 5, 8, 5)),
        )  # fmt: skip
        self._kind_line = text_label("", "small")
        veil = EmptyState(
            theme, "eye-slash", "Held out", "The policy must not be written from what it is tested on.",
            button="Show it all the same", act=self.lift,
        )  # fmt: skip
        self._content_stack = QStackedWidget()
        for part in (self.message, self.reading, veil):
            self._content_stack.addWidget(part)
        self._content_stack.setMinimumHeight(theme.scale.px(72))
        self.why.setProperty("kind", "")
        self.message.setProperty("kind", "")
        self.why.setFixedHeight(theme.scale.px(58))
        body = QWidget()
        inside = column(self._kind_line, self._content_stack, spacing=4, margins=(16, 8, 16, 12))
        inside.setStretch(1, 1)
        inside.addLayout(row(text_label("What is right", "small"), None, spacing=8))
        inside.addWidget(self.decision)
        inside.addWidget(self._labels_box)
        inside.addWidget(text_label("Why", "small"))
        inside.addWidget(self.why)
        inside.addLayout(row(text_label("Who decided", "small"), self.who, text_label("Tags", "small"), self.tags))
        body.setLayout(inside)
        said = self._said()
        self.tabs = tab_row("The example")
        self.tabs.addTab(scrolling(body), "Example")
        self.tabs.addTab(scrolling(said), "What the model said")
        origin = QWidget()
        origin.setLayout(column(self.origin, margins=(12, 8, 12, 8)))
        self.tabs.addTab(origin, "Origin")
        whole = QWidget()
        filled = column(head, self.tabs, spacing=0)
        filled.setStretch(1, 1)
        whole.setLayout(filled)
        self._stack = QStackedWidget()
        self._stack.addWidget(
            EmptyState(theme, "cursor", "No example chosen", "Choose an example in the list to see and edit it.")
        )
        self._stack.addWidget(whole)
        self.setLayout(column(self._stack, spacing=0))


def _same(edited: GoldenExample, kept: GoldenExample) -> bool:
    """Whether nothing was changed; the order of the labels is no change."""
    return replace(edited, labels=tuple(sorted(edited.labels))) == replace(kept, labels=tuple(sorted(kept.labels)))


def origin_words(example: GoldenExample) -> str:
    """Where an example came from, one fact a line, and its row as it was found."""
    facts = {
        "From": example.source,
        "Label in the file": example.original,
        "File sha256": example.source_sha256,
        "Added": when(example.created_at) if example.created_at else "",
        "Content sha256": example.content.sha256,
        "Id": example.id,
    }
    lines = [f"{name}: {value}" for name, value in facts.items() if value]
    return "\n".join(lines) + (f"\n\nThe row as it was found:\n{example.source_row}" if example.source_row else "")
