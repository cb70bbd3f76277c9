"""Asks how much of a golden set is held out, and says what that is for."""

from __future__ import annotations

from PySide6.QtWidgets import QDialog, QSpinBox, QWidget

from studio.services.golden_care import Balance
from studio.ui.theme import Theme
from studio.ui.widgets.basics import column, push_button, row, text_label
from studio.ui.words import count

_USUAL, _MOST = 20, 90
_WHY = (
    "A policy that is written while looking at its examples fits them better than it fits the world. The held-out part "
    "stays veiled while you write, and is scored only when you ask. It takes the same share of each decision and label."
)


class HoldOutDialog(QDialog):
    """The share and the seed of the split."""

    def __init__(self, theme: Theme, balance: Balance, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle("Hold out a part")
        theme.dress(self)
        self.percent = QSpinBox()
        self.percent.setRange(0, _MOST)
        self.percent.setSuffix(" %")
        self.percent.setValue(_USUAL)
        self.percent.setAccessibleName("Share of the set")
        self.seed = QSpinBox()
        self.seed.setRange(0, 999_999)
        self.seed.setAccessibleName("Seed: the same seed draws the same examples")
        self._says = text_label("", "quiet", wrap=True)
        self._balance = balance
        self.take = push_button(theme, "Hold out", "primary", act=self.accept)
        self.take.setDefault(True)
        layout = column(
            text_label("Hold out a part of the set", "lead"),
            text_label(_WHY, "quiet", wrap=True),
            8,
            spacing=8,
            margins=(24, 24, 24, 16),
        )
        layout.addLayout(row(text_label("Share"), self.percent, 16, text_label("Seed"), self.seed, None))
        layout.addWidget(self._says)
        layout.addSpacing(8)
        layout.addLayout(row(None, push_button(theme, "Cancel", act=self.reject), self.take))
        self.setLayout(layout)
        self.setFixedWidth(theme.scale.px(480))
        self.percent.valueChanged.connect(lambda _value: self._say())
        self._say()

    @property
    def share(self) -> float:
        """The share from 0 to 1."""
        return self.percent.value() / 100

    def _say(self) -> None:
        number = round(self._balance.total * self.share)
        words = f"About {count(number, 'example')} of {self._balance.total:,}."
        if self._balance.held_out:
            words += f" This takes the place of the {self._balance.held_out:,} that are held out now."
        self._says.setText(words if number else "Nothing is held out any more.")
        self.take.setText("Hold out" if number else "Hold out nothing")
