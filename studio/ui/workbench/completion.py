"""Completion of label and rule ids: a short list under the cursor, worked by keys alone."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from PySide6.QtCore import QObject, QPoint, QSize, Qt
from PySide6.QtGui import QIcon, QKeyEvent, QTextCursor
from PySide6.QtWidgets import QListWidget, QListWidgetItem, QPlainTextEdit

from studio.core.labels import Label, LabelDecision
from studio.ui.theme import Theme
from studio.ui.widgets.controls import decision_icon
from studio.ui.workbench.outline import Entry

_WORD = re.compile(r"[^\s,;:()\[\]{}\"'`*<>|]+\Z")
_PART = re.compile(r"(?:\.\w+)+")
"""What follows the label's id in the id of a rule."""

_FROM_LETTERS = 2
"""The list comes by itself once so many letters of an id stand there."""

_MOST, _ROWS, _WORDS = 50, 6, 60
_CODE = Qt.ItemDataRole.UserRole


@dataclass(frozen=True, slots=True)
class Code:
    """An id that can be completed, what its label decides, and a few words about it."""

    id: str
    decision: LabelDecision
    words: str = ""

    @property
    def looks_like_a_code(self) -> bool:
        """Whether the id is told apart from a word of prose, so that offering it unasked does not get in the way."""
        return any(char.isdigit() or char.isupper() for char in self.id)


def codes_of(labels: Iterable[Label], entries: Iterable[Entry]) -> list[Code]:
    """The ids of a policy: its labels, and the rules that its outline finds, each once."""
    found = {label.id: Code(label.id, label.decision, label.name) for label in labels}
    for entry in entries:
        if entry.label is None:
            continue
        _, _, rest = entry.text.partition(entry.label.id)
        part = _PART.match(rest)
        rule = entry.label.id + part[0] if part else ""
        if part and rule not in found:
            found[rule] = Code(rule, entry.label.decision, rest[part.end() :].lstrip(" :.–-")[:_WORDS])
    return list(found.values())


def matching(codes: Iterable[Code], before: str, *, asked: bool) -> list[Code]:
    """The codes that go on from the word in front of the cursor. ``asked``: from any letter, in any case."""
    match = _WORD.search(before)
    word = match[0] if match else ""
    if asked:
        folded = word.casefold()
        return [code for code in codes if code.id.casefold().startswith(folded) and code.id != word][:_MOST]
    if len(word) < _FROM_LETTERS:
        return []
    return [code for code in codes if code.id.startswith(word) and code.looks_like_a_code and code.id != word][:_MOST]


class Completion(QObject):
    """The list of an editor. It never takes the focus: the editor hands it the keys first."""

    def __init__(self, edit: QPlainTextEdit, theme: Theme) -> None:
        super().__init__(edit)
        self._edit, self._theme = edit, theme
        self._codes: tuple[Code, ...] = ()
        self._icons: dict[LabelDecision, QIcon] = {}
        self.list = QListWidget(edit)
        self.list.setAccessibleName("Ids that fit")
        self.list.setProperty("kind", "completion")
        self.list.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.itemClicked.connect(lambda _item: self._take())
        self.list.hide()
        theme.follow(self, self._paint)

    @property
    def is_open(self) -> bool:
        """Whether the list is in sight."""
        return not self.list.isHidden()

    def set_codes(self, codes: Iterable[Code]) -> None:
        """Offer these ids."""
        self._codes = tuple(codes)

    def close(self) -> None:
        """Put the list away."""
        self.list.hide()

    def take_key(self, event: QKeyEvent) -> bool:
        """Whether the list has used a key, so that the editor must not."""
        held = event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
        if event.key() == Qt.Key.Key_Space and held == Qt.KeyboardModifier.ControlModifier:
            self._offer(asked=True)
            return True
        if not self.is_open or held:
            return False
        step = {Qt.Key.Key_Down: 1, Qt.Key.Key_Up: -1}.get(Qt.Key(event.key()), 0)
        if step:
            self.list.setCurrentRow((self.list.currentRow() + step) % self.list.count())
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Tab):
            self._take()
        elif event.key() == Qt.Key.Key_Escape:
            self.close()
        else:
            return False
        return True

    def key_done(self, event: QKeyEvent) -> None:
        """The editor has used a key: what was typed may begin an id, everything else puts the list away."""
        typed = event.text()
        commands = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.AltModifier
        by_hand = event.modifiers() & commands in (Qt.KeyboardModifier.NoModifier, commands)  # both are AltGr
        written = bool(typed) and typed.isprintable() and not typed.isspace() and by_hand
        if written or (event.key() == Qt.Key.Key_Backspace and self.is_open):
            self._offer(asked=False)
        elif event.key() not in (Qt.Key.Key_Shift, Qt.Key.Key_Control, Qt.Key.Key_Alt, Qt.Key.Key_AltGr):
            self.close()

    def _paint(self) -> None:
        self._icons = {decision: decision_icon(self._theme, decision.decision) for decision in LabelDecision}

    def _offer(self, *, asked: bool) -> None:
        cursor = self._edit.textCursor()
        found = [] if cursor.hasSelection() else matching(self._codes, self._before(cursor), asked=asked)
        self.list.clear()
        for code in found:
            words = f"{code.id}   {code.words}" if code.words else code.id
            item = QListWidgetItem(self._icons[code.decision], words)
            item.setData(_CODE, code.id)
            self.list.addItem(item)
        if not found:
            self.close()
            return
        self.list.setCurrentRow(0)
        self._place()
        self.list.show()
        self.list.raise_()

    def _place(self) -> None:
        """Under the cursor; over it where there is no room below."""
        row = max(self.list.sizeHintForRow(0), self._theme.scale.px(26))
        height = min(self.list.count(), _ROWS) * row + 6
        width = min(max(self.list.sizeHintForColumn(0) + 24, 160), self._theme.scale.px(420), self._edit.width() - 16)
        at = self._edit.cursorRect()
        corner = self._edit.viewport().mapTo(self._edit, at.bottomLeft() + QPoint(0, 4))
        if corner.y() + height > self._edit.height():
            corner.setY(max(0, corner.y() - 8 - at.height() - height))
        corner.setX(max(0, min(corner.x(), self._edit.width() - width - 8)))
        self.list.move(corner)
        self.list.resize(QSize(width, height))

    def _take(self) -> None:
        item = self.list.currentItem()
        self.close()
        cursor = self._edit.textCursor()
        word = _WORD.search(self._before(cursor))
        if word:
            back = cursor.position() - _units(word[0])
            cursor.setPosition(back, QTextCursor.MoveMode.KeepAnchor)
        cursor.insertText(item.data(_CODE))
        self._edit.setTextCursor(cursor)

    def _before(self, cursor: QTextCursor) -> str:
        """The line up to the cursor. Qt counts UTF-16 units."""
        units = cursor.block().text().encode("utf-16-le", "surrogatepass")[: 2 * cursor.positionInBlock()]
        return units.decode("utf-16-le", "surrogatepass")


def _units(word: str) -> int:
    return len(word.encode("utf-16-le", "surrogatepass")) // 2
