"""Marks of lint findings: one shape and colour a severity, in the gutter, under the text and in the list."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QIcon, QPainter, QPen, QPixmap, QPolygonF, QTextCharFormat, QTextCursor, QTextDocument
from PySide6.QtWidgets import QTextEdit

from studio.services.lint import Finding, Severity
from studio.ui.theme import Theme
from studio.ui.tokens import Tokens
from studio.ui.widgets.utf16 import to_qt

_ORDER = list(Severity)


@dataclass(frozen=True, slots=True)
class Mark:
    """A finding with its place in an editor. The cursor moves with what is typed before it."""

    finding: Finding
    cursor: QTextCursor


def marks_in(document: QTextDocument, text: str, findings: Iterable[Finding]) -> list[Mark]:
    """The findings as places in a document that shows ``text``."""
    place = _places(text)
    last = max(0, document.characterCount() - 1)
    marks = []
    for finding in findings:
        cursor = QTextCursor(document)
        cursor.setPosition(min(place(finding.start), last))
        cursor.setPosition(min(place(finding.end), last), QTextCursor.MoveMode.KeepAnchor)
        marks.append(Mark(finding, cursor))
    return marks


def underlines(marks: list[Mark], tokens: Tokens) -> list[QTextEdit.ExtraSelection]:
    """The marks as underlines: waves for errors, dashes for warnings, dots for notes."""
    styles = {
        Severity.ERROR: QTextCharFormat.UnderlineStyle.WaveUnderline,
        Severity.WARNING: QTextCharFormat.UnderlineStyle.DashUnderline,
        Severity.NOTE: QTextCharFormat.UnderlineStyle.DotLine,
    }
    made = []
    for mark in marks:
        selection = QTextEdit.ExtraSelection()
        selection.cursor = mark.cursor
        selection.format.setUnderlineStyle(styles[mark.finding.severity])
        selection.format.setUnderlineColor(QColor(colour_of(mark.finding.severity, tokens)))
        made.append(selection)
    return made


def worst_by_block(marks: list[Mark]) -> dict[int, Severity]:
    """The worst severity of each line (block number from 0) that has findings."""
    worst: dict[int, Severity] = {}
    for mark in marks:
        block = mark.cursor.document().findBlock(mark.cursor.selectionStart()).blockNumber()
        severity = mark.finding.severity
        if block not in worst or _ORDER.index(severity) < _ORDER.index(worst[block]):
            worst[block] = severity
    return worst


def colour_of(severity: Severity, tokens: Tokens) -> str:
    """The colour of a severity."""
    tones = {Severity.ERROR: tokens.violates.solid, Severity.WARNING: tokens.review.solid, Severity.NOTE: tokens.accent}
    return tones[severity]


def paint_mark(painter: QPainter, place: QRectF, severity: Severity, tokens: Tokens) -> None:
    """Draw a severity's shape: a filled square on its corner, a filled triangle, or a ring."""
    colour = QColor(colour_of(severity, tokens))
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    middle, half = place.center(), min(place.width(), place.height()) / 2
    if severity is Severity.NOTE:
        painter.setPen(QPen(colour, half / 2.6))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawEllipse(middle, half * 0.68, half * 0.68)
    else:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colour)
        corners = ((0, -1), (1, 0), (0, 1), (-1, 0)) if severity is Severity.ERROR else ((0, -0.9), (1, 0.8), (-1, 0.8))
        painter.drawPolygon(QPolygonF([QPointF(middle.x() + x * half, middle.y() + y * half) for x, y in corners]))
    painter.restore()


def mark_icon(theme: Theme, severity: Severity, ratio: float) -> QIcon:
    """The shape as an icon for the list."""
    side = theme.scale.px(12)
    picture = QPixmap(round(side * ratio), round(side * ratio))
    picture.setDevicePixelRatio(ratio)
    picture.fill(Qt.GlobalColor.transparent)
    painter = QPainter(picture)
    paint_mark(painter, QRectF(1, 1, side - 2, side - 2), severity, theme.tokens)
    painter.end()
    icon = QIcon(picture)
    # Qt would tint the picture of a chosen row, and the colour says something here.
    icon.addPixmap(picture, QIcon.Mode.Selected)
    return icon


def _places(text: str) -> Callable[[int], int]:
    """From places in a text to those in a Qt document that shows it: Qt keeps one character for CR LF."""
    wide = to_qt(text)
    if "\r\n" not in text:
        return wide
    return lambda at: wide(at) - text.count("\r\n", 0, at)
