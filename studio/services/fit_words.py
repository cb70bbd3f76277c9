"""Advice of the fit adviser in a few words, the same in the window and on the command line."""

from __future__ import annotations

from studio.core.speed import ANSWER_TOKENS, PROMPT_TOKENS
from studio.services.fit import Advice, Fits, ItemTime

METHOD = (
    "Worked out from a measurement of this machine on random weights of the same shape, for a new prompt of "
    f"{PROMPT_TOKENS} tokens and an answer of {ANSWER_TOKENS}: half of those of the real model were shorter. Once the "
    "policy was read, the next items under it take less. It may be off by a third, more where other programs take the "
    "cores; what the model itself takes replaces it after three runs."
)


def badge(advice: Advice) -> str:
    """What a card says: ``Fits · 14 s per item``."""
    if advice.fits is Fits.UNKNOWN:
        return "Fit not known"
    if advice.fits is Fits.TOO_BIG:
        return f"Needs {gigabytes(advice.missing)} more memory"
    if advice.fits is Fits.NOT_NOW:
        return f"Needs {gigabytes(advice.missing)} more free memory"
    words = "Fits"
    if advice.fits is Fits.CPU_EXPERTS:
        words = f"Fits with {layers(advice.cpu_experts, 'expert layer')} on the CPU"
    elif advice.fits is Fits.CPU_LAYERS:
        words = f"Fits with {layers(advice.layers - advice.layers_on_gpu, 'layer')} on the CPU"
    return f"{words} · {per_item(advice.time)}" if advice.time is not None else words


def per_item(time: ItemTime) -> str:
    """Seconds for one item as people say it."""
    return f"{spoken(time.usual_s)} per item"


def time_words(time: ItemTime) -> str:
    """How long items take, and by what that is known."""
    by = f"measured in {time.runs} runs of this model here" if time.runs else "estimated"
    return (
        f"{spoken(time.usual_s)} for an item with a usual answer, {spoken(time.long_s)} with a long one: it reads "
        f"{_rate(time.read_per_s)} and writes {_rate(time.write_per_s)} tokens a second ({by})."
    )


def spoken(seconds: float) -> str:
    """``under 1 s``, ``3.4 s``, ``14 s``, ``2 min``, ``3 h``."""
    if seconds < 1:
        return "under 1 s"
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.0f} h"


def gigabytes(size: int) -> str:
    """``9 GB``; small amounts with one decimal."""
    return f"{size / 1e9:.0f} GB" if size >= 5e9 else f"{max(size / 1e9, 0.1):.1f} GB"


def layers(count: int, what: str) -> str:
    """``1 layer``, ``12 layers``."""
    return f"{count} {what}{'' if count == 1 else 's'}"


def _rate(value: float) -> str:
    return f"{value:,.0f}" if value >= 10 else f"{value:.1f}"
