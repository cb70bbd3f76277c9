"""The report asks for nothing, tells no content unless asked, and lets no name or text become markup."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from datetime import UTC, date, datetime
from html.parser import HTMLParser
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from studio.analysis.pages import Pages
from studio.core.content import Content, clean
from studio.core.evaluation import Judged
from studio.core.figure_words import FIGURES
from studio.core.golden import GoldenExample
from studio.core.labels import Decision, Label, LabelDecision
from studio.core.policy import Policy
from studio.core.targets import parse_targets
from studio.core.verdict import Status
from studio.engine.scripted import ScriptedAnswer
from studio.engine.types import ModelInfo
from studio.services.evaluate import Evaluation, Judgement, Settings
from studio.services.evaluation_report import Report, make_report
from studio.services.studio import Studio
from tests.services.conftest import Opener, answer

HOSTILE = '</title><script src="//evil.example/x.js"></script><img src=x onerror=alert(1)>$x_1$ &amp; =1+1'
MODEL = ModelInfo(
    path="", name="Model", architecture="", description="", sha256="ab" * 32, size_bytes=0, n_params=0, n_ctx_train=0,
    n_ctx_limit=0, n_vocab=0, llama_build="b1", backend="CPU", device="cpu", n_threads=1, n_batch=1, n_gpu_layers=0,
    flash_attn=False, extra_bufts=False, is_demo=False, network="", writes="",
)  # fmt: skip


class Page(HTMLParser):
    """What of a page is markup: tags, attributes that name a place, and the text between."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.places: list[str] = []
        self.handlers: list[str] = []
        self.policy = ""
        self.words = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        values = dict(attrs)
        if values.get("http-equiv") == "Content-Security-Policy":
            self.policy = values.get("content") or ""
        self.places += [v or "" for k, v in attrs if k in ("src", "href", "xlink:href", "srcset", "action", "data")]
        self.handlers += [key for key in values if key.startswith("on")]

    def handle_data(self, data: str) -> None:
        self.words += data


def asks_for_nothing(text: str) -> Page:
    page = Page(text)
    assert page.policy == "default-src 'none'; style-src 'unsafe-inline'"
    assert page.tags.isdisjoint({"script", "img", "link", "iframe", "object", "embed", "form", "base"})
    assert all(place.startswith("#") for place in page.places), page.places
    assert page.handlers == []
    return page


def made(policy: Policy, tag: str, item_id: str) -> Evaluation:
    """An evaluation by hand, with a right verdict, a wrong one and none."""
    outcomes = ((Status.OK, Decision.VIOLATES), (Status.OK, Decision.ALLOWED), (Status.REFUSED, None))
    label = policy.labels[1].id
    examples, groups = [], []
    for number, (status, decision) in enumerate(outcomes):
        content = Content.message(f"{number} {HOSTILE}")
        found = GoldenExample(f"{item_id}{number}", policy.id, content, Decision.VIOLATES, (label,), tags=(tag,))
        got = (label,) if decision is Decision.VIOLATES else ()
        judged = Judged(found.id, Decision.VIOLATES, status, decision, (label,), got, 0.5 if decision else None, (tag,))
        examples.append(found)
        groups.append((Judgement("", judged, None, None, 1, 0.1),))
    now = datetime.now(UTC)
    return Evaluation(
        policy, 1, Settings(), date(2026, 1, 2), MODEL, tuple(examples), tuple(groups), 0, 0, 3, "", now, now
    )


def test_names_and_texts_become_no_markup(open_studio: Opener, policy: Policy) -> None:
    service = open_studio().evaluate

    @settings(max_examples=3, suppress_health_check=[HealthCheck.too_slow])
    @given(st.text(min_size=1, max_size=30), st.text(max_size=20), st.text(max_size=10))
    @example(HOSTILE, HOSTILE, HOSTILE)
    @example("\ud800\x00\x1b", "\u202e=1", "'\"<")
    def check(label: str, tag: str, item_id: str) -> None:
        labels = (Label("A", LabelDecision.ALLOW), Label(f"V{label}", LabelDecision.VIOLATE, name=tag))
        named = replace(policy, title=f"Spam {label}", labels=labels)
        evaluation = made(named, tag, item_id)
        checks = service.check(evaluation, parse_targets("f1=0.9"))
        report = make_report(service, evaluation, checks=checks, with_content=True)
        page = asks_for_nothing(report.html())
        assert "evil.example" in page.words
        assert json.loads(report.json()) == report.data
        assert report.data["scores"]["labels"][1]["label"] == clean(f"V{label}")
        rows = list(csv.DictReader(io.StringIO(report.csv(), newline="")))
        assert not any(value[:1] in "=+@" for row in rows for value in row.values() if value)
        suite = ElementTree.fromstring(report.junit())
        assert (suite.get("tests"), suite.get("failures")) == ("1", "1")
        report.html().encode("utf-8")

    check()


