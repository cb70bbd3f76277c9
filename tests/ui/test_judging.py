from __future__ import annotations

import pytest

from studio.core.content import Content, Turn
from studio.core.labels import Decision
from studio.core.policy import ContentKind, Effort
from studio.core.verdict import Status
from studio.engine.scripted import ScriptedAnswer
from studio.ui.words import STATUS
from tests.ui.conftest import FINE, SLOW, VIOLATES, Opener, harmony


def test_the_first_start_needs_no_decision(open_window: Opener) -> None:
    stage = open_window(ScriptedAnswer(text=harmony("I cannot tell.")))
    bench = stage.bench

    assert bench.policy.document.policy.id.startswith("demo-")
    assert not bench.content.empty
    assert stage.window.focusWidget() is bench.content.message
    assert bench.verdict.run is None

    stage.keys("Ctrl+Return")

    stage.until(lambda: bench.verdict.run is not None)
    assert stage.studio.sessions.runs() == [stage.shown()]


def test_a_verdict_shows_what_was_decided_by_which_rule_and_how_sure(open_window: Opener) -> None:
    stage = open_window(VIOLATES)
    stage.open_spam()

    run = stage.judged("You have won")

    card = stage.bench.verdict.card
    assert card.pill.word == "Violates"
    assert card.headline.text().startswith("SP4 ")
    assert card.rule.text() == "rule SP4.b"
    assert card.rationale.text == "An invented prize."
    assert "tokens in" in card.facts.text()
    assert card.confidence.isVisible()
    assert run.verdict is not None
    assert run.verdict.decision is Decision.VIOLATES
    assert stage.studio.sessions.run(run.id) == run


def test_reasoning_streams_before_the_verdict_and_nothing_moves(open_window: Opener) -> None:
    stage = open_window(SLOW, VIOLATES)
    stage.open_spam()
    stage.show("You have won")
    stage.bench.run()
    card = stage.bench.verdict.card
    stage.until(lambda: "thinking on" in card.reasoning.view.text)
    assert card.pill.thinking
    before = [widget.geometry() for widget in (card.pill, card.rationale, stage.bench.verdict.right)]
    stage.bench.stop()
    stage.until(lambda: not stage.bench.runner.running)

    stage.judged("You have won")

    assert [widget.geometry() for widget in (card.pill, card.rationale, stage.bench.verdict.right)] == before


def test_esc_stops_and_the_record_says_so(open_window: Opener) -> None:
    stage = open_window(SLOW)
    stage.open_spam()
    stage.show("You have won")
    stage.keys("Ctrl+Return")
    stage.until(lambda: stage.bench.verdict.card.reasoning.view.text)
    assert stage.bench.content.stop_button.isVisible()

    stage.keys("Escape")

    stage.until(lambda: not stage.bench.runner.running)
    verdict = stage.shown().verdict
    assert verdict is not None
    assert verdict.status is Status.CANCELLED
    assert stage.bench.verdict.card.headline.text() == "Stopped"
    assert "thinking on" in stage.bench.verdict.card.reasoning.view.text
    assert stage.bench.content.run_button.isVisible()


@pytest.mark.parametrize(
    ("text", "status"),
    [
        (harmony("maybe"), Status.UNPARSED),
        (harmony('{"violation": 1, "policy_category": "SP77"}'), Status.UNKNOWN_LABEL),
        ("<|channel|>analysis<|message|>Hm.<|end|>", Status.NO_FINAL),
    ],
)
def test_no_verdict_never_looks_like_one(open_window: Opener, text: str, status: Status) -> None:
    stage = open_window(ScriptedAnswer(text=text))
    stage.open_spam()

    run = stage.judged("You have won")

    assert run.verdict is not None
    verdict = stage.bench.verdict
    assert verdict.card.pill.word == "No verdict"
    assert verdict.card.headline.text() == STATUS[run.verdict.status].short
    assert STATUS[run.verdict.status].do in verdict.card.rationale.text
    assert not verdict.card.confidence.isVisible()
    assert not verdict.right.isEnabled()


