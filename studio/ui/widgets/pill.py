"""The verdict pill: shape, word and colour together, at three sizes. The same everywhere in the product."""

from __future__ import annotations

from enum import Enum

from PySide6.QtCore import QEasingCurve, QPointF, QRectF, QSize, Qt, QVariantAnimation
from PySide6.QtGui import QColor, QFont, QFontMetrics, QPainter, QPainterPath, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QStyle, QWidget

from studio.core.labels import Decision
from studio.ui.theme import BODY, LEAD, SMALL, Theme
from studio.ui.tokens import Tone
from studio.ui.words import DECISION, decision_word


class PillSize(Enum):
    """Font size, side padding, vertical padding and gap, in pixels at the normal font size."""

    SMALL = (SMALL, 8, 2, 6)
    MEDIUM = (BODY, 10, 4, 7)
    LARGE = (LEAD, 14, 8, 9)


THINKING = "Thinking"
_BREATH_MS = 1600


def shape_path(decision: Decision | None, box: QRectF) -> QPainterPath:
    """The shape of a decision inside ``box``: disc, hexagon, triangle; a ring for no verdict."""
    path = QPainterPath()
    centre, radius = box.center(), box.width() / 2
    if decision is Decision.VIOLATES:
        corners = ((0, -1), (0.87, -0.5), (0.87, 0.5), (0, 1), (-0.87, 0.5), (-0.87, -0.5))
        path.addPolygon(QPolygonF([QPointF(centre.x() + x * radius, centre.y() + y * radius) for x, y in corners]))
        path.closeSubpath()
    elif decision is Decision.NEEDS_REVIEW:
        corners3 = ((0, -0.95), (1.0, 0.8), (-1.0, 0.8))
        path.addPolygon(QPolygonF([QPointF(centre.x() + x * radius, centre.y() + y * radius) for x, y in corners3]))
        path.closeSubpath()
    else:
        path.addEllipse(centre, radius * 0.92, radius * 0.92)
    return path


def draw_shape(painter: QPainter, decision: Decision | None, box: QRectF, colour: QColor) -> None:
    """Draw the shape of a decision; no verdict is a dashed ring, so that it never looks like one."""
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    if decision is None:
        pen = QPen(colour, max(1.4, box.width() / 8))
        pen.setDashPattern([1.6, 1.3])
        painter.setPen(pen)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        inset = pen.widthF() / 2
        painter.drawEllipse(box.adjusted(inset, inset, -inset, -inset))
    else:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.fillPath(shape_path(decision, box), colour)
    painter.restore()


def pill_size(theme: Theme, size: PillSize, word: str) -> QSize:
    """How much room a pill with that word takes."""
    points, side, top, gap = size.value
    metrics = QFontMetrics(theme.font(points, bold=True))
    shape = round(metrics.capHeight() * 1.25)
    return QSize(2 * side + shape + gap + metrics.horizontalAdvance(word), 2 * top + metrics.height())


def draw_pill(
    painter: QPainter, theme: Theme, rect: QRectF, decision: Decision | None, word: str, size: PillSize, *, solid: bool
) -> None:
    """Draw a pill into ``rect``. ``solid`` fills it with the decision's colour; otherwise it is tinted."""
    tone = theme.tone(decision)
    background = QColor(tone.solid if solid else tone.soft)
    ink = QColor(tone.on_solid if solid else tone.text)
    _draw(painter, rect, decision, word, theme.font(size.value[0], bold=True), size, background, ink)


def _draw(
    painter: QPainter,
    rect: QRectF,
    decision: Decision | None,
    word: str,
    font: QFont,
    size: PillSize,
    background: QColor,
    ink: QColor,
) -> None:
    _, side, _, gap = size.value
    metrics = QFontMetrics(font)
    shape = round(metrics.capHeight() * 1.25)
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(background)
    painter.drawRoundedRect(rect, 6, 6)
    box = QRectF(rect.left() + side, rect.center().y() - shape / 2, shape, shape)
    draw_shape(painter, decision, box, ink)
    painter.setFont(font)
    painter.setPen(ink)
    text = QRectF(box.right() + gap, rect.top(), rect.right() - side - box.right() - gap + 2, rect.height())
    painter.drawText(text, int(Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft), word)
    painter.restore()


