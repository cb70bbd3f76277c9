"""The right top of the page: the figures on cards, the confusion matrix, labels and balance, and the charts."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFrame, QGridLayout, QLabel, QStackedWidget, QWidget

from studio.core.evaluation import Difference
from studio.services.golden_care import Balance
from studio.services.models import DEMO_NOTICE
from studio.ui.context import Context
from studio.ui.golden.automate import AutomatePane
from studio.ui.golden.balance import BalanceTable
from studio.ui.golden.card import FigureCard
from studio.ui.golden.charts import ChartsPane
from studio.ui.golden.confusion import ConfusionTable
from studio.ui.golden.figures import ORDER, figure, targets
from studio.ui.golden.work import Shown
from studio.ui.widgets.basics import (
    AutoText,
    column,
    frame,
    push_button,
    row,
    scrolling,
    set_kind,
    spread,
    tab_row,
    text_label,
)
from studio.ui.widgets.controls import Segments
from studio.ui.widgets.empty import EmptyState
from studio.ui.words import count

_CARD = 148


class ResultsPane(QFrame):
    """The figures. ``cell_chosen`` asks for the examples of a cell, ``label_chosen`` for those of a label.

    ``part_chosen`` asks for the drafting part (False) or the held-out part (True); ``run_wanted`` for a run.
    """

    cell_chosen = Signal(str, str, object)
    label_chosen = Signal(str)
    part_chosen = Signal(object)
    run_wanted = Signal()

    def __init__(self, context: Context) -> None:
        super().__init__()
        self.setProperty("kind", "pane")
        self._context = context
        theme = context.theme
        self.cards = {name: FigureCard(theme, name) for name in ORDER}
        self.matrix = ConfusionTable(theme)
        self.pairs = ConfusionTable(theme)
        self.matrix.setAccessibleName("Decisions: expected in rows, got in columns")
        self.pairs.setAccessibleName("Labels: expected in rows, got in columns")
        self.balance = BalanceTable(theme)
        self.charts = ChartsPane(context)
        self.automate = AutomatePane(context)
        self.part = Segments({False: "Drafting part", True: "Held-out part"}, "Part of the set")
        self.words = AutoText()
        self._change = QLabel()
        self._change.setContentsMargins(8, 2, 8, 2)
        self._demo = text_label(DEMO_NOTICE, "warn", wrap=True)
        self._rest = push_button(theme, "Judge the rest", "link", act=self.run_wanted.emit)
        self._empty = EmptyState(theme, "chart-bar", "Not judged yet", "", button="Run", act=self.run_wanted.emit)
        self._grid = QGridLayout()
        self._columns = 0
        self._lay_out()
        for table in (self.matrix, self.pairs):
            table.cell_chosen.connect(self.cell_chosen)
        self.balance.label_chosen.connect(self.label_chosen)
        self.part.chosen.connect(self.part_chosen)

    def show_result(self, shown: Shown) -> None:
        """Show figures, and what changed where two are compared."""
        self._stack.setCurrentIndex(1)
        result, before, comparison = shown.result, shown.before, shown.comparison
        bounds = targets(result.evaluation.policy.targets)
        differences = {}
        if comparison is not None:
            differences = {item.name: item for item in comparison.others}
            differences["decision_accuracy"] = comparison.accuracy
            if "specificity" in differences:
                differences["fpr"] = _the_other_way(differences["specificity"])
        for name, card in self.cards.items():
            card.show_figure(
                figure(name, result.scores, result.stability),
                target=bounds.get(name),
                met=result.met.get(name),
                before=None if before is None else figure(name, before.scores, before.stability),
                difference=differences.get(name),
            )
        self._say(shown)
        self.matrix.show_matrix(result.scores.decisions)
        self.pairs.show_matrix(result.scores.label_pairs)
        self._pairs_title.setVisible(bool(result.scores.label_pairs.cells))
        self.pairs.setVisible(bool(result.scores.label_pairs.cells))
        self.balance.show_scores(result.scores, bounds, result.met)
        self.automate.show_result(shown)
        self.charts.show_result(shown)

    def show_nothing(self, words: str, *, can_run: bool) -> None:
        """There are no figures; ``words`` say what to do."""
        self._stack.setCurrentIndex(0)
        self._empty.show_words("Not judged yet", words)
        self._empty.setEnabled(can_run)
        self.balance.show_scores(None)
        self.charts.show_nothing()
        self.automate.show_nothing()

    def show_balance(self, balance: Balance) -> None:
        """Show what the set is made of; the parts can be chosen where something is held out."""
        self.balance.show_balance(balance)
        self._part_row.setVisible(bool(balance.held_out))

    def _say(self, shown: Shown) -> None:
        evaluation, comparison = shown.result.evaluation, shown.comparison
        self._demo.setVisible(evaluation.model.is_demo)
        self._rest.setVisible(bool(evaluation.unfinished))
        lines = []
        if comparison is not None and shown.before is not None:
            said, _, points = comparison.words.partition(": ")
            lines.append(f"{points.capitalize()} Before: {shown.before.evaluation.title}.")
            set_kind(self._change, kind="change", change=str(comparison.change))
            self._change.setText(said)
        else:
            right = shown.result.scores.three_way.get("decision_accuracy")
            if right is not None and right.interval is not None and right.k is not None:
                wrong, low, high = right.n - right.k, 1 - right.interval.high, 1 - right.interval.low
                share = 100 * wrong / max(1, right.n)
                lines.append(
                    f"{wrong:,} of {right.n:,} not right ({share:.1f} %, between {100 * low:.1f} and {100 * high:.1f})."
                )
        self._change.setVisible(comparison is not None)
        if evaluation.unfinished:
            lines.append(f"{count(evaluation.unfinished, 'example')} not judged yet.")
        self.words.setText(" ".join(lines))

    def _lay_out(self) -> None:
        self._grid.setSpacing(8)
        self._pairs_title = text_label("Labels: expected in rows, got in columns", "small")
        says = row(self._change, spread(self.words), self._rest, spacing=8)
        body = QWidget()
        inside = column(spacing=8, margins=(16, 10, 16, 12))
        inside.addLayout(says)
        inside.addWidget(self._demo)
        inside.addLayout(self._grid)
        inside.addWidget(text_label("Decisions: expected in rows, got in columns", "small"))
        inside.addWidget(self.matrix)
        inside.addWidget(self._pairs_title)
        inside.addWidget(self.pairs)
        inside.addStretch(1)
        body.setLayout(inside)
        self._place_cards(4)
        self._stack = QStackedWidget()
        self._stack.addWidget(self._empty)
        self._stack.addWidget(scrolling(body))
        self.tabs = tab_row("Results")
        self.tabs.addTab(self._stack, "Scores")
        self.tabs.addTab(self.balance, "Labels")
        self.tabs.addTab(self.charts, "Charts")
        self.tabs.addTab(self.automate, "Automate")
        self._part_row = frame("bar", row(self.part, None, margins=(12, 4, 12, 4)))
        self._part_row.hide()
        whole = column(self._part_row, self.tabs, spacing=0)
        whole.setStretch(1, 1)
        self.setLayout(whole)

    def _place_cards(self, columns: int) -> None:
        if columns == self._columns:
            return
        self._columns = columns
        for at, card in enumerate(self.cards.values()):
            self._grid.addWidget(card, at // columns, at % columns)
        for at in range(8):
            self._grid.setColumnStretch(at, 1 if at < columns else 0)

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: D102  Qt's name
        super().resizeEvent(event)
        room = self.width() // max(1, self._context.theme.scale.px(_CARD))
        self._place_cards(8 if room >= 8 else 4 if room >= 4 else 2)


def _the_other_way(found: Difference) -> Difference:
    """The difference of what is left to one: of the false positive rate, from that of the specificity."""
    interval = found.interval and replace(found.interval, low=-found.interval.high, high=-found.interval.low)
    return replace(found, value=None if found.value is None else -found.value, interval=interval)
