"""The strip beside the policy text: marks of the linter, line numbers, and arrows that fold sections."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QMouseEvent, QPainter, QPaintEvent, QPolygonF, QTextBlock
from PySide6.QtWidgets import QPlainTextEdit, QWidget

from studio.services.lint import Severity
from studio.ui.theme import SMALL, Theme
from studio.ui.workbench.folding import Folds, heading_level
from studio.ui.workbench.lint_marks import paint_mark

_MARK_PX = 8
_ARROW_PX = 14


class Gutter(QWidget):
    """Paints what stands beside the lines in sight. ``arrow_clicked`` hands over a heading (a QTextBlock)."""

    arrow_clicked = Signal(object)

    def __init__(self, edit: QPlainTextEdit, folds: Folds, theme: Theme) -> None:
        super().__init__(edit)
        self._edit, self._folds, self._theme = edit, folds, theme
        self._worst: dict[int, Severity] = {}

    def show_worst(self, worst: dict[int, Severity]) -> None:
        """Mark lines (block numbers from 0) by the worst that was found on each."""
        if worst != self._worst:
            self._worst = worst
            self.update()

    def needed_width(self) -> int:
        """How wide marks, numbers and arrows are now."""
        digits = max(3, len(str(self._edit.blockCount())))
        scale = self._theme.scale
        return digits * self._edit.fontMetrics().horizontalAdvance("9") + 16 + scale.px(_MARK_PX) + scale.px(_ARROW_PX)

    def sizeHint(self) -> QSize:  # noqa: D102  Qt's name
        return QSize(self.needed_width(), 0)

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: D102  Qt's name
        spot = event.position()
        block = self._edit.cursorForPosition(QPointF(0, spot.y()).toPoint()).block()
        if spot.x() >= self.width() - self._theme.scale.px(_ARROW_PX) - 8 and heading_level(block):
            self.arrow_clicked.emit(block)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:  # noqa: D102  Qt's name
        event.accept()  # else it goes to the editor, which knows nothing of the press

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: D102  Qt's name
        tokens, scale = self._theme.tokens, self._theme.scale
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.fillRect(event.rect(), QColor(tokens.surface))
        painter.setFont(self._theme.mono(SMALL))
        plain, strong = QColor(tokens.text_quiet), QColor(tokens.text)
        current = self._edit.textCursor().blockNumber()
        side, arrow = scale.px(_MARK_PX), scale.px(_ARROW_PX)
        flags = int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        block: QTextBlock = self._edit.firstVisibleBlock()
        top = self._edit.blockBoundingGeometry(block).translated(self._edit.contentOffset()).top()
        height = self._edit.fontMetrics().lineSpacing()
        while block.isValid() and top <= event.rect().bottom():
            number = block.blockNumber()
            bottom = top + self._edit.blockBoundingRect(block).height()
            if block.isVisible() and bottom >= event.rect().top():
                painter.setPen(strong if number == current else plain)
                place = QRect(0, round(top), self.width() - arrow - 6, height)
                painter.drawText(place, flags, str(number + 1))
                if number in self._worst:
                    spot = QRectF(side * 0.6, round(top) + (height - side) / 2, side, side)
                    paint_mark(painter, spot, self._worst[number], tokens)
                if heading_level(block):
                    middle = QPointF(self.width() - arrow / 2 - 4, round(top) + height / 2)
                    self._paint_arrow(painter, middle, arrow / 5, folded=self._folds.is_folded(block))
            block = block.next()
            top = bottom
        painter.end()

    def _paint_arrow(self, painter: QPainter, at: QPointF, half: float, *, folded: bool) -> None:
        """A small triangle: down for a section that is open, to the right for one that is folded."""
        corners = ((-0.7, -1.2), (0.9, 0), (-0.7, 1.2)) if folded else ((-1.2, -0.7), (1.2, -0.7), (0, 0.9))
        painter.save()
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(self._theme.tokens.accent if folded else self._theme.tokens.line_strong))
        painter.drawPolygon(QPolygonF([QPointF(at.x() + x * half, at.y() + y * half) for x, y in corners]))
        painter.restore()
