"""The button that shows which policy is open, how it stands and how long it is; it opens the list of policies."""

from __future__ import annotations

from PySide6.QtCore import QRect, QSize, Qt
from PySide6.QtGui import QColor, QFontMetrics, QPainter, QPaintEvent
from PySide6.QtWidgets import QPushButton, QSizePolicy, QWidget

from studio.ui.icons import icon
from studio.ui.theme import LEAD, SMALL, Theme


class PolicyButton(QPushButton):
    """Title in front, version and length quietly behind it, in one line."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._title, self._state = "", ""
        self.setProperty("kind", "quiet")
        self.setAutoDefault(False)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        theme.changed.connect(self.update)

    @property
    def state(self) -> str:
        """The quiet words behind the title."""
        return self._state

    def show_policy(self, title: str, state: str) -> None:
        """Show a title and how the policy stands."""
        if (title, state) != (self._title, self._state):
            self._title, self._state = title, state
            self.setAccessibleName(f"Policy: {title}, {state}. Choose another")
            self.setToolTip(f"{title}\n{state}")
            self.update()

    def sizeHint(self) -> QSize:  # noqa: D102  Qt's name
        return QSize(self._theme.scale.px(320), super().sizeHint().height())

    def minimumSizeHint(self) -> QSize:  # noqa: D102  Qt's name
        return QSize(self._theme.scale.px(120), super().sizeHint().height())

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: D102  Qt's name
        super().paintEvent(event)
        painter = QPainter(self)
        tokens = self._theme.tokens
        bold, small = self._theme.font(LEAD, bold=True), self._theme.font(SMALL)
        caret = self._theme.scale.px(12)
        area = self.rect().adjusted(8, 0, -8, 0)
        state_width = QFontMetrics(small).horizontalAdvance(self._state)
        room = area.width() - caret - 8
        metrics = QFontMetrics(bold)
        title_room = max(
            room - state_width - 12, min(room, metrics.horizontalAdvance(self._title), self._theme.scale.px(96))
        )
        title = metrics.elidedText(self._title, Qt.TextElideMode.ElideRight, title_room)
        flags = int(Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft)
        painter.setFont(bold)
        painter.setPen(QColor(tokens.text))
        painter.drawText(area, flags, title)
        at = area.left() + metrics.horizontalAdvance(title) + 8
        pixmap = icon("caret-down", tokens).pixmap(QSize(caret, caret), self.devicePixelRatioF())
        painter.drawPixmap(at, (self.height() - caret) // 2, pixmap)
        at += caret + 12
        rest = QRect(at, area.top(), area.right() - at, area.height())
        painter.setFont(small)
        painter.setPen(QColor(tokens.text_quiet))
        painter.drawText(
            rest, flags, QFontMetrics(small).elidedText(self._state, Qt.TextElideMode.ElideRight, rest.width())
        )
        painter.end()
