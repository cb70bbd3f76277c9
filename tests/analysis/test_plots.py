"""Charts are SVG with text as text, the same each time, in the colours asked for, and no name becomes markup."""

from __future__ import annotations

from xml.etree import ElementTree

from studio.analysis import plots
from studio.analysis.comparison import compare
from studio.analysis.scores import score
from studio.core.evaluation import Cell, Confusion
from tests.analysis.making import LABELS, at_random, table


def texts(svg: bytes) -> list[str]:
    return ["".join(node.itertext()) for node in ElementTree.fromstring(svg).iter("{http://www.w3.org/2000/svg}text")]


def test_every_chart_is_svg_with_text_as_text() -> None:
    items = at_random(1, 60)
    found = score(items, LABELS)
    difference = compare(items, at_random(2, 60))
    assert found.calibration.roc is not None
    assert found.calibration.pr is not None
    charts = {
        "Balanced accuracy": plots.intervals(found.binary.figures).svg(),
        "expected": plots.confusion(found.decisions).svg(),
        "false positive rate": plots.roc(found.calibration.roc).svg(),
        "recall": plots.precision_recall(found.calibration.pr).svg(),
        "share that violates": plots.reliability(found.calibration).svg(),
        "after minus before": plots.differences([difference.accuracy, *difference.others]).svg(),
    }
    for word, svg in charts.items():
        assert word in texts(svg)
    assert plots.confusion(found.decisions).svg() == charts["expected"]
    dark = plots.confusion(found.decisions, plots.DARK).svg()
    assert plots.DARK.ink.encode() in dark
    assert plots.LIGHT.ink.encode() not in dark


def test_a_figure_that_cannot_be_told_says_so() -> None:
    assert "cannot be told" in texts(plots.intervals(score(table(0, 0, 0, 3), LABELS).binary.figures).svg())
    assert plots.intervals(()).svg()
    assert plots.confusion(Confusion((), (), ())).svg()


def test_names_are_shown_as_they_are_and_never_as_markup() -> None:
    names = ("<script>alert(1)</script>", "$\\frac{1}{$", "\x00\x1b[31m", "猫" * 50)
    svg = plots.confusion(Confusion(names, names, (Cell(names[0], names[1], ("1",)),))).svg()
    shown = texts(svg)
    assert "$\\frac{1}{$" in shown
    assert "<script>alert(1)</script>" in shown
    assert b"<script" not in svg
