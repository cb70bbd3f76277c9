"""Live mode: what is judged while somebody types, and what is said about the verdict in sight."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtTest import QTest

from studio.core.run import RunState
from studio.core.verdict import Status
from studio.engine.scripted import ScriptedAnswer
from studio.services.sessions import LIVE
from tests.ui.conftest import FINE, SLOW, VIOLATES, WAIT_MS, Opener, Stage, harmony

QUICK = ScriptedAnswer(text=FINE)


def at_rest(stage: Stage) -> None:
    stage.until(lambda: not stage.bench.live.due and not stage.bench.runner.running)
    stage.settle()


def stale(stage: Stage) -> bool:
    return stage.bench.verdict.card.stale


def test_what_is_typed_is_judged_after_a_pause_and_said_of_which_text_it_is(open_window: Opener) -> None:
    stage = open_window(QUICK)
    stage.open_spam()
    first = stage.judged("You have won")
    assert not stage.bench.live.on  # off until asked for
    stage.keys("Ctrl+L")
    assert stage.bench.content.live.isChecked()
    at_rest(stage)
    words = stage.bench.verdict.card._stale_words
    stage.bench.content.take_focus()

    QTest.keyClicks(stage.bench.content.message, "!")

    assert stale(stage)
    assert stage.shown() == first  # dimmed, with words, until the next takes its place
    assert "Judging what stands there now" in words.text()
    at_rest(stage)
    assert not stale(stage)
    assert stage.shown().content.text == stage.bench.content.message.exact_text()
    assert stage.studio.sessions.get(stage.shown().session_id).title == LIVE
    assert stage.studio.sessions.run(stage.shown().id) == stage.shown()  # nothing shown as done is lost
    before = stage.shown()
    stage.bench.policy.editor.insertPlainText("- SP2.c: and more\n")
    at_rest(stage)
    assert stage.shown() != before
    assert stage.shown().policy == stage.bench.policy.document.policy


def test_one_runs_and_one_waits_and_what_is_stale_leaves_no_record(open_window: Opener) -> None:
    stage = open_window(replace(QUICK, match="four"), SLOW)
    stage.open_spam()
    stage.show("")
    stage.keys("Ctrl+L")
    stage.bench.content.take_focus()
    for word in ("one ", "two ", "three "):
        QTest.keyClicks(stage.bench.content.message, word)
        stage.until(lambda: stage.bench.runner.live)
    assert stage.bench.content.run_button.isVisible()  # typing and Run stay as they are
    QTest.keyClicks(stage.bench.content.message, "four")
    stage.until(lambda: stage.bench.verdict.run is not None)
    at_rest(stage)

    assert stage.shown().content.text == "one two three four"
    assert stage.studio.sessions.runs() == [stage.shown()]
    assert [run.state for run in stage.studio.sessions.runs()] == [RunState.DONE]


def test_esc_stops_until_the_next_change(open_window: Opener) -> None:
    stage = open_window(QUICK, SLOW, QUICK)
    stage.open_spam()
    first = stage.judged("You have won")
    stage.keys("Ctrl+L")
    with stage.qtbot.waitSignal(stage.bench.runner.bridge.started, timeout=WAIT_MS):
        stage.bench.content.message.insertPlainText("more ")
    assert stage.bench.runner.live

    stage.keys("Escape")

    at_rest(stage)
    assert stage.bench.live.on
    assert stage.shown() == first
    stage.qtbot.wait(600)
    assert not stage.bench.runner.running
    stage.bench.content.message.insertPlainText("x")
    at_rest(stage)
    assert stage.shown().content.text != first.content.text


def test_run_by_hand_goes_first_and_is_never_stopped_by_typing(open_window: Opener) -> None:
    stage = open_window(SLOW, VIOLATES, QUICK)
    policy = stage.open_spam()
    stage.show("You have won")
    with stage.qtbot.waitSignal(stage.bench.runner.bridge.started, timeout=WAIT_MS):
        stage.keys("Ctrl+L")
    assert stage.bench.runner.live
    stage.bench.content.take_focus()

    stage.keys("Ctrl+Return")
    QTest.keyClicks(stage.bench.content.message, "!")

    at_rest(stage)
    kept = stage.studio.sessions.runs(policy_id=policy.id)
    titles = [stage.studio.sessions.get(run.session_id).title for run in kept]
    assert len(kept) in (1, 2)
    assert "Workbench" in titles
    assert all(run.verdict and run.verdict.status is not Status.CANCELLED for run in kept)


def test_live_is_remembered_in_the_workspace_and_begins_nothing_by_itself(open_window: Opener) -> None:
    stage = open_window(QUICK)
    stage.open_spam()
    stage.judged("You have won")
    stage.keys("Ctrl+L")
    at_rest(stage)
    stage.close()

    again = open_window(QUICK)

    assert again.bench.live.on
    assert again.bench.content.live.isChecked()
    assert not again.bench.live.due


def test_an_engine_that_fails_turns_live_off(open_window: Opener) -> None:
    stage = open_window(QUICK, ScriptedAnswer(text=harmony("{}", "first words"), then="kill"))
    stage.open_spam()
    stage.judged("You have won")
    stage.keys("Ctrl+L")
    stage.bench.content.message.insertPlainText("x")

    stage.until(lambda: not stage.bench.live.on)

    assert not stage.bench.content.live.isChecked()
    assert "Live is off" in stage.window.footer.words.text()
