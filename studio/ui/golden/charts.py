"""The charts of an evaluation, drawn beside the window when they are looked at."""

from __future__ import annotations

from PySide6.QtCore import QByteArray, QRectF, QSize, Qt, QTimer
from PySide6.QtGui import QPainter, QPaintEvent, QShowEvent
from PySide6.QtSvg import QSvgRenderer
from PySide6.QtWidgets import QSizePolicy, QStackedWidget, QVBoxLayout, QWidget

from studio.services.evaluation_charts import charts
from studio.ui.context import Context
from studio.ui.golden.work import Shown
from studio.ui.tasks import Lane
from studio.ui.widgets.basics import column, scrolling, text_label
from studio.ui.widgets.empty import EmptyState

_POINT = 1.25


class Chart(QWidget):
    """One chart, as large as it was drawn, smaller where there is less room."""

    def __init__(self, name: str, svg: bytes) -> None:
        super().__init__()
        self._renderer = QSvgRenderer(QByteArray(svg), self)
        self._renderer.setAspectRatioMode(Qt.AspectRatioMode.KeepAspectRatio)
        self.setAccessibleName(name)
        policy = QSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Preferred)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)

    def sizeHint(self) -> QSize:  # noqa: D102  Qt's name
        return self._renderer.defaultSize() * _POINT

    def hasHeightForWidth(self) -> bool:  # noqa: D102  Qt's name
        return True

    def heightForWidth(self, width: int) -> int:  # noqa: D102  Qt's name
        whole = self.sizeHint()
        return round(whole.height() * min(1.0, width / max(1, whole.width())))

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: D102  Qt's name
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        whole = self.sizeHint()
        width = min(self.width(), whole.width())
        self._renderer.render(painter, QRectF(0, 0, width, self.heightForWidth(width)))
        painter.end()


class ChartsPane(QStackedWidget):
    """All charts below each other, in the theme's colours."""

    def __init__(self, context: Context) -> None:
        super().__init__()
        self._context = context
        self._shown: Shown | None = None
        self._drawn: tuple[int, bool] | None = None
        self._charts: list[QWidget] = []
        self._waiting: list[tuple[str, bytes]] = []
        self._turn = QTimer(self)
        self._turn.setSingleShot(True)
        self._turn.setInterval(0)
        self._turn.timeout.connect(self._place_next)
        self._list = QVBoxLayout()
        self._list.setContentsMargins(16, 12, 16, 16)
        self._list.setSpacing(4)
        body = QWidget()
        inside = column()
        inside.setContentsMargins(0, 0, 0, 0)
        inside.addLayout(self._list)
        inside.addStretch(1)
        body.setLayout(inside)
        self.addWidget(EmptyState(context.theme, "chart-line", "No charts yet", "They come with the first run."))
        self.addWidget(scrolling(body))
        context.theme.changed.connect(self._draw)

    def show_result(self, shown: Shown) -> None:
        """Draw the charts of a result, as soon as they are looked at."""
        self._shown = shown
        self._draw()

    def show_nothing(self) -> None:
        """There is nothing to draw."""
        self._shown = self._drawn = None
        self.setCurrentIndex(0)

    def showEvent(self, event: QShowEvent) -> None:  # noqa: D102  Qt's name
        super().showEvent(event)
        self._draw()

    def _draw(self) -> None:
        shown, theme = self._shown, self._context.theme
        key = (id(shown), theme.dark)
        if shown is None or not self.isVisible() or self._drawn == key:
            return
        self._drawn = key
        tokens = theme.tokens
        colours = {
            "ink": tokens.text, "quiet": tokens.text_quiet, "line": tokens.line, "accent": tokens.accent,
            "wrong": tokens.violates.solid, "surface": tokens.surface,
        }  # fmt: skip

        def done(found: dict[str, bytes]) -> None:
            if self._drawn == key:
                self._place(found)

        self._context.tasks.run(
            Lane.ANALYSE, lambda: charts(shown.result.scores, shown.comparison, colours), on_done=done
        )

    def _place(self, found: dict[str, bytes]) -> None:
        for old in self._charts:
            self._list.removeWidget(old)
            old.deleteLater()
        self._charts = []
        self._waiting = list(found.items())
        self._place_next()
        self.setCurrentIndex(1)

    def _place_next(self) -> None:
        """One chart in a turn of the event loop: reading them all at once would hold the window up."""
        if self._waiting:
            name, svg = self._waiting.pop(0)
            for part in (text_label(name, "section"), Chart(name, svg)):
                self._list.addWidget(part)
                self._charts.append(part)
        if self._waiting:
            self._turn.start()
