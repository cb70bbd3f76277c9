"""Controls with a look of their own: a row of segments, a button that offers a choice, a remembered splitter."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from PySide6.QtCore import QByteArray, QEvent, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QAction,
    QActionGroup,
    QColor,
    QIcon,
    QKeyEvent,
    QPainter,
    QPaintEvent,
    QPalette,
    QPixmap,
    QResizeEvent,
)
from PySide6.QtWidgets import (
    QButtonGroup,
    QFrame,
    QHBoxLayout,
    QMenu,
    QPushButton,
    QSizePolicy,
    QSplitter,
    QSplitterHandle,
    QStyle,
    QStyleOptionButton,
    QStylePainter,
    QWidget,
)

from studio.core.labels import Decision
from studio.ui.icons import icon
from studio.ui.preferences import Preferences
from studio.ui.theme import Theme
from studio.ui.widgets.pill import draw_shape
from studio.ui.words import confidence_words

_NOTHING = object()
_WIDEST_CHOICE = 220
_BAR = 64
_FEWEST_CHARACTERS = 6


class _Segment(QPushButton):
    """One choice of a row; its word is cut where there is no room, and then stands in the tooltip."""

    def __init__(self, word: str) -> None:
        super().__init__(word)
        self.setProperty("kind", "segment")
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self.setCheckable(True)
        self.setAutoDefault(False)

    def minimumSizeHint(self) -> QSize:  # noqa: D102  Qt's name
        metrics, whole = self.fontMetrics(), self.sizeHint()
        spared = metrics.horizontalAdvance(self.text()) - metrics.averageCharWidth() * _FEWEST_CHARACTERS
        return QSize(whole.width() - max(0, spared), whole.height())

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: D102  Qt's name
        super().resizeEvent(event)
        self.setToolTip(self.text() if self._shown() != self.text() else "")

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: D102  Qt's name
        painter, option = QStylePainter(self), QStyleOptionButton()
        self.initStyleOption(option)
        option.text = self._shown()
        painter.drawControl(QStyle.ControlElement.CE_PushButton, option)
        painter.end()

    def _shown(self) -> str:
        metrics, lacking = self.fontMetrics(), self.sizeHint().width() - self.width()
        room = metrics.horizontalAdvance(self.text()) - lacking
        return self.text() if lacking <= 0 else metrics.elidedText(self.text(), Qt.TextElideMode.ElideRight, room)


class Segments(QFrame):
    """A few choices side by side, one of them on. Left and right move between them."""

    chosen = Signal(object)

    def __init__(self, choices: Mapping[Any, str], name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("kind", "segments")
        self.setAccessibleName(name)
        self._keys = list(choices)
        self._group = QButtonGroup(self)
        self._group.setExclusive(True)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(2, 2, 2, 2)
        layout.setSpacing(2)
        for number, word in enumerate(choices.values()):
            button = _Segment(word)
            self._group.addButton(button, number)
            layout.addWidget(button)
        self._group.button(0).setChecked(True)
        self._group.idClicked.connect(lambda number: self.chosen.emit(self._keys[number]))

    @property
    def value(self) -> Any:
        """The choice that is on."""
        return self._keys[self._group.checkedId()]

    def choose(self, key: Any) -> None:
        """Switch without telling."""
        self._group.button(self._keys.index(key)).setChecked(True)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: D102  Qt's name
        step = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}.get(Qt.Key(event.key()), 0)
        if not step:
            super().keyPressEvent(event)
            return
        button = self._group.button((self._group.checkedId() + step) % len(self._keys))
        button.setFocus(Qt.FocusReason.TabFocusReason)
        button.click()


class ElidingButton(QPushButton):
    """A button with an icon whose words give way when there is no room: the short ones, or cut, then only the icon."""

    def __init__(self, theme: Theme, words: str = "", parent: QWidget | None = None, *, short: str = "") -> None:
        super().__init__(words, parent)
        self._theme = theme
        self._short = short
        self.setAutoDefault(False)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        theme.changed.connect(self.updateGeometry)

    def sizeHint(self) -> QSize:  # noqa: D102  Qt's name
        words = self.fontMetrics().horizontalAdvance(self.text())
        return QSize(self.iconSize().width() + 8 + words + 26, super().sizeHint().height())

    def minimumSizeHint(self) -> QSize:  # noqa: D102  Qt's name
        return QSize(self.iconSize().width() + 24, super().sizeHint().height())

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: D102  Qt's name
        painter = QStylePainter(self)
        option = QStyleOptionButton()
        self.initStyleOption(option)
        option.text = ""
        option.icon = QIcon()
        painter.drawControl(QStyle.ControlElement.CE_PushButton, option)
        size = self.iconSize()
        room = self.width() - size.width() - 32
        metrics = self.fontMetrics()
        words = metrics.elidedText(self.text(), Qt.TextElideMode.ElideMiddle, room)
        if words != self.text() and self._short and metrics.horizontalAdvance(self._short) <= room:
            words = self._short
        alone = len(words) < min(_FEWEST_CHARACTERS, len(self._short or self.text()))
        left = (self.width() - size.width()) // 2 if alone else 12
        mode = QIcon.Mode.Normal if self.isEnabled() else QIcon.Mode.Disabled
        self.icon().paint(painter, left, (self.height() - size.height()) // 2, size.width(), size.height(), mode=mode)
        if not alone:
            tokens = self._theme.tokens
            painter.setPen(QColor(tokens.text if self.isEnabled() else tokens.text_disabled))
            area = self.rect().adjusted(12 + size.width() + 8, 0, -8, 0)
            painter.drawText(area, int(Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft), words)
        painter.end()


class CaretButton(QPushButton):
    """A button that opens something: words at its left, a caret at its right."""

    def __init__(self, theme: Theme, words: str = "", parent: QWidget | None = None) -> None:
        super().__init__(words, parent)
        self._theme = theme
        self.setAutoDefault(False)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        theme.changed.connect(self.updateGeometry)

    def sizeHint(self) -> QSize:  # noqa: D102  Qt's name
        return QSize(self.words_width() + self._theme.scale.px(12) + 32, super().sizeHint().height())

    def minimumSizeHint(self) -> QSize:  # noqa: D102  Qt's name
        return QSize(self._theme.scale.px(12) + 64, super().sizeHint().height())

    def words_width(self) -> int:
        """How wide the words are that must find room."""
        return self.fontMetrics().horizontalAdvance(self.text())

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: D102  Qt's name
        painter = QStylePainter(self)
        option = QStyleOptionButton()
        self.initStyleOption(option)
        option.text = ""
        option.features &= ~QStyleOptionButton.ButtonFeature.HasMenu
        painter.drawControl(QStyle.ControlElement.CE_PushButton, option)
        size = self._theme.scale.px(12)
        caret = icon("caret-down", self._theme.tokens).pixmap(QSize(size, size), self.devicePixelRatioF())
        painter.drawPixmap(self.width() - size - 9, (self.height() - size) // 2, caret)
        tokens = self._theme.tokens
        painter.setPen(QColor(tokens.text if self.isEnabled() else tokens.text_disabled))
        area = self.rect().adjusted(12, 0, -size - 16, 0)
        words = self.fontMetrics().elidedText(self.text(), Qt.TextElideMode.ElideRight, area.width())
        painter.drawText(area, int(Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft), words)
        painter.end()


class Choice(CaretButton):
    """A button that shows what is chosen and opens a menu with the rest."""

    chosen = Signal(object)

    def __init__(
        self, theme: Theme, choices: Mapping[Any, str], name: str, *, prefix: str = "", parent: QWidget | None = None
    ) -> None:
        super().__init__(theme, parent=parent)
        self._prefix, self._name = prefix, name
        self._menu = QMenu(self)
        self._group = QActionGroup(self._menu)
        self._choices: dict[Any, QAction] = {}
        self._value: Any = _NOTHING
        self.setMenu(self._menu)
        self.set_choices(choices)

    @property
    def value(self) -> Any:
        """What is chosen."""
        return self._value

    def set_choices(self, choices: Mapping[Any, str]) -> None:
        """Offer other choices; the first is chosen when the old one is gone."""
        self._menu.clear()
        self._choices = {}
        for key, word in choices.items():
            action = self._menu.addAction(word)
            action.setCheckable(True)
            self._group.addAction(action)
            action.triggered.connect(lambda _checked=False, key=key: self.pick(key))
            self._choices[key] = action
        if choices:
            self.choose(self._value if self._value in choices else next(iter(choices)))

    def choose(self, key: Any) -> None:
        """Choose without telling."""
        self._value = key
        self._choices[key].setChecked(True)
        self.setText(f"{self._prefix}{self._choices[key].text()}")
        self.setAccessibleName(f"{self._name}: {self._choices[key].text()}")
        self.updateGeometry()

    def words_width(self) -> int:
        """Room for the longest choice, so that choosing moves nothing; a very long one is cut."""
        widths = [self.fontMetrics().horizontalAdvance(self._prefix + a.text()) for a in self._choices.values()]
        return min(max(widths, default=0), self._theme.scale.px(_WIDEST_CHOICE))

    def pick(self, key: Any) -> None:
        """Choose as a person does: it is told."""
        if key != self._value:
            self.choose(key)
            self.chosen.emit(key)


class _Handle(QSplitterHandle):
    """The line between two parts, in the palette's colours: no style sheet reaches between parts that are dressed."""

    def event(self, event: QEvent) -> bool:  # noqa: D102  Qt's name
        if event.type() in (QEvent.Type.Enter, QEvent.Type.Leave):
            self.update()
        return super().event(event)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: D102  Qt's name
        painter = QPainter(self)
        role = QPalette.ColorRole.Accent if self.underMouse() else QPalette.ColorRole.Mid
        painter.fillRect(self.rect(), self.palette().color(role))
        painter.end()


