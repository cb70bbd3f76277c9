"""The prompt exactly as it is sent: control tokens as chips, what the studio put in tinted, all else untouched."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QFont, QTextBlockFormat, QTextCharFormat, QTextCursor, QTextOption
from PySide6.QtWidgets import QTextBrowser, QWidget

from studio.core.prompt import Control, Origin, Prompt
from studio.ui.theme import SMALL, Theme
from studio.ui.widgets.basics import column, row, text_label

_LEGEND = "Grey chips are control tokens that only the studio can set. Tinted text was put in by the studio."


class PromptTab(QWidget):
    """Shows one compiled prompt."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._prompt: Prompt | None = None
        self.view = QTextBrowser()
        self.view.setAccessibleName("Prompt as sent")
        self.view.setProperty("kind", "flat")
        self.view.setOpenLinks(False)
        self.view.setTabChangesFocus(True)
        self.view.setUndoRedoEnabled(False)
        option = self.view.document().defaultTextOption()
        option.setWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
        self.view.document().setDefaultTextOption(option)
        legend = text_label(_LEGEND, "small", wrap=True)
        layout = column(self.view, spacing=0)
        layout.addLayout(row(legend, margins=(12, 4, 12, 8)))
        self.setLayout(layout)
        theme.changed.connect(self._again)

    def show_prompt(self, prompt: Prompt) -> None:
        """Show a prompt, keeping the place in the text."""
        if prompt != self._prompt:
            self._prompt = prompt
            self._again()

    def _again(self) -> None:
        if self._prompt is None:
            return
        at = self.view.verticalScrollBar().value()
        self.view.clear()
        self.view.setFont(self._theme.mono(SMALL))
        cursor = QTextCursor(self.view.document())
        cursor.beginEditBlock()
        block = QTextBlockFormat()
        block.setLineHeight(135, QTextBlockFormat.LineHeightTypes.ProportionalHeight.value)
        cursor.setBlockFormat(block)
        for segment in self._prompt.segments:
            if isinstance(segment, Control):
                cursor.insertText(segment.name, self._chip())
            else:
                for origin, text in segment.spans:
                    cursor.insertText(text, self._text(origin))
        cursor.endEditBlock()
        self.view.verticalScrollBar().setValue(at)
        self.view.setLayoutDirection(Qt.LayoutDirection.LeftToRight)

    def _chip(self) -> QTextCharFormat:
        form = QTextCharFormat()
        form.setBackground(QColor(self._theme.tokens.control))
        form.setForeground(QColor(self._theme.tokens.text))
        form.setFontWeight(QFont.Weight.Bold)
        form.setToolTip("A control token. No text of yours or of the content can become one.")
        return form

    def _text(self, origin: Origin) -> QTextCharFormat:
        tokens = self._theme.tokens
        form = QTextCharFormat()
        form.setForeground(QColor(tokens.text))
        if origin is Origin.CONTRACT:
            form.setBackground(QColor(tokens.ours))
            form.setToolTip("Put in by the studio: the form of the answer.")
        elif origin is Origin.SCAFFOLD:
            form.setForeground(QColor(tokens.text_quiet))
        elif origin is Origin.CONTENT:
            form.setFontItalic(True)
            form.setToolTip("The content that is judged.")
        return form
