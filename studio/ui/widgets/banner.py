"""Banners: what happened, why, and one button that mends it. They open under the top bar, newest on top."""

from __future__ import annotations

from PySide6.QtCore import QEasingCurve, QPropertyAnimation, Qt
from PySide6.QtGui import QFontMetrics
from PySide6.QtWidgets import QFrame, QHBoxLayout, QVBoxLayout, QWidget

from studio.ui.errors import Notice
from studio.ui.icons import LARGE
from studio.ui.theme import Theme
from studio.ui.widgets.basics import AutoText, IconLabel, column, icon_button, push_button, text_label
from studio.ui.widgets.pill import may_move

_ICONS = {"error": "warning-octagon", "warn": "warning", "info": "info"}
_OPEN_MS = 150
_MOST = 3


class Banner(QFrame):
    """One banner."""

    def __init__(self, theme: Theme, notice: Notice, host: BannerHost) -> None:
        super().__init__(host)
        self._host = host
        self.notice = notice
        self.setProperty("kind", "banner")
        self.setProperty("level", notice.level)
        self.setAccessibleName(f"{notice.title}. {notice.message} {notice.hint}")
        words = column(text_label(notice.title, "section"), spacing=2)
        body = " ".join(part for part in (notice.message, notice.hint) if part)
        if body:
            words.addWidget(AutoText(body))
        layout = QHBoxLayout(self)
        layout.setContentsMargins(16, 8, 8, 8)
        layout.setSpacing(12)
        mark = IconLabel(theme, _ICONS[notice.level], size=LARGE)
        layout.addWidget(mark, 0, Qt.AlignmentFlag.AlignTop)
        layout.addLayout(words, 1)
        if notice.mend is not None:
            self.mend = push_button(theme, notice.mend.word, act=self._mend)
            layout.addWidget(self.mend)
        self.dismiss = icon_button(theme, "x", "Close this message", act=self.close_banner)
        layout.addWidget(self.dismiss)

    def close_banner(self) -> None:
        """Take the banner away."""
        self._host.remove(self)

    def _mend(self) -> None:
        if self.notice.mend is not None:
            self.notice.mend.act()
        self.close_banner()


class BannerHost(QWidget):
    """The place for banners; it has no height when there is none."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(0)
        self._banners: list[Banner] = []

    @property
    def banners(self) -> tuple[Banner, ...]:
        """What is shown, newest first."""
        return tuple(self._banners)

    def show_notice(self, notice: Notice) -> None:
        """Open a banner. The same words again replace the older one; the oldest goes when there are too many."""
        for old in [banner for banner in self._banners if banner.notice.title == notice.title]:
            if old.notice.message == notice.message:
                self.remove(old)
        while len(self._banners) >= _MOST:
            self.remove(self._banners[-1])
        banner = Banner(self._theme, notice, self)
        self._banners.insert(0, banner)
        self._layout.insertWidget(0, banner)
        self._open(banner)

    def remove(self, banner: Banner) -> None:
        """Take one banner away."""
        if banner in self._banners:
            self._banners.remove(banner)
            self._layout.removeWidget(banner)
            banner.hide()
            banner.deleteLater()

    def _open(self, banner: Banner) -> None:
        width = max(self.width(), 400)
        full = max(banner.sizeHint().height(), banner.heightForWidth(width), QFontMetrics(self.font()).height() * 2)
        if not may_move(self):
            return
        move = QPropertyAnimation(banner, b"maximumHeight", banner)
        move.setDuration(_OPEN_MS)
        move.setEasingCurve(QEasingCurve.Type.OutCubic)
        move.setStartValue(0)
        move.setEndValue(full)
        move.finished.connect(lambda: banner.setMaximumHeight(16_777_215))
        move.start(QPropertyAnimation.DeletionPolicy.DeleteWhenStopped)
