"""How far the model's probability of "violates" can be trusted: ROC and PR curves, reliability, ECE and Brier score."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from sklearn import metrics  # type: ignore[import-untyped]  # comes without types

from studio.analysis.intervals import Floats, of_mean, share
from studio.core.evaluation import Bin, Calibration, Curve, Figure

BINS = 10
_NONE = "no verdict has a probability"
_ONE_KIND = "only one of the two kinds of examples has a probability"
_MOST_POINTS = 200


def calibrate(pairs: Sequence[tuple[float, bool]]) -> Calibration:
    """From pairs of the probability of "violates" and whether the example really does."""
    if not pairs:
        nothing = Figure("ece", None, 0, reason=_NONE), Figure("brier", None, 0, reason=_NONE)
        return Calibration(0, None, None, (), *nothing, reason=_NONE)
    said = np.array([p for p, _ in pairs], dtype=np.float64)
    true = np.array([violates for _, violates in pairs], dtype=np.bool_)
    both = bool(true.any() and not true.all())
    bins, ece = _reliability(said, true)
    brier = Figure(
        "brier",
        float(metrics.brier_score_loss(true, said, labels=[False, True], scale_by_half=True)),
        len(pairs),
        of_mean((said - true) ** 2),
    )
    return Calibration(
        len(pairs),
        _roc(said, true) if both else None,
        _pr(said, true) if both else None,
        bins,
        ece,
        brier,
        "" if both else _ONE_KIND,
    )


def _roc(said: Floats, true: np.typing.NDArray[np.bool_]) -> Curve:
    fpr, tpr, _ = metrics.roc_curve(true, said)
    area = Figure("roc_auc", float(metrics.roc_auc_score(true, said)), len(said), reason="shown without an interval")
    return Curve(*_thinned(fpr, tpr), area)


def _pr(said: Floats, true: np.typing.NDArray[np.bool_]) -> Curve:
    precision, recall, _ = metrics.precision_recall_curve(true, said)
    value = float(metrics.average_precision_score(true, said))
    area = Figure("average_precision", value, len(said), reason="shown without an interval")
    return Curve(*_thinned(recall[::-1], precision[::-1]), area)


def _reliability(said: Floats, true: np.typing.NDArray[np.bool_]) -> tuple[tuple[Bin, ...], Figure]:
    """Ten bins of equal width, and the expected calibration error over them (Naeini et al., AAAI 2015)."""
    place = np.searchsorted(np.linspace(0, 1, BINS + 1)[1:-1], said)
    bins, gap = [], 0.0
    for n in range(BINS):
        inside = place == n
        if inside.any():
            bins.append(
                Bin(float(said[inside].mean()), share("violates", int(true[inside].sum()), int(inside.sum()), ""))
            )
            gap += abs(float(said[inside].sum() - true[inside].sum()))
    # Resampling a sum of absolute values only ever adds to it: such an interval would not hold the true value.
    ece = Figure("ece", gap / len(said), len(said), reason="shown without an interval: resampling overstates it")
    return tuple(bins), ece


def _thinned(x: Floats, y: Floats) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """At most so many points, the first and last among them: more cannot be seen in a chart."""
    keep = np.unique(np.linspace(0, len(x) - 1, min(len(x), _MOST_POINTS)).astype(int))
    return tuple(map(float, x[keep])), tuple(map(float, y[keep]))
