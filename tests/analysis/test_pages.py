"""A printed report: whatever stands in it, it becomes pages, and nothing in it is markup."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from studio.analysis import pages, plots
from studio.analysis.scores import score
from tests.analysis.making import LABELS, at_random

HOSTILE = "$\\frac{1}{$ <script>alert(1)</script> \x00\x1b[31m \u202e 猫犬 שלום \U0001f600 " + "W" * 900


def page_count(pdf: bytes) -> int:
    return len(re.findall(rb"/Type /Page\b", pdf))


def test_everything_finds_its_place_on_pages() -> None:
    found = score(at_random(1, 60), LABELS)
    made = pages.Pages(HOSTILE)
    made.heading(HOSTILE)
    made.paragraph("One\r\n\r\ntwo\tthree")
    made.chart(plots.intervals(found.binary.figures))
    made.chart(plots.confusion(found.label_pairs))
    made.table(("Example", "Value"), [(HOSTILE, "1.000"), ("a\n" * 200, "–"), ("", "")], (60, -40))
    pdf = made.written()
    assert pdf.startswith(b"%PDF-")
    assert page_count(pdf) >= 4
    assert made.written() == pdf


def test_a_report_of_nothing_is_no_page() -> None:
    assert page_count(pages.Pages("Nothing").written()) == 0


@settings(max_examples=25, deadline=None)
@given(st.text(max_size=200), st.sampled_from([30.0, 120.0]))
def test_lines_keep_all_letters_and_the_width(text: str, width: float) -> None:
    with pages._settings():
        lines = pages._wrapped(text, width, 8, bold=False)
        widths = [pages._wide(line, 8, False) for line in lines]
    shown = pages._plain(text)
    assert re.sub(r"\s", "", "".join(lines)) == re.sub(r"\s", "", shown)
    assert all(len(line) <= 1 or wide <= width + 1 for line, wide in zip(lines, widths, strict=True))


@pytest.mark.timeout(60)
def test_a_text_without_a_space_becomes_lines_too() -> None:
    with pages._settings():
        lines = pages._wrapped("meow" * 10_000, 200, 8, bold=False)
    assert len(lines) > 500
    assert "".join(lines) == "meow" * 10_000


@pytest.mark.parametrize("text", ["", " ", "\n\n"])
def test_blank_text_takes_a_line_each(text: str) -> None:
    assert pages._wrapped(text, 100, 8, bold=False) == [""] * (text.count("\n") + 1)
