"""The charts of an evaluation as SVG, from the one plotting module, in the window's own colours."""

from __future__ import annotations

import re
from collections.abc import Mapping

from studio.core.evaluation import Comparison, Scores

_FONT = re.compile(r"font: ([\d.]+)px [^;\"]*")


def charts(scores: Scores, comparison: Comparison | None, colours: Mapping[str, str]) -> dict[str, bytes]:
    """The charts that can be drawn, by their title. ``colours`` are those of ``Palette``, by name."""
    from studio.analysis import plots  # matplotlib: not at the start of window and commands

    palette = plots.Palette(**colours)
    found = {}
    if comparison is not None:
        parts = [comparison.accuracy, comparison.over_verdicts, *comparison.others]
        found["What changed"] = plots.differences(parts, palette).svg()
    found["Figures with their intervals"] = plots.intervals(scores.binary.figures, palette).svg()
    calibration = scores.calibration
    if calibration.bins:
        found["Is the confidence right?"] = plots.reliability(calibration, palette).svg()
    if calibration.roc is not None and calibration.pr is not None:
        found["ROC curve"] = plots.roc(calibration.roc, palette).svg()
        found["Precision and recall"] = plots.precision_recall(calibration.pr, palette).svg()
    return {name: _for_qt(svg) for name, svg in found.items()}


def _for_qt(svg: bytes) -> bytes:
    """Qt's renderer does not know the short form of ``font``."""
    return _FONT.sub(r"font-size: \1px; font-family: sans-serif", svg.decode()).encode()
