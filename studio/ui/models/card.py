"""One model on a card: its name, how it fits this machine, how it stands, what can be done with it, facts on demand."""

from __future__ import annotations

from dataclasses import dataclass, field

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QProgressBar

from studio.services.fit import Advice, Fits
from studio.services.fit_words import badge
from studio.services.models import DeviceNote, ModelInfo
from studio.services.shelf import ShelfEntry, State
from studio.ui.models.facts import facts
from studio.ui.models.fetching import Underway
from studio.ui.models.grid import GridCard
from studio.ui.models.question import Question
from studio.ui.theme import Theme
from studio.ui.widgets.basics import (
    ElidedLabel,
    IconLabel,
    column,
    icon_button,
    push_button,
    row,
    set_kind,
    text_label,
)
from studio.ui.words import size

_DEMO = "Made to show the studio in its own small world. It is a demo, and not for moderation."
_OWN = "Judges in the gpt-oss format. What it decides is up to your policy and for you to check."
_TONES = {Fits.WHOLE: "good", Fits.CPU_EXPERTS: "good", Fits.CPU_LAYERS: "part", Fits.NOT_NOW: "part",
          Fits.TOO_BIG: "bad", Fits.UNKNOWN: "none"}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Standing:
    """How it stands with a model beside what the shelf says.

    ``chosen``: it judges. ``loading``: percent of a load that runs, None when none does; -1 while that is not known.
    ``info`` when it is loaded. ``underway``: a download or check of it. ``notes``: GPUs that could not load it.
    """

    chosen: bool = False
    loading: int | None = None
    info: ModelInfo | None = None
    advice: Advice | None = None
    underway: Underway | None = None
    notes: tuple[DeviceNote, ...] = field(default=())


