"""The colours by name, light and dark. No Qt here: only names and hex values."""

from __future__ import annotations

from dataclasses import dataclass

from studio.core.labels import Decision


@dataclass(frozen=True, slots=True)
class Tone:
    """The colours of one decision.

    ``solid`` with ``on_solid`` is the large pill; ``soft`` with ``text`` the small one and everything written in that
    colour. ``solid`` stands on every surface as a shape.
    """

    solid: str
    on_solid: str
    soft: str
    text: str


@dataclass(frozen=True, slots=True)
class Tokens:
    """One set of colours. ``line`` only parts things; ``line_strong`` draws what can be operated."""

    window: str
    surface: str
    raised: str
    sunken: str
    line: str
    line_strong: str
    text: str
    text_quiet: str
    text_disabled: str
    accent: str
    accent_hover: str
    on_accent: str
    accent_soft: str
    current_line: str
    found: str
    ours: str
    control: str
    tip: str
    on_tip: str
    allowed: Tone
    violates: Tone
    review: Tone
    none: Tone

    def tone(self, decision: Decision | None) -> Tone:
        """The colours of a decision; None is "no verdict"."""
        if decision is Decision.ALLOWED:
            return self.allowed
        if decision is Decision.VIOLATES:
            return self.violates
        if decision is Decision.NEEDS_REVIEW:
            return self.review
        return self.none


LIGHT = Tokens(
    window="#f4f5f7",
    surface="#ffffff",
    raised="#ffffff",
    sunken="#eceef2",
    line="#dde0e6",
    line_strong="#858c99",
    text="#1a1d23",
    text_quiet="#545c6a",
    text_disabled="#9aa1ad",
    accent="#3b55c9",
    accent_hover="#2f46ae",
    on_accent="#ffffff",
    accent_soft="#e3e8fb",
    current_line="#f6f7fa",
    found="#ffe9a8",
    ours="#e9edfc",
    control="#e4e7ec",
    tip="#23272f",
    on_tip="#f2f4f7",
    allowed=Tone("#0b7d77", "#ffffff", "#dcf2ef", "#075e59"),
    violates=Tone("#c2410c", "#ffffff", "#fde7dd", "#9a3206"),
    review=Tone("#b57a00", "#1c1300", "#fcefcf", "#6f4a00"),
    none=Tone("#5d6573", "#ffffff", "#e9ebef", "#4a515d"),
)

DARK = Tokens(
    window="#14161a",
    surface="#1b1e24",
    raised="#252931",
    sunken="#101216",
    line="#2e333c",
    line_strong="#757d8c",
    text="#e8ebf0",
    text_quiet="#a6aebb",
    text_disabled="#626a77",
    accent="#93a8ff",
    accent_hover="#adbdff",
    on_accent="#10142b",
    accent_soft="#2a3257",
    current_line="#20242b",
    found="#5c4a12",
    ours="#252c4a",
    control="#31363f",
    tip="#e8ebf0",
    on_tip="#1b1e24",
    allowed=Tone("#3fc4b6", "#04221f", "#12342f", "#6fdccf"),
    violates=Tone("#ff8f63", "#351300", "#43210f", "#ffab88"),
    review=Tone("#efb83c", "#2b1f00", "#3a2e11", "#f5cc6b"),
    none=Tone("#a6aebb", "#15181d", "#2c313a", "#bcc3cf"),
)
