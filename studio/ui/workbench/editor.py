"""The policy editor: line numbers, label codes in colour, folding, completion of ids, and the way to a rule."""

from __future__ import annotations

import re
from bisect import bisect_left

from PySide6.QtCore import QEvent, QMimeData, QPoint, QRect, QRectF, Qt, QTimer, Signal
from PySide6.QtGui import (
    QColor,
    QFocusEvent,
    QFontMetrics,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QResizeEvent,
    QTextBlock,
    QTextCursor,
    QTextFormat,
)
from PySide6.QtWidgets import QTextEdit, QWidget

from studio.core.labels import Label
from studio.ui.theme import BODY, SMALL, Theme
from studio.ui.widgets.exact_edit import ExactEdit
from studio.ui.words import count
from studio.ui.workbench.completion import Completion
from studio.ui.workbench.folding import Folds
from studio.ui.workbench.gutter import Gutter
from studio.ui.workbench.highlighter import PolicyHighlighter
from studio.ui.workbench.lint_marks import Mark, underlines, worst_by_block

_FLASH_MS = 1600
_WHOLE_POLICY = 80
"""A pasted text of fewer characters is not taken for a policy."""


class PolicyEditor(ExactEdit):
    """A text editor for one policy. ``whole_pasted`` tells that a paste took the place of the whole text."""

    whole_pasted = Signal(str)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(theme, "Policy text", parent)
        self.folds = Folds(self)
        self.completion = Completion(self, theme)
        self._gutter = Gutter(self, self.folds, theme)
        self._gutter.arrow_clicked.connect(self.folds.toggle)
        self._marks: list[Mark] = []
        self._found: list[tuple[int, int]] = []
        self._flash: list[QTextEdit.ExtraSelection] = []
        self._flash_timer = QTimer(self)
        self._flash_timer.setSingleShot(True)
        self._flash_timer.setInterval(_FLASH_MS)
        self._flash_timer.timeout.connect(self._end_flash)
        self.highlighter = PolicyHighlighter(self.document(), theme)
        self.blockCountChanged.connect(self._make_room)
        self.updateRequest.connect(self._scroll_gutter)
        self._current = (0, 0)
        self.cursorPositionChanged.connect(self._show_current)
        self.blockCountChanged.connect(self._mark_gutter)
        self.folds.changed.connect(self._gutter.update)
        # Not at once: Qt also scrolls, and is resized, while it takes marks. Replacing them then ends the program.
        self._mark_soon = QTimer(self)
        self._mark_soon.setSingleShot(True)
        self._mark_soon.setInterval(0)
        self._mark_soon.timeout.connect(self._mark)
        self.verticalScrollBar().valueChanged.connect(lambda: self._mark_soon.start())
        self.folds.changed.connect(self._mark)
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
        """Mark what a search found, as positions and lengths in the order of the text."""
        self._found = places
        self._mark()

    def show_marks(self, marks: list[Mark]) -> None:
        """Mark what the linter found, in the gutter and under the text."""
        self._marks = marks
        self._mark_gutter()
        self._mark()

    @property
    def marks(self) -> list[Mark]:
        """What is marked."""
        return self._marks

    def set_exact_text(self, text: str, *, undoable: bool = False) -> None:  # noqa: D102  as in ExactEdit
        self.completion.close()
        self.folds.forget()
        super().set_exact_text(text, undoable=undoable)

    def setTextCursor(self, cursor: QTextCursor) -> None:  # noqa: D102  Qt's name
        # Unfolded first: Qt scrolls to the cursor at once, and a line out of sight has no place.
        self.folds.reveal(cursor.block())
        super().setTextCursor(cursor)

    def event(self, event: QEvent) -> bool:  # noqa: D102  Qt's name
        if isinstance(event, QKeyEvent):
            kind, closes = event.type(), event.key() == Qt.Key.Key_Escape and self.completion.is_open
            # With the list open Esc does not stop what runs; and Tab is taken before Qt moves the focus with it.
            if (kind == QEvent.Type.ShortcutOverride and closes) or (
                kind == QEvent.Type.KeyPress and self.completion.take_key(event)
            ):
                event.accept()
                return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: D102  Qt's name
        super().keyPressEvent(event)
        self.completion.key_done(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:  # noqa: D102  Qt's name
        self.completion.close()
        super().focusOutEvent(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: D102  Qt's name
        self.completion.close()
        for block, chip in self._chips(QRectF(self.viewport().rect())):
            if chip.contains(event.position()):
                self.folds.toggle(block)
                return
        super().mousePressEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: D102  Qt's name
        painter = QPainter(self.viewport())
        painter.fillRect(self._line_rect(), QColor(self._theme.tokens.current_line))
        painter.end()
        super().paintEvent(event)
        if self.folds.any:
            self._paint_chips(QRectF(event.rect()))

    def insertFromMimeData(self, source: QMimeData) -> None:  # noqa: D102  Qt's name
        cursor = self.textCursor()
        whole = cursor.selectionEnd() - cursor.selectionStart() >= self.document().characterCount() - 1
        super().insertFromMimeData(source)
        if whole and len(source.text()) >= _WHOLE_POLICY:
            self.whole_pasted.emit(source.text())

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: D102  Qt's name
        super().resizeEvent(event)
        area = self.contentsRect()
        self._gutter.setGeometry(QRect(area.left(), area.top(), self._gutter.needed_width(), area.height()))
        self._mark_soon.start()

    def _restyle(self) -> None:
        self.setFont(self._theme.mono(BODY))
        self._make_room()
        self.show_marks(self._marks)

    def _make_room(self) -> None:
        width = self._gutter.needed_width()
        if width != self.viewportMargins().left():
            self.setViewportMargins(width, 0, 0, 0)
            self._gutter.resize(width, self._gutter.height())
        self._gutter.update()

    def _scroll_gutter(self, area: QRect, dy: int) -> None:
        if dy:
            self._gutter.scroll(0, dy)
        else:
            self._gutter.update(0, area.y(), self._gutter.width(), area.height())

    def _mark(self) -> None:
        """Mark what is in sight only: Qt measures every line up to one that has a mark, however far away it is."""
        lines = self._in_sight()
        first, last = lines[0][0], lines[-1][1]
        near = [
            mark for mark in self._marks if mark.cursor.selectionEnd() >= first and mark.cursor.selectionStart() < last
        ]
        marks = [mark for mark in near if self.document().findBlock(mark.cursor.selectionStart()).isVisible()]
        at = [(bisect_left(self._found, (start, 0)), bisect_left(self._found, (end, 0))) for start, end in lines]
        places = [place for begin, end in at for place in self._found[begin:end]]
        found = [self._selection(self._cursor_over(*place), self._theme.tokens.found) for place in places]
        self.setExtraSelections([*underlines(marks, self._theme.tokens), *found, *self._flash])

    def _in_sight(self) -> list[tuple[int, int]]:
        """The lines that can be seen, each as its first place and the one after its end; at least one."""
        block = self.firstVisibleBlock()
        last = self.cursorForPosition(QPoint(0, self.viewport().height())).blockNumber()
        lines = [(block.position(), block.position() + block.length())]
        while (block := block.next()).isValid() and block.blockNumber() <= last:
            if block.isVisible():
                lines.append((block.position(), block.position() + block.length()))
        return lines

    def _cursor_over(self, start: int, length: int) -> QTextCursor:
        """A part of the text as a selection. The text may have become shorter since it was searched."""
        end = self.document().characterCount() - 1
        cursor = QTextCursor(self.document())
        cursor.setPosition(min(start, end))
        cursor.setPosition(min(start + length, end), QTextCursor.MoveMode.KeepAnchor)
        return cursor

    def _show_current(self) -> None:
        """Light up the line of the cursor. Painted and not one of Qt's selections, which are all set anew together."""
        cursor = self.textCursor()
        line = cursor.block().layout().lineForTextPosition(cursor.positionInBlock())
        current = (cursor.blockNumber(), line.lineNumber() if line.isValid() else 0)
        if current != self._current:
            self._current = current
            self.viewport().update()
            self._gutter.update()

    def _line_rect(self) -> QRect:
        """The line of the cursor, over the whole width."""
        at = self.cursorRect()
        return QRect(0, at.top(), self.viewport().width(), at.height())

    def _mark_gutter(self) -> None:
        """The marks move with what is typed before them."""
        if self._marks:
            self._gutter.show_worst(worst_by_block(self._marks))
        else:
            self._gutter.show_worst({})

    def _chips(self, rect: QRectF) -> list[tuple[QTextBlock, QRectF]]:
        """The folded headings in sight, each with the place of the chip that says what is hidden."""
        metrics = QFontMetrics(self._theme.font(SMALL))
        made = []
        for block, words in self.folds.places(rect):
            width = metrics.horizontalAdvance(self._chip_words(block)) + 16
            left = min(words.right() + 12, self.viewport().width() - width - 8)
            made.append((block, QRectF(left, words.center().y() - metrics.height() / 2, width, metrics.height())))
        return made

    def _chip_words(self, block: QTextBlock) -> str:
        return f"⋯ {count(self.folds.hidden_lines(block), 'line')}"

    def _paint_chips(self, rect: QRectF) -> None:
        tokens = self._theme.tokens
        painter = QPainter(self.viewport())
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(self._theme.font(SMALL))
        for block, chip in self._chips(rect):
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(tokens.control))
            painter.drawRoundedRect(chip, 4, 4)
            painter.setPen(QColor(tokens.text))
            painter.drawText(chip, int(Qt.AlignmentFlag.AlignCenter), self._chip_words(block))
        painter.end()

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
