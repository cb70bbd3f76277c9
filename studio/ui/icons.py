"""Icons by name, from one family (Phosphor), in the theme's colours."""

from __future__ import annotations

from functools import lru_cache

import qtawesome  # type: ignore[import-untyped]  # ships no types
from PySide6.QtGui import QIcon

from studio.ui.tokens import Tokens

SIZE, LARGE = 16, 20
"""The two icon sizes, in pixels at the normal font size."""


def icon(name: str, tokens: Tokens, *, on_accent: bool = False) -> QIcon:
    """The icon of that Phosphor name. ``on_accent`` is for filled buttons."""
    if on_accent:
        return _icon(name, tokens.on_accent, tokens.text_disabled, tokens.on_accent)
    return _icon(name, tokens.text_quiet, tokens.text_disabled, tokens.accent)


def tinted(name: str, colour: str) -> QIcon:
    """The icon in one colour."""
    return _icon(name, colour, colour, colour)


@lru_cache(maxsize=512)
def _icon(name: str, colour: str, disabled: str, on: str) -> QIcon:
    return QIcon(qtawesome.icon(f"ph.{name}", color=colour, color_disabled=disabled, color_on=on, color_active=colour))
