"""The policy editor: line numbers, the current line, label codes in colour, and the way to a rule."""

from __future__ import annotations

import re

from PySide6.QtCore import QMimeData, QRect, QRectF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QResizeEvent, QTextBlock, QTextCursor, QTextFormat
from PySide6.QtWidgets import QTextEdit, QWidget

from studio.core.labels import Label
from studio.ui.theme import BODY, SMALL, Theme
from studio.ui.widgets.exact_edit import ExactEdit
from studio.ui.workbench.highlighter import PolicyHighlighter
from studio.ui.workbench.lint_marks import Mark, paint_mark, underlines, worst_by_block

_FLASH_MS = 1600
_MARK_PX = 8
_WHOLE_POLICY = 80
"""A pasted text of fewer characters is not taken for a policy."""


class _Gutter(QWidget):
    """Line numbers beside the text."""

    def __init__(self, editor: PolicyEditor) -> None:
        super().__init__(editor)
        self._editor = editor

    def sizeHint(self) -> QSize:  # noqa: D102  Qt's name
        return QSize(self._editor.gutter_width(), 0)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: D102  Qt's name
        self._editor.paint_gutter(event)


class PolicyEditor(ExactEdit):
    """A text editor for one policy. ``whole_pasted`` tells that a paste took the place of the whole text."""

    whole_pasted = Signal(str)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(theme, "Policy text", parent)
        self._gutter = _Gutter(self)
        self._marks: list[Mark] = []
        self._underlines: list[QTextEdit.ExtraSelection] = []
        self._found: list[QTextEdit.ExtraSelection] = []
        self._flash: list[QTextEdit.ExtraSelection] = []
        self._flash_timer = QTimer(self)
        self._flash_timer.setSingleShot(True)
        self._flash_timer.setInterval(_FLASH_MS)
        self._flash_timer.timeout.connect(self._end_flash)
        self.highlighter = PolicyHighlighter(self.document(), theme)
        self.blockCountChanged.connect(self._make_room)
        self.updateRequest.connect(self._scroll_gutter)
        self.cursorPositionChanged.connect(self._mark)
        theme.changed.connect(self._restyle)
        self._restyle()

    def set_labels(self, labels: tuple[Label, ...]) -> None:
        """Colour the codes of these labels."""
        self.highlighter.set_labels(labels)

    def go_to_line(self, line: int) -> None:
        """Put the cursor on a line (from 0), in the middle of the view, and light it up for a moment."""
        block = self.document().findBlockByNumber(line)
        if not block.isValid():
            return
        self.setTextCursor(QTextCursor(block))
        self.centerCursor()
        self._flash = [self._selection(QTextCursor(block), self._theme.tokens.found, whole_line=True)]
        self._mark()
        self._flash_timer.start()

    def go_to_rule(self, rule: str) -> bool:
        """Go to the line that defines a rule or label; False when the text does not name it."""
        line = rule_line(self.document().toPlainText(), rule)
        if line is None:
            return False
        self.go_to_line(line)
        return True

    def show_found(self, places: list[tuple[int, int]]) -> None:
        """Mark what a search found, as positions and lengths."""
        self._found = []
        for start, length in places:
            cursor = QTextCursor(self.document())
            cursor.setPosition(start)
            cursor.setPosition(start + length, QTextCursor.MoveMode.KeepAnchor)
            self._found.append(self._selection(cursor, self._theme.tokens.found))
        self._mark()

    def show_marks(self, marks: list[Mark]) -> None:
        """Mark what the linter found, in the gutter and under the text."""
        self._marks = marks
        self._underlines = underlines(marks, self._theme.tokens)
        self._mark()

    @property
    def marks(self) -> list[Mark]:
        """What is marked."""
        return self._marks

    def gutter_width(self) -> int:
        """How wide the marks and the line numbers are now."""
        digits = max(3, len(str(self.blockCount())))
        return digits * self.fontMetrics().horizontalAdvance("9") + 20 + self._theme.scale.px(_MARK_PX)

    def paint_gutter(self, event: QPaintEvent) -> None:
        """Draw the numbers of the lines in sight."""
        tokens = self._theme.tokens
        painter = QPainter(self._gutter)
        painter.fillRect(event.rect(), QColor(tokens.surface))
        painter.setFont(self._theme.mono(SMALL))
        current = self.textCursor().blockNumber()
        marked, side = worst_by_block(self._marks), self._theme.scale.px(_MARK_PX)
        block: QTextBlock = self.firstVisibleBlock()
        top = self.blockBoundingGeometry(block).translated(self.contentOffset()).top()
        height = self.fontMetrics().lineSpacing()
        while block.isValid() and top <= event.rect().bottom():
            number = block.blockNumber()
            bottom = top + self.blockBoundingRect(block).height()
            if block.isVisible() and bottom >= event.rect().top():
                painter.setPen(QColor(tokens.text if number == current else tokens.text_quiet))
                place = QRect(0, round(top), self._gutter.width() - 12, height)
                painter.drawText(
                    place, int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter), str(number + 1)
                )
                if number in marked:
                    spot = QRectF(side * 0.6, round(top) + (height - side) / 2, side, side)
                    paint_mark(painter, spot, marked[number], tokens)
            block = block.next()
            top = bottom
        painter.end()

    def insertFromMimeData(self, source: QMimeData) -> None:  # noqa: D102  Qt's name
        cursor = self.textCursor()
        whole = cursor.selectionEnd() - cursor.selectionStart() >= self.document().characterCount() - 1
        super().insertFromMimeData(source)
        if whole and len(source.text()) >= _WHOLE_POLICY:
            self.whole_pasted.emit(source.text())

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: D102  Qt's name
        super().resizeEvent(event)
        area = self.contentsRect()
        self._gutter.setGeometry(QRect(area.left(), area.top(), self.gutter_width(), area.height()))

    def _restyle(self) -> None:
        self.setFont(self._theme.mono(BODY))
        self._make_room()
        self.show_marks(self._marks)

    def _make_room(self) -> None:
        self.setViewportMargins(self.gutter_width(), 0, 0, 0)
        self._gutter.update()

    def _scroll_gutter(self, area: QRect, dy: int) -> None:
        if dy:
            self._gutter.scroll(0, dy)
        else:
            self._gutter.update(0, area.y(), self._gutter.width(), area.height())

    def _mark(self) -> None:
        line = self._selection(self.textCursor(), self._theme.tokens.current_line, whole_line=True)
        self.setExtraSelections([line, *self._underlines, *self._found, *self._flash])
        self._gutter.update()

    def _end_flash(self) -> None:
        self._flash = []
        self._mark()

    def _selection(self, cursor: QTextCursor, colour: str, *, whole_line: bool = False) -> QTextEdit.ExtraSelection:
        selection = QTextEdit.ExtraSelection()
        selection.format.setBackground(QColor(colour))
        if whole_line:
            selection.format.setProperty(QTextFormat.Property.FullWidthSelection, True)
            cursor.clearSelection()
        selection.cursor = cursor
        return selection


def rule_line(text: str, rule: str) -> int | None:
    """The line (from 0) that defines a rule: where its id stands first in a line, else where it is named at all."""
    escaped = re.escape(rule)
    for pattern in (rf"^[^\w\n]*{escaped}(?![\w.]*\w)", rf"(?<![\w.]){escaped}(?!\w)"):
        match = re.search(pattern, text, re.MULTILINE | re.IGNORECASE)
        if match:
            return text.count("\n", 0, match.end())
    return None