class KeptSplitter(QSplitter):
    """A splitter whose sizes are remembered by name."""

    def __init__(
        self, preferences: Preferences, name: str, orientation: Qt.Orientation, parts: Sequence[int] = ()
    ) -> None:
        super().__init__(orientation)
        self._preferences, self._key, self._parts = preferences, f"splitter.{name}", list(parts)
        self.setHandleWidth(1)
        self.setChildrenCollapsible(False)
        self.splitterMoved.connect(self._keep)

    def createHandle(self) -> QSplitterHandle:  # noqa: D102  Qt's name
        return _Handle(self.orientation(), self)

    def restore(self) -> None:
        """Take the remembered sizes, once all parts are in; the usual ones otherwise."""
        kept = self._preferences.layout(self._key)
        if not (kept and self.restoreState(QByteArray.fromBase64(kept.encode("ascii", "replace")))) and self._parts:
            self.setSizes(self._parts)
        self.setHandleWidth(1)

    def _keep(self) -> None:
        state = bytes(self.saveState().toBase64().data()).decode("ascii")
        self._preferences.keep_layout(self._key, state)


class ConfidenceBar(QWidget):
    """How sure the model was: the number in per cent and a thin bar. Shows nothing when it is not known."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._value: float | None = None
        self._decision: Decision | None = None
        theme.changed.connect(self.updateGeometry)

    def show_value(self, value: float | None, decision: Decision | None) -> None:
        """Show a probability in [0, 1], or nothing."""
        self._value, self._decision = value, decision
        self.setVisible(value is not None)
        words = "" if value is None else confidence_words(value)
        self.setAccessibleName(f"Confidence: {words}" if words else "Confidence not known")
        self.setToolTip(words and f"{words}: how probable the model held this answer among those the policy allows.")
        self.update()

    def sizeHint(self) -> QSize:  # noqa: D102  Qt's name
        metrics = self.fontMetrics()
        widest = max(metrics.horizontalAdvance(confidence_words(value)) for value in (0.0, 0.999, 1.0))
        return QSize(widest + 8 + self._theme.scale.px(_BAR) + 1, metrics.height())

    def minimumSizeHint(self) -> QSize:  # noqa: D102  Qt's name
        return self.sizeHint()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: D102  Qt's name
        if self._value is None:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        width = self._theme.scale.px(_BAR)
        bar = QRectF(self.width() - width, self.height() / 2 - 3, width, 6)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(self._theme.tokens.line))
        painter.drawRoundedRect(bar, 3, 3)
        painter.setBrush(QColor(self._theme.tone(self._decision).solid))
        painter.drawRoundedRect(QRectF(bar.left(), bar.top(), max(6.0, bar.width() * self._value), 6), 3, 3)
        painter.setPen(QColor(self._theme.tokens.text))
        area = QRectF(0, 0, bar.left() - 8, self.height())
        painter.drawText(
            area, int(Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight), confidence_words(self._value)
        )
        painter.end()

    def changeEvent(self, event: QEvent) -> None:  # noqa: D102  Qt's name
        super().changeEvent(event)
        if event.type() == QEvent.Type.FontChange:
            self.updateGeometry()


def decision_icon(theme: Theme, decision: Decision | None, size: int = 12) -> QIcon:
    """The shape of a decision as an icon, for menus and lists."""
    side = theme.scale.px(size)
    result = QIcon()
    for ratio in (1, 2):
        pixmap = QPixmap(side * ratio, side * ratio)
        pixmap.fill(Qt.GlobalColor.transparent)
        painter = QPainter(pixmap)
        draw_shape(painter, decision, QRectF(0, 0, side * ratio, side * ratio), QColor(theme.tone(decision).solid))
        painter.end()
        pixmap.setDevicePixelRatio(ratio)
        result.addPixmap(pixmap)
        # Qt would tint the picture of a chosen row, and the colour says something here.
        result.addPixmap(pixmap, QIcon.Mode.Selected)
    return result
