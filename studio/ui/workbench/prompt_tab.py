"""The prompt exactly as it is sent: control tokens as chips, what the studio put in tinted, all else untouched."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import (
    QColor,
    QFont,
    QPainter,
    QPaintEvent,
    QTextCharFormat,
    QTextCursor,
    QTextLayout,
    QTextLine,
    QTextOption,
)
from PySide6.QtWidgets import QPlainTextEdit, QWidget

from studio.core.prompt import Control, Origin, Prompt
from studio.ui.theme import SMALL, Theme
from studio.ui.widgets.basics import column, row, text_label
from studio.ui.widgets.utf16 import to_qt

_KIND = QTextCharFormat.Property.UserProperty
_SAYS = {
    None: "A control token. No text of yours or of the content can become one.",
    Origin.CONTRACT: "Put in by the studio: the form of the answer.",
    Origin.CONTENT: "The content that is judged.",
}


@dataclass(frozen=True, slots=True)
class _Span:
    """A stretch of the prompt of one origin; None is a control token."""

    origin: Origin | None
    text: str


class _PromptView(QPlainTextEdit):
    """Plain text with rounded grounds behind control tokens. Lays out only what is in sight, so that it is quick."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self.setAccessibleName("Prompt as sent")
        self.setProperty("kind", "flat")
        self.setReadOnly(True)
        self.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        self.setTabChangesFocus(True)
        self.setUndoRedoEnabled(False)
        self.document().setDocumentMargin(8)
        option = self.document().defaultTextOption()
        option.setWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
        self.document().setDefaultTextOption(option)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: D102  Qt's name
        painter = QPainter(self.viewport())
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(self._theme.tokens.control))
        for chip in self._chips(QRectF(event.rect())):
            painter.drawRoundedRect(chip, 4, 4)
        painter.end()
        super().paintEvent(event)

    def _chips(self, rect: QRectF) -> list[QRectF]:
        """The places of the control tokens in sight."""
        found = []
        block = self.firstVisibleBlock()
        while block.isValid():
            area = self.blockBoundingGeometry(block).translated(self.contentOffset())
            if area.top() > rect.bottom():
                break
            pieces = block.begin()
            while not pieces.atEnd():
                piece = pieces.fragment()
                if piece.charFormat().property(_KIND) == "control":
                    start = piece.position() - block.position()
                    found += _places(block.layout(), start, start + piece.length(), area.topLeft())
                pieces += 1
            block = block.next()
        return found


class PromptTab(QWidget):
    """Shows one compiled prompt."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._prompt: Prompt | None = None
        self._spans: list[_Span] = []
        self.view = _PromptView(theme)
        self._legend = text_label("", "small", wrap=True)
        layout = column(self.view, spacing=0)
        layout.addLayout(row(self._legend, margins=(12, 4, 12, 8)))
        self.setLayout(layout)
        theme.changed.connect(self._paint)

    def show_prompt(self, prompt: Prompt) -> None:
        """Show a prompt. Only what differs from the one before is written anew, and the place in the text is kept."""
        if prompt == self._prompt:
            return
        self._prompt = prompt
        spans = _spans(prompt)
        if [span.origin for span in spans] != [span.origin for span in self._spans]:
            self._spans = spans
            self._paint()
        else:
            self._change(spans)
        ours = sum(len(span.text) for span in spans if span.origin is Origin.CONTRACT)
        put_in = "Tinted text was put in by the studio" if ours else "The studio put no text of its own in"
        self._legend.setText(f"Grey chips are control tokens that only the studio can set. {put_in}.")

    def _paint(self) -> None:
        """Write everything anew."""
        at = self.view.verticalScrollBar().value()
        self.view.clear()
        self.view.setFont(self._theme.mono(SMALL))
        cursor = QTextCursor(self.view.document())
        cursor.beginEditBlock()
        for span in self._spans:
            cursor.insertText(span.text, self._form(span.origin))
        cursor.endEditBlock()
        self.view.verticalScrollBar().setValue(at)

    def _change(self, spans: list[_Span]) -> None:
        """Write anew what differs, from the last span to the first, so that the places before stay true."""
        ends, end = [], 0
        for span in self._spans:
            end += _length(span.text)
            ends.append(end)
        cursor = QTextCursor(self.view.document())
        cursor.beginEditBlock()
        for old, new, end in reversed(list(zip(self._spans, spans, ends, strict=True))):
            if old.text == new.text:
                continue
            head = _same(old.text, new.text)
            tail = _same(old.text[head:][::-1], new.text[head:][::-1])
            start = end - _length(old.text)
            cursor.setPosition(start + _length(old.text[:head]))
            cursor.setPosition(end - _length(old.text[len(old.text) - tail :]), QTextCursor.MoveMode.KeepAnchor)
            cursor.insertText(new.text[head : len(new.text) - tail], self._form(new.origin))
        cursor.endEditBlock()
        self._spans = spans

    def _form(self, origin: Origin | None) -> QTextCharFormat:
        tokens = self._theme.tokens
        form = QTextCharFormat()
        form.setForeground(QColor(tokens.text))
        form.setToolTip(_SAYS.get(origin, ""))
        if origin is None:
            form.setProperty(_KIND, "control")
            form.setFontWeight(QFont.Weight.Bold)
        elif origin is Origin.CONTRACT:
            form.setBackground(QColor(tokens.ours))
        elif origin is Origin.SCAFFOLD:
            form.setForeground(QColor(tokens.text_quiet))
        elif origin is Origin.CONTENT:
            form.setFontItalic(True)
        return form


def _spans(prompt: Prompt) -> list[_Span]:
    spans: list[_Span] = []
    for segment in prompt.segments:
        if isinstance(segment, Control):
            spans.append(_Span(None, segment.name))
        else:
            spans += [_Span(origin, text) for origin, text in segment.spans]
    return spans


def _length(text: str) -> int:
    """How long Qt holds a text for: CR LF is one, and it counts UTF-16 units."""
    return to_qt(text)(len(text)) - text.count("\r\n")


def _same(one: str, other: str) -> int:
    """How many characters two texts begin with alike; none where line ends of two characters could be cut apart."""
    if "\r" in one or "\r" in other:
        return 0
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        if one[low:middle] == other[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def _places(layout: QTextLayout, start: int, end: int, corner: QPointF) -> list[QRectF]:
    """The rectangles of a stretch of a block, one for each line it is on."""
    found = []
    for number in range(layout.lineCount()):
        line = layout.lineAt(number)
        first, last = max(start, line.textStart()), min(end, line.textStart() + line.textLength())
        if first < last:
            left, right = _x(line, first), _x(line, last)
            found.append(QRectF(left + 0.5, line.y(), right - left - 1, line.height()).translated(corner))
    return found


def _x(line: QTextLine, at: int) -> float:
    place: Any = line.cursorToX(at)  # typed as one number, and a pair in truth
    return float(place[0])
