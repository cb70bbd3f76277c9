"""The Models page."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import QFileDialog, QVBoxLayout, QWidget

from studio.core.errors import StudioError
from studio.services.download import DownloadPlan
from studio.services.fit import Advice, Fits
from studio.services.fit_words import gigabytes
from studio.services.shelf import ShelfEntry
from studio.ui.context import Context, Page
from studio.ui.models.card import ModelCard, Standing
from studio.ui.models.found import FoundFiles
from studio.ui.models.grid import CardGrid
from studio.ui.models.machine_line import MachineLine
from studio.ui.models.servers import Servers
from studio.ui.models.shelf_work import Advised, Seen, ShelfWork
from studio.ui.tasks import Job, Lane
from studio.ui.widgets.basics import column, frame, push_button, row, scrolling, set_kind, tab_through, text_label
from studio.ui.widgets.file_drop import FileDrop
from studio.ui.words import path_words, size

_FILES = "Model files (*.gguf);;All files (*)"
_WIDEST = 1800
_LAID_OUT_MS = 60
"""After so long a question has its place, which may be further down than what is in sight."""
_LOADING = "Loading the model"
"""The title under which the window loads a model."""


class ModelsPage(Page):
    """Cards of all models, here or to be had. ``load_wanted`` asks the window to load the one in use."""

    load_wanted = Signal()

    def __init__(self, context: Context) -> None:
        super().__init__()
        self._context = context
        theme = context.theme
        self.cards: list[ModelCard] = []
        self._seen = Seen((), {}, ())
        self._advice: dict[str, Advice] = {}
        self.work = ShelfWork(context, self)
        self.machine = MachineLine(theme)
        self.grid = CardGrid(theme)
        self.found = FoundFiles(theme)
        self.servers = Servers(context, lambda: self._load_job() is not None)
        self.stays = text_label("", "quiet", wrap=True)
        self.drop = FileDrop(self, "Drop to add these models", context.errors, many=True)
        self.add_button = push_button(theme, "Add a file", icon_name="plus", act=self.choose_file)
        self.folder_button = push_button(theme, "Add a folder", icon_name="folder-plus", act=self.choose_folder)
        self._lay_out()
        self._connect()

    def entered(self) -> None:
        """Read the shelf again."""
        self.setFocus(Qt.FocusReason.OtherFocusReason)
        self.work.look()
        self.servers.look()

    def choose_file(self) -> None:
        """Choose a model file in a dialog."""
        path, _ = QFileDialog.getOpenFileName(self, "Add a model file", "", _FILES)
        if path:
            self.add(Path(path))

    def choose_folder(self) -> None:
        """Choose a folder with model files in a dialog."""
        path = QFileDialog.getExistingDirectory(self, "Add the models of a folder")
        if path:
            self.add(Path(path))

    def add(self, path: Path) -> None:
        """Add a model file, or those of a folder; their hashes are read beside the window and can be stopped."""
        self.work.add(path)

    def card(self, entry_id: str) -> ModelCard:
        """The card of a model."""
        return next(card for card in self.cards if card.entry.id == entry_id)

    def _connect(self) -> None:
        work, context = self.work, self._context
        work.seen.connect(self._show)
        work.advised.connect(self._show_advice)
        work.unknown.connect(self.machine.show_failure)
        work.measuring.connect(self.machine.show_measuring)
        work.load_wanted.connect(self.load_wanted)
        self.servers.load_wanted.connect(self._load_server)
        self.servers.shown.connect(self._say_where)
        work.fetching.changed.connect(self._show_one)
        self.machine.measure_wanted.connect(work.measure)
        self.machine.stop_wanted.connect(work.stop_measuring)
        self.found.adopt_wanted.connect(work.adopt)
        self.drop.dropped.connect(self.add)
        context.changes.model.connect(self._model_changed)
        context.tasks.changed.connect(self._show_loading)

    def _model_changed(self) -> None:
        if self.isVisible():
            self.work.look()
            self.servers.look()
        else:
            self.work.watch()

    def _show(self, seen: Seen) -> None:
        self._seen = seen
        there = {card.entry.id: card for card in self.cards}
        self.cards = [there.get(entry.id) or self._new_card(entry) for entry in seen.entries]
        self.grid.set_cards(self.cards)
        self.found.show_found(seen.found)
        tab_through(self.machine, *self.cards, self.found, self.add_button, self.folder_button, self.servers)
        for entry in seen.entries:
            self._show_card(entry)

    def _show_advice(self, advised: Advised) -> None:
        self._advice = advised.advice
        self.machine.show_machine(advised.machine, advised.measured)
        for card in self.cards:
            self._show_card(card.entry)

    def _show_one(self, entry_id: str) -> None:
        for card in self.cards:
            if card.entry.id == entry_id:
                self._show_card(card.entry)

    def _show_loading(self) -> None:
        for card in self.cards:
            if card.standing.chosen:
                self._show_card(card.entry)
        self.servers.follow_load()

    def _say_where(self) -> None:
        """Say where what is judged goes."""
        where = self.servers.chosen
        stays = "The model that judges runs on this machine. Nothing that is judged leaves it."
        goes = f"A server judges: policy and content are sent to {where}. A model of this machine would keep them here."
        self.stays.setText(goes if where else stays)
        set_kind(self.stays, kind="warn" if where else "quiet")

    def _load_server(self) -> None:
        # A model that is still being loaded would have to end first.
        if (job := self._load_job()) is not None:
            job.cancel.request()
        self.load_wanted.emit()

    def _show_card(self, entry: ShelfEntry) -> None:
        models = self._context.studio.models
        try:
            chosen = entry.model is not None and models.current().path == entry.model.path
        except StudioError:
            # The chosen file is gone, which its own card says.
            chosen = False
        info = models.info
        loaded = chosen and info is not None and entry.model is not None and Path(info.path) == entry.model.path
        self.card(entry.id).show_standing(
            entry,
            Standing(
                chosen=chosen,
                loading=self._loading() if chosen else None,
                info=info if loaded else None,
                advice=self._advice.get(entry.id),
                underway=self.work.fetching.of(entry.id),
                notes=self._seen.notes.get(entry.id, ()),
            ),
        )

    def _load_job(self) -> Job | None:
        jobs = self._context.tasks.visible
        return next((job for job in jobs if job.lane is Lane.MODEL and job.title == _LOADING), None)

    def _loading(self) -> int | None:
        """Percent of the load that runs; -1 while that is not known, None when none runs."""
        job = self._load_job()
        if job is None:
            return None
        done, total = job.progress
        return 100 * done // total if total else -1

    def _new_card(self, entry: ShelfEntry) -> ModelCard:
        card = ModelCard(self._context.theme, entry)
        card.use_wanted.connect(self._use)
        card.get_wanted.connect(self._ask_get)
        card.question.asking.connect(
            lambda asking: QTimer.singleShot(_LAID_OUT_MS, card, lambda: self._reveal(card, asking))
        )
        card.stop_wanted.connect(self._stop)
        card.load_wanted.connect(lambda _key: self.load_wanted.emit())
        card.check_wanted.connect(lambda key: self.work.check(self.card(key).entry))
        card.remove_wanted.connect(self._ask_remove)
        card.retry_wanted.connect(lambda key: self.work.retry(self.card(key).entry))
        return card

    def _reveal(self, card: ModelCard, asking: bool) -> None:
        if asking:
            self._scroll.ensureWidgetVisible(card.question, 0, 24)

    def _use(self, entry_id: str) -> None:
        # Another model that is still being loaded would have to end first.
        if (job := self._load_job()) is not None:
            job.cancel.request()
        self.work.use(self.card(entry_id).entry)

    def _stop(self, entry_id: str) -> None:
        if self.work.fetching.of(entry_id) is not None:
            self.work.fetching.stop(entry_id)
        elif (job := self._load_job()) is not None:
            job.cancel.request()

    def _ask_get(self, entry_id: str) -> None:
        self.work.plan(self.card(entry_id).entry, self._ask_download)

    def _ask_download(self, plan: DownloadPlan) -> None:
        """Name what would be reached and taken, before anything is."""
        advice = self._advice.get(plan.id)
        about = f"about {size(advice.weights)}, " if advice is not None and advice.weights else ""
        to_fetch = f"{about}as the Hub says when it is asked" if plan.to_fetch is None else size(plan.to_fetch)
        lines = [
            f"The network shield opens for {', '.join(plan.servers)} until it is done, and for nothing else. "
            "Nothing that you judge is sent.",
            f"From: {plan.source}",
            f"To fetch: {to_fetch}. Free on the disk: {size(plan.free)}.",
            f"Into: {path_words(plan.folder)}",
            "Every byte is checked against its sha256. You can pause at any time, and close the studio.",
        ]
        warnings = []
        if plan.enough is False:
            lacking = (plan.to_fetch or 0) + plan.spare - plan.free
            warnings.append(f"There is not enough room: make {size(lacking)} free first.")
        if advice is not None and advice.fits is Fits.TOO_BIG:
            warnings.append(f"It would not run here: it needs {gigabytes(advice.missing)} more memory.")
        other = None
        if plan.already:
            [there, *_] = plan.already
            warnings.append(f"{there.owner} keeps a file of the same size: {path_words(there.path)}.")
            other = ("Use that file", lambda: self.work.adopt(there))
        question = self.card(plan.id).question
        question.ask(
            "Connect and download?",
            lines,
            "Connect and download",
            lambda: self.work.download(plan, into_hub_cache=question.option.isChecked()),
            warn=" ".join(warnings),
            may=plan.enough is not False,
            other=other,
            option="Keep it in the Hugging Face cache, for other programs too" if plan.hub_cache else "",
        )

    def _ask_remove(self, entry_id: str) -> None:
        entry = self.card(entry_id).entry
        if entry.ours:
            freed = entry.done or entry.size or 0
            title = "Delete what was fetched?" if entry.model is None else "Delete this model from the disk?"
            lines = [*(path_words(file) for file in entry.files), f"{size(freed)} become free."]
            yes = "Delete"
        else:
            title, yes = "Take this model off the shelf?", "Take it off"
            lines = [f"Its file stays where it is: {path_words(entry.files[0])}"]
        self.card(entry_id).question.ask(title, lines, yes, lambda: self.work.remove(self.card(entry_id).entry))

    def _lay_out(self) -> None:
        theme = self._context.theme
        zone = frame("drop")
        words = column(
            text_label("Add a model of your own", "section"),
            text_label(
                "A GGUF file of the gpt-oss family, or a folder with some. Drop it on this page or choose it. It stays "
                "where it is; the studio remembers it by its sha256.",
                "quiet",
                wrap=True,
            ),
            spacing=4,
        )
        inside = row(spacing=8, margins=(16, 16, 16, 16))
        inside.addLayout(words, 1)
        inside.addWidget(self.add_button)
        inside.addWidget(self.folder_button)
        zone.setLayout(inside)
        content = QVBoxLayout()
        content.setSpacing(16)
        content.addLayout(
            column(
                text_label("Models", "title"),
                self.stays,
                spacing=4,
            )
        )
        for part in (self.machine, self.grid, self.found, zone, self.servers):
            content.addWidget(part)
        content.addStretch(1)
        middle = QWidget()
        middle.setLayout(content)
        middle.setMaximumWidth(theme.scale.px(_WIDEST))
        body = QWidget()
        body.setLayout(row(middle, margins=(32, 24, 32, 24)))
        self._scroll = scrolling(body)
        self.setLayout(column(self._scroll, spacing=0))
