"""One kept run in full: content, verdict, and all that it depended on."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QApplication, QFrame, QMenu, QStackedWidget, QWidget

from studio.core.run import Run
from studio.ui.context import Context, is_demo
from studio.ui.copying import run_as_json, run_as_text
from studio.ui.widgets.basics import ElidedLabel, column, frame, push_button, row, scrolling, text_label
from studio.ui.widgets.controls import CaretButton, KeptSplitter
from studio.ui.widgets.empty import EmptyState
from studio.ui.widgets.fold import Fold
from studio.ui.widgets.reading import ReadText
from studio.ui.widgets.verdict_card import VerdictCard
from studio.ui.words import KIND, content_text, provenance_lines, when


class RunDetail(QFrame):
    """Shows a run; ``reopen_wanted`` asks for it on the Workbench."""

    reopen_wanted = Signal(object)

    def __init__(self, context: Context) -> None:
        super().__init__()
        self.setProperty("kind", "pane")
        self._context = context
        theme = context.theme
        self._run: Run | None = None
        self._title = ElidedLabel(kind="lead")
        self._when = ElidedLabel(kind="small")
        self.reopen = push_button(theme, "Open in Workbench", "primary", act=self._reopen)
        copy = CaretButton(theme, "Copy")
        copy.setProperty("kind", "quiet")
        menu = QMenu(copy)
        menu.addAction("Copy as text", lambda: self._copy(run_as_text, "text"))
        menu.addAction("Copy as JSON", lambda: self._copy(run_as_json, "JSON"))
        copy.setMenu(menu)
        self._kind = text_label("", "small")
        self._kind.setContentsMargins(4, 0, 0, 4)
        self.content = ReadText(theme, "Content")
        self.card = VerdictCard(theme)
        self.provenance = Fold(theme, "How it was judged")
        top = frame("bar", column(self._title, self._when, spacing=2, margins=(16, 8, 12, 8)))
        foot = frame("foot", row(self.reopen, None, copy, margins=(12, 8, 8, 8)))
        upper = QWidget()
        upper.setLayout(column(self._kind, self.content, spacing=0, margins=(12, 8, 8, 0)))
        lower = QWidget()
        inside = column(self.card, self.provenance, spacing=4, margins=(12, 16, 12, 12))
        inside.setStretch(0, 2)
        inside.setStretch(1, 1)
        lower.setObjectName("body")
        lower.setLayout(inside)
        splitter = KeptSplitter(context.preferences, "history.detail", Qt.Orientation.Vertical, (180, 420))
        splitter.addWidget(upper)
        splitter.addWidget(scrolling(lower))
        splitter.restore()
        whole = QWidget()
        filled = column(top, splitter, foot, spacing=0)
        filled.setStretch(1, 1)
        whole.setLayout(filled)
        self._stack = QStackedWidget()
        self._stack.addWidget(
            EmptyState(theme, "cursor", "No run chosen", "Choose a run in the list to see its verdict and reasoning.")
        )
        self._stack.addWidget(whole)
        self.setLayout(column(self._stack, spacing=0))

    @property
    def run(self) -> Run | None:
        """The run that is shown."""
        return self._run

    def show_run(self, run: Run) -> None:
        """Show a run."""
        self._run = run
        self._stack.setCurrentIndex(1)
        version = f"version {run.version}" if run.version else "unsaved draft"
        self._title.setText(run.policy.title)
        self._when.setText(f"{when(run.started_at)} · {version}")
        self._kind.setText(KIND[run.content.kind])
        self.content.show_text(content_text(run.content))
        self.card.show_run(run, demo=is_demo(run))
        lines = provenance_lines(run)
        self.provenance.setVisible(bool(lines))
        self.provenance.view.show_text(lines)

    def show_nothing(self) -> None:
        """No run is chosen."""
        self._run = None
        self._stack.setCurrentIndex(0)

    def _reopen(self) -> None:
        if self._run is not None:
            self.reopen_wanted.emit(self._run)

    def _copy(self, write: object, name: str) -> None:
        if self._run is not None and callable(write):
            QApplication.clipboard().setText(write(self._run))
            self._context.changes.status.emit(f"Copied as {name}")