class ModelCard(GridCard):
    """A card. Its buttons ask, by the model's id; the page does."""

    use_wanted = Signal(str)
    get_wanted = Signal(str)
    stop_wanted = Signal(str)
    load_wanted = Signal(str)
    check_wanted = Signal(str)
    remove_wanted = Signal(str)
    retry_wanted = Signal(str)

    def __init__(self, theme: Theme, entry: ShelfEntry) -> None:
        super().__init__()
        self.entry = entry
        self.standing = Standing()
        self.setProperty("kind", "card")
        wanted = {name: getattr(self, f"{name}_wanted") for name in ("use", "get", "stop", "load", "check", "remove")}
        ask = {name: (lambda signal=signal: signal.emit(self.entry.id)) for name, signal in wanted.items()}
        self.title = ElidedLabel("", "lead", mode=Qt.TextElideMode.ElideMiddle)
        self.state = text_label("", "chip")
        head = row(IconLabel(theme, "flask" if entry.id == "demo" else "cube", size=20), self.title, self.state,
                   spacing=12)  # fmt: skip
        head.setStretch(1, 1)
        self.about = ElidedLabel("", "quiet")
        self.fit = text_label("", "fit")
        self.words = text_label("", "quiet", wrap=True)
        self.notes = text_label("", "warn", wrap=True)
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setAccessibleName("Progress")
        self.progress = text_label("", "small")
        self.question = Question(theme)
        self.use = push_button(theme, "Use this model", "primary", act=ask["use"])
        self.get = push_button(theme, "Get", "primary", act=ask["get"])
        self.load = push_button(theme, "Load", "primary", act=ask["load"])
        self.stop = push_button(theme, "Pause", icon_name="pause", act=ask["stop"])
        self.retry = push_button(
            theme, "Try the GPU again", icon_name="arrow-clockwise", act=lambda: self.retry_wanted.emit(self.entry.id)
        )
        self.facts_button = push_button(theme, "Facts", "fold", "caret-down", act=self._flip)
        self.check = icon_button(theme, "fingerprint", "Check every byte", act=ask["check"])
        self.remove = icon_button(theme, "trash", "Remove", act=ask["remove"])
        self._facts = text_label("", "small", wrap=True)
        self._facts.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        self._facts.hide()
        self.question.asking.connect(self._asked)
        self._lay_out(head)
        self.show_standing(entry, self.standing)

    @property
    def is_open(self) -> bool:
        """Whether more of it is shown than of the others: its facts, or a question."""
        return not (self._facts.isHidden() and self.question.isHidden())

    def show_standing(self, entry: ShelfEntry, standing: Standing) -> None:
        """Show how it stands now."""
        self.entry, self.standing = entry, standing
        ready = entry.state is State.READY or (entry.state is State.VERIFYING and entry.model is not None)
        loading = standing.chosen and standing.loading is not None and standing.info is None
        busy = standing.underway is not None
        name = ", ".join(filter(None, (entry.title, entry.quant)))
        self.setAccessibleName(f"{name}, {self._state_words()}")
        self.title.setText(entry.title)
        self.state.setText(self._state_words())
        self.about.setText(" · ".join(filter(None, (entry.quant, self._size(), entry.licence))))
        self._show_advice(standing.advice, ready=ready)
        self.words.setText(_DEMO if entry.id == "demo" else entry.why or entry.summary or _OWN)
        warned = entry.id == "demo" or (bool(entry.why) and entry.state in (State.QUARANTINED, State.MISSING))
        set_kind(self.words, kind="warn" if warned else "quiet")
        self.notes.setText(" ".join(note.words for note in standing.notes))
        self.notes.setVisible(bool(standing.notes))
        self._show_progress(loading)
        self._show_buttons(ready=ready, busy=busy, loading=loading)
        set_kind(self, chosen="true" if standing.chosen else "false")
        self._facts.setText(facts(entry, standing.advice, standing.info))

    def _show_buttons(self, *, ready: bool, busy: bool, loading: bool) -> None:
        entry, standing = self.entry, self.standing
        self.use.setVisible(ready and not standing.chosen and not busy)
        self.load.setVisible(ready and standing.chosen and standing.info is None and not loading and not busy)
        to_get = entry.state in (State.GET, State.PARTIAL, State.QUARANTINED)
        self.get.setVisible(to_get and not busy and self.question.isHidden())
        words = {State.PARTIAL: "Go on", State.QUARANTINED: "Download again"}.get(entry.state, "Get")
        self.get.setText(words)
        self.get.setAccessibleName(", ".join(filter(None, (f"{words}: {entry.title}", entry.quant))))
        # Nobody is led to a download that cannot be used here.
        possible = standing.advice is None or standing.advice.fits is not Fits.TOO_BIG
        set_kind(self.get, kind="primary" if possible else "")
        self.stop.setVisible(busy or loading)
        pauses = busy and standing.underway is not None and standing.underway.what == "download"
        self.stop.setText(" Pause" if pauses else " Stop")
        self.stop.setEnabled(not (standing.underway is not None and standing.underway.job.cancel.requested))
        self.retry.setVisible(bool(standing.notes) and standing.chosen and not loading)
        self.check.setVisible(ready and bool(entry.sha256) and not busy)
        self.remove.setVisible(entry.id != "demo" and entry.state is not State.GET and not busy)

    def _show_advice(self, advice: Advice | None, *, ready: bool) -> None:
        self.fit.setVisible(advice is not None)
        if advice is None:
            return
        self.fit.setText(badge(advice))
        self.fit.setAccessibleName(f"On this machine: {self.fit.text()}")
        self.fit.setToolTip(advice.plan or advice.why)
        set_kind(self.fit, tone=_TONES[advice.fits] if not ready or advice.possible else "part")

    def _show_progress(self, loading: bool) -> None:
        underway, percent = self.standing.underway, self.standing.loading
        shown = loading or underway is not None
        for widget in (self.bar, self.progress):
            widget.setVisible(shown)
        if underway is not None:
            percent = underway.percent
            self.progress.setText(underway.words)
        elif loading:
            self.progress.setText("Loading the model" if percent in (None, -1) else f"Loading the model · {percent} %")
        known = percent is not None and percent >= 0
        self.bar.setRange(0, 100 if known else 0)
        self.bar.setValue(percent if percent is not None and known else 0)

    def _state_words(self) -> str:
        entry, standing = self.entry, self.standing
        if standing.underway is not None:
            return {"download": "Downloading", "check": "Checking", "import": "Adding"}[standing.underway.what]
        if standing.chosen and entry.model is not None:
            if standing.info is None and standing.loading is not None:
                return "Loading"
            return "In use, not loaded" if standing.info is None else "In use, ready"
        if entry.state is State.PARTIAL:
            share = f"{100 * entry.done // entry.size} % fetched" if entry.size else "fetched in part"
            return f"Paused · {share}"
        return {
            State.GET: "Not here yet",
            State.READY: "Ready",
            State.VERIFYING: "Checking",
            State.QUARANTINED: "Set aside",
            State.MISSING: "File not found",
        }[entry.state]

    def _size(self) -> str:
        if self.entry.size is not None:
            return size(self.entry.size)
        advice = self.standing.advice
        return f"about {size(advice.weights)}" if advice is not None and advice.weights else "size known when asked"

    def _flip(self) -> None:
        self._facts.setVisible(self._facts.isHidden())
        self.opened.emit()

    def _asked(self, asking: bool) -> None:
        if not asking:
            # The focus would else jump out of the page with the button that had it.
            self.facts_button.setFocus(Qt.FocusReason.OtherFocusReason)
        self.show_standing(self.entry, self.standing)
        self.opened.emit()

    def _lay_out(self, head: QHBoxLayout) -> None:
        layout = column(spacing=8, margins=(16, 16, 16, 12))
        layout.addLayout(head)
        layout.addWidget(self.about)
        layout.addLayout(row(self.fit, None))
        layout.addWidget(self.words)
        layout.addWidget(self.notes)
        layout.addWidget(self.bar)
        layout.addWidget(self.progress)
        layout.addWidget(self.question)
        layout.addStretch(1)
        buttons = row(self.use, self.get, self.load, self.stop, self.retry, self.facts_button, None, self.check)
        buttons.addWidget(self.remove)
        layout.addLayout(buttons)
        layout.addWidget(self._facts)
        self.setLayout(layout)
