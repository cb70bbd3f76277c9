"""A comparison is refused when the engines did not do the same work, and results have the shape programs read."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.jobs import Job, Outcome, policy_text
from benchmarks.measuring import NotTheSameWorkError, Series, check_counts, share_alike
from benchmarks.report import Row, write

JOB = Job((), 0, (1, 2, 3), 5)


def answer(text: str, prompt: int = 3, output: int = 5) -> Outcome:
    return Outcome(prompt, output, 0.1, text)


@pytest.mark.parametrize("outcome", [answer("x", prompt=2), answer("x", output=4)])
def test_too_few_tokens_are_not_the_same_work(outcome: Outcome) -> None:
    check_counts("it", [JOB], [answer("x")])
    with pytest.raises(NotTheSameWorkError, match="it read"):
        check_counts("it", [JOB], [outcome])


def test_answers_must_begin_alike_but_may_part_later() -> None:
    assert share_alike({"a": [answer("abcd")], "b": [answer("abce")]}) == 1
    with pytest.raises(NotTheSameWorkError, match="0% of the answers"):
        share_alike({"a": [answer("abcd")], "b": [answer("xbcd")]})


def test_an_edit_leaves_the_head_of_a_policy_as_it_was() -> None:
    first, second = (policy_text(200, 1, changed_from=0.5, edit=edit).split() for edit in (1, 2))

    assert len(first) == len(second) == 100
    assert first[:50] == second[:50]
    assert first[50] != second[50]


def test_results_are_the_peers_median_over_ours(tmp_path: Path) -> None:
    series = Series("CPU s", {"ours": [1.0, 2.0, 9.0], "plain, anew": [6.0, 1.0, 7.0]})
    rows = [
        Row("golden_600x32", "golden", "plain", "plain, anew", series, 2.5),
        Row("", "only for people", "plain", "plain, anew", series),
    ]

    write(tmp_path, rows, [("machine", "mine")], ["a note"])

    assert json.loads((tmp_path / "results.json").read_text()) == {"golden_600x32": {"plain": 3.0}}
    assert "| 3.00 | 2.50 | yes |" in (tmp_path / "RESULTS.md").read_text()
