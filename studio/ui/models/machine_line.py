"""This machine in one line: what decides which model fits and how fast it is, and the measurement of its speed."""

from __future__ import annotations

from datetime import datetime

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame

from studio.services.fit import Measurement
from studio.services.fit_words import METHOD
from studio.services.machine import Machine
from studio.ui.theme import Theme
from studio.ui.widgets.basics import ElidedLabel, IconLabel, column, push_button, row, spread
from studio.ui.words import when


class MachineLine(QFrame):
    """The line. ``measure_wanted`` and ``stop_wanted`` ask; the page does."""

    measure_wanted = Signal()
    stop_wanted = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.setProperty("kind", "card")
        self.setAccessibleName("This machine")
        self.facts = ElidedLabel("Looking at this machine", "section")
        self.speed = ElidedLabel("", "small")
        self.measure = push_button(theme, "Measure speed", icon_name="gauge", act=self.measure_wanted.emit)
        self.measure.setToolTip("About ten seconds, on a model of random weights that is deleted afterwards.")
        self.stop = push_button(theme, "Stop", act=self.stop_wanted.emit)
        self.stop.hide()
        words = column(spread(self.facts), spread(self.speed), spacing=2)
        line = row(IconLabel(theme, "desktop-tower", size=20), spacing=12, margins=(16, 12, 12, 12))
        line.addLayout(words, 1)
        line.addWidget(self.measure)
        line.addWidget(self.stop)
        self.setLayout(line)

    def show_machine(self, machine: Machine, measured: Measurement | None) -> None:
        """Show the machine, and when it was measured."""
        self.facts.setText(" · ".join(machine.room))
        self.facts.explain(f"{machine.system}. {', '.join(machine.features) or 'No wide instructions'}. "
                           f"{machine.llama_build}.")  # fmt: skip
        told = "speed not measured yet, so seconds per item are not known"
        if measured is not None:
            told = f"speed measured {when(datetime.fromisoformat(measured.at))}"
        self.speed.setText(" · ".join((*machine.pace, told)))
        self.speed.explain(METHOD)
        self.measure.setText(f" {'Measure speed' if measured is None else 'Measure again'}")

    def show_failure(self, words: str) -> None:
        """Say why nothing is known of the machine."""
        self.facts.setText("This machine could not be looked at")
        self.speed.setText(words)

    def show_measuring(self, words: str | None) -> None:
        """Show what is measured now; None when that has ended."""
        self.measure.setVisible(words is None)
        self.stop.setVisible(words is not None)
        if words is not None:
            self.speed.setText(words)
