"""One model on a card: its name, size and state, what it is for, and its facts on demand."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame

from studio.services.models import DeviceNote, ModelEntry
from studio.ui.theme import Theme
from studio.ui.widgets.basics import ElidedLabel, IconLabel, column, push_button, row, set_kind, text_label
from studio.ui.words import path_words, size

_DEMO = "Made to show the studio in its own small world. It is a demo, and not for moderation."
_OWN = "Judges in the gpt-oss format. What it decides is up to your policy and for you to check."


class ModelCard(QFrame):
    """A card. Its buttons ask; the page does."""

    use_wanted = Signal(object)
    remove_wanted = Signal(object)
    retry_wanted = Signal(object)

    def __init__(self, theme: Theme, entry: ModelEntry, notes: Sequence[DeviceNote] = ()) -> None:
        super().__init__()
        self.entry = entry
        self.setProperty("kind", "card")
        self.setAccessibleName(entry.name)
        name = ElidedLabel(entry.name, "lead", mode=Qt.TextElideMode.ElideMiddle)
        self.state = text_label("", "chip")
        head = row(IconLabel(theme, "flask" if entry.is_demo else "cube", size=20), name, self.state, spacing=12)
        head.setStretch(1, 1)
        path = ElidedLabel(path_words(entry.path), "small", mode=Qt.TextElideMode.ElideMiddle)
        words = _DEMO if entry.is_demo else _OWN
        self.use = push_button(theme, "Use this model", "primary", act=lambda: self.use_wanted.emit(entry))
        self.facts_button = push_button(theme, "Facts", "fold", "caret-down", act=self._flip)
        self.remove = push_button(
            theme, "Take off the list", "quiet", "trash", act=lambda: self.remove_wanted.emit(entry)
        )
        self.remove.setVisible(not entry.is_demo)
        self.remove.setToolTip("The file stays where it is.")
        self.retry = push_button(
            theme, "Try the GPU again", icon_name="arrow-clockwise", act=lambda: self.retry_wanted.emit(entry)
        )
        self.retry.setVisible(bool(notes))
        self.notes = text_label(" ".join(note.words for note in notes), "warn", wrap=True)
        self.notes.setVisible(bool(notes))
        self._facts = text_label("", "quiet", wrap=True)
        self._facts.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        self._facts.hide()
        layout = column(spacing=8, margins=(16, 16, 16, 12))
        layout.addLayout(head)
        layout.addWidget(text_label(words, "warn" if entry.is_demo else "quiet", wrap=True))
        layout.addWidget(path)
        layout.addWidget(self.notes)
        layout.addLayout(row(self.use, self.retry, self.facts_button, None, self.remove, spacing=8))
        layout.addWidget(self._facts)
        self.setLayout(layout)

    def show_state(self, *, chosen: bool, loaded: bool, loading: bool, facts: str) -> None:
        """Show whether this model judges, and what is known of it."""
        if not self.entry.present:
            words = "File not found"
        elif chosen:
            words = "Loading" if loading else "In use, ready" if loaded else "In use, not loaded"
        else:
            words = size(self.entry.size)
        self.state.setText(words)
        self.use.setVisible(self.entry.present and not chosen)
        set_kind(self, chosen="true" if chosen else "false")
        self._facts.setText(facts)

    def _flip(self) -> None:
        self._facts.setVisible(self._facts.isHidden())
