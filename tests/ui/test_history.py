from __future__ import annotations

import pytest
from PySide6.QtCore import QModelIndex

from studio.core.content import Content
from studio.core.labels import Decision
from studio.engine.scripted import ScriptedAnswer
from studio.ui.history.rows import PAGE, Query
from studio.ui.history.table import VERDICT
from studio.ui.widgets.ask_line import AskLine
from tests.ui.conftest import FINE, LURE, Opener, Stage, harmony

ANSWERS = (
    ScriptedAnswer(match="You have won", text=LURE),
    ScriptedAnswer(match="bakery", text=FINE),
    ScriptedAnswer(match="odd", text=harmony("maybe")),
)
TEXTS = ("You have won a card", "My sister's bakery", "an odd one", "You have won again")


def with_runs(open_window: Opener) -> Stage:
    stage = open_window(*ANSWERS)
    policy = stage.open_spam()
    session = stage.studio.sessions.create("Monday")
    for text in TEXTS:
        stage.studio.judge.judge(policy, Content.message(text), session_id=session.id)
    stage.window.go_to("history")
    stage.settle()
    stage.until(lambda: stage.window.history.table.rowCount() == len(TEXTS))
    return stage


def shown(stage: Stage) -> list[str]:
    table = stage.window.history.table
    return [table.row(at).content for at in range(table.rowCount())]


def test_runs_are_listed_newest_first_and_the_first_is_shown(open_window: Opener) -> None:
    stage = with_runs(open_window)

    assert shown(stage) == list(reversed(TEXTS))
    stage.until(lambda: stage.window.history.detail.run is not None)
    assert stage.window.history.detail.card.pill.word == "Violates"


def test_search_finds_words_and_filters_narrow(open_window: Opener) -> None:
    stage = with_runs(open_window)
    history = stage.window.history

    history.search.setText("bakery")
    stage.until(lambda: shown(stage) == ["My sister's bakery"])
    assert "\x02" in history.table.row(0).snippet

    history.search.clear()
    history.chip(None).click()
    stage.until(lambda: shown(stage) == ["an odd one"])

    history.chip(Decision.ALLOWED).click()
    stage.until(lambda: shown(stage) == ["an odd one", "My sister's bakery"])

    history.search.setText("nowhere to be found")
    stage.until(lambda: shown(stage) == [])
    assert history.detail.run is None


def test_a_run_is_opened_again_with_its_policy_and_content(open_window: Opener) -> None:
    stage = with_runs(open_window)
    history = stage.window.history
    run = next(r for r in stage.studio.sessions.runs() if "bakery" in r.content.text)
    stage.bench.policy.editor.set_exact_text("something else", undoable=True)
    history.show_run(run)
    stage.settle()

    history.detail.reopen.click()
    stage.settle()

    assert stage.window.page == "workbench"
    assert stage.bench.policy.editor.exact_text() == run.policy.text
    assert stage.bench.content.content == run.content
    assert stage.bench.verdict.run == run
    assert not stage.bench.verdict.card.stale


def test_a_session_is_renamed(open_window: Opener, monkeypatch: pytest.MonkeyPatch) -> None:
    stage = with_runs(open_window)
    sessions = stage.window.history.sessions
    monday = next(s for s in stage.studio.sessions.list() if s.title == "Monday")
    sessions.choose(monday.id)

    def answer(dialog: AskLine) -> int:
        assert dialog.text == "Monday"
        dialog.line.setText("Tuesday")
        return 1

    monkeypatch.setattr(AskLine, "exec", answer)
    stage.keys("F2", on=sessions.list)
    stage.settle()

    assert stage.studio.sessions.get(monday.id).title == "Tuesday"


def test_rows_come_page_by_page(open_window: Opener) -> None:
    stage = with_runs(open_window)
    run = stage.studio.sessions.runs()[0]
    asked: list[tuple[int, int]] = []

    class Many:
        """A history of 100,000 runs."""

        def runs(self, *, limit: int, offset: int, **_: object) -> list[object]:
            asked.append((offset, limit))
            return [run] * max(0, min(limit, 100_000 - offset))

    stage.window.history.table.read_from(Many())  # type: ignore[arg-type]
    stage.window.history.table.show_query(Query())
    stage.settle()
    table = stage.window.history.table

    first = table.rowCount()
    assert PAGE <= first < 1000
    assert table.canFetchMore(QModelIndex())
    table.fetchMore(QModelIndex())
    stage.settle()
    assert table.rowCount() > first
    assert table.index(0, VERDICT).data() == "Violates"
    assert sum(limit for _, limit in asked) < 2000
