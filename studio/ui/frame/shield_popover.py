"""What the network shield has counted and seen last, as a popup under its button."""

from __future__ import annotations

from PySide6.QtCore import QPoint, QRect, Qt, Signal
from PySide6.QtWidgets import QFrame, QWidget

from studio.services import shield
from studio.ui.theme import Theme
from studio.ui.widgets.basics import column, push_button, row, text_label

_SHOWN = 6


class ShieldPopover(QFrame):
    """Opened at the shield's button; Esc or a click elsewhere closes it."""

    report_wanted = Signal()

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent, Qt.WindowType.Popup | Qt.WindowType.FramelessWindowHint)
        self.setProperty("kind", "popup")
        self.setAccessibleName("Network shield")
        self._theme = theme
        self.state = text_label("", "section", wrap=True)
        self.counts = text_label("", wrap=True)
        self.attempts = text_label("", "small", wrap=True)
        self.attempts.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.report = push_button(theme, "Full report", act=self._report)
        layout = column(self.state, self.counts, self.attempts, margins=(16, 16, 16, 16))
        layout.addLayout(row(None, self.report))
        self.setLayout(layout)

    def open_at(self, place: QRect) -> None:
        """Show what is known now, with the upper right corner at the lower right of ``place`` (global)."""
        self._tell()
        self.setFixedWidth(self._theme.scale.px(400))
        self.adjustSize()
        screen = self.screen().availableGeometry()
        left = max(screen.left() + 8, min(place.right(), screen.right() - 8) - self.width())
        self.move(QPoint(left, min(place.bottom() + 4, screen.bottom() - self.height() - 8)))
        self.show()
        self.report.setFocus(Qt.FocusReason.PopupFocusReason)

    def _tell(self) -> None:
        self.state.setText(shield_state())
        held = shield.open_now()
        counted = "This system does not count the sockets held now." if held is None else f"Held now: {held}."
        self.counts.setText(
            f"Since the start {shield.opened()} opened on your request, {shield.refused()} refused. {counted}"
        )
        tried = [(a, f"opened for: {a.reason}") for a in shield.last_opened()]
        tried += [(a, "refused") for a in shield.last_refused()]
        last = sorted(tried, key=lambda pair: pair[0].at, reverse=True)[:_SHOWN]
        lines = [f"{a.at.astimezone():%H:%M:%S}  {a.address}  {what}" for a, what in last]
        self.attempts.setText("\n".join(lines) or "No part of the studio has asked for a connection.")

    def _report(self) -> None:
        self.close()
        self.report_wanted.emit()


def shield_state() -> str:
    """In a few words whether the shield is open, and for what."""
    open_for = shield.allowances()
    if not open_for:
        return "Offline: no connection is allowed"
    reasons = dict.fromkeys(f"{allowance.reason} ({_servers(allowance)})" for allowance in open_for)
    return f"Open on your request: {'; '.join(reasons)}"


def _servers(allowance: shield.Allowance) -> str:
    return ", ".join(f"{'*' if name.startswith('.') else ''}{name}:{port}" for name, port in sorted(allowance.servers))
