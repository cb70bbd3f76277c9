"""Pages of a printed report: headings, paragraphs, tables and charts flow onto A4, written as one PDF.

Text stays text, so that it can be searched and copied. What is given is written as it is: nothing in it is markup.
"""

from __future__ import annotations

import threading
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from io import BytesIO
from typing import Any

import matplotlib
from matplotlib import font_manager
from matplotlib.backends.backend_agg import RendererAgg
from matplotlib.backends.backend_pdf import FigureCanvasPdf, PdfPages
from matplotlib.figure import Figure as Page
from matplotlib.font_manager import FontProperties
from matplotlib.lines import Line2D

from studio.analysis.plots import LIGHT, LOCK, Chart

_WIDTH, _HEIGHT, _MARGIN = 595.0, 842.0, 54.0
_INSIDE = _WIDTH - 2 * _MARGIN
_POINTS = 72.0
_LEADING = 1.35
_GAP = 8.0
_MOST_PER_SIZE = 5
# The first is matplotlib's own; the others lend the letters that it lacks, where the machine has them.
_FAMILIES = (
    "DejaVu Sans", "Noto Sans", "Noto Sans CJK SC", "Noto Sans CJK JP", "Noto Sans Arabic", "Noto Sans Devanagari",
    "PingFang SC", "Hiragino Sans", "Microsoft YaHei", "Malgun Gothic", "Arial Unicode MS", "Noto Emoji",
)  # fmt: skip
_measuring = threading.local()


class Pages:
    """Pages that fill from the top; each part begins where the one before ended."""

    def __init__(self, title: str) -> None:
        self._title = title
        self._parts: list[Callable[[], None]] = []
        self._pages: list[Page] = []
        self._y = 0.0

    def heading(self, text: str, *, size: float = 13) -> None:
        """A heading, kept with what follows."""
        self._parts.append(lambda: self._heading(text, size))

    def paragraph(self, text: str, *, colour: str = LIGHT.ink, size: float = 9.5, bold: bool = False) -> None:
        """A paragraph, with its own line breaks kept."""
        self._parts.append(lambda: self._lines(_wrapped(text, _INSIDE, size, bold), size, colour, bold))

    def table(self, head: Sequence[str], rows: Sequence[Sequence[str]], shares: Sequence[float]) -> None:
        """A table whose columns have these shares of the width; a row that is longer than a page goes on in the next.

        A share below 0 is a column of numbers, which stand on the right.
        """
        self._parts.append(lambda: self._table(head, rows, shares))

    def chart(self, chart: Chart) -> None:
        """A chart at its own size, or as wide as the page where it is wider."""
        self._parts.append(lambda: self._chart(chart))

    def written(self) -> bytes:
        """All pages as a PDF."""
        file = BytesIO()
        with LOCK, _settings():
            self._pages, self._y = [], 0.0
            for part in self._parts:
                part()
            about = {"Title": self._title, "Creator": "Moderation Studio", "CreationDate": None}
            with PdfPages(file, metadata=about) as pdf:
                for number, page in enumerate(self._pages, 1):
                    foot = f"{number} of {len(self._pages)}"
                    _write(page, foot, _WIDTH - _MARGIN, 30, 8, LIGHT.quiet, right=True)
                    pdf.savefig(page)
        return file.getvalue()

    @property
    def _page(self) -> Page:
        return self._pages[-1]

    def _room(self, wanted: float) -> None:
        """A new page where this much does not fit any more."""
        if not self._pages or self._y - wanted < _MARGIN:
            page = Page(figsize=(_WIDTH / _POINTS, _HEIGHT / _POINTS), facecolor="white")
            FigureCanvasPdf(page)
            self._pages.append(page)
            self._y = _HEIGHT - _MARGIN

    def _heading(self, text: str, size: float) -> None:
        self._room(6 * size * _LEADING)
        self._y -= size
        self._lines(_wrapped(text, _INSIDE, size, bold=True), size, LIGHT.ink, bold=True)

    def _lines(self, lines: Sequence[str], size: float, colour: str, bold: bool) -> None:
        if bold:
            self._room(5 * size * _LEADING)  # a title stays with what follows
        for line in lines:
            self._room(size * _LEADING)
            self._y -= size * _LEADING
            _write(self._page, line, _MARGIN, self._y, size, colour, bold=bold)
        self._y -= _GAP / 2

    def _table(self, head: Sequence[str], rows: Sequence[Sequence[str]], shares: Sequence[float]) -> None:
        size = 8.0
        whole = sum(map(abs, shares))
        widths = [_INSIDE * abs(share) / whole for share in shares]
        titled = [(head, LIGHT.quiet)] if any(head) else []
        for cells, colour in [*titled, *((row, LIGHT.ink) for row in rows)]:
            columns = [
                _wrapped(cell, width - _GAP, size, bold=False) for cell, width in zip(cells, widths, strict=True)
            ]
            self._row(columns, widths, [share < 0 for share in shares], size, colour)
        self._y -= _GAP

    def _row(
        self, columns: Sequence[list[str]], widths: Sequence[float], numbers: Sequence[bool], size: float, colour: str
    ) -> None:
        lines = max(map(len, columns), default=0)
        # A short row stays whole.
        self._room(min(lines, 12) * size * _LEADING + 4)
        for line in range(lines):
            self._room(size * _LEADING + 4)
            self._y -= size * _LEADING
            x = _MARGIN
            for texts, width, number in zip(columns, widths, numbers, strict=True):
                if line < len(texts):
                    place = x + width - _GAP if number else x
                    _write(self._page, texts[line], place, self._y, size, colour, right=number)
                x += width
        self._y -= 4
        across = [_MARGIN / _WIDTH, 1 - _MARGIN / _WIDTH]
        self._page.add_artist(Line2D(across, [self._y / _HEIGHT] * 2, color=LIGHT.line, linewidth=0.5))

    def _chart(self, chart: Chart) -> None:
        width, height = (side * _POINTS for side in chart.size)
        scale = min(1.0, _INSIDE / width, (_HEIGHT - 2 * _MARGIN) / height)
        width, height = width * scale, height * scale
        self._room(height + _GAP)
        self._y -= height
        # Names of rows stand left of the axes, those of columns below: room is left for both.
        left, below = min(130.0, 0.3 * width), min(64.0, 0.28 * height)
        place = (_MARGIN + left, self._y + below, width - left - _GAP, height - below - _GAP)
        axes = self._page.add_axes(
            (place[0] / _WIDTH, place[1] / _HEIGHT, place[2] / _WIDTH, place[3] / _HEIGHT), facecolor="none"
        )
        chart.draw_on(axes)
        self._y -= _GAP


