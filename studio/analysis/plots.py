"""The charts, drawn in one place for window and reports: as SVG with text as text or onto a page, always the same."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure as Canvas

from studio.core.evaluation import Calibration, Confusion, Curve, Difference, Figure
from studio.core.figure_words import figure_name

LOCK = threading.Lock()  # matplotlib's settings belong to the whole process
_MOST_NAMES = 24
_LONGEST_NAME = 28


@dataclass(frozen=True, slots=True)
class Palette:
    """The colours of a chart. Each is used for one purpose only, so that a page may put its own in their place."""

    ink: str
    quiet: str
    line: str
    accent: str
    wrong: str
    surface: str


LIGHT = Palette("#1b1f24", "#59636e", "#d0d7df", "#0a6c74", "#b3401f", "#fdfdfe")
DARK = Palette("#e8ebef", "#a3adb8", "#3a424c", "#4fc3cc", "#ff9a72", "#15181c")


@dataclass(frozen=True, slots=True)
class Chart:
    """One chart: what draws it, in which colours, and its size in inches."""

    name: str
    draw: Callable[[Axes], None]
    palette: Palette
    size: tuple[float, float]

    def svg(self) -> bytes:
        """As SVG; the same input gives the same bytes."""
        with LOCK, _settings(self.name, self.palette), warnings.catch_warnings():
            # Of names without room or glyphs a crowded chart is made; the tables beside it hold them whole.
            warnings.simplefilter("ignore", UserWarning)
            canvas = Canvas(figsize=self.size, layout="tight")
            FigureCanvasSVG(canvas)
            self.draw_on(canvas.add_subplot())
            written = BytesIO()
            canvas.savefig(written, format="svg", metadata={"Date": None, "Creator": None}, transparent=True)
        return written.getvalue()

    def draw_on(self, axes: Axes) -> None:
        """Onto axes of a page, in the settings that are in force."""
        self.draw(axes)
        for side in ("top", "right"):
            axes.spines[side].set_visible(False)


def intervals(figures: Sequence[Figure], palette: Palette = LIGHT) -> Chart:
    """Each figure as a point with its interval as a bar, from 0 to 1; those without a value say so."""

    def draw(axes: Axes) -> None:
        for row, figure in enumerate(figures):
            if figure.value is None:
                axes.text(0.01, row, "cannot be told", color=palette.quiet, va="center")
                continue
            if figure.interval is not None:
                ends = [figure.interval.low, figure.interval.high]
                axes.plot(ends, [row, row], color=palette.accent, linewidth=5, alpha=0.35, solid_capstyle="butt")
            axes.plot([figure.value], [row], "o", color=palette.accent, markersize=6)
        lowest = min((f.interval.low for f in figures if f.interval), default=0.0)
        axes.set_xlim(min(0.0, lowest) - 0.02, 1.02)
        axes.set_ylim(max(1, len(figures)) - 0.5, -0.5)
        axes.set_yticks(range(len(figures)), [figure_name(figure.name) for figure in figures])
        axes.grid(axis="x", color=palette.line, linewidth=0.8)

    return Chart("intervals", draw, palette, (6.4, 0.6 + 0.32 * max(1, len(figures))))


def differences(found: Sequence[Difference], palette: Palette = LIGHT) -> Chart:
    """Each difference as a point with its interval around the line of no difference."""
    shown = [difference for difference in found if difference.value is not None]

    def draw(axes: Axes) -> None:
        axes.axvline(0, color=palette.quiet, linewidth=1)
        for row, difference in enumerate(shown):
            assert difference.value is not None
            colour = palette.wrong if difference.value < 0 else palette.accent
            if difference.interval is not None:
                ends = [difference.interval.low, difference.interval.high]
                axes.plot(ends, [row, row], color=colour, linewidth=5, alpha=0.35, solid_capstyle="butt")
            axes.plot([difference.value], [row], "o", color=colour, markersize=6)
        axes.set_ylim(max(1, len(shown)) - 0.5, -0.5)
        axes.set_yticks(range(len(shown)), [figure_name(difference.name) for difference in shown])
        axes.set_xlabel("after minus before")
        axes.grid(axis="x", color=palette.line, linewidth=0.8)

    return Chart("differences", draw, palette, (6.4, 0.9 + 0.32 * max(1, len(shown))))


def confusion(matrix: Confusion, palette: Palette = LIGHT) -> Chart:
    """The matrix as a heat table: darker is more of its row; at most so many rows and columns."""
    rows, columns = matrix.rows[:_MOST_NAMES], matrix.columns[:_MOST_NAMES]

    def draw(axes: Axes) -> None:
        for y, row in enumerate(rows):
            counts = [len(matrix.ids(row, column)) for column in columns]
            for x, count in enumerate(counts):
                share = count / max(1, sum(counts))
                colour = palette.accent if row == columns[x] else palette.wrong
                axes.fill([x - 0.48, x + 0.48, x + 0.48, x - 0.48], [y - 0.48, y - 0.48, y + 0.48, y + 0.48],
                          color=colour, alpha=0.06 + 0.5 * share if count else 0.03, linewidth=0)  # fmt: skip
                axes.text(x, y, str(count) if count else "·", color=palette.ink, ha="center", va="center")
        axes.set_xlim(-0.5, max(1, len(columns)) - 0.5)
        axes.set_ylim(max(1, len(rows)) - 0.5, -0.5)
        axes.set_xticks(range(len(columns)), [_short(name) for name in columns], rotation=30, ha="right")
        axes.set_yticks(range(len(rows)), [_short(name) for name in rows])
        axes.set_xlabel("got")
        axes.set_ylabel("expected")

    return Chart("confusion", draw, palette, (1.8 + 0.8 * max(2, len(columns)), 1.4 + 0.45 * max(1, len(rows))))


def roc(curve: Curve, palette: Palette = LIGHT) -> Chart:
    """The ROC curve with the line of chance."""

    def draw(axes: Axes) -> None:
        axes.plot([0, 1], [0, 1], color=palette.line, linewidth=1)
        axes.plot(curve.x, curve.y, color=palette.accent, linewidth=2)
        _unit(axes, "false positive rate", f"true positive rate (area {curve.area.value:.3f})", palette)

    return Chart("roc", draw, palette, (3.6, 3.4))


def precision_recall(curve: Curve, palette: Palette = LIGHT) -> Chart:
    """The precision-recall curve."""

    def draw(axes: Axes) -> None:
        axes.plot(curve.x, curve.y, color=palette.accent, linewidth=2)
        _unit(axes, "recall", f"precision (average {curve.area.value:.3f})", palette)

    return Chart("precision-recall", draw, palette, (3.6, 3.4))


def reliability(found: Calibration, palette: Palette = LIGHT) -> Chart:
    """What the model said against what was true, in bins with their intervals; on the diagonal it is calibrated."""

    def draw(axes: Axes) -> None:
        axes.plot([0, 1], [0, 1], color=palette.line, linewidth=1)
        for item in found.bins:
            if item.true.value is None or item.true.interval is None:
                continue
            ends = [item.true.interval.low, item.true.interval.high]
            axes.plot([item.said, item.said], ends, color=palette.accent, linewidth=4, alpha=0.35)
            axes.plot([item.said], [item.true.value], "o", color=palette.accent, markersize=5)
        _unit(axes, "probability of violating, as said", "share that violates", palette)

    return Chart("reliability", draw, palette, (3.6, 3.4))


def _unit(axes: Axes, x: str, y: str, palette: Palette) -> None:
    axes.set_xlim(-0.02, 1.02)
    axes.set_ylim(-0.02, 1.02)
    axes.set_xlabel(x)
    axes.set_ylabel(y)
    axes.grid(color=palette.line, linewidth=0.6)


def _short(name: str) -> str:
    line = "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in " ".join(name.split()))
    return line if len(line) <= _LONGEST_NAME else line[: _LONGEST_NAME - 1] + "…"


@contextmanager
def _settings(name: str, palette: Palette) -> Iterator[None]:
    chosen: Any = {
        "svg.fonttype": "none",
        # The ids inside depend on this alone, and differ between the charts of one page.
        "svg.hashsalt": f"moderation-studio {name}",
        "text.parse_math": False,
        "font.family": "sans-serif",
        "font.size": 9,
        "text.color": palette.ink,
        "axes.labelcolor": palette.quiet,
        "axes.edgecolor": palette.line,
        "axes.axisbelow": True,
        "xtick.color": palette.quiet,
        "ytick.color": palette.quiet,
        "figure.facecolor": "none",
        "axes.facecolor": "none",
    }
    with matplotlib.rc_context(chosen), warnings.catch_warnings():
        # A letter that matplotlib's own font lacks is only measured with it; the reader's fonts show it.
        warnings.filterwarnings("ignore", message="Glyph")
        yield