class VerdictPill(QWidget):
    """Shows a decision, no verdict, or that the model is thinking; a large one keeps its width through all of them."""

    def __init__(self, theme: Theme, size: PillSize = PillSize.MEDIUM, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme, self._size = theme, size
        self._decision: Decision | None = None
        self._word = decision_word(None)
        self._stale = False
        self._thinking = False
        self._breath = 1.0
        self._animation = QVariantAnimation(self)
        self._animation.setDuration(_BREATH_MS)
        self._animation.setLoopCount(-1)
        self._animation.setEasingCurve(QEasingCurve.Type.InOutSine)
        self._animation.setStartValue(1.0)
        self._animation.setKeyValueAt(0.5, 0.45)
        self._animation.setEndValue(1.0)
        self._animation.valueChanged.connect(self._breathe)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        theme.changed.connect(self.updateGeometry)
        self._name()

    @property
    def word(self) -> str:
        """The word that stands in the pill."""
        return self._word

    @property
    def thinking(self) -> bool:
        """Whether it shows that the model is thinking."""
        return self._thinking

    def show_decision(self, decision: Decision | None, *, stale: bool = False, word: str = "") -> None:
        """Show a decision (None: no verdict, unless ``word`` says otherwise); ``stale`` takes the filling away."""
        self._thinking = False
        self._animation.stop()
        self._breath = 1.0
        self._decision, self._stale, self._word = decision, stale, word or decision_word(decision)
        self._name()

    def show_thinking(self, word: str = THINKING) -> None:
        """Breathe in place until a decision is shown. Holds still where the system asks for no motion."""
        self._thinking, self._stale = True, False
        self._decision, self._word = None, word
        if self._animation.state() is not QVariantAnimation.State.Running and may_move(self):
            self._animation.start()
        self._name()

    def sizeHint(self) -> QSize:  # noqa: D102  Qt's name
        words = (
            {self._word} if self._size is not PillSize.LARGE else {*DECISION.values(), decision_word(None), THINKING}
        )
        sizes = [pill_size(self._theme, self._size, word) for word in words]
        return QSize(max(size.width() for size in sizes), max(size.height() for size in sizes))

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: D102  Qt's name
        tone: Tone = self._theme.tone(self._decision)
        # No verdict is never filled: it must not look like one.
        solid = self._size is PillSize.LARGE and not self._stale and self._decision is not None
        background = QColor(tone.solid if solid else tone.soft)
        ink = QColor(tone.on_solid if solid else tone.text)
        if self._thinking:
            background, ink = QColor(self._theme.tokens.accent_soft), QColor(self._theme.tokens.text)
        painter = QPainter(self)
        rect = QRectF(self.rect())
        _draw(
            painter,
            rect,
            self._decision,
            self._word,
            self._theme.font(self._size.value[0], bold=True),
            self._size,
            background,
            ink,
        )
        if self._thinking:
            self._draw_breath(painter, rect, background)
        painter.end()

    def _draw_breath(self, painter: QPainter, rect: QRectF, background: QColor) -> None:
        """Put a soft disc over the ring; its strength is the breath. The word beside it stays still and readable."""
        _, side, _, _ = self._size.value
        shape = round(QFontMetrics(self._theme.font(self._size.value[0], bold=True)).capHeight() * 1.25)
        box = QRectF(rect.left() + side - 1, rect.center().y() - shape / 2 - 1, shape + 2, shape + 2)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(background)
        painter.drawRect(box)
        colour = QColor(self._theme.tokens.accent)
        colour.setAlphaF(self._breath)
        painter.setBrush(colour)
        radius = shape / 2 * (0.62 + 0.38 * self._breath)
        painter.drawEllipse(box.center(), radius, radius)

    def _breathe(self, value: object) -> None:
        self._breath = float(value) if isinstance(value, (int, float)) else 1.0
        self.update()

    def _name(self) -> None:
        self.setAccessibleName(f"Verdict: {self._word}" + (", of an older text" if self._stale else ""))
        self.updateGeometry()
        self.update()


def may_move(widget: QWidget) -> bool:
    """Whether the system has not asked for stillness."""
    return bool(widget.style().styleHint(QStyle.StyleHint.SH_Widget_Animation_Duration, None, widget))
