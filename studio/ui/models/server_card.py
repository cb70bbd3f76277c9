"""One model on servers, on a card: what it is, where what is judged goes, how it stands, what can be done with it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QWidget

from studio.services.models import ModelInfo
from studio.services.remotes import Health, Known
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
    spread,
    text_label,
)
from studio.ui.words import count, seconds, when

_SIDE = 16


@dataclass(frozen=True, slots=True)
class ServerStanding:
    """How it stands with a remote model. ``chosen``: it judges; ``loading``: it is being met; ``info``: it was.

    ``checking``: its servers are being asked; ``health``: what they said since the window opened, None if not asked.
    """

    chosen: bool = False
    loading: bool = False
    info: ModelInfo | None = None
    checking: bool = False
    health: tuple[Health, ...] | None = None


class ServerCard(GridCard):
    """A card. Its buttons ask, by the remote model's id; the section does."""

    use_wanted = Signal(str)
    load_wanted = Signal(str)
    check_wanted = Signal(str)
    edit_wanted = Signal(str)
    remove_wanted = Signal(str)

    def __init__(self, theme: Theme, known: Known) -> None:
        super().__init__()
        self.known, self.standing = known, ServerStanding()
        self.setProperty("kind", "card")
        wanted = {name: getattr(self, f"{name}_wanted") for name in ("use", "load", "check", "edit", "remove")}
        ask = {name: (lambda signal=signal: signal.emit(self.known.remote.id)) for name, signal in wanted.items()}
        self.title = ElidedLabel("", "lead", mode=Qt.TextElideMode.ElideMiddle)
        self.state = text_label("", "chip")
        head = row(IconLabel(theme, "hard-drives", size=20), self.title, self.state, spacing=12)
        head.setStretch(1, 1)
        self.about = ElidedLabel("", "quiet")
        spread(self.about)
        self.leaves = text_label("", "warn", wrap=True)
        self.warnings = text_label("", "warn", wrap=True)
        self.health = text_label("", "small", wrap=True)
        self.health.setAccessibleName("How its servers stand")
        self.health.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.question = Question(theme)
        self.use = push_button(theme, "Use this model", "primary", act=ask["use"])
        self.load = push_button(theme, "Connect", "primary", act=ask["load"])
        self.check = push_button(theme, "Check now", icon_name="heartbeat", act=ask["check"])
        self.edit = icon_button(theme, "pencil-simple", "Edit", act=ask["edit"])
        self.remove = icon_button(theme, "trash", "Remove", act=ask["remove"])
        self.question.asking.connect(self._asked)
        layout = column(spacing=8, margins=(_SIDE, 16, _SIDE, 12))
        layout.addLayout(head)
        for part in (self.about, self.leaves, self.warnings, self.health, self.question):
            layout.addWidget(part)
        layout.addStretch(1)
        layout.addLayout(row(self.use, self.load, self.check, None, self.edit, self.remove))
        self.setLayout(layout)
        self.show_standing(known, self.standing)

    @property
    def is_open(self) -> bool:
        """Whether it asks something."""
        return not self.question.isHidden()

    @property
    def controls(self) -> tuple[QWidget, ...]:
        """What can be worked on it, in the order of the keyboard."""
        return self.use, self.load, self.check, self.edit, self.remove

    def show_standing(self, known: Known, standing: ServerStanding) -> None:
        """Show how it stands now."""
        self.known, self.standing = known, standing
        remote, facts = known.remote, known.facts
        self.title.setText(remote.name)
        self.state.setText(self._state_words())
        self.setAccessibleName(f"{remote.name}, on a server, {self._state_words()}")
        where = places(remote.urls)
        about = [where]
        if facts is not None:
            about = [facts.server, f"{facts.context:,} tokens of context", f"{facts.width} at a time", where]
        self.about.setText(" · ".join(about))
        self.leaves.setText(f"Policy and content leave this machine: they are sent to {where} when you judge with it.")
        self.warnings.setText("\n".join(known.warnings))
        self.warnings.setVisible(bool(known.warnings))
        self.health.setText(self._health_words())
        self.use.setVisible(not standing.chosen)
        self.load.setVisible(standing.chosen and standing.info is None)
        self.load.setEnabled(not standing.loading)
        self.check.setEnabled(not standing.checking)
        for button, words in ((self.use, "Use"), (self.check, "Check"), (self.edit, "Edit"), (self.remove, "Remove")):
            button.setAccessibleName(f"{words} {remote.name}")
        set_kind(self, chosen="true" if standing.chosen else "false")
        self._make_room()

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: D102  Qt's name
        super().resizeEvent(event)
        self._make_room()

    def _make_room(self) -> None:
        """Give each text the height that it needs at this width: in a grid that scrolls Qt cuts it otherwise."""
        for words in (self.leaves, self.warnings, self.health):
            words.setMinimumHeight(max(words.heightForWidth(max(self.contentsRect().width() - 2 * _SIDE, 1)), 0))

    def _state_words(self) -> str:
        standing = self.standing
        if standing.checking:
            return "Checking"
        if standing.chosen:
            if standing.info is None:
                return "Connecting" if standing.loading else "In use, not connected"
            return "In use, ready"
        if standing.health is None:
            return "Not connected"
        good = sum(one.good for one in standing.health)
        if good == len(standing.health):
            return "Answers"
        return f"{good} of {len(standing.health)} answer" if good else "Cannot be used"

    def _health_words(self) -> str:
        standing, facts = self.standing, self.known.facts
        if standing.health is None:
            met = when(datetime.fromisoformat(facts.at)) if facts is not None else "by an earlier studio"
            return f"Last met {met}. Nothing is connected until you ask."
        return "\n".join(_health_line(one) for one in standing.health)

    def _asked(self, asking: bool) -> None:
        if not asking:
            # The focus would else jump out of the page with the button that had it.
            self.check.setFocus(Qt.FocusReason.OtherFocusReason)
        self.opened.emit()


def places(urls: Sequence[str]) -> str:
    """The servers by name and port, at most three by name."""
    named = [urlsplit(url).netloc for url in urls[:3]]
    return ", ".join(named) + (f" and {count(len(urls) - 3, 'more server')}" if len(urls) > 3 else "")


def _health_line(health: Health) -> str:
    place = urlsplit(health.url).netloc
    if health.good:
        return f"● {place} answers in {seconds(health.seconds)}: {health.words}"
    return f"⬣ {place}: {health.words}"