def test_the_engine_that_dies_is_told_apart_and_the_next_run_works(open_window: Opener) -> None:
    stage = open_window(
        ScriptedAnswer(text=harmony("{}", "first words"), then="kill", only_start=1), ScriptedAnswer(text=FINE)
    )
    stage.open_spam()

    run = stage.judged("You have won")

    assert run.verdict is not None
    assert run.verdict.status is Status.ENGINE_FAILED
    assert stage.bench.verdict.card.headline.text() == "The engine stopped"
    again = stage.judged("You have won")
    assert again.verdict is not None
    assert again.verdict.decision is Decision.ALLOWED


def test_a_verdict_of_an_older_text_is_dimmed_until_the_text_is_back(open_window: Opener) -> None:
    stage = open_window(VIOLATES)
    stage.open_spam()
    stage.judged("You have won")
    bench, card = stage.bench, stage.bench.verdict.card
    bench.content.message.insertPlainText("x")
    stage.until(lambda: card.stale)
    bench.content.message.undo()
    stage.until(lambda: not card.stale)

    bench.policy.editor.insertPlainText("x")
    stage.until(lambda: card.stale)
    bench.policy.editor.undo()
    stage.until(lambda: not card.stale)

    bench.content.effort_choice.choose(Effort.HIGH)
    bench.content.changed.emit()
    assert card.stale
    assert "older text" in card.pill.accessibleName()


def test_rules_are_links_into_the_policy_and_invented_ones_are_flagged(open_window: Opener) -> None:
    stage = open_window(VIOLATES)
    stage.open_spam()
    stage.judged("You have won")
    view = stage.bench.verdict.card.reasoning.view

    assert [(c.id, c.known) for c in view.citations] == [("SP4.b", True), ("SP9.z", False)]
    assert "⚠" in view.toPlainText()

    view.rule_clicked.emit("SP4.b")

    cursor = stage.bench.policy.editor.textCursor()
    assert cursor.block().text().startswith("- SP4.b")


def test_nothing_to_judge_is_said_and_not_run(open_window: Opener) -> None:
    stage = open_window()
    stage.show("")

    stage.keys("Ctrl+Return")

    assert [banner.notice.title for banner in stage.window.banners.banners] == ["There is nothing to judge yet"]
    assert not stage.bench.runner.running


def test_conversations_and_completions_are_judged_as_what_they_are(open_window: Opener) -> None:
    stage = open_window(VIOLATES)
    stage.open_spam()
    pane = stage.bench.content
    contents = [
        Content.conversation((Turn("A", "hello"), Turn("B", "you have won"))),
        Content.completion("Write a mail", "You have won"),
    ]
    for content in contents:
        pane.show_content(content)
        stage.bench.run()
        stage.until(lambda: not stage.bench.runner.running)

        assert stage.bench.verdict.run is not None
        assert stage.bench.verdict.run.content == content


def test_turns_are_added_moved_and_taken_away(open_window: Opener) -> None:
    stage = open_window()
    pane = stage.bench.content
    pane.show_content(Content.conversation((Turn("A", "one"), Turn("B", "two"), Turn("A", "three"))))
    editor = pane.conversation

    editor.move_turn(editor.rows[2], -1)
    editor.remove_turn(editor.rows[0])
    editor.add_turn()
    editor.rows[-1].text.insertPlainText("four")

    assert [turn.text for turn in editor.turns] == ["three", "two", "four"]
    assert pane.kind.value is ContentKind.CONVERSATION


def test_the_demo_model_says_what_it_is_under_every_verdict(open_window: Opener) -> None:
    stage = open_window(VIOLATES, is_demo=True, name="Moderation Studio demo model")
    stage.open_spam()

    stage.judged("You have won")

    card = stage.bench.verdict.card
    assert card.demo.isVisible()
    assert "not for moderation" in card.demo.text()
    assert not card.demo.wordWrap()
    card.resize(240, card.height())
    assert card.demo.wordWrap()  # where a line is too short it is read in several
