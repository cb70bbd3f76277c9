"""The look, as named tokens: colours for light and dark, one spacing grid, one type scale.

Every colour in the window comes from here by name, so that contrast can be tested in one place.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from PySide6.QtCore import QObject, Qt, QTimer, Signal, SignalInstance, Slot
from PySide6.QtGui import QColor, QFont, QFontDatabase, QFontInfo, QGuiApplication, QPalette
from PySide6.QtWidgets import QApplication, QWidget
from shiboken6 import isValid

from studio.core.labels import Decision, LabelDecision
from studio.settings import Theme as ThemeChoice
from studio.ui.glyphs import Glyphs
from studio.ui.stylesheet import stylesheet
from studio.ui.tokens import DARK, LIGHT, Tokens, Tone

SMALL, BODY, LEAD, TITLE = 12, 13, 15, 20
"""The type scale, in pixels at the normal font size."""

_PIXELS_PER_POINT = 96 / 72


@dataclass(frozen=True, slots=True)
class Scale:
    """How large text is: ``base`` is the body size in pixels."""

    base: int = BODY

    def px(self, size: int) -> int:
        """A size of the type scale (or a height that follows it) at the user's font size."""
        return round(size * self.base / BODY)


class Theme(QObject):
    """The theme in use. Views that paint for themselves repaint on :attr:`changed`.

    The style sheet is given to the parts of a window one by one (:meth:`dress`) and not to the application, which costs
    Qt five times as much. While a window is in sight a change dresses one part in each turn of the event loop, so that
    the window never stands still for long; nothing is painted until all parts are dressed.
    """

    changed = Signal()

    def __init__(self, app: QApplication) -> None:
        super().__init__(app)
        self._app = app
        self._glyphs = Glyphs()
        self._choice = ThemeChoice.SYSTEM
        self._points: int | None = None
        self._system_font = QFont(app.font())
        self.tokens: Tokens = LIGHT
        self.scale = Scale()
        self._sheet = ""
        self._parts: list[QWidget] = []
        self._steps: list[Callable[[], object]] = []
        self._held: list[QWidget] = []
        self._turn = QTimer(self)
        self._turn.setInterval(0)
        self._turn.timeout.connect(self._step)
        app.setStyle("Fusion")
        app.styleHints().colorSchemeChanged.connect(self._follow_system)

    @property
    def dark(self) -> bool:
        """Whether the dark tokens are in use."""
        return self.tokens is DARK

    def choose(self, choice: ThemeChoice, points: int | None) -> None:
        """Use light, dark or what the system says, with a font of ``points`` (None: the system's)."""
        if self._sheet and (choice, points) == (self._choice, self._points):
            return
        self._choice, self._points = choice, points
        self._apply()

    @property
    def settled(self) -> bool:
        """Whether every part wears what was last chosen."""
        return not self._steps

    def dress(self, part: QWidget) -> None:
        """Style a widget and all that is in it, now and after each change, for as long as it lives."""
        self._parts = [*filter(isValid, self._parts), part]
        part.setStyleSheet(self._sheet)

    def follow(self, owner: QObject, paint: Callable[[], None]) -> None:
        """Call ``paint`` now and after each change, for as long as ``owner`` lives."""
        _Follower(owner, paint, self.changed)
        paint()

    def font(self, size: int = BODY, *, bold: bool = False) -> QFont:
        """The interface font at a size of the type scale."""
        font = QFont(self._system_font)
        font.setPixelSize(self.scale.px(size))
        font.setWeight(QFont.Weight.DemiBold if bold else QFont.Weight.Normal)
        return font

    def mono(self, size: int = BODY) -> QFont:
        """The system's monospace font, for policies, prompts and codes."""
        font = QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont)
        font.setStyleHint(QFont.StyleHint.Monospace)
        font.setPixelSize(self.scale.px(size))
        return font

    def tone(self, decision: Decision | None) -> Tone:
        """The colours of a decision; None is "no verdict"."""
        return self.tokens.tone(decision)

    def label_tone(self, decision: LabelDecision) -> Tone:
        """The colours of what a label decides."""
        return self.tokens.tone(decision.decision)

    def _follow_system(self) -> None:
        if self._choice is ThemeChoice.SYSTEM:
            self._apply()

    def _apply(self) -> None:
        system_dark = QGuiApplication.styleHints().colorScheme() is Qt.ColorScheme.Dark
        dark = self._choice is ThemeChoice.DARK or (self._choice is ThemeChoice.SYSTEM and system_dark)
        self.tokens = DARK if dark else LIGHT
        base = QFontInfo(self._system_font).pixelSize() if self._points is None else self._points * _PIXELS_PER_POINT
        self.scale = Scale(max(BODY, round(base)) if self._points is None else max(10, round(base)))
        self._app.setPalette(_palette(self.tokens))
        self._app.setFont(self.font())
        self._sheet = stylesheet(self.tokens, self.scale.px, self._glyphs.paths(self.tokens, self.scale.px))
        self._parts = [part for part in self._parts if isValid(part)]
        in_sight_first = sorted(self._parts, key=lambda part: not part.isVisible())
        self._steps = [partial(self._redress, part) for part in in_sight_first]
        self._steps.append(self.changed.emit)
        windows = {part.window() for part in self._parts if part.isVisible()}
        if not windows:
            while self._steps:
                self._step()
            return
        for window in windows.difference(self._held):
            window.setUpdatesEnabled(False)
            self._held.append(window)
        self._turn.start()

    def _redress(self, part: QWidget) -> None:
        if isValid(part):
            part.setStyleSheet(self._sheet)

    @Slot()
    def _step(self) -> None:
        self._steps.pop(0)()
        if not self._steps:
            self._turn.stop()
            for window in filter(isValid, self._held):
                window.setUpdatesEnabled(True)
            self._held = []


class _Follower(QObject):
    """Lives with its owner, so that nothing is painted that is gone: Qt cuts the connection with it."""

    def __init__(self, owner: QObject, paint: Callable[[], None], changed: SignalInstance) -> None:
        super().__init__(owner)
        self._paint = paint
        changed.connect(self._run)

    @Slot()
    def _run(self) -> None:
        self._paint()


def contrast(first: str, second: str) -> float:
    """The contrast ratio of two opaque colours as WCAG defines it, 1 to 21."""
    lighter, darker = sorted((_luminance(first), _luminance(second)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: str) -> float:
    rgb = QColor(colour)
    parts = [value / 255 for value in (rgb.red(), rgb.green(), rgb.blue())]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _palette(tokens: Tokens) -> QPalette:
    roles = QPalette.ColorRole
    palette = QPalette()
    for role, colour in {
        roles.Window: tokens.window,
        roles.WindowText: tokens.text,
        roles.Base: tokens.surface,
        roles.AlternateBase: tokens.sunken,
        roles.Text: tokens.text,
        roles.Button: tokens.raised,
        roles.ButtonText: tokens.text,
        roles.BrightText: tokens.text,
        roles.Mid: tokens.line,
        roles.Highlight: tokens.accent_soft,
        roles.HighlightedText: tokens.text,
        roles.Link: tokens.accent,
        roles.LinkVisited: tokens.accent,
        roles.ToolTipBase: tokens.tip,
        roles.ToolTipText: tokens.on_tip,
        roles.PlaceholderText: tokens.text_quiet,
        roles.Accent: tokens.accent,
    }.items():
        palette.setColor(role, QColor(colour))
    for role in (roles.WindowText, roles.Text, roles.ButtonText):
        palette.setColor(QPalette.ColorGroup.Disabled, role, QColor(tokens.text_disabled))
    return palette
