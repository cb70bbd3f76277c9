"""A question on a card: what would be done, in sentences, and a button for yes and one for no."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QCheckBox, QFrame, QVBoxLayout, QWidget

from studio.ui.theme import Theme
from studio.ui.widgets.basics import push_button, row, text_label


class Question(QFrame):
    """Hidden until it asks. ``asking`` tells when it opens and closes."""

    asking = Signal(bool)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self.setProperty("kind", "sunken")
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(12, 12, 12, 12)
        self._layout.setSpacing(6)
        self._body: QWidget | None = None
        self.yes = self.no = self.other = push_button(theme, "")
        self.option = QCheckBox()
        self.hide()

    @property
    def text(self) -> str:
        """What is asked, all lines."""
        return self.accessibleDescription()

    def ask(
        self,
        title: str,
        lines: Sequence[str],
        yes: str,
        act: Callable[[], None],
        *,
        warn: str = "",
        may: bool = True,
        other: tuple[str, Callable[[], None]] | None = None,
        option: str = "",
    ) -> None:
        """Ask. ``warn`` is shown in the colour of warnings; ``may`` lets the answer be yes; ``other`` a third one.

        ``option``: what may be ticked beside a yes; :attr:`option` then says whether it was.
        """
        self.close_question()
        body = QWidget()
        layout = QVBoxLayout(body)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(6)
        layout.addWidget(text_label(title, "section", wrap=True))
        for line in lines:
            label = text_label(line, "quiet", wrap=True)
            label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            layout.addWidget(label)
        self.option = QCheckBox(option)
        self.option.setHidden(not option)
        layout.addWidget(self.option)
        if warn:
            layout.addWidget(text_label(warn, "warn", wrap=True))
        self.yes = push_button(self._theme, yes, "primary", act=lambda: self._answer(act))
        self.yes.setEnabled(may)
        self.no = push_button(self._theme, "Not now", act=self.close_question)
        buttons = row(self.yes, self.no, None)
        if other is not None:
            words, instead = other
            self.other = push_button(self._theme, words, act=lambda: self._answer(instead))
            buttons.insertWidget(1, self.other)
        layout.addSpacing(2)
        layout.addLayout(buttons)
        self._body = body
        self._layout.addWidget(body)
        self.setAccessibleName(title)
        self.setAccessibleDescription(" ".join((*lines, warn)).strip())
        self.show()
        self.asking.emit(True)
        (self.yes if may else self.no).setFocus(Qt.FocusReason.OtherFocusReason)

    def close_question(self) -> None:
        """Take the question away."""
        if self._body is not None:
            self._layout.removeWidget(self._body)
            self._body.hide()
            self._body.deleteLater()
            self._body = None
            self.hide()
            self.asking.emit(False)

    def _answer(self, act: Callable[[], None]) -> None:
        self.close_question()
        act()
