"""The top bar: which workspace is open, the way to everything, the model and its state, and the network shield."""

from __future__ import annotations

from PySide6.QtCore import QRect, Qt, QTimer, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QSizePolicy

from studio.core.run import Run
from studio.services import shield
from studio.ui.actions import Act, keys_text
from studio.ui.context import Context
from studio.ui.frame.shield_popover import ShieldPopover
from studio.ui.icons import SIZE, icon, tinted
from studio.ui.widgets.basics import ElidedLabel, IconLabel, push_button
from studio.ui.widgets.controls import ElidingButton

_LOOK_EVERY_MS = 2000


class TopBar(QFrame):
    """The bar."""

    palette_wanted = Signal()
    models_wanted = Signal()
    shield_wanted = Signal()

    def __init__(self, context: Context) -> None:
        super().__init__()
        self.setObjectName("topbar")
        self._context = context
        self._loading = False
        self._failed = False
        self._speed = ""
        self._connections = 0
        self._seen: object = None
        theme, studio = context.theme, context.studio
        workspace = ElidedLabel(studio.workspace_name, "section", mode=Qt.TextElideMode.ElideMiddle)
        workspace.setAccessibleName(f"Workspace {studio.workspace_name}")
        workspace.setToolTip(str(studio.workspace_path))
        workspace.setMaximumWidth(theme.scale.px(180))
        self.omnibox = push_button(
            theme,
            f"Find anything   {keys_text(Act.PALETTE)}",
            icon_name="magnifying-glass",
            act=self.palette_wanted.emit,
        )
        self.omnibox.setObjectName("omnibox")
        self.omnibox.setAccessibleName("Find anything")
        self.omnibox.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.omnibox.setMaximumWidth(theme.scale.px(400))
        self.model = ElidingButton(theme)
        self.shield = ElidingButton(theme)
        self.attempts = ShieldPopover(theme, self)
        self.attempts.report_wanted.connect(self.shield_wanted)
        for button, act in ((self.model, self.models_wanted.emit), (self.shield, self._show_attempts)):
            button.setProperty("kind", "quiet")
            button.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
            button.setMaximumWidth(theme.scale.px(300))
            button.clicked.connect(act)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(16, 7, 8, 7)
        layout.setSpacing(8)
        layout.addWidget(IconLabel(theme, "folder-simple"))
        layout.addWidget(workspace)
        layout.addStretch(1)
        layout.addWidget(self.omnibox, 3)
        layout.addStretch(1)
        layout.addWidget(self.model)
        layout.addWidget(self.shield)
        theme.changed.connect(self._paint)
        context.changes.model.connect(self.refresh)
        self._looking = QTimer(self)
        self._looking.timeout.connect(self._look)
        self._looking.start(_LOOK_EVERY_MS)
        self.refresh()

    def set_loading(self, loading: bool, *, failed: bool = False) -> None:
        """Show that the model is being loaded, or that it could not be."""
        self._loading, self._failed = loading, failed
        self.refresh()

    def note_speed(self, run: Run) -> None:
        """Show how fast the last answer was written."""
        span = run.timing.total_s - run.timing.first_token_s
        if run.timing.output_tokens >= 10 and span > 0:
            rate = run.timing.output_tokens / span
            self._speed = f"{rate / 1000:.1f}k tok/s" if rate >= 1000 else f"{rate:.0f} tok/s"
            self.refresh()

    def refresh(self) -> None:
        """Look at the state and show it."""
        self._connections = self._context.studio.connections
        self._paint()

    def _look(self) -> None:
        """What the shield counted comes from any thread at any time: it is looked at, and painted when it changed."""
        seen = (self._context.studio.connections, shield.refused(), shield.opened(), shield.allowances())
        if seen != self._seen:
            self._seen = seen
            self.refresh()

    def _show_attempts(self) -> None:
        self.refresh()
        self.attempts.open_at(QRect(self.shield.mapToGlobal(self.shield.rect().topLeft()), self.shield.size()))

    def _paint(self) -> None:
        models, tokens = self._context.studio.models, self._context.theme.tokens
        info = models.info
        if self._loading:
            words, state, colour = "Model: loading", "loading", tokens.review.solid
        elif info is not None:
            name = "Demo model" if info.is_demo else info.name
            words, state, colour = (
                " · ".join(p for p in (name, self._speed or "ready") if p),
                "ready",
                tokens.allowed.solid,
            )
        elif self._failed:
            words, state, colour = "Model: not loaded", "not loaded", tokens.violates.solid
        else:
            words, state, colour = "Model: not loaded yet", "not loaded", tokens.none.solid
        self.model.setText(words)
        self.model.setIcon(tinted("cube", colour) if state != "ready" else tinted("check-circle", colour))
        self.model.setAccessibleName(f"Model, {state}. Go to Models")
        self.model.setToolTip(f"{words}. Click for the models.")
        count, refused = self._connections, shield.refused()
        closed = "server in use" if info is not None and info.remote else "offline"
        state = "network open" if shield.allowances() else closed
        self.shield.setText(f"{state} · {count}" + (f" · {refused} refused" if refused else ""))
        self.shield.setIcon(icon("shield-check", tokens))
        told = f"{state}, {count} connections now, {shield.opened()} opened and {refused} refused since the start"
        self.shield.setAccessibleName(f"Network shield: {told}")
        self.shield.setToolTip(f"Network {told}. Click for the last attempts.")
        side = self._context.theme.scale.px(SIZE)
        for button in (self.model, self.shield, self.omnibox):
            button.setIconSize(button.iconSize().scaled(side, side, Qt.AspectRatioMode.IgnoreAspectRatio))
