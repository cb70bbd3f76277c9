"""One figure on a card: its value, its interval as a thin bar, and its target as a tick."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QFrame, QSizePolicy, QWidget

from studio.core.evaluation import Difference, Figure
from studio.core.figure_words import figure_name
from studio.ui.golden.figures import LESS_IS_BETTER, explained, number, short, target_words
from studio.ui.theme import Theme
from studio.ui.widgets.basics import ElidedLabel, column, row, set_kind, spread, text_label


class IntervalBar(QWidget):
    """A scale from 0 to 1 with the interval, the value, the value before, and the target."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._figure: Figure | None = None
        self._before: Figure | None = None
        self._target: float | None = None
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        theme.changed.connect(self.update)

    def show_figure(self, figure: Figure | None, target: float | None, before: Figure | None) -> None:
        """Show a figure, with a target and the figure before it where there are such."""
        self._figure, self._target, self._before = figure, target, before
        self.update()

    def sizeHint(self) -> QSize:  # noqa: D102  Qt's name
        return QSize(self._theme.scale.px(80), self._theme.scale.px(14))

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: D102  Qt's name
        painter, tokens = QPainter(self), self._theme.tokens
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        middle = self.height() / 2
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(tokens.line))
        painter.drawRoundedRect(QRectF(0, middle - 1.5, self.width(), 3), 1.5, 1.5)
        for shown, colour in ((self._before, tokens.text_disabled), (self._figure, tokens.accent)):
            if shown is not None and shown.value is not None:
                self._mark(painter, shown, QColor(colour), middle, faint=shown is self._before)
        if self._target is not None:
            painter.setPen(QPen(QColor(tokens.text), 2))
            at = self._x(self._target)
            painter.drawLine(QPointF(at, middle - 6), QPointF(at, middle + 6))
        painter.end()

    def _mark(self, painter: QPainter, shown: Figure, colour: QColor, middle: float, *, faint: bool) -> None:
        painter.setPen(Qt.PenStyle.NoPen)
        if shown.interval is not None:
            soft = QColor(colour)
            soft.setAlphaF(0.25 if faint else 0.45)
            painter.setBrush(soft)
            left, right = self._x(shown.interval.low), self._x(shown.interval.high)
            painter.drawRoundedRect(QRectF(left, middle - 3, max(2.0, right - left), 6), 2, 2)
        painter.setBrush(colour)
        painter.drawEllipse(QPointF(self._x(shown.value or 0.0), middle), 4, 4)

    def _x(self, value: float) -> float:
        return 4 + (self.width() - 8) * min(1.0, max(0.0, value))


class FigureCard(QFrame):
    """A figure on a card."""

    def __init__(self, theme: Theme, name: str) -> None:
        super().__init__()
        self.setProperty("kind", "card")
        self._theme, self.name = theme, name
        self._title = ElidedLabel(figure_name(name), kind="small")
        self._value = ElidedLabel("–", kind="lead")
        self._target = text_label("", "small")
        self._change = ElidedLabel(kind="small")
        self._bar = IntervalBar(theme)
        self._detail = ElidedLabel(kind="small")
        head = row(spread(self._title), self._target, spacing=4)
        layout = column(spacing=2, margins=(10, 7, 10, 7))
        layout.addLayout(head)
        for part in (self._value, self._bar, self._change, self._detail):
            layout.addWidget(part)
        self.setLayout(layout)

    @property
    def words(self) -> str:
        """What stands on the card as value."""
        return self._value.text()

    @property
    def change_words(self) -> str:
        """What is said about the change; empty without a comparison."""
        return self._change.text()

    def show_figure(
        self,
        figure: Figure | None,
        *,
        target: float | None = None,
        met: bool | None = None,
        before: Figure | None = None,
        difference: Difference | None = None,
    ) -> None:
        """Show a figure; with ``before`` as before and after. ``met`` says whether its target is."""
        self.setVisible(figure is not None)
        if figure is None:
            return
        after = number(self.name, figure.value)
        was = None if before is None else number(self.name, before.value)
        # One unit says enough for both.
        self._value.setText(after if was is None else f"{was.removesuffix(' %')} → {after}")
        at_most = self.name in LESS_IS_BETTER
        bound = "" if target is None else f"{'≤' if at_most else '≥'} {target_words(self.name, target)}"
        sign = {True: " met", False: " not met", None: ""}[met]
        mark = {True: " ✓", False: " ✗", None: ""}[met]
        self._target.setText(f"{bound}{mark}" if bound else "")
        set_kind(self._target, kind="warn" if met is False and bound else "small")
        change = "" if before is None else change_word(self.name, difference)
        self._change.setText(change)
        self._change.setVisible(bool(change))
        self._detail.setVisible(not change)
        set_kind(self._change, kind=change if change in ("better", "worse") else "small")
        self._bar.show_figure(figure, target, before)
        self._detail.setText(short(self.name, figure))
        whole = explained(self.name, figure) + (f" Target {bound}:{sign}." if bound else "")
        if was is not None:
            whole = f"Before {was}. {whole} {self._change.text()}".strip()
        self.setToolTip(whole)
        self.setAccessibleName(whole)
        self._detail.explain(whole)


def change_word(name: str, difference: Difference | None) -> str:
    """Better, worse, or the same within noise; nothing where that was not reckoned."""
    if difference is None or difference.value is None:
        return ""
    interval = difference.interval
    noise = difference.p >= 0.05 if difference.p is not None else interval is None or interval.low <= 0 <= interval.high
    if noise or not difference.value:
        return "same within noise"
    return "better" if (difference.value > 0) != (name in LESS_IS_BETTER) else "worse"
