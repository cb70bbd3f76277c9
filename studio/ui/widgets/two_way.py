"""A plain-text layout that puts right-to-left paragraphs on the right.

Qt's own plain-text layout shapes them rightly but leaves them at the left edge; its rich-text layout does not, but is
far slower with long texts.
"""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QTextBlock, QTextDocument
from PySide6.QtWidgets import QPlainTextDocumentLayout, QPlainTextEdit


class TwoWayLayout(QPlainTextDocumentLayout):
    """Moves the lines of right-to-left paragraphs when their place is asked for, which is before they are drawn."""

    def blockBoundingRect(self, block: QTextBlock) -> QRectF:  # noqa: D102  Qt's name
        if not block.isValid():
            # Qt asks for the block after the last when that one is out of sight.
            return QRectF()
        rect = super().blockBoundingRect(block)
        if block.textDirection() == Qt.LayoutDirection.RightToLeft:
            layout = block.layout()
            margin = self.document().documentMargin()
            for number in range(layout.lineCount()):
                line = layout.lineAt(number)
                line.setPosition(QPointF(margin + max(0.0, line.width() - line.naturalTextWidth()), line.y()))
        return rect


def use_two_way_layout(edit: QPlainTextEdit) -> None:
    """Give an editor a new, empty document with that layout."""
    document = QTextDocument(edit)
    document.setDocumentLayout(TwoWayLayout(document))
    edit.setDocument(document)
