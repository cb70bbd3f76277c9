"""Search finds what a person would expect, in any script, and no input is an error."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from studio.core.content import Content, Turn
from studio.core.run import Run, RunState
from studio.store.workspace import Workspace
from tests.store.samples import NOW, a_policy, a_run, any_texts, ended


def judged(workspace: Workspace, text: str, **said: str) -> Run:
    """A run over a message with that text, done."""
    session = workspace.sessions.create("Morning", NOW)
    run = a_run(session.id, text)
    workspace.runs.begin(run)
    workspace.runs.finish(ended(run, **said))
    return ended(run, **said)


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("Buy cheap pills", "cheap"),
        ("Buy cheap pills", "PILLS buy"),
        ("Buy cheap pills", "cheap pil"),
        ("The café is naïve", "cafe NAIVE"),
        ("cafe", "café"),
        ("Straße", "straße"),
        ('he said "buy now"', '"buy'),
        ("salt AND pepper", "AND"),
        ("rock'n'roll", "rock'n"),
        ("write to a-b@example.org", "a-b@example.org"),
        ("北京烤鸭很好吃", "烤鸭"),
        ("我想买便宜的药", "便宜 药"),
        ("ドラッグを買う", "ラッグ"),
        ("한국어를 배웁니다", "국어"),
        ("ขายยาถูกมาก", "ถูก"),
        ("مرحبا بالعالم", "مرحبا"),
        ("שלום עולם", "עולם"),
        ("Привет, мир", "привет"),
        ("come get 🍆🍆 tonight", "🍆"),
        ("thumbs 👍🏽", "👍"),
        ("mixed京都text", "京都"),
        ("mixed京都text", "text"),
        ("nul\0byte here", "byte"),
    ],
)
def test_it_finds(workspace: Workspace, text: str, query: str) -> None:
    run = judged(workspace, text)
    judged(workspace, "something else")

    hits = workspace.search.search(query)

    assert [hit.run for hit in hits] == [run]
    assert "\x02" in hits[0].snippet
    assert "\x1f" not in hits[0].snippet


@pytest.mark.parametrize(
    "query",
    ["", " ", '"', '""', "*", "!!!", "-", "(", ")", "^", ":", "\0", "pills OR nothing", "content:pills", "heap"],
)
def test_it_does_not_find(workspace: Workspace, query: str) -> None:
    judged(workspace, "Buy cheap pills")

    assert workspace.search.search(query) == []


def test_signs_beside_a_word_do_not_hide_it(workspace: Workspace) -> None:
    judged(workspace, "Buy cheap pills")

    assert len(workspace.search.search("cheap !!!")) == 1
    assert len(workspace.search.search("-cheap (pills")) == 1


@pytest.fixture(scope="module")
def searched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    with Workspace.open(tmp_path_factory.mktemp("searched") / "workspace.db") as workspace:
        judged(workspace, "Buy cheap pills " * 50)
        yield workspace


signs = st.text(alphabet="ab \"*()^:+-{}'\0\x1f\ufeff京🍆", max_size=40)


@given(query=any_texts | signs | signs.map(lambda text: text * 100))
@example("a " * 5000)
@example("京" * 5000)
@example('"' * 5000)
@example("NEAR(a b, 2)")
def test_no_query_is_an_error(searched: Workspace, query: str) -> None:
    searched.search.search(query)


# Scripts that SQLite's own tables of letters know for sure.
scripts = st.text(alphabet="aÉßİ 1\"'-.\0\t京都カな한ไทยกา🍆👍🏽\u200dшΩאبन\u0301\ufe0f", max_size=12)


@given(text=scripts, before=any_texts, after=any_texts)
def test_every_text_with_a_word_is_found_by_itself(searched: Workspace, text: str, before: str, after: str) -> None:
    run = judged(searched, f"{before} {text} {after}")

    hits = searched.search.search(text, limit=10_000)

    assert any(hit.run == run for hit in hits) == any(char.isalnum() or char in "🍆👍" for char in text)


def test_a_hit_shows_the_content_before_the_reasoning(workspace: Workspace) -> None:
    judged(workspace, "Buy cheap pills", reasoning="The pills, these pills: pills for sale.")
    judged(workspace, "Come by tonight", reasoning="It offers pills.")

    shown = {hit.run.content.text: hit.snippet for hit in workspace.search.search("pills")}

    assert shown == {"Buy cheap pills": "Buy cheap \x02pills\x03", "Come by tonight": "It offers \x02pills\x03."}


def test_the_marks_are_ours_alone(workspace: Workspace) -> None:
    judged(workspace, "a \x02forged\x03 mark on pills")

    (hit,) = workspace.search.search("pills")

    assert hit.snippet == "a  forged  mark on \x02pills\x03"


def test_it_looks_into_all_that_was_said(workspace: Workspace) -> None:
    session = workspace.sessions.create("Morning coffee", NOW)
    policy = a_policy(title="Fraud")
    contents = [
        Content.conversation((Turn("Ann", "hello"), Turn("Bob", "goodbye"))),
        Content.completion("a question", "an answer"),
    ]
    runs = [Run(str(n), session.id, policy, None, c, RunState.RUNNING, NOW) for n, c in enumerate(contents)]
    for run in runs:
        workspace.runs.begin(run)
    workspace.runs.finish(ended(runs[0], rationale="It persuades.", reasoning="I wonder."))

    def found(query: str) -> set[str]:
        return {hit.run.id for hit in workspace.search.search(query)}

    assert found("bob goodbye") == {"0"}
    assert found("question answer") == {"1"}
    assert found("persuades") == {"0"}
    assert found("wonder") == {"0"}
    assert found("fraud") == {"0", "1"}
    assert found("coffee") == {"0", "1"}
    workspace.sessions.rename(session.id, "Evening tea")
    assert found("coffee") == set()
    assert found("evening persuades") == {"0"}
    workspace.sessions.delete(session.id)
    assert found("fraud") == set()


def test_the_limit_holds_and_the_best_comes_first(workspace: Workspace) -> None:
    for number in range(5):
        judged(workspace, f"filler words and more of them with one pill at the end {number} pill")
    best = judged(workspace, "pill pill pill")

    hits = workspace.search.search("pill", limit=3)

    assert len(hits) == 3
    assert hits[0].run == best
