"""A layout that puts widgets side by side and goes on in the next line where there is no more room."""

from __future__ import annotations

from PySide6.QtCore import QMargins, QPoint, QRect, QSize, Qt
from PySide6.QtWidgets import QLayout, QLayoutItem, QWidget


class FlowLayout(QLayout):
    """Lines of widgets, as words stand in a paragraph."""

    def __init__(self, spacing: int, margins: QMargins) -> None:
        super().__init__()
        self._items: list[QLayoutItem] = []
        self.setSpacing(spacing)
        self.setContentsMargins(margins)

    def addItem(self, item: QLayoutItem) -> None:  # noqa: D102  Qt's name
        self._items.append(item)

    def count(self) -> int:  # noqa: D102  Qt's name
        return len(self._items)

    def itemAt(self, index: int) -> QLayoutItem | None:  # noqa: D102  Qt's name
        return self._items[index] if 0 <= index < len(self._items) else None

    def takeAt(self, index: int) -> QLayoutItem | None:  # noqa: D102  Qt's name
        return self._items.pop(index) if 0 <= index < len(self._items) else None

    def expandingDirections(self) -> Qt.Orientation:  # noqa: D102  Qt's name
        return Qt.Orientation(0)

    def hasHeightForWidth(self) -> bool:  # noqa: D102  Qt's name
        return True

    def heightForWidth(self, width: int) -> int:  # noqa: D102  Qt's name
        return self._place(QRect(0, 0, width, 0), really=False)

    def setGeometry(self, rect: QRect) -> None:  # noqa: D102  Qt's name
        super().setGeometry(rect)
        self._place(rect, really=True)

    def sizeHint(self) -> QSize:  # noqa: D102  Qt's name
        return self.minimumSize()

    def minimumSize(self) -> QSize:  # noqa: D102  Qt's name
        size, margins = QSize(), self.contentsMargins()
        for item in self._shown():
            size = size.expandedTo(item.minimumSize())
        return size + QSize(margins.left() + margins.right(), margins.top() + margins.bottom())

    def _shown(self) -> list[QLayoutItem]:
        return [item for item in self._items if not item.isEmpty()]

    def _place(self, rect: QRect, *, really: bool) -> int:
        """Put the widgets into their lines, or only reckon; returns the height that they need."""
        margins = self.contentsMargins()
        area = rect.marginsRemoved(margins)
        x, y, line = area.x(), area.y(), 0
        for item in self._shown():
            size = item.sizeHint().boundedTo(QSize(max(area.width(), 1), 10_000))
            if line and x + size.width() > area.right() + 1:
                x, y, line = area.x(), y + line + self.spacing(), 0
            if really:
                item.setGeometry(QRect(QPoint(x, y), size))
            x += size.width() + self.spacing()
            line = max(line, size.height())
        return y + line - rect.y() + margins.bottom() if line else 0


def flow(widgets: list[QWidget], *, spacing: int, margins: tuple[int, int, int, int]) -> FlowLayout:
    """The widgets in a layout that flows."""
    layout = FlowLayout(spacing, QMargins(*margins))
    for widget in widgets:
        layout.addWidget(widget)
    return layout
