from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from studio.core.content import Content
from studio.core.labels import Decision, Label, LabelDecision
from studio.core.policy import Policy
from studio.core.run import Run, RunState
from studio.core.verdict import Status, Verdict, no_verdict
from studio.engine.scripted import ScriptedAnswer
from studio.services.repeat import Repeats
from studio.ui.workbench.repeats import repeat_words
from tests.ui.conftest import SLOW, VIOLATES, Opener

ALLOWED = Verdict(Status.OK, Decision.ALLOWED)
LURE = Verdict(Status.OK, Decision.VIOLATES)
NOTHING = no_verdict(Status.UNPARSED)


@pytest.mark.parametrize(
    ("verdicts", "shown", "words", "detail"),
    [
        ([LURE] * 5, Decision.VIOLATES, "Holds: 5 of 5 say violates", "flip rate 0 % · temperature 1.0"),
        (
            [LURE] * 4 + [ALLOWED],
            Decision.VIOLATES,
            "Mostly holds: 4 of 5 say violates",
            "4 violates, 1 allowed · flip rate 20 % · temperature 1.0",
        ),
        (
            [ALLOWED] * 4 + [NOTHING],
            Decision.VIOLATES,
            "Most say otherwise: 4 of 5 say allowed",
            "4 allowed, 1 no verdict · flip rate 100 % · temperature 1.0",
        ),
        (
            [ALLOWED] * 2 + [LURE] * 2 + [NOTHING],
            Decision.VIOLATES,
            "The repeats do not agree",
            "2 allowed, 2 violates, 1 no verdict · flip rate 50 % · temperature 1.0",
        ),
        ([LURE] * 5, None, "5 of 5 say violates", "temperature 1.0"),
        ([NOTHING] * 5, Decision.VIOLATES, "None of 5 repeats gave a verdict", ""),
    ],
)
def test_what_the_repeats_say_is_said_in_words(
    verdicts: list[Verdict], shown: Decision | None, words: str, detail: str
) -> None:
    policy = Policy(id="p", title="p", text="Decide.", labels=(Label("L0", LabelDecision.ALLOW),))
    run = Run("r", "s", policy, None, Content.message("buy"), RunState.DONE, datetime.now(UTC))

    assert repeat_words(Repeats(tuple(replace(run, verdict=one) for one in verdicts)), shown) == (words, detail)


def test_repeats_judge_the_same_again_and_lead_to_their_runs(open_window: Opener) -> None:
    stage = open_window(VIOLATES)
    stage.open_spam()
    run = stage.judged("You have won")
    strip = stage.bench.verdict.repeats
    assert not strip.isVisible()

    stage.show("something else")
    stage.keys("Ctrl+Shift+R")
    stage.until(lambda: strip.running)
    assert not stage.bench.verdict.repeat_button.isEnabled()
    stage.until(lambda: not strip.running)
    stage.settle()

    assert strip.words.text() == "Holds: 5 of 5 say violates"
    assert {one.content for one in strip.repeats.runs} == {run.content}
    assert len({one.provenance.sampling.seed for one in strip.repeats.runs if one.provenance}) == 5
    assert stage.bench.verdict.repeat_button.isEnabled()

    strip.show_runs.click()
    stage.settle()

    assert stage.window.page == "history"
    assert stage.window.history.table.rowCount() == 5


def test_esc_stops_repeats_and_another_run_takes_the_strip_away(open_window: Opener) -> None:
    stage = open_window(ScriptedAnswer(match="won", text=VIOLATES.text), replace(SLOW, match="slow"))
    stage.open_spam()
    run = stage.judged("You have won")
    strip = stage.bench.verdict.repeats
    strip.start(replace(run, content=Content.message("slow")))
    stage.until(lambda: strip.running and strip.isVisible())

    stage.keys("Escape")

    stage.until(lambda: not strip.running)
    stage.settle()
    assert not strip.isVisible()  # nothing came before the stop
    stage.keys("Ctrl+Shift+R")
    stage.until(lambda: strip.repeats.runs and not strip.running)
    stage.judged("You have won again")
    assert not strip.isVisible()


def test_closing_while_it_repeats_leaves_nothing(open_window: Opener) -> None:
    stage = open_window(ScriptedAnswer(match="won", text=VIOLATES.text), replace(SLOW, match="slow"))
    stage.open_spam()
    run = stage.judged("You have won")
    stage.bench.verdict.repeats.start(replace(run, content=Content.message("slow")))
    stage.until(lambda: stage.bench.verdict.repeats.running)

    stage.close()

    assert not stage.window.isVisible()
