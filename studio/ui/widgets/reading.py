"""Text of the model, shown as plain text only: reasoning that streams, with links to the rules it names."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QSize, QUrl, Signal
from PySide6.QtGui import QColor, QFontMetrics, QTextBlockFormat, QTextCharFormat, QTextCursor, QTextOption
from PySide6.QtWidgets import QSizePolicy, QTextBrowser, QTextEdit, QWidget

from studio.core.citations import Citation, cited_rules
from studio.core.policy import Policy
from studio.ui.theme import Theme

_SCHEME = "rule"
_LINE_HEIGHT = 1.3


class ReadText(QTextBrowser):
    """A read-only view of plain text. Links go to rules of the policy; nothing is ever read as HTML."""

    rule_clicked = Signal(str)

    def __init__(self, theme: Theme, name: str, *, quiet: bool = False, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme, self._quiet = theme, quiet
        self._dimmed = False
        self._text = ""
        self._citations: Sequence[Citation] = ()
        self.setAccessibleName(name)
        self.setProperty("kind", "reading")
        self.setFrameShape(QTextBrowser.Shape.NoFrame)
        self.setOpenLinks(False)
        self.setTabChangesFocus(True)
        self.setUndoRedoEnabled(False)
        self.document().setDocumentMargin(2)
        option = self.document().defaultTextOption()
        option.setWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
        self.document().setDefaultTextOption(option)
        self.anchorClicked.connect(self._clicked)
        theme.changed.connect(self._again)

    @property
    def text(self) -> str:
        """What is shown, as it was given."""
        return self._text

    @property
    def citations(self) -> Sequence[Citation]:
        """The rules that the text names."""
        return self._citations

    def show_text(self, text: str, policy: Policy | None = None) -> None:
        """Show a text; with a policy the rules that the text names become links."""
        self._text = text
        self._citations = cited_rules(text, policy) if policy is not None else ()
        self._again()
        self.moveCursor(QTextCursor.MoveOperation.Start)

    def append_text(self, text: str) -> None:
        """Add streamed text; the view follows while its end is in sight."""
        self._text += text
        bar = self.verticalScrollBar()
        follows = bar.value() >= bar.maximum() - 4
        cursor = QTextCursor(self.document())
        cursor.movePosition(QTextCursor.MoveOperation.End)
        cursor.insertText(text, self._format())
        if follows:
            bar.setValue(bar.maximum())

    def focusNextPrevChild(self, forward: bool) -> bool:  # noqa: D102  Qt's name
        if not forward and self.textCursor().selectionStart() == 0:
            # From a link that the text begins with Qt goes back to that same link, for ever.
            self.moveCursor(QTextCursor.MoveOperation.Start)
            return QTextEdit.focusNextPrevChild(self, forward)
        return super().focusNextPrevChild(forward)

    def set_dimmed(self, dimmed: bool) -> None:
        """Write in the quiet colour, for what is out of date."""
        if dimmed != self._dimmed:
            self._dimmed = dimmed
            self._again()

    def _again(self) -> None:
        self.clear()
        cursor = QTextCursor(self.document())
        spacing = QTextBlockFormat()
        spacing.setLineHeight(_LINE_HEIGHT * 100, QTextBlockFormat.LineHeightTypes.ProportionalHeight.value)
        cursor.setBlockFormat(spacing)
        at = 0
        for citation in self._citations:
            cursor.insertText(self._text[at : citation.start], self._format())
            cursor.insertText(self._text[citation.start : citation.end], self._link(citation))
            if not citation.known:
                cursor.insertText(" ⚠", self._warning())
            at = citation.end
        cursor.insertText(self._text[at:], self._format())

    def _format(self) -> QTextCharFormat:
        form = QTextCharFormat()
        tokens = self._theme.tokens
        form.setForeground(QColor(tokens.text_quiet if self._quiet or self._dimmed else tokens.text))
        return form

    def _link(self, citation: Citation) -> QTextCharFormat:
        form = self._format()
        if not citation.known:
            form.setForeground(QColor(self._theme.tokens.review.text))
            form.setUnderlineStyle(QTextCharFormat.UnderlineStyle.WaveUnderline)
            form.setToolTip(f"The policy has no rule {citation.id}.")
            return form
        url = QUrl()
        url.setScheme(_SCHEME)
        url.setPath(citation.id)
        form.setAnchor(True)
        form.setAnchorHref(url.toString(QUrl.ComponentFormattingOption.FullyEncoded))
        form.setForeground(QColor(self._theme.tokens.accent))
        form.setFontUnderline(True)
        form.setToolTip(f"Show {citation.id} in the policy")
        return form

    def _warning(self) -> QTextCharFormat:
        form = QTextCharFormat()
        form.setForeground(QColor(self._theme.tokens.review.text))
        form.setToolTip("The policy has no such rule.")
        return form

    def _clicked(self, url: QUrl) -> None:
        if url.scheme() == _SCHEME:
            self.rule_clicked.emit(url.path(QUrl.ComponentFormattingOption.FullyDecoded))


class ShortText(ReadText):
    """A text that is as high as it needs, between two lines and six; the room for two is always kept."""

    def __init__(self, theme: Theme, name: str, parent: QWidget | None = None) -> None:
        super().__init__(theme, name, parent=parent)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.document().documentLayout().documentSizeChanged.connect(lambda _size: self.updateGeometry())

    def sizeHint(self) -> QSize:  # noqa: D102  Qt's name
        line = round(QFontMetrics(self._theme.font()).lineSpacing() * _LINE_HEIGHT)
        around = 16
        wanted = round(self.document().size().height()) + 12
        return QSize(200, max(2 * line + around, min(wanted, 6 * line + around)))

    def minimumSizeHint(self) -> QSize:  # noqa: D102  Qt's name
        return QSize(80, self.sizeHint().height())
