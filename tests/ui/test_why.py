"""The "Why?" of a verdict: which part decides."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import Qt

from studio.core.content import Content, Turn
from studio.engine.scripted import ScriptedAnswer
from studio.services.explain import Effect, Part, Piece, Unit
from studio.ui.workbench.why_rows import ROW_ROLE
from tests.ui.conftest import FINE, LURE, SLOW, Opener, Stage

PRIZE = ScriptedAnswer(match="SP4.b: a prize", text=LURE)
ELSE = ScriptedAnswer(match="three times\n\n## Allowed", text=FINE)


def explained(stage: Stage) -> None:
    stage.open_spam()
    stage.judged("You have won")
    stage.keys("Ctrl+Shift+Y")
    stage.until(lambda: stage.bench.verdict.why.running)
    stage.until(lambda: not stage.bench.verdict.why.running)
    stage.settle()


def test_the_deciding_rule_stands_first_and_leads_into_the_policy(open_window: Opener) -> None:
    stage = open_window(PRIZE, ELSE)
    explained(stage)
    why = stage.bench.verdict.why

    assert why.isVisible()
    assert why.words.text() == "1 part of 3 decides"
    assert [removal.effect for removal in why.removals] == [Effect.FLIPS, Effect.HOLDS, Effect.HOLDS]
    first = why.list.model().index(0, 0)
    assert first.data(Qt.ItemDataRole.AccessibleTextRole) == (
        "Without Rule SP4.b, rule in line 7: from violates to allowed, probability > 99 → < 1 %"
    )
    assert why.list.currentIndex() == first

    why.take_focus()
    stage.keys("Return", why.list)
    editor = stage.bench.policy.editor
    assert editor.textCursor().block().text() == "- SP4.b: a prize that nobody entered for"

    editor.set_exact_text("# Criteria\n" + editor.exact_text())
    why.list.activated.emit(first)
    assert editor.textCursor().blockNumber() == 7

    why.show_runs.click()
    stage.settle()
    assert stage.window.page == "history"
    assert stage.window.history.table.rowCount() == 3  # the verdict itself was judged before


def test_words_of_the_content_are_tried_on_demand_and_selected_where_they_stand(open_window: Opener) -> None:
    stage = open_window(ScriptedAnswer(match="won<|", text=LURE), ScriptedAnswer(match="You have<|", text=FINE))
    explained(stage)
    why = stage.bench.verdict.why
    assert why.words.text() == "No part of the policy decides alone"

    why.unit._group.button(2).click()
    stage.until(lambda: not why.running)
    stage.settle()
    assert why.unit.value is Unit.WORDS
    assert why.words.text() == "1 part of 3 decides"
    why.list.clicked.emit(why.list.model().index(0, 0))
    assert stage.bench.content.message.textCursor().selectedText() == "won"

    why.back.click()
    assert not why.isVisible()
    assert stage.bench.verdict.card.isVisible()


def test_a_word_of_a_conversation_leads_to_its_turn(open_window: Opener) -> None:
    stage = open_window()
    content = stage.bench.content
    between = [Turn("B", f"line {n}") for n in range(20)]
    turns = (Turn("A", "Hello 😀\r\nthere"), *between, Turn("A", "😀\r\nYou have won"))
    content.show_content(Content.conversation(turns))
    stage.settle()
    last = content.conversation.rows[-1]

    assert content.go_to_piece(content.content, Piece(21, 12, 15, "won"))

    assert last.text.textCursor().selectedText() == "won"
    assert not last.visibleRegion().isEmpty()
    assert content.go_to_piece(content.content, Piece(0, 9, 14, "there"))
    assert content.conversation.rows[0].text.textCursor().selectedText() == "there"
    assert not last.text.textCursor().hasSelection()
    assert not content.go_to_piece(Content.message("other"), Piece(0, 0, 1, "o"))


def test_esc_stops_and_again_brings_the_verdict_back(open_window: Opener) -> None:
    stage = open_window(PRIZE, ELSE, replace(SLOW, match="## Violates\n- SP4.b"))
    stage.open_spam()
    stage.judged("You have won")
    verdict = stage.bench.verdict
    verdict.why_button.click()
    stage.until(lambda: verdict.why.removals)

    stage.keys("Escape")

    stage.until(lambda: not verdict.why.running)
    stage.settle()
    assert verdict.why.words.text().startswith("Stopped")
    assert verdict.why.isVisible()
    stage.keys("Escape")
    assert not verdict.why.isVisible()
    assert stage.bench.verdict.run is not None


def test_another_verdict_takes_the_explanation_away(open_window: Opener) -> None:
    stage = open_window(PRIZE, ELSE)
    explained(stage)
    run = stage.shown()

    stage.bench.reopen(replace(run, content=Content.message("another")))
    stage.settle()

    assert not stage.bench.verdict.why.isVisible()
    assert stage.bench.verdict.why.removals == ()


def test_what_is_shown_of_a_row_is_what_came(open_window: Opener) -> None:
    stage = open_window(PRIZE, ELSE)
    explained(stage)
    rows = [stage.bench.verdict.why.list.model().index(at, 0).data(ROW_ROLE) for at in range(3)]

    assert [row.quiet for row in rows] == ["", "holds", "holds"]
    assert all(isinstance(row.removal.part, Part) for row in rows)
