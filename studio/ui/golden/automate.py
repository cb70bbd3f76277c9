"""Where automatic decisions may begin: the wanted rates, the thresholds that keep them, and what is promised."""

from __future__ import annotations

from PySide6.QtWidgets import QDoubleSpinBox, QWidget

from studio.core.evaluation import Thresholds
from studio.services.evaluation_words import thresholds_words
from studio.ui.context import Context
from studio.ui.golden.work import Shown
from studio.ui.tasks import Lane
from studio.ui.widgets.basics import AutoText, column, push_button, row, scrolling, text_label
from studio.ui.widgets.empty import EmptyState

_USUAL = 5.0


class AutomatePane(QWidget):
    """Asks which rates of error are borne, and says between which probabilities a person must decide."""

    def __init__(self, context: Context) -> None:
        super().__init__()
        self._context = context
        self._shown: Shown | None = None
        theme = context.theme
        self.miss = _rate("Violating content that may be allowed by itself")
        self.false_flag = _rate("Other content that may be flagged by itself")
        self.look = push_button(theme, "Find the thresholds", act=self._find)
        self.words = AutoText()
        self.caution = AutoText("", "warn")
        body = QWidget()
        inside = column(
            text_label("How often may an automatic decision be wrong?", "section"), spacing=8, margins=(16, 12, 16, 12)
        )
        inside.addLayout(row(text_label("Violating, yet allowed: at most"), self.miss, None))
        inside.addLayout(row(text_label("Not violating, yet flagged: at most"), self.false_flag, None))
        inside.addLayout(row(self.look, None))
        inside.addWidget(self.caution)
        inside.addWidget(self.words)
        inside.addStretch(1)
        body.setLayout(inside)
        self._scroll = scrolling(body)
        self._empty = EmptyState(theme, "sliders", "No thresholds yet", "They come with the first run.")
        self.setLayout(column(self._empty, self._scroll, spacing=0))
        self.show_nothing()

    def show_result(self, shown: Shown) -> None:
        """Let thresholds be found for a result."""
        self._shown = shown
        self._empty.hide()
        self._scroll.show()
        self.words.setText("")
        self.caution.setText(
            ""
            if shown.ask.held_out
            else "These are the examples that the policy was written with. The promise holds only for thresholds that "
            "are found on the held-out part."
        )
        self.caution.setVisible(not shown.ask.held_out)

    def show_nothing(self) -> None:
        """There is nothing to find thresholds for."""
        self._shown = None
        self._scroll.hide()
        self._empty.show()

    def _find(self) -> None:
        shown, service = self._shown, self._context.studio.evaluate
        if shown is None:
            return
        miss, false_flag = self.miss.value() / 100, self.false_flag.value() / 100

        def done(found: Thresholds) -> None:
            if shown is self._shown:
                self.words.setText("\n\n".join(thresholds_words(found)))

        self._context.tasks.run(
            Lane.ANALYSE,
            lambda: service.thresholds(shown.result.evaluation, miss=miss, false_flag=false_flag),
            on_done=done,
        )


def _rate(name: str) -> QDoubleSpinBox:
    field = QDoubleSpinBox()
    field.setRange(0.1, 50.0)
    field.setDecimals(1)
    field.setSuffix(" %")
    field.setValue(_USUAL)
    field.setAccessibleName(name)
    return field
