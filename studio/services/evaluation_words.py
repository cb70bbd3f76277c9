"""What thresholds for automatic decisions do and promise, in sentences for window, terminal and report."""

from __future__ import annotations

from studio.core.evaluation import Figure, Threshold, Thresholds

NOT_HELD_OUT = (
    "These are not held-out examples alone: the policy may have been written with them. The promise holds only for "
    "thresholds that are found on the held-out part."
)


def thresholds_words(found: Thresholds) -> tuple[str, ...]:
    """What the thresholds do and promise, a paragraph each."""
    shares = (
        (found.auto_allowed, "are allowed"),
        (found.auto_flagged, "are flagged"),
        (found.to_review, "go to a person"),
    )
    return (
        _threshold("Allowed by itself below", found.allow),
        _threshold("Flagged by itself above", found.flag),
        "Of all examples " + ", ".join(f"{_share(figure)} {what}" for figure, what in shares) + ".",
        found.assumption,
    )


def _threshold(what: str, found: Threshold) -> str:
    if found.at is None:
        return f"{what}: nothing. {found.reason}"
    return f"{what} a probability of {found.at:.3f}. {found.promise}"


def _share(figure: Figure) -> str:
    return "–" if figure.value is None else f"{100 * figure.value:.1f} %"
