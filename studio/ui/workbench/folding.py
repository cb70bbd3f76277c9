"""Folding: sections of a policy that are put out of sight, and come back when the cursor or an edit gets there."""

from __future__ import annotations

import re

from PySide6.QtCore import QObject, QRectF, Signal
from PySide6.QtGui import QTextBlock, QTextCursor
from PySide6.QtWidgets import QPlainTextDocumentLayout, QPlainTextEdit

from studio.ui.workbench.highlighter import IN_FENCE

_HEADING = re.compile(r"(#{1,6})\s")


def heading_level(block: QTextBlock) -> int:
    """1 to 6 for a line that is a heading, 0 for others; what stands in a fence is no heading."""
    match = _HEADING.match(block.text())
    return len(match[1]) if match and block.previous().userState() != IN_FENCE else 0


def section_end(heading: QTextBlock) -> int:
    """The number of the last line of the section that a heading begins; its own number when nothing is in it."""
    level, block = heading_level(heading), heading.next()
    while block.isValid() and not 0 < heading_level(block) <= level:
        block = block.next()
    return (block.blockNumber() if block.isValid() else heading.document().blockCount()) - 1


class Folds(QObject):
    """Which sections of an editor's document are folded. Only what is seen changes, never the text.

    ``changed`` tells that something was folded or unfolded.
    """

    changed = Signal()

    def __init__(self, edit: QPlainTextEdit) -> None:
        super().__init__(edit)
        self._edit = edit
        self._folded: list[QTextCursor] = []
        edit.cursorPositionChanged.connect(self._show_cursor)
        edit.textChanged.connect(self._text_changed)

    @property
    def any(self) -> bool:
        """Whether anything is folded."""
        return bool(self._folded)

    def is_folded(self, heading: QTextBlock) -> bool:
        """Whether the section that a heading begins is folded."""
        return any(cursor.blockNumber() == heading.blockNumber() for cursor in self._folded)

    def toggle(self, heading: QTextBlock) -> None:
        """Fold or unfold the section of a heading; nothing happens with a line that is none."""
        if self.is_folded(heading):
            self._folded = [cursor for cursor in self._folded if cursor.blockNumber() != heading.blockNumber()]
            self._apply()
        elif heading_level(heading) and section_end(heading) > heading.blockNumber():
            self._fold([heading])

    def toggle_at_cursor(self) -> None:
        """Fold the section that the cursor is in, or unfold the one whose heading it is on."""
        block = self._edit.textCursor().block()
        while block.isValid() and not heading_level(block):
            block = block.previous()
        if block.isValid():
            self.toggle(block)

    def toggle_all(self) -> None:
        """Unfold everything; when nothing is folded, fold all sections but one that is all of the text."""
        if self._folded:
            self.forget()
            return
        headings = self._headings()
        tops = [block for block in headings if heading_level(block) == min(map(heading_level, headings))]
        title = len(tops) == 1 and tops[0] == headings[0]
        self._fold([block for block in headings[title:] if section_end(block) > block.blockNumber()])

    def forget(self) -> None:
        """Unfold everything."""
        self._folded = []
        self._apply()

    def reveal(self, block: QTextBlock) -> None:
        """Bring a line into sight."""
        if block.isVisible():
            return
        number = block.blockNumber()
        self._folded = [
            cursor for cursor in self._folded if not cursor.blockNumber() < number <= section_end(cursor.block())
        ]
        self._apply()

    def hidden_lines(self, heading: QTextBlock) -> int:
        """How many lines of a folded section are out of sight."""
        return section_end(heading) - heading.blockNumber()

    def places(self, rect: QRectF) -> list[tuple[QTextBlock, QRectF]]:
        """The folded headings in sight, each with the place of its last line of text in the viewport."""
        found = []
        for cursor in self._folded:
            block = cursor.block()
            if block.isVisible():
                layout = block.layout()
                last = layout.lineAt(max(0, layout.lineCount() - 1))
                area = self._edit.blockBoundingGeometry(block).translated(self._edit.contentOffset())
                if last.isValid() and area.intersects(rect):
                    found.append((block, last.naturalTextRect().translated(area.topLeft())))
        return found

    def _fold(self, headings: list[QTextBlock]) -> None:
        """Fold sections. A cursor inside goes to the end of the outermost heading that stays in sight."""
        self._folded += [QTextCursor(block) for block in headings]
        cursor = self._edit.textCursor()
        at = cursor.blockNumber()
        around = [block for block in headings if block.blockNumber() < at <= section_end(block)]
        if around:
            cursor.setPosition(around[0].position() + around[0].length() - 1)
            self._edit.setTextCursor(cursor)
        self._apply()

    def _headings(self) -> list[QTextBlock]:
        found, block = [], self._edit.document().firstBlock()
        while block.isValid():
            if heading_level(block):
                found.append(block)
            block = block.next()
        return found

    def _text_changed(self) -> None:
        """An edit may have added lines to a folded section, or made its heading something else."""
        if self._folded:
            self._apply()
            self._show_cursor()

    def _show_cursor(self) -> None:
        block = self._edit.textCursor().block()
        if self._folded and not block.isVisible():
            self.reveal(block)
            self._edit.ensureCursorVisible()

    def _apply(self) -> None:
        """Hide what is folded and show all else."""
        self._folded = [cursor for cursor in self._folded if heading_level(cursor.block())]
        hidden: set[int] = set()
        for cursor in self._folded:
            hidden.update(range(cursor.blockNumber() + 1, section_end(cursor.block()) + 1))
        document, first, last = self._edit.document(), -1, -1
        block = document.firstBlock()
        while block.isValid():
            shown = block.blockNumber() not in hidden
            if shown != block.isVisible():
                block.setVisible(shown)
                block.setLineCount(max(1, block.layout().lineCount()) if shown else 0)
                first = block.position() if first < 0 else first
                last = block.position() + block.length()
            block = block.next()
        if first < 0:
            return
        document.markContentsDirty(first, min(last, document.characterCount() - 1) - first)
        layout = document.documentLayout()
        if isinstance(layout, QPlainTextDocumentLayout):
            layout.requestUpdate()
            layout.documentSizeChanged.emit(layout.documentSize())
        self._edit.viewport().update()
        self.changed.emit()