def _label_titles(report: Report, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The titles of tables about labels in the PDF."""
    texts: list[str] = []
    write = Pages.paragraph

    def listen(pages: Pages, text: str, **how: Any) -> None:
        texts.append(text)
        write(pages, text, **how)

    with monkeypatch.context() as listening:
        listening.setattr(Pages, "paragraph", listen)
        report.pdf()
    return [text for text in texts if text.startswith(("Sets of labels", "Label "))]


def test_without_labels_nothing_is_said_of_labels_and_each_figure_is_explained(
    open_studio: Opener, policy: Policy, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = open_studio().evaluate
    named = made(policy, "tag", "e")
    bare = replace(named, examples=tuple(replace(one, labels=()) for one in named.examples))
    reports = {"named": make_report(service, named), "bare": make_report(service, bare)}
    said = {key: report.html() for key, report in reports.items()}
    assert "sets of labels" in said["named"]
    assert "sets of labels" not in said["bare"]
    assert "Label by label" not in said["bare"]
    assert "no figures about labels are shown" in Page(said["bare"]).words
    words = Page(said["bare"]).words
    assert "fnr" not in words
    assert "how much was not flagged" in words
    titles = {key: _label_titles(report, monkeypatch) for key, report in reports.items()}
    assert len(titles["named"]) == 1 + len(policy.labels)
    assert titles["bare"] == []
    assert {row["figure"].partition("[")[0] for row in csv.DictReader(io.StringIO(reports["named"].csv()))} <= set(
        FIGURES
    )


def edited(policy: Policy) -> Policy:
    return replace(policy, text=policy.text + "- SP2.b: sales\n")


def compared(studio: Studio, policy: Policy, *, with_content: bool) -> tuple[str, dict[str, object]]:
    examples = [
        GoldenExample(f"e{n}", policy.id, Content.message(f"secret {n}"), Decision.VIOLATES, ("SP2",)) for n in range(6)
    ]
    before = studio.evaluate.run(policy, examples)
    after = studio.evaluate.run(edited(policy), examples)
    report = make_report(studio.evaluate, after, before=before, with_content=with_content)
    return report.html(), report.data


def test_contents_and_reasoning_are_told_only_when_asked(open_studio: Opener, policy: Policy) -> None:
    studio = open_studio(
        *(ScriptedAnswer(answer("SP0", "A private thought.")) for _ in range(6)),
        *(ScriptedAnswer(answer("SP2", "A second thought.")) for _ in range(5)),
        ScriptedAnswer(answer("no idea", "A third thought.")),
    )
    html, data = compared(studio, policy, with_content=False)
    told = html + json.dumps(data)
    assert "secret" not in told
    assert "thought" not in told
    assert "Contents and reasoning are left out." in html
    html, _ = compared(studio, policy, with_content=True)
    for word in ("secret 1", "A private thought.", "A second thought.", "A third thought."):
        assert word in html
    page = asks_for_nothing(html)
    for word in ("Got better (5)", "McNemar", "no verdict (unparsed)", "Wilson score", edited(policy).sha256):
        assert word in page.words, word
    assert "violates (SP2) was taken for no verdict (unparsed): 1" in " ".join(page.words.split())


def test_the_figures_are_the_same_in_every_form(open_studio: Opener, policy: Policy) -> None:
    service = open_studio().evaluate
    evaluation = made(policy, "tag", "e")
    report = make_report(service, evaluation)
    scores = service.scores(evaluation)
    recall = scores.binary_strict.get("recall")
    assert recall is not None
    assert recall.value is not None
    rows = {(row["group"], row["label"], row["figure"]): row for row in csv.DictReader(io.StringIO(report.csv()))}
    assert float(rows["binary_strict", "", "recall"]["value"]) == pytest.approx(recall.value)
    told = {figure["name"]: figure for figure in report.data["scores"]["binary_strict"]["figures"]}
    assert told["recall"]["value"] == pytest.approx(recall.value)
    assert f"{recall.value:.3f}" in report.html()
    assert report.pdf().startswith(b"%PDF-")
    assert rows["binary", "", "specificity"]["value"] == ""
    assert rows["binary", "", "specificity"]["reason"] == "no example is expected to be none"
    assert report.data["provenance"]["policy_sha256"] == policy.sha256
    assert ElementTree.fromstring(report.junit()).get("failures") == "0"
