from __future__ import annotations

import contextlib
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from studio import paths
from studio.core.contract import carries_output
from studio.core.errors import InputError, PolicyError
from studio.core.labels import Label, LabelDecision
from studio.core.policy import ContentKind, Effort, OutputForm, OutputPosition, Policy
from studio.exchange.content_files import read_golden
from studio.exchange.policy_files import (
    parse_policy,
    plain_file,
    policy_file,
    policy_from_bytes,
    policy_text,
    read_policy,
    slug,
)
from tests.exchange.telling import ToldError, told

STARTERS = sorted(folder for folder in paths.resource("policies").iterdir() if (folder / "policy.md").is_file())

words = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
ids = st.text(st.characters(categories=["L", "Nd"], include_characters="-._#: "), min_size=1, max_size=12).filter(
    lambda s: s.strip() == s and s
)
labels = st.lists(
    st.builds(
        Label,
        id=ids,
        decision=st.sampled_from(LabelDecision),
        name=words,
        severity=st.none() | st.integers(0, 4),
        description=words,
    ),
    max_size=4,
    unique_by=lambda label: label.id,
)


@given(
    st.builds(
        Policy,
        id=st.just("some-id"),
        title=words.map(lambda w: f"T{w}".strip()),
        text=words,
        labels=labels.map(tuple),
        form=st.sampled_from(OutputForm),
        position=st.sampled_from(OutputPosition),
        effort=st.sampled_from(Effort),
        review_below=st.none() | st.floats(0, 1),
        summary=words.map(str.strip),
        tags=st.lists(words.map(str.strip), max_size=3).map(tuple),
        content_kinds=st.just((ContentKind.CONVERSATION,)),
    )
)
def test_a_written_policy_reads_the_same(policy: Policy) -> None:
    read = parse_policy(policy_text(policy), "other")
    assert read.policy == policy
    assert read.policy.sha256 == policy.sha256


@given(st.text())
def test_any_text_is_a_policy_or_a_clear_error(text: str) -> None:
    with contextlib.suppress(ToldError):
        read = told(lambda: parse_policy(text, "name"))
        assert read.policy.id


MARKS = ["utf-8", "utf-8-sig", "utf-16", "utf-32"]
FOREIGN = """\
# made by our site
layout: page
labels: [rules, moderation]   # the wiki's own
output: html_document
title: House rules
date: 2024-05-01
"""


@given(words.filter(str.strip), st.sampled_from(MARKS), st.sampled_from(["\n", "\r\n"]))
def test_a_plain_file_goes_back_byte_for_byte(text: str, encoding: str, end: str) -> None:
    data = f"# Rules{end}{text}{end}".encode(encoding)
    policy = policy_from_bytes(data, "rules", where="rules.txt").policy
    assert plain_file(policy) == data
    edited = replace(policy, text=policy.text + "more" + end)
    assert plain_file(edited) == f"# Rules{end}{text}{end}more{end}".encode(encoding)


@pytest.mark.parametrize("encoding", MARKS)
@pytest.mark.parametrize("front", [FOREIGN, "title: A\nlabels: [{id: A0, decision: allow}]\n", ""])
def test_a_file_with_front_matter_goes_back_byte_for_byte(front: str, encoding: str) -> None:
    data = f"---\n{front}---\n# Rules\nNo spam.\n".replace("\n", "\r\n").encode(encoding)
    policy = policy_from_bytes(data, "rules", where="rules.md").policy
    assert policy_file(policy) == data
    # Its text may change, and a number behind its id, before anything of the front matter does.
    changed = replace(policy, id="rules-2", text="# Rules\r\nNo spam at all.\r\n")
    assert policy_file(changed) == data.decode(encoding).replace("spam.", "spam at all.").encode(encoding)


def test_front_matter_of_another_tool_opens_and_is_never_lost() -> None:
    read = parse_policy(f"---\n{FOREIGN}---\n# Rules\nNo spam.\n", "rules")
    assert read.policy.title == "House rules"
    (note,) = [note for note in read.notes if "front matter" in note]
    assert all(field in note for field in ("layout", "date", "labels", "output"))
    # Once it is not true any more the studio writes its own, and the other tool's fields behind them.
    labels = (Label("R0", LabelDecision.ALLOW), Label("R1", LabelDecision.VIOLATE))
    confirmed = replace(read.policy, labels=labels)
    again = parse_policy(policy_text(confirmed), "rules").policy
    assert again.labels == labels
    assert "layout: page\n" in policy_text(confirmed)
    assert policy_text(again) == policy_text(confirmed)


def test_toml_front_matter_is_read_and_kept() -> None:
    text = '+++\ntitle = "House rules"\nopens = 07:30:00\n+++\n# Rules\nNo spam.\n'
    policy = parse_policy(text, "rules").policy
    assert (policy.title, policy.text) == ("House rules", "# Rules\nNo spam.\n")
    assert policy_text(policy) == text
    assert "opens: 07:30:00" in policy_text(replace(policy, title="New rules")).replace("'", "")


