"""Search and filters over the list of examples."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import QFrame, QPushButton

from studio.core.golden import GoldenQuery
from studio.core.labels import Decision
from studio.core.policy import Policy
from studio.services.golden_care import Balance
from studio.ui.context import Context
from studio.ui.golden.flow import flow
from studio.ui.golden.rows import Mark, Wanted
from studio.ui.golden.table import expected_word
from studio.ui.widgets.basics import SearchField, column, push_button, row, spread
from studio.ui.widgets.controls import Choice

_PAUSE_MS = 180
_ANY = ""
_MARKS = {
    Mark.WRONG: "Wrong",
    Mark.NO_VERDICT: "No verdict",
    Mark.UNSTABLE: "Unstable",
    Mark.BETTER: "Got better",
    Mark.WORSE: "Got worse",
    Mark.BOTH_WRONG: "Still wrong",
    Mark.DUPLICATE: "Duplicates",
    Mark.CONTRADICTING: "Contradicting",
}
FLIPS = (Mark.BETTER, Mark.WORSE, Mark.BOTH_WRONG)
_TIPS = {
    Mark.WRONG: "A verdict with another decision than the expected one",
    Mark.NO_VERDICT: "Judgements that gave no verdict",
    Mark.UNSTABLE: "Examples whose repeats do not agree",
    Mark.BETTER: "Wrong before, right now",
    Mark.WORSE: "Right before, wrong now",
    Mark.BOTH_WRONG: "Judged differently than before, and wrong both times",
    Mark.DUPLICATE: "The same content, or almost the same, stands in the set more than once",
    Mark.CONTRADICTING: "The same content with different expected decisions",
}


class FilterBar(QFrame):
    """Says what the list is to show. ``changed`` comes when that is something else."""

    changed = Signal()

    def __init__(self, context: Context) -> None:
        super().__init__()
        self.setProperty("kind", "bar")
        theme = context.theme
        self.search = SearchField(theme, "Search content, reason and source")
        self.decision = Choice(theme, {_ANY: "Any decision"}, "Expected decision")
        self.label = Choice(theme, {_ANY: "Any label"}, "Label")
        self.tag = Choice(theme, {_ANY: "Any tag"}, "Tag")
        for choice in (self.decision, self.label, self.tag):
            choice.setProperty("kind", "quiet")
            choice.setMaximumWidth(theme.scale.px(136))
            choice.chosen.connect(lambda _key: self.changed.emit())
        words: dict[object, str] = {decision: expected_word(decision) for decision in (*Decision, None)}
        self.decision.set_choices({_ANY: "Any decision", **words})
        self._marks: dict[Mark, QPushButton] = {}
        for mark, word in _MARKS.items():
            self._marks[mark] = self._chip(word, _TIPS[mark])
        self.held_out = self._chip("Held out", "Show the held-out examples instead, veiled until you ask")
        self._cell = push_button(theme, "", "filter", "x", act=self.clear_cell)
        self._cell.hide()
        chips = flow([*self._marks.values(), self.held_out, self._cell], spacing=6, margins=(12, 0, 12, 8))
        self._only: frozenset[str] | None = None
        self._labels: dict[str, str] = {}
        lines = column(spacing=0)
        lines.addLayout(row(spread(self.search), margins=(12, 8, 12, 4)))
        lines.addLayout(row(self.decision, self.label, self.tag, None, spacing=4, margins=(12, 0, 12, 6)))
        lines.addLayout(chips)
        self.setLayout(lines)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_PAUSE_MS)
        self._timer.timeout.connect(self.changed)
        self.search.textChanged.connect(self._timer.start)
        self.show_marks({})
        self.show_parts(0)

    @property
    def wanted(self) -> Wanted:
        """What the list is to show."""
        decision = self.decision.value
        return Wanted(
            GoldenQuery(
                words=self.search.text(),
                decisions=frozenset() if decision == _ANY else frozenset([decision]),
                label=self.label.value or "",
                tag=self.tag.value or "",
                held_out=self.held_out.isChecked(),
            ),
            frozenset(mark for mark, chip in self._marks.items() if chip.isChecked()),
            self._only,
        )

    def chip(self, mark: Mark) -> QPushButton:
        """The filter of a mark."""
        return self._marks[mark]

    def show_marks(self, marked: Mapping[Mark, frozenset[str]]) -> None:
        """Say how many examples each mark has; a mark that none has is no filter."""
        for mark, chip in self._marks.items():
            number = len(marked.get(mark, ()))
            chip.setText(f"{_MARKS[mark]} {number:,}")
            chip.setAccessibleName(f"{_MARKS[mark]}: {number:,}")
            chip.setVisible(bool(number))
            if not number:
                self._silently(chip, False)

    def show_flips(self, flips: bool) -> None:
        """Show the examples that two versions judge differently, or all again; without telling."""
        for mark in FLIPS:
            chip = self._marks[mark]
            self._silently(chip, flips and not chip.isHidden())

    def show_policy(self, policy: Policy) -> None:
        """Offer the labels of a policy."""
        self._labels = {label.id: f"{label.id}  {label.name}".strip() for label in policy.labels}
        self.label.set_choices({_ANY: "Any label", **self._labels})

    def show_parts(self, held_out: int) -> None:
        """Say how many examples are held out."""
        self.held_out.setText(f"Held out {held_out:,}")
        self.held_out.setVisible(bool(held_out))
        if not held_out:
            self._silently(self.held_out, False)

    def show_balance(self, balance: Balance) -> None:
        """Offer the tags that there are, and the held-out part."""
        self.tag.setVisible(bool(balance.tags))
        self.tag.set_choices({_ANY: "Any tag", **{tag: f"{tag} ({number:,})" for tag, number in balance.tags}})
        self.show_parts(balance.held_out)

    def choose_label(self, label: str) -> None:
        """Show the examples of one label."""
        if label in self._labels:
            self.label.pick(label)

    def choose_cell(self, words: str, ids: Sequence[str]) -> None:
        """Show the examples of one cell."""
        self._only = frozenset(ids)
        self._cell.setText(f" {words}")
        self._cell.setAccessibleName(f"{words}. Take this filter away")
        self._cell.show()
        self.changed.emit()

    def clear_cell(self) -> None:
        """Take the filter of a cell away."""
        if self._only is not None:
            self._only = None
            self._cell.hide()
            self.changed.emit()

    def clear(self) -> None:
        """Take all filters away and go back to the drafting part, without telling."""
        self._only = None
        self._silently(self.held_out, False)
        self._cell.hide()
        for chip in self._marks.values():
            self._silently(chip, False)
        for choice in (self.decision, self.label, self.tag):
            choice.choose(_ANY)
        self._timer.stop()
        self.search.blockSignals(True)
        self.search.clear()
        self.search.blockSignals(False)

    def _chip(self, word: str, tip: str) -> QPushButton:
        chip = QPushButton(word)
        chip.setProperty("kind", "filter")
        chip.setAccessibleName(word)
        chip.setToolTip(tip)
        chip.setCheckable(True)
        chip.setAutoDefault(False)
        chip.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        chip.toggled.connect(lambda _on: self.changed.emit())
        return chip

    def _silently(self, chip: QPushButton, on: bool) -> None:
        chip.blockSignals(True)
        chip.setChecked(on)
        chip.blockSignals(False)
