"""Asks how a new policy begins: blank with guidance, from a policy that is there, or from a pasted guideline."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

from PySide6.QtWidgets import QDialog, QLineEdit, QListWidget, QStackedWidget, QWidget

from studio.core.policy import PolicySummary
from studio.ui.theme import Theme
from studio.ui.widgets.basics import column, push_button, row, text_label
from studio.ui.widgets.controls import Segments
from studio.ui.widgets.exact_edit import ExactEdit


class Beginning(StrEnum):
    """What a new policy is made from."""

    BLANK = "blank"
    POLICY = "policy"
    GUIDELINE = "guideline"


_WORDS = {
    Beginning.BLANK: "Blank with guidance",
    Beginning.POLICY: "From a policy",
    Beginning.GUIDELINE: "From a guideline",
}
_BLANK = (
    "Begins with the four sections that the guidance asks for (instruction, definitions, criteria on both sides, "
    "examples) and one label for each side. The linter says what is missing as you write."
)
_GUIDELINE = (
    "Its own sentences are laid out in the four sections, each where its words put it. Nothing is invented; "
    "what is missing is marked."
)


class NewPolicyDialog(QDialog):
    """The title of a new policy and what it begins with."""

    def __init__(self, theme: Theme, parent: QWidget, policies: Sequence[PolicySummary]) -> None:
        super().__init__(parent)
        self.setWindowTitle("New policy")
        self._ids = [summary.id for summary in policies]
        self.title = QLineEdit()
        self.title.setAccessibleName("What is it about?")
        self.way = Segments({way: _WORDS[way] for way in Beginning}, "Begin")
        self.policies = QListWidget()
        self.policies.setAccessibleName("The policy to begin from")
        self.policies.addItems([summary.title for summary in policies])
        self.guideline = ExactEdit(theme, "The guideline")
        self.guideline.setProperty("kind", "")
        self.guideline.setTabChangesFocus(True)
        self.guideline.setPlaceholderText("Paste the community guideline here.")
        self._stack = QStackedWidget()
        self._stack.addWidget(_page(text_label(_BLANK, "quiet", wrap=True), None))
        self._stack.addWidget(_page(text_label("A copy, with its golden examples.", "quiet", wrap=True), self.policies))
        self._stack.addWidget(_page(text_label(_GUIDELINE, "quiet", wrap=True), self.guideline))
        self._stack.setMinimumHeight(theme.scale.px(220))
        self._take = push_button(theme, "Begin", "primary", act=self.accept)
        self._take.setDefault(True)
        layout = column(
            text_label("New policy", "lead"), text_label("What is it about?", "quiet"), self.title, self.way,
            self._stack, spacing=8, margins=(24, 24, 24, 16),
        )  # fmt: skip
        layout.addLayout(row(None, push_button(theme, "Cancel", act=self.reject), self._take))
        self.setLayout(layout)
        self.setMinimumWidth(theme.scale.px(480))
        self.way.chosen.connect(self._show_way)
        self.title.textChanged.connect(self._check)
        self.policies.currentRowChanged.connect(self._check)
        self.guideline.edited.connect(self._check)
        self._check()

    @property
    def beginning(self) -> Beginning:
        """What it begins with."""
        return Beginning(self.way.value)

    @property
    def source(self) -> str:
        """The id of the policy that is copied; empty when none is chosen."""
        at = self.policies.currentRow()
        return self._ids[at] if at >= 0 else ""

    def choose(self, beginning: Beginning) -> None:
        """Switch to another beginning."""
        self.way.choose(beginning)
        self._show_way(beginning)

    @property
    def may_begin(self) -> bool:
        """Whether all that is needed is there."""
        needed = {
            Beginning.BLANK: True,
            Beginning.POLICY: bool(self.source),
            Beginning.GUIDELINE: bool(self.guideline.exact_text().strip()),
        }
        return bool(self.title.text().strip()) and needed[self.beginning]

    def _show_way(self, way: Beginning) -> None:
        self._stack.setCurrentIndex(list(Beginning).index(way))
        self._check()

    def _check(self) -> None:
        self._take.setEnabled(self.may_begin)


def _page(words: QWidget, control: QWidget | None) -> QWidget:
    page = QWidget()
    layout = column(words, spacing=8)
    if control is None:
        layout.addStretch(1)
    else:
        layout.addWidget(control, 1)
    page.setLayout(layout)
    return page
