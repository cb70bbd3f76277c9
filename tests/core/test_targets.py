from __future__ import annotations

import pytest

from studio.core.errors import InputError
from studio.core.evaluation import Calibration, Confusion, Figure, FigureSet, Interval, Scores
from studio.core.targets import By, Target, check_targets, parse_targets, targets_from


def scores() -> Scores:
    def figure(name: str, value: float | None, low: float = 0.0, high: float = 1.0) -> Figure:
        return Figure(name, value, 50, None if value is None else Interval(low, high, "Wilson score"), reason="no item")

    nothing = Figure("ece", None, 0, reason="no verdict has a probability")
    binary = FigureSet("", (figure("f1", 0.93, 0.88, 0.96), figure("fpr", 0.03, 0.01, 0.08), figure("precision", None)))
    label = FigureSet("", (figure("recall", 0.9, 0.7, 0.97),), label="SP4")
    empty, matrix = FigureSet("", ()), Confusion((), (), ())
    return Scores(
        total=50,
        unknown=0,
        no_verdict=figure("no_verdict", 0.0, 0.0, 0.07),
        by_status=(),
        binary=FigureSet("", (figure("f1", 1.0, 1.0, 1.0),)),
        binary_strict=binary,
        three_way=FigureSet("", (figure("decision_accuracy", 0.9, 0.8, 0.95),)),
        multi=empty,
        labels=(),
        labels_strict=(label,),
        decisions=matrix,
        label_pairs=matrix,
        calibration=Calibration(0, None, None, (), nothing, nothing),
    )


@pytest.mark.parametrize(
    ("text", "by", "met"),
    [
        ("f1=0.85", By.LOWER, True),
        ("f1=0.9", By.LOWER, False),
        ("f1=0.9", By.POINT, True),
        ("F1 >= 88 %", By.LOWER, True),
        ("fpr=0.05", By.LOWER, False),
        ("fpr<=0.08", By.LOWER, True),
        ("fpr=0.05", By.POINT, True),
        ("recall[sp4]=0.7", By.LOWER, True),
        ("recall[SP9]=0.1", By.POINT, False),
        ("no_verdict=0.1", By.LOWER, True),
        ("decision_accuracy=0.8", By.LOWER, True),
        ("precision=0.1", By.POINT, False),
        ("flip_rate=0.5", By.POINT, False),
        ("ece=0.5", By.POINT, False),
    ],
)
def test_a_target_is_held_against_the_worse_end_or_the_point(text: str, by: By, met: bool) -> None:
    (check,) = check_targets(parse_targets(text), scores(), by=by)
    assert check.met is met
    assert ("not met" in check.words) is not met


def test_a_figure_without_an_interval_meets_no_target_by_its_lower_end() -> None:
    found = scores()
    bare = FigureSet("", (Figure("f1", 1.0, 50, reason="too few different items"),))
    (check,) = check_targets(parse_targets("f1=0.5"), Scores(**{**_fields(found), "binary_strict": bare}))  # type: ignore[arg-type]
    assert not check.met
    assert "too few different items" in check.words


def _fields(found: Scores) -> dict[str, object]:
    return {name: getattr(found, name) for name in Scores.__slots__}


def test_several_targets_are_read_in_order() -> None:
    assert parse_targets("f1=0.9, recall[A, B]=0.95,") == (Target("f1", 0.9), Target("recall", 0.95, "A, B"))
    assert targets_from({"f1": 0.9, "recall[SP4]": 0.95}) == (Target("f1", 0.9), Target("recall", 0.95, "SP4"))
    assert [str(target) for target in parse_targets("fpr=0.1,mcc=0.5")] == ["fpr <= 0.1", "mcc >= 0.5"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("f1", "cannot be read"),
        ("f2=0.5", "no figure"),
        ("exact_match[SP1]=0.5", "no figure"),
        ("f1=high", "no number"),
        ("f1=9", "between 0 and 1"),
        ("f1=nan", "between 0 and 1"),
        ("f1<=0.9", "wrong way"),
        ("fpr>=0.9", "wrong way"),
        ("recall[]=0.5", "cannot be read"),
    ],
)
def test_a_target_that_makes_no_sense_is_refused(text: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        parse_targets(text)
