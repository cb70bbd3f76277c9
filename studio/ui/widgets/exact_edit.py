"""A plain-text editor that hands back exactly the characters it was given, and can show those that have no look."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter

from PySide6.QtCore import QMimeData, QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QTextCursor, QTextOption
from PySide6.QtWidgets import QPlainTextEdit, QWidget

from studio.core.content import clean
from studio.ui.theme import Theme
from studio.ui.widgets.two_way import use_two_way_layout
from studio.ui.widgets.utf16 import to_qt

_SHORT = {
    "\u00a0": "NBSP", "\u00ad": "SHY", "\u200b": "ZWSP", "\u200c": "ZWNJ", "\u200d": "ZWJ", "\u200e": "LRM",
    "\u200f": "RLM", "\u202a": "LRE", "\u202b": "RLE", "\u202c": "PDF", "\u202d": "LRO", "\u202e": "RLO",
    "\u2060": "WJ", "\u2066": "LRI", "\u2067": "RLI", "\u2068": "FSI", "\u2069": "PDI", "\ufeff": "BOM",
}  # fmt: skip

_QT_END = "\u2029"
_ENDS = re.compile("\r\n|\r|\n|\u2029")


def hidden_name(char: str) -> str:
    """The short name of a character that has no look of its own; empty for all others."""
    if char in _SHORT:
        return _SHORT[char]
    kind = unicodedata.category(char)
    if kind == "Cf" or (kind == "Cc" and char not in "\t\n\r"):
        return f"{ord(char):04X}"
    if kind == "Zs" and char != " ":
        return f"{ord(char):04X}"
    return ""


def hidden_summary(text: str) -> str:
    """How many hidden characters there are, and which: ``3 hidden characters: ZWSP ×2, RLO``; empty for none."""
    if text.isascii() and text.isprintable():
        return ""
    found = Counter(name for char in text if (name := hidden_name(char)))
    if not found:
        return ""
    total = sum(found.values())
    parts = [name if times == 1 else f"{name} ×{times}" for name, times in found.most_common(4)]
    more = "" if len(found) <= 4 else ", …"
    return f"{total:,} hidden {'character' if total == 1 else 'characters'}: {', '.join(parts)}{more}"


def _same(now: list[str], then: list[str]) -> int:
    """How many lines at the front are the same."""
    return next((n for n, (a, b) in enumerate(zip(now, then, strict=False)) if a != b), min(len(now), len(then)))


class ExactEdit(QPlainTextEdit):
    """Plain text in, the same plain text out.

    Qt turns every kind of line end into its own and no-break spaces into spaces when asked for plain text. Here a text
    that was set and not edited comes back as it was; in an edited one each line that was left alone keeps its end.
    """

    edited = Signal()

    def __init__(self, theme: Theme, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        use_two_way_layout(self)
        self._given = ("", "")
        self._show_hidden = False
        self.setAccessibleName(name)
        self.setProperty("kind", "flat")
        self.setTabChangesFocus(True)
        self.setFrameShape(QPlainTextEdit.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.document().setDocumentMargin(8)
        option = self.document().defaultTextOption()
        option.setTextDirection(Qt.LayoutDirection.LayoutDirectionAuto)
        option.setWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
        self.document().setDefaultTextOption(option)
        self.textChanged.connect(self.edited)

    def exact_text(self) -> str:
        """The text, character for character."""
        raw = self.document().toRawText()
        if raw == self._given[1]:
            return self._given[0]
        return clean(self._with_ends(raw))

    def _with_ends(self, raw: str) -> str:
        """The edited text with line ends as they were given; new lines get the commonest of them."""
        given, before = self._given
        ends = _ENDS.findall(given)
        if set(ends) <= {"\n"}:
            return raw.replace(_QT_END, "\n")
        new = max(ends, key=ends.count)
        if len(set(ends)) == 1:
            return raw.replace(_QT_END, new)
        now, then = raw.split(_QT_END), before.split(_QT_END)
        if len(then) != len(ends) + 1:
            return raw.replace(_QT_END, "\n")
        breaks = len(now) - 1
        head = min(_same(now, then), breaks, len(ends))
        tail = min(_same(now[::-1], then[::-1]), breaks - head)
        kept = ends[:head] + [new] * (breaks - head - tail) + ends[len(ends) - tail :]
        return "".join(part for pair in zip(now, [*kept, ""], strict=True) for part in pair)

    def set_exact_text(self, text: str, *, undoable: bool = False) -> None:
        """Show a text. ``undoable`` keeps the way back to what stood here before."""
        if undoable:
            cursor = QTextCursor(self.document())
            cursor.beginEditBlock()
            cursor.select(QTextCursor.SelectionType.Document)
            # The blank that comes and goes keeps what is typed next from being undone together with this text.
            cursor.insertText(text + " ")
            cursor.deletePreviousChar()
            cursor.endEditBlock()
        else:
            self.setPlainText(text)
        self._given = (text, self.document().toRawText())

    def select(self, start: int, end: int) -> None:
        """Select the characters ``start`` to ``end`` of the exact text, and scroll there."""
        text = self.exact_text()
        # Qt has one character for the two of a Windows line end.
        place = to_qt(text.replace("\r\n", "\n"))
        cursor = self.textCursor()
        cursor.setPosition(place(start - text.count("\r\n", 0, start)))
        cursor.setPosition(place(end - text.count("\r\n", 0, end)), QTextCursor.MoveMode.KeepAnchor)
        self.setTextCursor(cursor)
        self.ensureCursorVisible()

    def canInsertFromMimeData(self, source: QMimeData) -> bool:  # noqa: D102  Qt's name
        # A dropped file is for the part of the window around this editor: its path is never wanted as text.
        return not any(url.isLocalFile() for url in source.urls()) and super().canInsertFromMimeData(source)

    def insertFromMimeData(self, source: QMimeData) -> None:  # noqa: D102  Qt's name
        if source.hasText():
            self.insertPlainText(source.text())
            self.ensureCursorVisible()

    def show_hidden(self, shown: bool) -> None:
        """Mark characters that have no look: spaces and line ends lightly, invisible ones with their names."""
        self._show_hidden = shown
        option = self.document().defaultTextOption()
        flags = QTextOption.Flag.ShowTabsAndSpaces | QTextOption.Flag.ShowLineAndParagraphSeparators
        option.setFlags(option.flags() | flags if shown else option.flags() & ~flags)
        self.document().setDefaultTextOption(option)
        self.viewport().update()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: D102  Qt's name
        super().paintEvent(event)
        if self._show_hidden:
            self._draw_marks(event)

    def _draw_marks(self, event: QPaintEvent) -> None:
        """A flag where each invisible character stands; the line under the content names them."""
        painter = QPainter(self.viewport())
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(self._theme.tokens.violates.solid))
        side = self._theme.scale.px(3)
        block = self.firstVisibleBlock()
        offset = self.contentOffset()
        while block.isValid():
            if self.blockBoundingGeometry(block).translated(offset).top() > event.rect().bottom():
                break
            text = block.text()
            in_qt = to_qt(text)
            for at, char in enumerate(text):
                if not hidden_name(char):
                    continue
                cursor = QTextCursor(block)
                cursor.setPosition(block.position() + in_qt(at))
                place = QRectF(self.cursorRect(cursor))
                x, top = place.left() + 0.5, place.top() - 1
                painter.drawRect(QRectF(x - 0.75, top, 1.5, place.height() + 2))
                painter.drawPolygon([QPointF(x - side, top), QPointF(x + side, top), QPointF(x, top + 1.6 * side)])
            block = block.next()
        painter.end()