def _write(
    page: Page, text: str, x: float, y: float, size: float, colour: str, *, bold: bool = False, right: bool = False
) -> None:
    if text:
        page.text(
            x / _WIDTH, y / _HEIGHT, text, fontsize=size, color=colour, ha="right" if right else "left", va="baseline",
            fontweight="bold" if bold else "normal", parse_math=False,
        )  # fmt: skip


def _wrapped(text: str, width: float, size: float, bold: bool) -> list[str]:
    """The text in lines no wider than ``width``; a word that is wider is cut."""
    lines = []
    for given in _plain(text).split("\n"):
        line, long = "", 0.0
        for word in _words(given, width, size, bold):
            wide = _wide(word, size, bold)
            if line and long + wide > width:
                lines.append(line.rstrip())
                line, long = "", 0.0
                word = word.lstrip()
                wide = _wide(word, size, bold)
            line, long = line + word, long + wide
        lines.append(line.rstrip())
    return lines


def _words(line: str, width: float, size: float, bold: bool) -> Iterator[str]:
    """The words of a line, each with the space before it, and words too wide for a line in pieces."""
    # No more is measured at once than a line can hold of narrow letters: some scripts write a page without a space.
    most = int(_MOST_PER_SIZE * width / size) + 1
    for number, word in enumerate(line.split(" ")):
        whole = word if number == 0 else f" {word}"
        while len(whole) > most or (len(whole) > 1 and _wide(whole, size, bold) > width):
            piece = whole[:most]
            wide = _wide(piece, size, bold)
            fits = len(piece) if wide <= width else max(1, int(len(piece) * width / wide))
            while fits > 1 and _wide(piece[:fits], size, bold) > width:
                fits -= 1
            yield piece[:fits]
            whole = whole[fits:]
        yield whole


def _plain(text: str) -> str:
    """What can be written: line breaks of one kind, and of what has no look a sign that something is there."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").replace("\t", "    ")
    return "".join(char if char == "\n" or char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in lines)


@lru_cache(maxsize=50_000)
def _wide(text: str, size: float, bold: bool) -> float:
    renderer = getattr(_measuring, "renderer", None)
    if renderer is None:
        renderer = _measuring.renderer = RendererAgg(8, 8, _POINTS)  # type: ignore[no-untyped-call]  # comes without types
    font = FontProperties(family=_families(), size=size, weight="bold" if bold else "normal")
    return float(renderer.get_text_width_height_descent(text, font, False)[0])


@lru_cache(maxsize=1)
def _families() -> list[str]:
    known = set(font_manager.get_font_names())
    return [name for name in _FAMILIES if name in known]


@contextmanager
def _settings() -> Iterator[None]:
    chosen: Any = {
        "pdf.fonttype": 42,  # whole letters, that can be searched and copied
        "text.parse_math": False,
        "font.family": _families(),
        "font.size": 8,
        "text.color": LIGHT.ink,
        "axes.labelcolor": LIGHT.quiet,
        "axes.edgecolor": LIGHT.line,
        "axes.axisbelow": True,
        "xtick.color": LIGHT.quiet,
        "ytick.color": LIGHT.quiet,
    }
    with matplotlib.rc_context(chosen), warnings.catch_warnings():
        # A letter that no font of this machine has is drawn as a box.
        warnings.filterwarnings("ignore", message="Glyph")
        yield
