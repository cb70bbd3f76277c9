"""A conversation as rows of speaker and text that can be added, moved and taken away."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QFontMetrics, QResizeEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLineEdit, QScrollArea, QSizePolicy, QVBoxLayout, QWidget

from studio.core.content import Turn
from studio.ui.theme import Theme
from studio.ui.widgets.basics import column, icon_button, push_button, row
from studio.ui.widgets.exact_edit import ExactEdit

_MOST_LINES = 6


class _TurnText(ExactEdit):
    """An editor that is as high as its text, up to six lines."""

    def __init__(self, theme: Theme) -> None:
        super().__init__(theme, "What was said")
        self.setPlaceholderText("What was said")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setProperty("kind", "")
        self.document().setDocumentMargin(2)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.document().documentLayout().documentSizeChanged.connect(self._resized)

    def sizeHint(self) -> QSize:  # noqa: D102  Qt's name
        line = QFontMetrics(self.font()).lineSpacing()
        lines = max(1, min(_MOST_LINES, self._lines()))
        return QSize(200, lines * line + 18)

    def minimumSizeHint(self) -> QSize:  # noqa: D102  Qt's name
        return QSize(80, self.sizeHint().height())

    def _lines(self) -> int:
        block, lines = self.document().firstBlock(), 0
        while block.isValid():
            lines += max(1, block.layout().lineCount())
            block = block.next()
        return lines

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: D102  Qt's name
        super().resizeEvent(event)
        self._resized()

    def _resized(self) -> None:
        policies = Qt.ScrollBarPolicy
        many = self._lines() > _MOST_LINES
        self.setVerticalScrollBarPolicy(policies.ScrollBarAsNeeded if many else policies.ScrollBarAlwaysOff)
        self.updateGeometry()


class _TurnRow(QFrame):
    """One turn."""

    edited = Signal()

    def __init__(self, theme: Theme, turn: Turn, editor: ConversationEditor) -> None:
        super().__init__()
        self.speaker = QLineEdit(turn.speaker)
        self.speaker.setPlaceholderText("Speaker")
        self.speaker.setAccessibleName("Speaker")
        # A long name is seen from its beginning.
        self.speaker.setCursorPosition(0)
        theme.follow(self.speaker, lambda: self.speaker.setFixedWidth(theme.scale.px(112)))
        self.text = _TurnText(theme)
        self.text.set_exact_text(turn.text)
        self.up = icon_button(theme, "arrow-up", "Move this turn up", act=lambda: editor.move_turn(self, -1))
        self.down = icon_button(theme, "arrow-down", "Move this turn down", act=lambda: editor.move_turn(self, 1))
        remove = icon_button(theme, "x", "Take this turn away", act=lambda: editor.remove_turn(self))
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addWidget(self.speaker, 0, Qt.AlignmentFlag.AlignTop)
        layout.addSpacing(4)
        layout.addWidget(self.text, 1)
        for button in (self.up, self.down, remove):
            layout.addWidget(button, 0, Qt.AlignmentFlag.AlignTop)
        self.speaker.textEdited.connect(lambda _text: self.edited.emit())
        self.text.edited.connect(self.edited)

    @property
    def turn(self) -> Turn:
        """What the row says."""
        return Turn(self.speaker.text(), self.text.exact_text())


class ConversationEditor(QWidget):
    """The turns of a conversation, oldest first."""

    edited = Signal()
    paste_wanted = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self.rows: list[_TurnRow] = []
        body = QWidget()
        body.setObjectName("body")
        self._list = QVBoxLayout()
        self._list.setSpacing(8)
        buttons = row(
            push_button(theme, "Add turn", icon_name="plus", act=self.add_turn),
            push_button(theme, "Paste JSON", "quiet", "clipboard-text", act=self.paste_wanted.emit),
            None,
        )
        inner = QVBoxLayout(body)
        inner.setContentsMargins(12, 12, 12, 12)
        inner.setSpacing(12)
        inner.addLayout(self._list)
        inner.addLayout(buttons)
        inner.addStretch(1)
        scroll = QScrollArea()
        scroll.setWidget(body)
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._scroll = scroll
        self.setLayout(column(scroll, spacing=0))
        self.show_turns(())

    @property
    def turns(self) -> tuple[Turn, ...]:
        """The turns; rows without a text are left out."""
        return tuple(one.turn for one in self.rows if one.turn.text)

    def show_turns(self, turns: tuple[Turn, ...]) -> None:
        """Show other turns; two empty rows when there is none."""
        for one in self.rows:
            self._list.removeWidget(one)
            one.hide()
            one.deleteLater()
        self.rows = []
        for turn in turns or (Turn("A", ""), Turn("B", "")):
            self._append(turn)
        self._refresh()

    def add_turn(self) -> None:
        """Add a turn for the speaker who is next."""
        speakers = [one.speaker.text() for one in self.rows]
        speaker = speakers[-2] if len(speakers) > 1 else ("B" if speakers else "A")
        added = self._append(Turn(speaker, ""))
        self._refresh()
        added.text.setFocus(Qt.FocusReason.OtherFocusReason)
        self._scroll.ensureWidgetVisible(added)
        self.edited.emit()

    def move_turn(self, moved: _TurnRow, step: int) -> None:
        """Move a turn one place."""
        at = self.rows.index(moved)
        if 0 <= at + step < len(self.rows):
            self.rows.insert(at + step, self.rows.pop(at))
            self._list.removeWidget(moved)
            self._list.insertWidget(at + step, moved)
            self._refresh()
            self.edited.emit()

    def remove_turn(self, removed: _TurnRow) -> None:
        """Take a turn away."""
        at = self.rows.index(removed)
        self.rows.remove(removed)
        self._list.removeWidget(removed)
        removed.deleteLater()
        if not self.rows:
            self._append(Turn("A", ""))
        self.rows[min(at, len(self.rows) - 1)].text.setFocus(Qt.FocusReason.OtherFocusReason)
        self._refresh()
        self.edited.emit()

    def show_hidden(self, shown: bool) -> None:
        """Mark characters that have no look."""
        for one in self.rows:
            one.text.show_hidden(shown)

    def select(self, turn: int, start: int, end: int) -> None:
        """Select the characters ``start`` to ``end`` of a turn, counted as in :attr:`turns`, and scroll there."""
        spoken = [one for one in self.rows if one.turn.text]
        for one in self.rows:
            cursor = one.text.textCursor()
            cursor.clearSelection()
            one.text.setTextCursor(cursor)
        spoken[turn].text.select(start, end)
        self._scroll.ensureWidgetVisible(spoken[turn])

    def focus_first(self) -> None:
        """Put the focus where one would type."""
        self.rows[0].text.setFocus(Qt.FocusReason.OtherFocusReason)

    def _append(self, turn: Turn) -> _TurnRow:
        made = _TurnRow(self._theme, turn, self)
        made.edited.connect(self.edited)
        self.rows.append(made)
        self._list.addWidget(made)
        return made

    def _refresh(self) -> None:
        for at, one in enumerate(self.rows):
            one.up.setEnabled(at > 0)
            one.down.setEnabled(at < len(self.rows) - 1)
