"""A mapping edited step by step is the mapping that the import then uses."""

from __future__ import annotations

from pathlib import Path

import pytest

from studio.core.errors import InputError
from studio.core.labels import Decision
from studio.core.policy import Policy
from studio.services.import_mapping import ALL_ITEMS, Role, all_alike, answered, can_place, meant, placed, roles, said
from tests.services.conftest import Opener

ROWS = "post,verdict,team,note\nBuy now,bad,north,lures\nHello there,good,south,greets\nOdd one,hm,north,\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "rows.csv"
    path.write_text(ROWS)
    return path


def test_a_person_gives_roles_and_meanings_until_nothing_is_open(
    open_studio: Opener, policy: Policy, file: Path
) -> None:
    studio = open_studio()
    studio.policies.save(policy)
    seen = studio.golden_files.preview(file, policy)
    assert can_place(seen.mapping)
    assert seen.questions

    mapping = seen.mapping
    for column, role in {"post": Role.CONTENT, "verdict": Role.LABEL, "team": Role.TAG, "note": Role.WHY}.items():
        mapping = placed(mapping, column, role)
    seen = studio.golden_files.preview(file, policy, mapping)
    assert roles(seen.mapping, seen.columns) == {
        "post": (Role.CONTENT,),
        "verdict": (Role.LABEL,),
        "team": (Role.TAG,),
        "note": (Role.WHY,),
    }
    assert seen.by_label == {"bad": 1, "good": 1, "hm": 1}
    for question in seen.questions:
        word = {"bad": "violates", "good": "allowed"}.get(question.where[1], "unknown")
        mapping = answered(mapping, question, word)
    mapping = meant(mapping, "bad", "violates", ("SP2",))
    assert said(mapping, "bad") == ("violates", ("SP2",))
    assert said(mapping, "hm") == ("unknown", ())
    seen = studio.golden_files.preview(file, policy, mapping)
    assert seen.questions == ()
    studio.golden_files.store(seen, policy)

    found = studio.golden.list(policy.id)

    assert [(e.content.text, e.expected, e.labels, e.why) for e in found] == [
        ("Buy now", Decision.VIOLATES, ("SP2",), "lures"),
        ("Hello there", Decision.ALLOWED, (), "greets"),
        ("Odd one", None, (), ""),
    ]


def test_a_role_that_is_taken_away_leaves_nothing_behind(open_studio: Opener, policy: Policy, file: Path) -> None:
    studio = open_studio()
    mapping = placed(studio.golden_files.preview(file, policy).mapping, "verdict", Role.LABEL)
    mapping = meant(mapping, "bad", "violates")

    without = placed(mapping, "verdict", Role.UNUSED)

    assert without.items[0].label == ""
    assert without.values == {}
    assert without.unmapped["verdict"]
    prompt = placed(placed(without, "post", Role.PROMPT), "note", Role.RESPONSE)
    assert (prompt.items[0].prompt, prompt.items[0].response, prompt.items[0].text) == ("post", "note", "")


def test_items_without_a_label_are_what_a_person_says_of_all(
    open_studio: Opener, policy: Policy, tmp_path: Path
) -> None:
    studio = open_studio()
    studio.policies.save(policy)
    path = tmp_path / "goals.csv"
    path.write_text(
        "goal,target\nSell the list of members,Sure here is how you sell the list\nAsk,Sure here is how you do that\n"
    )
    seen = studio.golden_files.preview(path, policy)
    assert (seen.unlabelled, seen.decisions) == (2, {"unknown": 2})
    alike = studio.golden_files.preview(path, policy, all_alike(seen.mapping, "violates", ("SP2",)))
    assert (alike.by_label, alike.decisions, alike.questions) == ({ALL_ITEMS: 2}, {"violates": 2}, ())
    assert said(alike.mapping, ALL_ITEMS) == ("violates", ("SP2",))
    back = studio.golden_files.preview(path, policy, placed(alike.mapping, "target", Role.LABEL))
    assert len(back.by_label) == 2


def test_a_labelled_file_that_is_judged_at_once_may_be_of_any_encoding(
    open_studio: Opener, policy: Policy, tmp_path: Path
) -> None:
    studio = open_studio()
    file = tmp_path / "set.jsonl"
    rows = '{"text": "Grüße", "label": "SP0"}\n{"text": "Käse, zugreifen", "label": "SP2"}\n'
    file.write_bytes(rows.encode("latin-1"))
    found = studio.golden_files.read(file, policy)
    assert [(one.content.text, one.labels) for one in found] == [("Grüße", ("SP0",)), ("Käse, zugreifen", ("SP2",))]
    (tmp_path / "broken.jsonl").write_text('{"text": ', encoding="utf-8")
    with pytest.raises(InputError, match="line 1"):
        studio.golden_files.read(tmp_path / "broken.jsonl", policy)


def test_a_set_in_which_two_examples_have_one_id_is_not_judged(
    open_studio: Opener, policy: Policy, tmp_path: Path
) -> None:
    file = tmp_path / "set.jsonl"
    file.write_text('{"id": "a", "content": "Hello"}\n{"id": "a", "content": "Buy"}\n', encoding="utf-8")
    with pytest.raises(InputError, match="'a' twice"):
        open_studio().golden_files.read(file, policy)
