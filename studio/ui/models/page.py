"""The Models page."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFileDialog, QVBoxLayout, QWidget

from studio.core.errors import StudioError
from studio.core.progress import Cancel, Progress
from studio.services.models import DeviceNote, ModelEntry, ModelInfo
from studio.ui.context import Context, Page
from studio.ui.models.card import ModelCard
from studio.ui.tasks import Job, Lane
from studio.ui.widgets.basics import column, frame, push_button, row, scrolling, text_label
from studio.ui.widgets.file_drop import FileDrop
from studio.ui.words import size

_FILES = "Model files (*.gguf);;All files (*)"
_WIDEST = 760


class ModelsPage(Page):
    """Cards of all models. ``load_wanted`` asks the window to load the one in use."""

    load_wanted = Signal()

    def __init__(self, context: Context) -> None:
        super().__init__()
        self._context = context
        theme = context.theme
        self.cards: list[ModelCard] = []
        self._list = QVBoxLayout()
        self._list.setSpacing(12)
        self.zone = frame("drop")
        self.drop = FileDrop(self, "Drop to add these models", context.errors, many=True)
        self.add_button = push_button(theme, "Add a model file", icon_name="plus", act=self.choose_file)
        words = column(
            text_label("Add a model of your own", "section"),
            text_label(
                "A GGUF file of the gpt-oss family, such as gpt-oss-safeguard-20b. Drop it on this page or choose it. "
                "It stays where it is; the studio only remembers it and checks its sha256.",
                "quiet",
                wrap=True,
            ),
            spacing=4,
        )
        inside = row(spacing=16, margins=(16, 16, 16, 16))
        inside.addLayout(words, 1)
        inside.addWidget(self.add_button)
        self.zone.setLayout(inside)
        body = QWidget()
        content = QVBoxLayout()
        content.setSpacing(16)
        content.addWidget(text_label("Models", "title"))
        content.addWidget(
            text_label("Everything runs on this machine. Nothing that is judged leaves it.", "quiet", wrap=True)
        )
        content.addLayout(self._list)
        content.addWidget(self.zone)
        content.addStretch(1)
        middle = QWidget()
        middle.setLayout(content)
        middle.setMaximumWidth(theme.scale.px(_WIDEST))
        outer = row(middle, margins=(32, 24, 32, 24))
        outer.setAlignment(middle, Qt.AlignmentFlag(0))
        outer.addStretch(1)
        outer.setStretch(0, 100)
        body.setLayout(outer)
        self.setLayout(column(scrolling(body), spacing=0))
        self.drop.dropped.connect(self.add)
        context.changes.model.connect(self._refresh_shown)
        context.tasks.changed.connect(self._show_states)

    def entered(self) -> None:
        """Read the list of models again."""
        self.setFocus(Qt.FocusReason.OtherFocusReason)
        models = self._context.studio.models
        self._context.tasks.run(
            Lane.READ, lambda: [(entry, models.notes(entry)) for entry in models.list()], on_done=self._show
        )

    def choose_file(self) -> None:
        """Choose a model file in a dialog."""
        path, _ = QFileDialog.getOpenFileName(self, "Add a model file", "", _FILES)
        if path:
            self.add(Path(path))

    def add(self, path: Path) -> None:
        """Add a model file to the list; its hash is read beside the window and can be stopped."""
        models, tasks, cancel = self._context.studio.models, self._context.tasks, Cancel()
        job: list[Job] = []

        def told(progress: Progress) -> None:
            if job:
                tasks.progressed.emit(job[0], progress.done >> 10, progress.total >> 10)

        def added(entry: ModelEntry) -> None:
            self._context.changes.status.emit(f"{entry.name} added")
            self.entered()

        def failed(error: Exception) -> None:
            if not cancel.requested:
                self._context.errors.show(error)

        job.append(
            tasks.run(
                Lane.MODEL,
                lambda: models.add(path, on_progress=told, cancel=cancel),
                on_done=added,
                on_error=failed,
                title=f"Adding {path.name}",
                cancel=cancel,
            )
        )

    def use(self, entry: ModelEntry) -> None:
        """Judge with this model from now on."""
        models = self._context.studio.models

        def chosen(_none: object) -> None:
            self._context.changes.model.emit()
            self.load_wanted.emit()

        self._context.tasks.run(Lane.MODEL, lambda: models.use(entry), on_done=chosen)

    def remove(self, entry: ModelEntry) -> None:
        """Take a model off the list; its file stays."""
        models = self._context.studio.models
        self._context.tasks.run(
            Lane.MODEL, lambda: models.remove(entry), on_done=lambda _none: self._context.changes.model.emit()
        )

    def retry(self, entry: ModelEntry) -> None:
        """Try a GPU again that could not load this model."""
        models = self._context.studio.models

        def forgotten(_none: object) -> None:
            self._context.changes.model.emit()
            self.load_wanted.emit()

        self._context.tasks.run(Lane.MODEL, lambda: models.try_again(entry), on_done=forgotten)

    def _show(self, entries: list[tuple[ModelEntry, tuple[DeviceNote, ...]]]) -> None:
        for card in self.cards:
            self._list.removeWidget(card)
            card.deleteLater()
        self.cards = []
        for entry, notes in entries:
            card = ModelCard(self._context.theme, entry, notes)
            card.retry_wanted.connect(self.retry)
            card.use_wanted.connect(self.use)
            card.remove_wanted.connect(self.remove)
            self._list.addWidget(card)
            self.cards.append(card)
        self._show_states()

    def _show_states(self) -> None:
        if not self.cards:
            return
        models = self._context.studio.models
        try:
            current: Path | None = models.current().path
        except StudioError:
            current = None
        info = models.info
        loading = any(job.lane is Lane.MODEL and job.title for job in self._context.tasks.visible)
        for card in self.cards:
            chosen = card.entry.path == current
            loaded = chosen and info is not None and Path(info.path) == card.entry.path
            card.show_state(
                chosen=chosen, loaded=loaded, loading=loading and chosen and not loaded,
                facts=_facts(card.entry, info if loaded else None),
            )  # fmt: skip

    def _refresh_shown(self) -> None:
        if self.isVisible():
            self.entered()


def _together(info: ModelInfo) -> str:
    if info.n_seq == 1:
        return "one request at a time"
    short = f" ({info.n_seq_wanted} did not fit)" if info.n_seq < info.n_seq_wanted else ""
    return f"{info.n_seq} requests at a time{short}"


def _facts(entry: ModelEntry, info: ModelInfo | None) -> str:
    lines = [f"File: {entry.path}", f"Size: {size(entry.size)}"]
    sha256 = entry.sha256 or (info.sha256 if info else None)
    if sha256:
        lines.append(f"sha256: {sha256}")
    if info is not None:
        lines += [
            f"Architecture: {info.architecture}",
            f"Parameters: {info.n_params / 1e6:,.1f} million",
            f"Context: {info.n_ctx_train:,} tokens",
            f"Engine: llama.cpp {info.llama_build}, {info.backend} on {info.device}",
            f"Placement: {info.placement.words}",
            f"Memory: {size(info.memory_bytes)} at most, for {_together(info)}",
            f"Network of its process: {info.network}",
            f"File writes of its process: {info.writes}",
        ]
    else:
        lines.append("More is known once it is loaded.")
    return "\n".join(lines)
