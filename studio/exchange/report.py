"""A report of an evaluation as one HTML file that asks for nothing, and the same figures as JSON, CSV and JUnit XML."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

Report = Mapping[str, Any]
"""The report as plain JSON values; ``studio.services.evaluation_report`` says what is in it."""

COLUMNS = ("group", "label", "figure", "value", "low", "high", "k", "n", "method", "reason")
_PROLOG = re.compile(r"\A.*?(?=<svg\b)|<metadata>.*?</metadata>", re.DOTALL)
_NAMESPACE = re.compile(r'\s(?:xmlns(?::\w+)?|version)="[^"]*"')
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def report_html(
    report: Report, charts: Mapping[str, bytes], colours: Mapping[str, str], called: Callable[[str], str]
) -> str:
    """The report as one HTML page. ``charts`` are SVG by name; ``colours`` of theirs become the page's own, by name.

    ``called`` gives the name for people of a figure by its key.
    """
    loader = FileSystemLoader(Path(__file__).parent)
    environment = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    environment.filters["called"] = called
    drawn = {name: Markup(_inline(svg, colours)) for name, svg in charts.items()}
    names = ("intervals", "decisions", "label_pairs", "reliability", "roc", "pr", "differences")
    template = environment.get_template("report.html.j2")
    return template.render(d=report, charts={name: drawn.get(name, "") for name in names})


def report_json(report: Report) -> str:
    """The report as JSON, for scripts and for keeping."""
    return json.dumps(report, ensure_ascii=False, allow_nan=False, indent=1) + "\n"


def report_csv(report: Report) -> str:
    """All figures as CSV, one a row. Text that a spreadsheet would take for a formula gets an apostrophe before it."""
    written = io.StringIO()
    rows = csv.writer(written)
    rows.writerow(COLUMNS)
    for group, label, figure in _figures(report):
        interval = figure["interval"] or {}
        values = (group, label, figure["name"], figure["value"], interval.get("low"), interval.get("high"))
        rest = (figure["k"], figure["n"], interval.get("method", ""), figure["reason"])
        rows.writerow([_harmless(value) for value in values + rest])
    return written.getvalue()


def junit_xml(name: str, checks: list[tuple[str, str, bool]]) -> str:
    """JUnit XML with a test case for each check: its name, what is to be said, and whether it holds."""
    failed = sum(not good for _, _, good in checks)
    suite = ElementTree.Element("testsuite", name=_xml(name), tests=str(len(checks)), failures=str(failed), errors="0")
    for case_name, words, good in checks:
        case = ElementTree.SubElement(suite, "testcase", classname="moderation-studio.evaluate", name=_xml(case_name))
        if not good:
            ElementTree.SubElement(case, "failure", message=_xml(words)).text = _xml(words)
    return ElementTree.tostring(suite, encoding="unicode", xml_declaration=True) + "\n"


def _figures(report: Report) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    scores = report["scores"]
    for key in ("binary", "binary_strict", "three_way", "multi"):
        yield from ((key, "", figure) for figure in scores[key]["figures"])
    yield from (("no_verdict", "", figure) for figure in [scores["no_verdict"], *scores["by_status"]])
    for key in ("labels", "labels_strict"):
        for group in scores[key]:
            yield from ((key, group["label"], figure) for figure in group["figures"])
    yield from (("calibration", "", scores["calibration"][key]) for key in ("ece", "brier"))
    if report["stability"]:
        yield from (("stability", "", report["stability"][key]) for key in ("changed", "flip_rate"))


def _inline(svg: bytes, colours: Mapping[str, str]) -> str:
    """The SVG as a part of an HTML page: without what only a file of its own needs, in the page's colours."""
    text = _NAMESPACE.sub("", _PROLOG.sub("", svg.decode("utf-8"))).replace("*{stroke", "svg *{stroke")
    for colour, variable in colours.items():
        text = text.replace(f": {colour}", f": var(--{variable})")
    return text.replace("<svg ", '<svg role="img" ', 1)


def _harmless(value: object) -> object:
    return f"'{value}" if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r") else value


def _xml(text: str) -> str:
    return _NOT_XML.sub("\N{REPLACEMENT CHARACTER}", text)
