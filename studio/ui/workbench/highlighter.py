"""Colours for a policy in Markdown. Works block by block, so that an edit costs one line and not the document."""

from __future__ import annotations

import re

from PySide6.QtGui import QColor, QFont, QSyntaxHighlighter, QTextCharFormat, QTextDocument

from studio.core.labels import Label, LabelDecision
from studio.ui.theme import Theme
from studio.ui.widgets.utf16 import to_qt

_HEADING = re.compile(r"^#{1,6}\s.*$")
_MARKER = re.compile(r"^\s*(?:[-*+]|\d+[.)])(?=\s)")
_QUOTE = re.compile(r"^\s*>.*$")
_FENCE = re.compile(r"^\s*(?:```|~~~)")
_STRONG = re.compile(r"(\*\*|__)(?=\S)(.+?)(?<=\S)\1")
_EMPHASIS = re.compile(r"(?<![\w*_])([*_])(?=[^\s*_])(.+?)(?<=[^\s*_])\1(?![\w*_])")
_CODE = re.compile(r"`[^`]+`")
IN_FENCE = 1
"""The state of a line that stands in a fenced block, or begins one."""

# Beside the colour each decision has its own line under the code, so that colour is never the only cue.
_UNDERLINES = {
    LabelDecision.ALLOW: QTextCharFormat.UnderlineStyle.DotLine,
    LabelDecision.VIOLATE: QTextCharFormat.UnderlineStyle.SingleUnderline,
    LabelDecision.REVIEW: QTextCharFormat.UnderlineStyle.DashUnderline,
}


class PolicyHighlighter(QSyntaxHighlighter):
    """Markdown and label codes of one policy."""

    def __init__(self, document: QTextDocument, theme: Theme) -> None:
        super().__init__(document)
        self._theme = theme
        self._labels: tuple[Label, ...] = ()
        self._codes: re.Pattern[str] | None = None
        self._code_formats: dict[str, QTextCharFormat] = {}
        self._build()
        theme.changed.connect(self._rebuild)

    def set_labels(self, labels: tuple[Label, ...]) -> None:
        """Colour the codes of these labels."""
        if labels != self._labels:
            self._labels = labels
            self._rebuild()

    def highlightBlock(self, text: str) -> None:  # noqa: D102  Qt's name
        fenced = self.previousBlockState() == IN_FENCE
        if _FENCE.match(text):
            self._paint(text, self._code)
            self.setCurrentBlockState(0 if fenced else IN_FENCE)
            return
        self.setCurrentBlockState(IN_FENCE if fenced else 0)
        if fenced:
            self._paint(text, self._code)
            return
        if _HEADING.match(text):
            self._paint(text, self._heading)
        elif _QUOTE.match(text):
            self._paint(text, self._quiet)
        else:
            self._inline(text)
        self._mark_codes(text)

    def _inline(self, text: str) -> None:
        marker = _MARKER.match(text)
        if marker:
            self._paint(text, self._quiet, marker)
        for match in _STRONG.finditer(text):
            self._paint(text, self._strong, match)
        for match in _EMPHASIS.finditer(text):
            if not marker or match.start() >= marker.end():
                self._paint(text, self._emphasis, match)
        for match in _CODE.finditer(text):
            self._paint(text, self._code, match)

    def _mark_codes(self, text: str) -> None:
        if self._codes is None:
            return
        for match in self._codes.finditer(text):
            self._paint(text, self._code_formats[match["label"]], match)

    def _paint(self, text: str, form: QTextCharFormat, match: re.Match[str] | None = None) -> None:
        start, end = match.span() if match else (0, len(text))
        at = to_qt(text)
        self.setFormat(at(start), at(end) - at(start), form)

    def _build(self) -> None:
        tokens = self._theme.tokens
        self._heading = _format(tokens.accent, bold=True)
        self._quiet = _format(tokens.text_quiet)
        self._strong = _format(tokens.text, bold=True)
        self._emphasis = _format(tokens.text)
        self._emphasis.setFontItalic(True)
        self._code = _format(tokens.text_quiet)
        self._code.setBackground(QColor(tokens.sunken))
        self._code_formats = {}
        for label in self._labels:
            form = _format(self._theme.label_tone(label.decision).text, bold=True)
            form.setUnderlineStyle(_UNDERLINES[label.decision])
            form.setUnderlineColor(QColor(self._theme.label_tone(label.decision).solid))
            self._code_formats[label.id] = form
        ids = sorted((re.escape(label.id) for label in self._labels), key=len, reverse=True)
        self._codes = re.compile(rf"(?<![\w.])(?P<label>{'|'.join(ids)})(?:\.\w+)*(?!\w)") if ids else None

    def _rebuild(self) -> None:
        self._build()
        self.rehighlight()


def _format(colour: str, *, bold: bool = False) -> QTextCharFormat:
    form = QTextCharFormat()
    form.setForeground(QColor(colour))
    if bold:
        form.setFontWeight(QFont.Weight.Bold)
    return form
