"""The few small pictures that a Qt style sheet can only take from files: carets, ticks and dots in the theme's colours.

They are drawn into a temporary folder that goes with the process.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from PySide6.QtCore import QPointF, Qt, QTemporaryDir
from PySide6.QtGui import QColor, QPainter, QPen, QPixmap, QPolygonF

from studio.ui.tokens import Tokens

_LINES: Mapping[str, tuple[tuple[float, float], ...]] = {
    "caret-down": ((0.22, 0.38), (0.5, 0.66), (0.78, 0.38)),
    "caret-up": ((0.22, 0.62), (0.5, 0.34), (0.78, 0.62)),
    "caret-left": ((0.62, 0.22), (0.34, 0.5), (0.62, 0.78)),
    "caret-right": ((0.38, 0.22), (0.66, 0.5), (0.38, 0.78)),
    "tick": ((0.2, 0.52), (0.42, 0.74), (0.8, 0.28)),
}
_RATIOS = {1: "", 2: "@2x", 3: "@3x"}


class Glyphs:
    """Draws the pictures once for each colour and size."""

    def __init__(self) -> None:
        self._folder = QTemporaryDir()
        self._drawn: set[str] = set()

    def paths(self, tokens: Tokens, px: Callable[[int], int]) -> dict[str, str]:
        """Paths by name, with forward slashes, for use in ``url()``."""
        size = px(12)
        return {
            "caret_down": self._draw("caret-down", tokens.text_quiet, size),
            "caret_up": self._draw("caret-up", tokens.text_quiet, size),
            "caret_left": self._draw("caret-left", tokens.text_quiet, size),
            "caret_right": self._draw("caret-right", tokens.text_quiet, size),
            "tick": self._draw("tick", tokens.on_accent, size),
            "dot": self._draw("dot", tokens.on_accent, size),
        }

    def _draw(self, name: str, colour: str, size: int) -> str:
        stem = f"{name}-{colour.lstrip('#')}-{size}"
        path = self._folder.filePath(f"{stem}.png").replace("\\", "/")
        if stem in self._drawn:
            return path
        self._drawn.add(stem)
        for ratio, suffix in _RATIOS.items():
            pixmap = QPixmap(size * ratio, size * ratio)
            pixmap.fill(Qt.GlobalColor.transparent)
            painter = QPainter(pixmap)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.scale(size * ratio, size * ratio)
            if name == "dot":
                painter.setPen(Qt.PenStyle.NoPen)
                painter.setBrush(QColor(colour))
                painter.drawEllipse(QPointF(0.5, 0.5), 0.24, 0.24)
            else:
                pen = QPen(QColor(colour), 0.13)
                pen.setCapStyle(Qt.PenCapStyle.RoundCap)
                pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
                painter.setPen(pen)
                painter.drawPolyline(QPolygonF([QPointF(x, y) for x, y in _LINES[name]]))
            painter.end()
            pixmap.save(self._folder.filePath(f"{stem}{suffix}.png"))
        return path
