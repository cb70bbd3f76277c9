"""Labels and answer: what the policy's codes decide, what form of answer it asks for, and who writes that down."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, Qt, Signal
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QWidget

from studio.core.contract import writes_contract
from studio.core.errors import PolicyError
from studio.core.grammar import contract_grammar
from studio.core.labels import LabelDecision
from studio.core.policy import Effort, OutputForm, OutputPosition, Policy
from studio.ui.theme import Theme
from studio.ui.widgets.basics import ElidedLabel, column, frame, icon_button, row, spread
from studio.ui.widgets.controls import Choice
from studio.ui.words import EFFORT, FORM, LABEL_DECISION, POSITION, SEVERITY
from studio.ui.workbench.labels_table import (
    DECISION,
    DESCRIPTION,
    ID,
    NAME,
    SEVERITY_AT,
    ChoiceDelegate,
    IdDelegate,
    LabelsTable,
    LabelsView,
)

_WIDTHS = {ID: 72, DECISION: 128, SEVERITY_AT: 96, NAME: 132}


class LabelsTab(QWidget):
    """Edits labels, form of the answer and effort of the open policy."""

    labels_changed = Signal(tuple)
    form_changed = Signal(object)
    position_changed = Signal(object)
    effort_changed = Signal(object)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.table = LabelsTable(theme)
        self.view = self._make_view(theme)
        self.form = Choice(theme, FORM, "Form of the answer", prefix="Answer: ")
        self.position = Choice(theme, POSITION, "Who writes the instruction for the answer", prefix="Instruction: ")
        self.effort = Choice(theme, EFFORT, "Effort the policy asks for", prefix="Effort: ")
        self.says = ElidedLabel(kind="small")
        self.problem = ElidedLabel(kind="warn")
        self.add_button = icon_button(theme, "plus", "Add a label (Insert)", act=self._add)
        self.remove_button = icon_button(theme, "trash", "Remove the label (Delete)", act=self._remove)
        self.up_button = icon_button(theme, "arrow-up", "Move the label up (Alt+Up)", act=lambda: self._move(-1))
        self.down_button = icon_button(theme, "arrow-down", "Move the label down (Alt+Down)", act=lambda: self._move(1))
        buttons = (self.add_button, self.remove_button, self.up_button, self.down_button)
        head = frame("bar", row(self.form, self.position, self.effort, None, spacing=4, margins=(8, 4, 8, 4)))
        foot = row(*buttons, spread(self.problem), spread(self.says), spacing=4, margins=(8, 2, 12, 2))
        layout = column(head, self.view, spacing=0)
        layout.addLayout(foot)
        layout.setStretch(1, 1)
        self.setLayout(layout)
        self._connect()

    def show_policy(self, policy: Policy) -> None:
        """Show what the policy says."""
        if policy.labels != self.table.labels:
            at = self.view.currentIndex()
            self.table.show_labels(policy.labels)
            self.view.setCurrentIndex(self.table.index(at.row(), at.column()))
        self.form.choose(OutputForm(policy.form))
        self.position.choose(OutputPosition(policy.position))
        self.effort.choose(Effort(policy.effort))
        self._allow()

    def show_held(self, words: str) -> None:
        """Say whether the model is held to the form; see :func:`held_words`."""
        self.says.setText(words)

    def _make_view(self, theme: Theme) -> LabelsView:
        view = LabelsView()
        view.setAccessibleName("Labels")
        view.setModel(self.table)
        self._ids = IdDelegate(self.table, view)
        view.setItemDelegateForColumn(ID, self._ids)
        view.setItemDelegateForColumn(DECISION, ChoiceDelegate(theme, LABEL_DECISION, view, icons=True))
        view.setItemDelegateForColumn(SEVERITY_AT, ChoiceDelegate(theme, SEVERITY, view))
        view.setShowGrid(False)
        view.setTabKeyNavigation(False)
        view.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        view.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        view.setWordWrap(False)
        view.verticalHeader().hide()
        theme.follow(view, lambda: view.verticalHeader().setDefaultSectionSize(theme.scale.px(32)))
        header = view.horizontalHeader()
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        header.setSectionResizeMode(DESCRIPTION, QHeaderView.ResizeMode.Stretch)
        header.setHighlightSections(False)
        for at, width in _WIDTHS.items():
            view.setColumnWidth(at, theme.scale.px(width))
        return view

    def _connect(self) -> None:
        self.table.labels_changed.connect(lambda: self.labels_changed.emit(self.table.labels))
        self.form.chosen.connect(self.form_changed)
        self.position.chosen.connect(self.position_changed)
        self.effort.chosen.connect(self.effort_changed)
        self._ids.problem.connect(self._say_problem)
        self.view.add_wanted.connect(self._add)
        self.view.remove_wanted.connect(self._remove)
        self.view.move_wanted.connect(self._move)
        self.view.selectionModel().currentChanged.connect(lambda _now, _before: self._allow())
        self.table.modelReset.connect(self._allow)
        self._say_problem("")

    def _add(self) -> None:
        at = self.table.index(self.table.add(), ID)
        self.view.setCurrentIndex(at)
        self.view.setFocus(Qt.FocusReason.OtherFocusReason)
        self.view.edit(at)

    def _remove(self) -> None:
        index = self.view.currentIndex()
        if index.isValid():
            self.table.remove(index.row())
            self._allow()

    def _move(self, step: int) -> None:
        index = self.view.currentIndex()
        if index.isValid() and self.table.move(index.row(), step):
            self.view.setCurrentIndex(self.table.index(index.row() + step, index.column()))
            self._allow()

    def _allow(self) -> None:
        index: QModelIndex = self.view.currentIndex()
        at, last = (index.row(), self.table.rowCount() - 1) if index.isValid() else (-1, -1)
        self.remove_button.setEnabled(at >= 0)
        self.up_button.setEnabled(at > 0)
        self.down_button.setEnabled(0 <= at < last)

    def _say_problem(self, words: str) -> None:
        self.problem.setText(words)
        self.problem.setVisible(bool(words))
        self.says.setVisible(not words)


def held_words(policy: Policy) -> str:
    """Who asks for the answer, and whether the model is held to it (see :func:`studio.services.judge.constrained`).

    It takes a while with a long policy: not for the window's thread.
    """
    if policy.position is OutputPosition.IN_TEXT:
        return "Nothing is added to the text, and the answer is not held to a form."
    if not writes_contract(policy):
        return "The text says itself what to answer, so nothing is added and the answer is not held to a form."
    try:
        contract_grammar(policy)
    except PolicyError as error:
        decided = {label.decision for label in policy.labels}
        if not {LabelDecision.ALLOW, LabelDecision.VIOLATE} <= decided:
            return "The answer is not held to its form: labels for both what is allowed and what violates are missing."
        return f"The answer is not held to its form. {error}"
    return "The model can only answer in this form."
