"""Finding golden examples: by words in any script, by decision, label and tag, and by part of the set."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from studio.core.content import Content, Turn
from studio.core.golden import GoldenCount, GoldenExample, GoldenQuery
from studio.core.labels import Decision
from studio.store.workspace import Workspace
from tests.store.samples import an_example

EXAMPLES = (
    GoldenExample("a", "spam", Content.message('Buy 100% "now"'), Decision.VIOLATES, ("SP1",), tags=("easy", "en")),
    GoldenExample("b", "spam", Content.message("Über die Brücke"), Decision.ALLOWED, ("SP0",), tags=("de",)),
    GoldenExample("c", "spam", Content.conversation((Turn("mia", "hello_there"), Turn("bot", "Buy"))), None),
    GoldenExample(
        "d", "spam", Content.completion("a prompt", "an answer"), Decision.VIOLATES, ("sp1", "SP0"), "Buy it"
    ),
)


@pytest.fixture
def filled(workspace: Workspace) -> Workspace:
    workspace.golden.add_many([*EXAMPLES, replace(EXAMPLES[0], id="other", policy_id="other")])
    return workspace


@pytest.mark.parametrize(
    ("query", "found"),
    [
        (GoldenQuery(), "abcd"),
        (GoldenQuery("buy"), "acd"),
        (GoldenQuery('100% "NOW"'), "a"),
        (GoldenQuery("über"), "b"),
        (GoldenQuery("mia hello_there"), "c"),
        (GoldenQuery("hello%there"), ""),
        (GoldenQuery("prompt answer"), "d"),
        # Names of fields and kinds are no content.
        (GoldenQuery("message"), ""),
        (GoldenQuery("speaker"), ""),
        (GoldenQuery("response"), ""),
        (GoldenQuery(decisions=frozenset([Decision.VIOLATES])), "ad"),
        (GoldenQuery(decisions=frozenset([None, Decision.ALLOWED])), "bc"),
        (GoldenQuery(label="SP1"), "ad"),
        (GoldenQuery(tag="de"), "b"),
        (GoldenQuery("buy", tag="en"), "a"),
        (GoldenQuery(tag="d"), ""),
    ],
)
def test_a_query_finds_what_it_says(filled: Workspace, query: GoldenQuery, found: str) -> None:
    assert filled.golden.find("spam", query) == [*found]


@given(text=st.text(min_size=1, max_size=30))
@example(text="\x00\r0")
@example(text=r"a\u0000 \\u0000")
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_text_is_found_by_its_words(workspace: Workspace, text: str) -> None:
    golden = workspace.golden.add(an_example(text, policy_id=text))
    words = " ".join(golden.content.text.split())

    assert golden.id in workspace.golden.find(text, GoldenQuery(words))


def test_many_get_a_tag_at_once(filled: Workspace) -> None:
    filled.golden.add_tag(["a", "c", "gone"], "hard")
    filled.golden.add_tag(["a"], "hard")

    assert filled.golden.find("spam", GoldenQuery(tag="hard")) == ["a", "c"]
    assert filled.golden.many(["a"])[0].tags == ("easy", "en", "hard")


def test_a_part_is_held_out_and_counted(filled: Workspace) -> None:
    filled.golden.hold_out("spam", ["a", "c"])
    assert filled.golden.find("spam", GoldenQuery(held_out=True)) == ["a", "c"]
    assert filled.golden.find("spam", GoldenQuery(held_out=False)) == ["b", "d"]
    assert filled.golden.find("other", GoldenQuery(held_out=True)) == []
    assert [example.held_out for example in filled.golden.many(["c", "gone", "b"])] == [True, False]

    filled.golden.hold_out("spam", ["d"])

    assert filled.golden.find("spam", GoldenQuery(held_out=True)) == ["d"]
    assert GoldenCount(Decision.VIOLATES, ("sp1", "SP0"), True, 1) in filled.golden.tally("spam")
    assert sum(item.count for item in filled.golden.tally("spam")) == len(EXAMPLES)
    assert filled.golden.tags("spam", 2) == [("de", 1), ("easy", 1)]
