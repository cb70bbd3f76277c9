"""The strip under a verdict that shows whether it holds: the same judged several times with sampling."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from PySide6.QtCore import QRectF, QSize, Qt, Signal, Slot
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QFrame, QSizePolicy, QWidget

from studio.core.labels import Decision
from studio.core.progress import Cancel
from studio.core.run import Run
from studio.services.repeat import TIMES, Repeats, repeat
from studio.ui.context import Context
from studio.ui.tasks import Lane
from studio.ui.theme import Theme
from studio.ui.widgets.basics import ElidedLabel, column, icon_button, push_button, row
from studio.ui.widgets.pill import draw_shape
from studio.ui.words import count, decision_word

_SIDE, _GAP = 14, 6


def repeat_words(repeats: Repeats, shown: Decision | None) -> tuple[str, str]:
    """What the repeats say about the verdict that is shown: one sentence, and the numbers behind it."""
    total, majority = len(repeats.runs), repeats.majority
    counted = Counter(repeats.decisions)
    parts = [f"{number} {decision_word(decision).lower()}" for decision, number in counted.most_common()]
    if not repeats.verdicts:
        return f"None of {count(total, 'repeat')} gave a verdict", ""
    rate = repeats.flip_rate(shown) if shown is not None else None
    details = [", ".join(parts)] if len(parts) > 1 else []
    if rate is not None:
        details.append(f"flip rate {rate * 100:.0f} %")
    details.append("temperature 1.0")
    detail = " · ".join(details)
    if majority is None:
        return "The repeats do not agree", detail
    share = f"{counted[majority]} of {total} say {decision_word(majority).lower()}"
    if shown is None:
        return f"{share}", detail
    if majority is not shown:
        return f"Most say otherwise: {share}", detail
    return (f"Holds: {share}" if counted[majority] == total else f"Mostly holds: {share}"), detail


class _Shapes(QWidget):
    """One shape for each repeat, and a point for each that is still to come."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._decisions: Sequence[Decision | None] = ()
        self._total = TIMES
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)

    def show_decisions(self, decisions: Sequence[Decision | None], total: int) -> None:
        self._decisions, self._total = decisions, total
        self.setAccessibleName(", ".join(decision_word(decision) for decision in decisions) or "No repeat yet")
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:  # noqa: D102  Qt's name
        px = self._theme.scale.px
        return QSize(self._total * px(_SIDE + _GAP), px(_SIDE) + 2)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: D102  Qt's name
        px = self._theme.scale.px
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for number in range(self._total):
            box = QRectF(number * px(_SIDE + _GAP), (self.height() - px(_SIDE)) / 2, px(_SIDE), px(_SIDE))
            if number < len(self._decisions):
                decision = self._decisions[number]
                draw_shape(painter, decision, box, QColor(self._theme.tone(decision).solid))
            else:
                painter.setPen(Qt.PenStyle.NoPen)
                painter.setBrush(QColor(self._theme.tokens.line_strong))
                painter.drawEllipse(box.center(), 2, 2)
        painter.end()


class RepeatStrip(QFrame):
    """Repeats one run and shows what came of it. ``changed`` tells that repeating began or ended."""

    changed = Signal()
    runs_wanted = Signal(str)
    _came = Signal(object, object)
    _stopped = Signal(object)

    def __init__(self, context: Context) -> None:
        super().__init__()
        self.setProperty("kind", "foot")
        self._context = context
        self._run: Run | None = None
        self._runs: list[Run] = []
        self._session_id = ""
        self._cancel: Cancel | None = None
        theme = context.theme
        self._shapes = _Shapes(theme)
        self.words = ElidedLabel(kind="section")
        self.detail = ElidedLabel(kind="small")
        self.show_runs = push_button(theme, "Runs", "link", act=self._want_runs, tip="Show these runs in the History")
        self.close_button = icon_button(theme, "x", "Close the repeats", act=self.forget)
        line = row(self._shapes, spacing=8, margins=(16, 6, 8, 6))
        line.addLayout(column(self.words, self.detail, spacing=0), 1)
        line.addWidget(self.show_runs)
        line.addWidget(self.close_button)
        self.setLayout(line)
        self._came.connect(self._take)
        self._stopped.connect(self._end)
        theme.changed.connect(self._shapes.updateGeometry)
        self.hide()

    @property
    def running(self) -> bool:
        """Whether repeats are under way."""
        return self._cancel is not None

    @property
    def repeats(self) -> Repeats:
        """What has come so far."""
        return Repeats(tuple(self._runs))

    def start(self, run: Run) -> None:
        """Judge the same again, several times; its own policy and content, even if others stand there now."""
        if self.running:
            return
        self.forget()
        cancel = Cancel()
        self._run, self._cancel = run, cancel
        studio, came, stopped = self._context.studio, self._came, self._stopped
        cancel.on_request(lambda: stopped.emit(cancel))

        def work() -> Repeats:
            session = studio.sessions.named(f"Repeats: {run.policy.title}")
            return repeat(
                studio.judge, run, session_id=session.id, on_run=lambda one: came.emit(cancel, one), cancel=cancel
            )

        def failed(error: Exception) -> None:
            self._end(cancel)
            self._context.errors.show(error)

        self._context.tasks.run(
            Lane.REPEAT,
            work,
            on_done=lambda _found: self._end(cancel),
            on_error=failed,
            title=f"Repeating {TIMES} times",
            cancel=cancel,
        )
        self._say()
        self.show()
        self.changed.emit()

    def stop(self) -> None:
        """Stop; what has come stays."""
        if self._cancel is not None:
            self._cancel.request()

    def forget(self) -> None:
        """Stop and show nothing; the runs stay in the History."""
        self.stop()
        self._run, self._runs, self._cancel = None, [], None
        self.hide()
        self.changed.emit()

    @Slot(object, object)
    def _take(self, cancel: Cancel, run: Run) -> None:
        if cancel is self._cancel:
            self._runs.append(run)
            self._session_id = run.session_id
            self._say()

    @Slot(object)
    def _end(self, cancel: Cancel) -> None:
        if cancel is not self._cancel:
            return
        self._cancel = None
        self._context.changes.runs.emit()
        if self._runs:
            self._say()
        else:
            self.hide()
        self.changed.emit()

    def _say(self) -> None:
        run, found = self._run, self.repeats
        if run is None:
            return
        self._shapes.show_decisions(found.decisions, TIMES)
        if self.running:
            self.words.setText(f"{len(found.runs)} of {TIMES} repeated")
            self.detail.setText("Sampled at temperature 1.0, each with a seed of its own")
        else:
            words, detail = repeat_words(found, run.verdict.decision if run.verdict else None)
            self.words.setText(words)
            self.detail.setText(detail)
        self.show_runs.setVisible(not self.running)
        self.setAccessibleName(f"Repeats: {self.words.text()}. {self.detail.text()}")

    def _want_runs(self) -> None:
        if self._session_id:
            self.runs_wanted.emit(self._session_id)
