"""Small pieces that pages are put together from: labels, buttons, bars, rows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from PySide6.QtCore import QEvent, QObject, QRect, QSize, Qt
from PySide6.QtGui import QColor, QFontMetrics, QIcon, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QLayout,
    QLineEdit,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QStyleOptionViewItem,
    QTabWidget,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from studio.ui.icons import SIZE, icon
from studio.ui.theme import Theme
from studio.ui.tokens import Tokens
from studio.ui.words import direction_is_rtl

_Box = TypeVar("_Box", QHBoxLayout, QVBoxLayout)


def text_label(text: str = "", kind: str = "", *, wrap: bool = False, parent: QWidget | None = None) -> QLabel:
    """A label that shows plain text only, whatever the text holds."""
    label = QLabel(parent)
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setWordWrap(wrap)
    if kind:
        label.setProperty("kind", kind)
    label.setText(text)
    return label


def set_kind(widget: QWidget, **properties: Any) -> None:
    """Set style properties and have the style sheet read them again."""
    for name, value in properties.items():
        widget.setProperty(name, value)
    widget.style().unpolish(widget)
    widget.style().polish(widget)


def row(
    *items: QWidget | int | None, spacing: int = 8, margins: tuple[int, int, int, int] = (0, 0, 0, 0)
) -> QHBoxLayout:
    """Widgets side by side: an int is a gap, None takes what is left."""
    return _filled(QHBoxLayout(), items, spacing, margins)


def column(
    *items: QWidget | int | None, spacing: int = 8, margins: tuple[int, int, int, int] = (0, 0, 0, 0)
) -> QVBoxLayout:
    """Widgets below each other: an int is a gap, None takes what is left."""
    return _filled(QVBoxLayout(), items, spacing, margins)


def _filled(
    layout: _Box, items: tuple[QWidget | int | None, ...], spacing: int, margins: tuple[int, int, int, int]
) -> _Box:
    layout.setSpacing(spacing)
    layout.setContentsMargins(*margins)
    for item in items:
        if item is None:
            layout.addStretch(1)
        elif isinstance(item, int):
            layout.addSpacing(item)
        else:
            layout.addWidget(item)
    return layout


def frame(kind: str, layout: QLayout | None = None) -> QFrame:
    """A frame of a kind that the style sheet knows."""
    made = QFrame()
    made.setProperty("kind", kind)
    if layout is not None:
        made.setLayout(layout)
    return made


def rule() -> QFrame:
    """A one-pixel line."""
    return frame("rule")


class ElidedLabel(QLabel):
    """One line that is cut in its middle or at its end when there is no room; the whole stands in the tooltip."""

    def __init__(
        self,
        text: str = "",
        kind: str = "",
        *,
        mode: Qt.TextElideMode = Qt.TextElideMode.ElideRight,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._mode = mode
        self._more = ""
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Preferred)
        if kind:
            self.setProperty("kind", kind)
        self.setText(text)

    def setText(self, text: str) -> None:  # noqa: D102  Qt's name
        super().setText(" ".join(text.split()))
        self.setLayoutDirection(
            Qt.LayoutDirection.RightToLeft if direction_is_rtl(text) else Qt.LayoutDirection.LeftToRight
        )
        self._explain()

    def explain(self, words: str) -> None:
        """Say more in the tooltip than only what was cut."""
        self._more = words
        self._explain()

    def minimumSizeHint(self) -> QSize:  # noqa: D102  Qt's name
        return QSize(QFontMetrics(self.font()).averageCharWidth() * 4, super().minimumSizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: D102  Qt's name
        super().resizeEvent(event)
        self._explain()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: D102  Qt's name
        painter = QPainter(self)
        painter.setPen(self.palette().color(self.foregroundRole()))
        painter.setFont(self.font())
        area = self.contentsRect()
        shown = QFontMetrics(self.font()).elidedText(self.text(), self._mode, area.width())
        painter.drawText(area, int(Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeading), shown)
        painter.end()

    def _explain(self) -> None:
        cut = QFontMetrics(self.font()).horizontalAdvance(self.text()) > self.contentsRect().width()
        self.setToolTip(self._more or (self.text() if cut else ""))


class AutoText(QLabel):
    """Wrapped plain text that can be selected and reads in its own direction."""

    def __init__(self, text: str = "", kind: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setWordWrap(True)
        self.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self.setAlignment(Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeading)
        if kind:
            self.setProperty("kind", kind)
        self.setText(text)

    def setText(self, text: str) -> None:  # noqa: D102  Qt's name
        super().setText(text)
        self.setLayoutDirection(
            Qt.LayoutDirection.RightToLeft if direction_is_rtl(text) else Qt.LayoutDirection.LeftToRight
        )


def set_icon(button: QPushButton | QToolButton, theme: Theme, name: str, *, on_accent: bool = False) -> None:
    """Give a button an icon that follows the theme."""

    def paint() -> None:
        size = theme.scale.px(SIZE)
        button.setIconSize(QSize(size, size))
        button.setIcon(icon(name, theme.tokens, on_accent=on_accent) if name else QIcon())

    theme.follow(button, paint)


def push_button(
    theme: Theme,
    words: str,
    kind: str = "",
    icon_name: str = "",
    *,
    act: Callable[[], None] | None = None,
    tip: str = "",
) -> QPushButton:
    """A button with words, and an icon if one is named."""
    # Qt leaves too little room between an icon and its words.
    button = QPushButton(f" {words}" if icon_name else words)
    button.setAccessibleName(words)
    if kind:
        button.setProperty("kind", kind)
    if icon_name:
        set_icon(button, theme, icon_name, on_accent=kind == "primary")
    if act is not None:
        button.clicked.connect(lambda: act())
    if tip:
        button.setToolTip(tip)
    button.setAutoDefault(False)
    return button


def icon_button(
    theme: Theme, icon_name: str, name: str, *, act: Callable[[], None] | None = None, checkable: bool = False
) -> QToolButton:
    """A button with only an icon; ``name`` is its tooltip and what a screen reader says."""
    button = QToolButton()
    button.setProperty("kind", "icon")
    button.setToolTip(name)
    button.setAccessibleName(name)
    button.setCheckable(checkable)
    button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    set_icon(button, theme, icon_name)
    if act is not None:
        button.clicked.connect(lambda: act())
    return button


class IconLabel(QLabel):
    """A small icon beside words; it follows the theme. ``colour`` picks a token by name."""

    def __init__(self, theme: Theme, name: str, *, size: int = SIZE, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme, self._name, self._size = theme, name, size
        theme.changed.connect(self._paint)
        self._paint()

    def set_icon(self, name: str) -> None:
        """Show another icon."""
        self._name = name
        self._paint()

    def _paint(self) -> None:
        size = self._theme.scale.px(self._size)
        self.setPixmap(icon(self._name, self._theme.tokens).pixmap(QSize(size, size), self.devicePixelRatioF()))


class SearchField(QLineEdit):
    """A field to search with: an icon, a clear button, and Esc to empty it."""

    def __init__(self, theme: Theme, hint: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self.setPlaceholderText(hint)
        self.setAccessibleName(hint)
        self.setClearButtonEnabled(True)
        self._glass = self.addAction(icon("magnifying-glass", theme.tokens), QLineEdit.ActionPosition.LeadingPosition)
        theme.follow(self, lambda: self._glass.setIcon(icon("magnifying-glass", theme.tokens)))
        self.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: D102  Qt's name
        if (
            event.type() == QEvent.Type.ShortcutOverride
            and getattr(event, "key", int)() == Qt.Key.Key_Escape
            and self.text()
        ):
            event.accept()
            return True
        if event.type() == QEvent.Type.KeyPress and getattr(event, "key", int)() == Qt.Key.Key_Escape and self.text():
            self.clear()
            return True
        return super().eventFilter(watched, event)


def spread(widget: QWidget) -> QWidget:
    """Let a widget take all the width there is."""
    widget.setSizePolicy(QSizePolicy.Policy.Expanding, widget.sizePolicy().verticalPolicy())
    return widget


def tab_row(name: str = "Tabs") -> QTabWidget:
    """Pages behind tabs; where there is no room for all of them two arrows move along the row."""
    tabs = QTabWidget()
    tabs.setAccessibleName(name)
    tabs.tabBar().setAccessibleName(name)
    tabs.setDocumentMode(True)
    tabs.setElideMode(Qt.TextElideMode.ElideNone)
    return tabs


def scrolling(body: QWidget) -> QScrollArea:
    """A widget that scrolls when there is less room than it needs."""
    body.setObjectName("body")
    scroll = QScrollArea()
    scroll.setWidget(body)
    scroll.setWidgetResizable(True)
    scroll.setFrameShape(QFrame.Shape.NoFrame)
    scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    return scroll


def tab_through(*parts: QWidget) -> None:
    """Let Tab go through these, with all that is in each, in this order. Qt puts what is made later last."""
    before: QWidget | None = None
    for part in parts:
        for control in (part, *part.findChildren(QWidget)):
            if control.focusPolicy() & Qt.FocusPolicy.TabFocus:
                if before is not None:
                    QWidget.setTabOrder(before, control)
                before = control


def draw_ground(painter: QPainter, option: QStyleOptionViewItem, tokens: Tokens) -> QRect:
    """The ground of a list's row, rounded where it is chosen; where its contents may stand."""
    area: QRect = option.rect.adjusted(4, 1, -4, -1)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    if option.state & option.state.State_Selected:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(tokens.accent_soft))
        painter.drawRoundedRect(area, 4, 4)
    return area
