"""A text under a line that opens and closes it, with links to rules at the end of that line."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QSizePolicy, QVBoxLayout, QWidget

from studio.core.citations import Citation
from studio.ui.icons import icon
from studio.ui.theme import Theme
from studio.ui.widgets.basics import ElidedLabel, push_button, row, text_label
from studio.ui.widgets.reading import ReadText

_MOST_LINKS = 4
_LEAST = 64


class Fold(QWidget):
    """A foldable text."""

    rule_clicked = Signal(str)
    toggled = Signal(bool)

    def __init__(self, theme: Theme, title: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme, self._title = theme, title
        self.view = ReadText(theme, title, quiet=True)
        self.view.rule_clicked.connect(self.rule_clicked)
        theme.follow(self.view, lambda: self.view.setMinimumHeight(theme.scale.px(_LEAST)))
        self.switch = push_button(theme, f" {title}", "fold", act=self._flip)
        self._note = ElidedLabel(kind="small")
        self._links = row(spacing=4)
        self._link_widgets: list[QWidget] = []
        head = row(self.switch, self._note, None, spacing=4, margins=(0, 0, 4, 0))
        head.addLayout(self._links)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addLayout(head)
        layout.addWidget(self.view, 1)
        theme.changed.connect(self._paint)
        self.set_open(False)

    @property
    def is_open(self) -> bool:
        """Whether the text is in sight."""
        return not self.view.isHidden()

    def set_open(self, shown: bool) -> None:
        """Open or close."""
        self.view.setVisible(shown)
        vertical = QSizePolicy.Policy.Expanding if shown else QSizePolicy.Policy.Fixed
        self.setSizePolicy(QSizePolicy.Policy.Expanding, vertical)
        self._paint()

    def set_note(self, words: str) -> None:
        """The quiet words beside the title: how long it is, how long it took."""
        self._note.setText(words)

    def set_links(self, citations: Sequence[Citation]) -> None:
        """Show the rules that are named, each once; those that the policy lacks with a warning."""
        for old in self._link_widgets:
            self._links.removeWidget(old)
            old.deleteLater()
        self._link_widgets = []
        seen: set[str] = set()
        for citation in citations:
            if citation.id.casefold() in seen or len(seen) == _MOST_LINKS:
                continue
            seen.add(citation.id.casefold())
            if citation.known:
                widget: QWidget = push_button(
                    self._theme,
                    citation.id,
                    "link",
                    act=partial(self.rule_clicked.emit, citation.id),
                    tip=f"Show {citation.id} in the policy",
                )
            else:
                widget = text_label(f"⚠ {citation.id}: no such rule", "warn")
                widget.setToolTip("The model named a rule that this policy does not have.")
            self._links.addWidget(widget)
            self._link_widgets.append(widget)

    def _flip(self) -> None:
        self.set_open(not self.is_open)
        self.toggled.emit(self.is_open)

    def _paint(self) -> None:
        self.switch.setIcon(icon("caret-down" if self.is_open else "caret-right", self._theme.tokens))
        self.switch.setAccessibleName(f"{self._title}, {'open' if self.is_open else 'closed'}")
