"""The line under the editor: how long the compiled policy is, what is advised, and what it costs in seconds here."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QFrame, QWidget

from studio.core.run import Run
from studio.services.pace import Pace, cost, pace
from studio.ui.context import Context
from studio.ui.tasks import Lane
from studio.ui.theme import Theme
from studio.ui.widgets.basics import ElidedLabel, row
from studio.ui.words import seconds

ADVISED = (400, 600)
"""Tokens that the model's makers call optimal for a policy; up to about ``REASONABLE`` they saw reasonable answers."""

REASONABLE = 10_000
_RUNS = 60


def advice(tokens: int) -> str:
    """What the guidance recommends, in a few words."""
    if tokens > REASONABLE:
        return f"beyond the {REASONABLE:,} that still work"
    return f"{ADVISED[0]}–{ADVISED[1]} advised"


class LengthScale(QWidget):
    """A thin scale: the advised stretch, and where this policy stands. Lengths beyond twice the advice end it."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._tokens = 0
        theme.changed.connect(self.update)

    def show_tokens(self, tokens: int) -> None:
        """Show a length."""
        self._tokens = tokens
        self.update()

    def sizeHint(self) -> QSize:  # noqa: D102  Qt's name
        return QSize(self._theme.scale.px(72), self._theme.scale.px(12))

    def minimumSizeHint(self) -> QSize:  # noqa: D102  Qt's name
        return self.sizeHint()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: D102  Qt's name
        tokens, (low, high) = self._theme.tokens, ADVISED
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        width, middle, whole = float(self.width()), self.height() / 2, 2.0 * high
        painter.setBrush(QColor(tokens.line))
        painter.drawRoundedRect(QRectF(0, middle - 2, width, 4), 2, 2)
        painter.setBrush(QColor(tokens.allowed.solid))
        painter.drawRoundedRect(QRectF(width * low / whole, middle - 2, width * (high - low) / whole, 4), 2, 2)
        if self._tokens:
            at = min(width - 3, width * min(self._tokens, whole) / whole)
            painter.setBrush(QColor(tokens.text))
            painter.drawRoundedRect(QRectF(at, middle - 5, 3, 10), 1.5, 1.5)
        painter.end()


class LengthLine(QFrame):
    """Shows the length as it is counted, and works out the cost from the runs of the loaded model."""

    def __init__(self, context: Context) -> None:
        super().__init__()
        self.setProperty("kind", "foot")
        self._context = context
        self._tokens, self._exact = 0, False
        self._runs: list[Run] = []
        self._pace: Pace | None = None
        self._read_for = ""
        self.scale = LengthScale(context.theme)
        self.length = ElidedLabel(kind="small")
        self.cost = ElidedLabel(kind="small")
        self.setLayout(row(self.scale, self.length, None, self.cost, margins=(12, 3, 12, 3)))
        context.changes.model.connect(self._read)
        self._show()

    def show_tokens(self, tokens: int, exact: bool) -> None:
        """Show a length; ``exact`` when the loaded model's own tokenizer counted."""
        self._tokens, self._exact = tokens, exact
        self._show()

    def note_run(self, run: Run) -> None:
        """A run has ended: it tells more about the pace."""
        self._runs = [run, *self._runs[: _RUNS - 1]]
        self._measure()

    def _read(self) -> None:
        """Another model is loaded: read what its runs of earlier sittings took."""
        info = self._context.studio.models.info
        if info is None or info.sha256 == self._read_for:
            return
        self._read_for = info.sha256
        sessions = self._context.studio.sessions

        def show(runs: list[Run]) -> None:
            self._runs = runs
            self._measure()

        self._context.tasks.run(Lane.READ, lambda: sessions.runs(limit=_RUNS), on_done=show)

    def _measure(self) -> None:
        info = self._context.studio.models.info
        self._pace = pace(self._runs, info) if info is not None else None
        self._show()

    def _show(self) -> None:
        count = f"{self._tokens:,}" if self._exact else f"about {round(self._tokens, -1):,}"
        self.length.setText(f"{count} tokens · {advice(self._tokens)}" if self._tokens else "")
        by = "by the loaded model's own tokenizer" if self._exact else "until a model is loaded that counts exactly"
        self.length.explain(
            f"The compiled prompt without content has {count} tokens, {by}.\n"
            f"The guidance calls {ADVISED[0]} to {ADVISED[1]} optimal; up to about {REASONABLE:,} "
            "answers stayed reasonable."
        )
        self.scale.show_tokens(self._tokens)
        self._show_cost()

    def _show_cost(self) -> None:
        if not self._tokens:
            self.cost.setText("")
            return
        if self._pace is None:
            self.cost.setText("cost known after a run")
            self.cost.explain("How fast this model reads and writes on this machine is measured by its runs.")
            return
        expected = cost(self._pace, self._tokens)
        first = "" if expected.first_s is None else f"first run {seconds(expected.first_s)}"
        then = "" if expected.then_s is None else f"{seconds(expected.then_s)} an item"
        self.cost.setText(", then ".join(part for part in (first, then) if part))
        reads = "" if self._pace.reading is None else f"reads {self._pace.reading:,.0f} and "
        self.cost.explain(
            f"Measured on this machine over {self._pace.runs} of this model's runs: it {reads}"
            f"writes {self._pace.writing:,.0f} tokens a second, and an answer has "
            f"{self._pace.answer:,.0f} tokens in the middle.\nThe policy is read once; after that only each content is."
        )