@pytest.mark.parametrize(
    "text", ["---\n\nBe kind: always.\n\n---\nNo spam.\n", "---\nBe kind to all: we ban.\n---\nX\n"]
)
def test_a_line_across_the_page_begins_no_front_matter(text: str) -> None:
    assert parse_policy(text, "rules").policy.text == text


def test_utf16_without_its_mark_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "p.md"
    path.write_bytes("# Rules\nNo spam.".encode("utf-16-le"))
    with pytest.raises(InputError, match="byte order mark"):
        read_policy(path)


def test_plain_text_keeps_its_bytes(tmp_path: Path) -> None:
    body = "# Spam\r\nAnswer (VALID or INVALID):\r\n\ttrailing  \n\n"
    path = tmp_path / "spam rules.txt"
    path.write_bytes(body.encode())
    policy = read_policy(path).policy
    assert policy.text == body
    assert policy.id == "spam-rules"
    assert policy.position is OutputPosition.IN_TEXT


@pytest.mark.parametrize(
    ("front", "names"),
    [
        ("labels: [{id: A, decision: maybe}]", "labels[1].decision"),
        ("labels: [{decision: allow}]", "labels[1]"),
        ("labels: [{id: A}]", "labels[1].decision"),
        ("labels: nonsense", "labels"),
        ("effort: huge", "effort"),
        ("output: [1]", "output"),
        ("review_below: 3", "review_below"),
        ("title: [a", "line"),
        ("- a\n- b", "front matter"),
        ("labels: [{id: A, decision: allow}, {id: A, decision: violate}]", "'A' is defined twice"),
    ],
)
def test_a_broken_front_matter_names_the_place(front: str, names: str) -> None:
    with pytest.raises(PolicyError) as caught:
        parse_policy(f"---\n{front}\n---\nBody", "p", where="p.md")
    assert names in caught.value.message
    assert caught.value.hint


def test_an_unknown_field_is_told_not_kept_silent() -> None:
    read = parse_policy("---\ntitle: A\nlabels: [{id: A0, decision: allow}]\ncolour: red\n---\nBody", "p")
    assert any("colour" in note for note in read.notes)


def test_utf16_with_its_mark_is_read(tmp_path: Path) -> None:
    path = tmp_path / "p.md"
    path.write_bytes("---\ntitle: Über\nlabels: [{id: A0, decision: allow}]\n---\nText".encode("utf-16"))
    assert read_policy(path).policy.title == "Über"


@given(st.text(max_size=200))
def test_slug_is_always_a_usable_id(name: str) -> None:
    made = slug(name)
    assert made
    assert set(made) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")
    assert len(made) <= 60
    assert slug(made) == made


def test_there_are_ten_starters_and_demo_policies() -> None:
    assert len([folder for folder in STARTERS if not folder.name.startswith("demo-")]) >= 10


@pytest.mark.parametrize("folder", STARTERS, ids=lambda folder: folder.name)
def test_a_starter_is_whole(folder: Path) -> None:
    read = read_policy(folder / "policy.md")
    policy = read.policy
    assert read.notes == ()
    assert policy.id == folder.name
    assert not carries_output(policy.text)
    assert parse_policy(policy_text(policy), "x").policy == policy
    golden = read_golden(folder / "golden.jsonl", policy.id)
    assert len(golden) >= 24
    assert len({example.id for example in golden}) == len(golden)
    assert len({example.content.sha256 for example in golden}) == len(golden)
    for example in golden:
        assert example.expected is not None
        assert example.labels
        for label_id in example.labels:
            label = policy.label(label_id)
            assert label is not None, (example.id, label_id)
            assert label.decision.decision is example.expected, example.id
    boundary = sum("boundary" in example.tags for example in golden)
    assert folder.name.startswith("demo-") or boundary * 2 >= len(golden)


def test_a_western_file_that_is_not_unicode_opens_says_so_and_goes_back_byte_for_byte() -> None:
    data = "# R\u00e8gles\r\nPas d\u2019insultes, m\u00eame d\u00e9guis\u00e9es.".encode("cp1252")
    read = policy_from_bytes(data, "r", where="r.txt")
    assert "d\u00e9guis\u00e9es" in read.policy.text
    assert any("not UTF-8" in note and "cp1252" in note for note in read.notes)
    assert plain_file(read.policy) == data
    edited = replace(read.policy, text=read.policy.text + "\U0001f525")
    assert plain_file(edited).decode("utf-8") == edited.text


def test_broken_utf_8_is_not_taken_for_another_encoding() -> None:
    data = "# R\u00e8gles\n\u00e9t\u00e9 \u00e0 No\u00ebl".encode().replace(b"No", b"\xc3o")
    with pytest.raises(InputError, match="line 2"):
        policy_from_bytes(data, "r", where="r.txt")
