"""Figures of two classes and of confusion tables, from counts; what is resampled works on many tables at once."""

from __future__ import annotations

import numpy as np

from studio.analysis.intervals import Floats, f1_interval, mean_of_shares, of_table, share
from studio.core.evaluation import Figure, FigureSet

NO_POSITIVES = "no example is expected to be one"
NO_NEGATIVES = "no example is expected to be none"
NOTHING_FOUND = "nothing was found to be one"
NO_ITEMS = "no example was judged"
ONE_CLASS = "all examples were expected or judged alike, so agreement beyond chance cannot be told"
RESAMPLING = "too few different items to resample"


def two_classes(name: str, tp: int, fp: int, fn: int, tn: int, *, label: str = "") -> FigureSet:
    """All figures of a table with two classes; every share with its Wilson interval, None where it does not exist."""
    n = tp + fp + fn + tn
    recall = share("recall", tp, tp + fn, NO_POSITIVES)
    specificity = share("specificity", tn, fp + tn, NO_NEGATIVES)
    figures = (
        share("accuracy", tp + tn, n, NO_ITEMS),
        share("precision", tp, tp + fp, NOTHING_FOUND),
        recall,
        specificity,
        _f1(tp, fp + fn),
        share("fpr", fp, fp + tn, NO_NEGATIVES),
        share("fnr", fn, tp + fn, NO_POSITIVES),
        _balanced(recall, specificity, n),
        table_figure("mcc", [tp, fp, fn, tn], 2),
        table_figure("kappa", [tp, fp, fn, tn], 2),
    )
    return FigureSet(name, figures, label, tp, fp, fn, tn)


def table_figure(name: str, counts: list[int], size: int) -> Figure:
    """``mcc`` or ``kappa`` of a flat ``size`` x ``size`` table, with its interval."""
    statistic = {"mcc": mcc, "kappa": kappa}[name]
    table = np.array(counts, dtype=np.float64)
    n = int(table.sum())
    value = float(statistic(table[None, :])[0]) if n else float("nan")
    if not np.isfinite(value):
        return Figure(name, None, n, reason=ONE_CLASS if n else NO_ITEMS)
    interval = of_table(table, statistic)
    return Figure(name, value, n, interval, reason="" if interval else RESAMPLING)


def mcc(tables: Floats) -> Floats:
    """Matthews correlation of flat square tables, shape (tables, cells). Gorodkin, Comput. Biol. Chem. 2004."""
    square = _square(tables)
    right, n = np.trace(square, axis1=1, axis2=2), square.sum(axis=(1, 2))
    true, got = square.sum(axis=2), square.sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        below = np.sqrt(n**2 - (got**2).sum(axis=1)) * np.sqrt(n**2 - (true**2).sum(axis=1))
        return _or_nan((right * n - (true * got).sum(axis=1)) / np.where(below > 0, below, np.nan))


def kappa(tables: Floats) -> Floats:
    """Cohen's kappa of flat square tables, shape (tables, cells). Cohen, Educ. Psychol. Meas. 1960."""
    square = _square(tables)
    n = square.sum(axis=(1, 2))
    with np.errstate(invalid="ignore", divide="ignore"):
        agree = np.trace(square, axis1=1, axis2=2) / n
        chance = (square.sum(axis=2) * square.sum(axis=1)).sum(axis=1) / n**2
        return _or_nan((agree - chance) / np.where(chance < 1, 1 - chance, np.nan))


def f1_of(tp: Floats, fp: Floats, fn: Floats) -> Floats:
    """F1 from counts; nan where there is nothing to find and nothing was found."""
    below = 2 * tp + fp + fn
    with np.errstate(invalid="ignore", divide="ignore"):
        return _or_nan(2 * tp / np.where(below > 0, below, np.nan))


def _f1(tp: int, wrong: int) -> Figure:
    if tp + wrong == 0:
        return Figure("f1", None, 0, reason="nothing was to be found and nothing was found")
    return Figure("f1", 2 * tp / (2 * tp + wrong), tp + wrong, f1_interval(tp, wrong))


def _balanced(recall: Figure, specificity: Figure, n: int) -> Figure:
    if recall.value is None or specificity.value is None:
        return Figure("balanced_accuracy", None, n, reason=recall.reason or specificity.reason)
    value = (recall.value + specificity.value) / 2
    return Figure("balanced_accuracy", value, n, mean_of_shares(recall, specificity))


def _square(tables: Floats) -> Floats:
    size = int(round(tables.shape[1] ** 0.5))
    return tables.reshape(-1, size, size)


def _or_nan(values: Floats) -> Floats:
    return np.where(np.isfinite(values), values, np.nan)
