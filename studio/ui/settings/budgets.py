"""How long the model may think, by effort: a number of tokens for each, or no limit."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QSpinBox, QWidget

from studio.core.policy import Effort
from studio.settings import MOST_THINKING
from studio.ui.widgets.basics import column, row, text_label
from studio.ui.words import EFFORT

_STEP = 100


class Budgets(QWidget):
    """A number for each effort. ``chosen`` tells all that are set, as tokens by effort."""

    chosen = Signal(object)

    def __init__(self, values: Mapping[Effort, int]) -> None:
        super().__init__()
        self.numbers: dict[Effort, QSpinBox] = {}
        lines = column(spacing=4, margins=(0, 0, 0, 0))
        for effort, word in EFFORT.items():
            number = QSpinBox()
            number.setRange(0, MOST_THINKING)
            number.setSingleStep(_STEP)
            number.setSpecialValueText("No limit")
            number.setSuffix(" tokens")
            number.setAccessibleName(f"Most reasoning at effort {word}")
            # Told when a number is whole, not at each digit of it.
            number.setKeyboardTracking(False)
            number.lineEdit().setTextMargins(6, 0, 0, 0)  # the style sheet's padding does not reach it
            number.setValue(values.get(effort, 0))
            number.valueChanged.connect(lambda _value: self.chosen.emit(self.values))
            self.numbers[effort] = number
            label = text_label(word, "quiet")
            label.setBuddy(number)
            lines.addLayout(row(None, label, number, spacing=8))
        self.setLayout(lines)

    @property
    def values(self) -> dict[Effort, int]:
        """The limits that are set."""
        return {effort: number.value() for effort, number in self.numbers.items() if number.value()}
