"""The report of an evaluation as a PDF: the same words, figures and charts as the page, laid out for paper."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from studio.core.figure_words import figure_name

if TYPE_CHECKING:
    from studio.analysis.pages import Pages
    from studio.analysis.plots import Chart

_LONGEST_ID = 24
_FIGURES = ("Figure", "Value", "95 % interval", "Items", "How, or why not")
_SHARES = (22, -10, -20, -13, 35)
_QUIET, _GOOD, _BAD = "#59636e", "#0a6c74", "#b3401f"


def report_pdf(data: Mapping[str, Any], charts: Mapping[str, Chart]) -> bytes:
    """The report; ``charts`` are those of the page, by name."""
    from studio.analysis.pages import Pages  # matplotlib: not at the start of window and commands

    pages = Pages(data["title"])
    pages.heading(data["title"], size=18)
    made = f"Made {data['made_at']} with Moderation Studio {data['studio_version']}. {data['note']}"
    pages.paragraph(made, colour=_QUIET)
    _in_short(pages, data)
    pages.heading("What was tested")
    tested = [(_words(name), "–" if value is None else str(value)) for name, value in data["provenance"].items()]
    pages.table(("", ""), tested, (28, 72))
    _scores(pages, data, charts)
    if data["thresholds"]:
        pages.heading("Where automatic decisions may begin")
        for line in data["thresholds"]["words"]:
            pages.paragraph(line)
    if data["stability"]:
        _stability(pages, data["stability"])
    if data["comparison"]:
        _comparison(pages, data["comparison"], charts)
    _clusters(pages, data["clusters"])
    pages.heading("What the figures say")
    pages.table(("", ""), [(said["name"], said["meaning"]) for said in data["figures"].values()], (28, 72))
    return pages.written()


def _in_short(pages: Pages, data: Mapping[str, Any]) -> None:
    pages.heading("In short")
    for line in data["summary"]:
        pages.paragraph(f"•  {line}")
    if data["targets"]:
        how = "by the worse end of each interval" if data["targets_by"] == "lower" else "by the figures themselves"
        said = "all met" if data["met"] else "not met"
        pages.paragraph(f"Targets, {how}: {said}.", colour=_GOOD if data["met"] else _BAD, bold=True)
        for check in data["targets"]:
            mark, colour = ("✓", _GOOD) if check["met"] else ("✗", _BAD)
            pages.paragraph(f"{mark}  {check['words']}", colour=colour)


def _scores(pages: Pages, data: Mapping[str, Any], charts: Mapping[str, Chart]) -> None:
    scores = data["scores"]
    pages.heading("Scores")
    pages.paragraph(
        "An interval holds the true value in 19 of 20 such tests. “Violates” is told from the rest; “needs review” "
        "belongs to the rest."
    )
    pages.chart(charts["intervals"])
    for key in ("binary", "binary_strict", "three_way", *(("multi",) if data["labelled"] else ())):
        _figures(pages, _words(scores[key]["name"]), scores[key]["figures"])
    _figures(pages, "no verdict", [scores["no_verdict"], *scores["by_status"]])
    for group in scores["labels"] if data["labelled"] else ():
        name = group["label"] if group["name"] == group["label"] else f"{group['label']} {group['name']}"
        _figures(pages, f"label {name}", group["figures"])
    pages.heading("What was taken for what")
    for name in ("decisions", "label_pairs"):
        if name in charts:
            pages.chart(charts[name])
    calibration = scores["calibration"]
    pages.heading("How far the probability can be trusted")
    if calibration["reason"]:
        pages.paragraph(f"{calibration['reason'].capitalize()}.")
    for name in ("reliability", "roc", "pr"):
        if name in charts:
            pages.chart(charts[name])
    _figures(pages, "", [calibration["ece"], calibration["brier"]])


def _stability(pages: Pages, found: Mapping[str, Any]) -> None:
    pages.heading("How steady it is")
    pages.paragraph(
        f"{found['repeats']} repeats of each example; their majority is scored, and a tie asks for a person "
        f"({found['ties']})."
    )
    _figures(pages, "", [found["changed"], found["flip_rate"]])
    for item in found["unsteady"]:
        pages.paragraph(f"{item['id']}: " + ", ".join(f"{_words(name)} {count}" for name, count in item["outcomes"]))


def _comparison(pages: Pages, found: Mapping[str, Any], charts: Mapping[str, Chart]) -> None:
    pages.heading(f"Compared with {found['with']}")
    pages.paragraph(found["words"], bold=True)
    pages.paragraph(f"McNemar's exact test on {found['n']} examples; a non-verdict is not right.")
    pages.chart(charts["differences"])
    rows = [
        (figure_name(item["name"]), _number(item["before"]["value"]), _number(item["after"]["value"]),
         _number(item["value"]), _interval(item["interval"]), _number(item["p"]))
        for item in found["differences"]
    ]  # fmt: skip
    pages.table(("Figure", "Before", "After", "Difference", "95 % interval", "p"), rows, (26, -12, -12, -14, -24, -12))
    for title, key in (
        ("Got better", "got_better"),
        ("Got worse", "got_worse"),
        ("Wrong on both sides, but otherwise", "both_wrong"),
    ):
        if found[key]:
            pages.heading(f"{title} ({len(found[key])})", size=11)
            head = ("Example", "Expected", "Before", "After")
            pages.table(head, [_flip(flip) for flip in found[key]], (30, 12, 29, 29))


def _flip(flip: Mapping[str, Any]) -> tuple[str, ...]:
    def below(first: str, text: str) -> str:
        return f"{first}\n{text}" if text else first

    return (
        below(_named(flip), flip["content"]),
        _words(flip["expected"]),
        below(_words(flip["before"]), flip["before_reasoning"]),
        below(_words(flip["after"]), flip["after_reasoning"]),
    )


def _named(example: Mapping[str, Any]) -> str:
    """The example's id where a person gave it one, else where it came from."""
    return str(example["id"] if len(example["id"]) <= _LONGEST_ID or not example["origin"] else example["origin"])


def _clusters(pages: Pages, clusters: Sequence[Mapping[str, Any]]) -> None:
    pages.heading("Failures, in clusters")
    if not clusters:
        pages.paragraph("None.")
    for found in clusters:
        title = f"{_words(found['expected'])} was taken for {_words(found['got'])}: {len(found['ids'])}"
        pages.heading(title, size=11)
        if found["tags"]:
            pages.paragraph("Tags: " + ", ".join(f"{tag} ({count})" for tag, count in found["tags"]), colour=_QUIET)
        if any("content" in example for example in found["examples"]):
            rows = [(_named(one), one["content"], one["reasoning"]) for one in found["examples"]]
            pages.table(("Example", "Content", "Reasoning"), rows, (20, 35, 45))
        else:
            pages.paragraph("; ".join(_named(one) for one in found["examples"]))


def _figures(pages: Pages, title: str, figures: Sequence[Mapping[str, Any]]) -> None:
    if title:
        pages.paragraph(title[:1].upper() + title[1:], bold=True)
    rows = [
        (
            figure_name(figure["name"]),
            _number(figure["value"]),
            _interval(figure["interval"]),
            f"{figure['k']} of {figure['n']}" if figure["k"] is not None else str(figure["n"]),
            figure["interval"]["method"] if figure["interval"] else figure["reason"],
        )
        for figure in figures
    ]
    pages.table(_FIGURES, rows, _SHARES)


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def _interval(interval: Mapping[str, Any] | None) -> str:
    return "–" if interval is None else f"{interval['low']:.3f} to {interval['high']:.3f}"


def _words(name: str) -> str:
    return name.replace("_", " ")
