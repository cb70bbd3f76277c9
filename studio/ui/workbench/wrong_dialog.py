"""Asks what would have been right, for a golden example."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QButtonGroup,
    QCheckBox,
    QDialog,
    QHBoxLayout,
    QRadioButton,
    QVBoxLayout,
    QWidget,
)

from studio.core.labels import Decision
from studio.core.run import Run
from studio.ui.theme import Theme
from studio.ui.widgets.basics import column, push_button, row, scrolling, text_label
from studio.ui.widgets.controls import decision_icon
from studio.ui.widgets.exact_edit import ExactEdit
from studio.ui.words import DECISION


class WrongDialog(QDialog):
    """The right decision, its labels, and why."""

    def __init__(self, theme: Theme, run: Run, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle("What is right?")
        self._run = run
        self._decisions = QButtonGroup(self)
        self._radios: dict[Decision, QRadioButton] = {}
        choices = row(spacing=16)
        for number, (decision, word) in enumerate(DECISION.items()):
            radio = QRadioButton(word)
            radio.setIcon(decision_icon(theme, decision))
            self._decisions.addButton(radio, number)
            self._radios[decision] = radio
            choices.addWidget(radio)
        choices.addStretch(1)
        self._labels: dict[str, QCheckBox] = {}
        self._label_list = QVBoxLayout()
        self._label_list.setSpacing(4)
        self.why = ExactEdit(theme, "Why")
        self.why.setProperty("kind", "")
        self.why.setPlaceholderText("One sentence that will still make sense in a year")
        self.why.setFixedHeight(theme.scale.px(76))
        self._take = push_button(theme, "Save golden example", "primary", act=self.accept)
        self._take.setDefault(True)
        self._lay_out(theme, choices)
        self._decisions.idClicked.connect(lambda _id: self._offer_labels())
        self._guess()

    @property
    def decision(self) -> Decision:
        """The decision that was chosen."""
        return next(decision for decision, radio in self._radios.items() if radio.isChecked())

    @property
    def labels(self) -> tuple[str, ...]:
        """The ids of the labels that were ticked."""
        return tuple(label for label, box in self._labels.items() if box.isChecked())

    @property
    def offered(self) -> list[str]:
        """The ids of the labels that fit the decision."""
        return list(self._labels)

    def choose(self, decision: Decision) -> None:
        """Choose a decision and offer its labels."""
        self._radios[decision].setChecked(True)
        self._offer_labels()

    def _guess(self) -> None:
        """The other of allowed and violates is the likely one."""
        verdict = self._run.verdict
        was = verdict.decision if verdict else None
        self.choose(Decision.ALLOWED if was is Decision.VIOLATES else Decision.VIOLATES)
        self._radios[self.decision].setFocus(Qt.FocusReason.OtherFocusReason)

    def _offer_labels(self) -> None:
        for box in self._labels.values():
            self._label_list.removeWidget(box)
            box.deleteLater()
        self._labels = {}
        fitting = [label for label in self._run.policy.labels if label.decision.decision is self.decision]
        for label in fitting:
            box = QCheckBox(f"{label.id}  {label.name}".strip())
            box.setToolTip(label.description)
            box.setChecked(len(fitting) == 1)
            self._label_list.addWidget(box)
            self._labels[label.id] = box

    def _lay_out(self, theme: Theme, choices: QHBoxLayout) -> None:
        body = QWidget()
        inner = QVBoxLayout(body)
        inner.setContentsMargins(0, 0, 0, 0)
        inner.addLayout(self._label_list)
        inner.addStretch(1)
        scroll = scrolling(body)
        scroll.setMinimumHeight(theme.scale.px(120))
        layout = column(text_label("What is right?", "lead"), spacing=8, margins=(24, 24, 24, 16))
        layout.addLayout(choices)
        layout.addSpacing(4)
        layout.addWidget(text_label("Labels", "quiet"))
        layout.addWidget(scroll, 1)
        layout.addWidget(text_label("Why", "quiet"))
        layout.addWidget(self.why)
        layout.addSpacing(8)
        layout.addLayout(row(None, push_button(theme, "Cancel", act=self.reject), self._take))
        self.setLayout(layout)
        self.setMinimumWidth(theme.scale.px(460))
