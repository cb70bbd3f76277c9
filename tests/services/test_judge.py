"""The road of one judgement over a real worker process and a real workspace; only the model's words are scripted."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from studio.core.content import Content
from studio.core.errors import PolicyError
from studio.core.labels import Decision, Label, LabelDecision
from studio.core.policy import OutputPosition, Policy
from studio.core.progress import Cancel
from studio.core.run import Run, RunState
from studio.core.verdict import Status
from studio.engine.scripted import ScriptedAnswer, ScriptedLoad
from studio.services.judge import Answering, JudgeEvent, Started, Thinking
from studio.services.studio import Studio
from tests.services.conftest import Opener, answer

HELLO = Content.message("Hello")


def judged(studio: Studio, policy: Policy, content: Content = HELLO, **options: object) -> Run:
    session = studio.sessions.current()
    return studio.judge.judge(policy, content, session_id=session.id, **options)  # type: ignore[arg-type]  # any of judge's own


def test_a_verdict_is_stored_with_everything_it_depended_on(open_studio: Opener, policy: Policy) -> None:
    studio = open_studio(ScriptedAnswer(answer("SP2")))
    run = judged(studio, policy)
    assert studio.sessions.run(run.id) == run
    assert run.state is RunState.DONE
    assert run.verdict is not None
    assert run.verdict.decision is Decision.VIOLATES
    assert run.verdict.labels == ("SP2",)
    assert run.verdict.reasoning == "Rule SP2.a fits."
    assert run.provenance is not None
    assert run.provenance.policy_sha256 == policy.sha256
    assert run.provenance.pinned_date == studio.pinned_date()
    assert run.timing.output_tokens > 0
    assert run.version is None


def test_the_form_is_held_to_where_the_studio_wrote_it(open_studio: Opener, policy: Policy) -> None:
    studio = open_studio(ScriptedAnswer(answer("SP2")))
    own = replace(policy, position=OutputPosition.IN_TEXT)
    found = replace(policy, text=f"{policy.text}\nAnswer with exactly one label.\n")
    nameless = replace(policy, labels=())

    def held(judged_by: Policy, constrain: bool | None = None) -> bool:
        run = judged(studio, judged_by, constrain=constrain)
        assert run.provenance is not None
        return run.provenance.constrained

    assert [held(each) for each in (policy, own, found, nameless)] == [True, False, False, False]
    assert [held(each, constrain=True) for each in (policy, own, found)] == [True, True, True]
    assert not held(policy, constrain=False)


def test_a_form_that_cannot_be_held_to_is_an_error_in_words(open_studio: Opener, policy: Policy) -> None:
    studio = open_studio(ScriptedAnswer(answer("SP2")))
    twins = replace(policy, labels=(Label("a b", LabelDecision.ALLOW), Label("a-b", LabelDecision.VIOLATE)))

    with pytest.raises(PolicyError, match="'a b' could not be told from others"):
        judged(studio, twins, constrain=True)

    assert studio.sessions.list()[0].run_count == 0
    assert judged(studio, twins).provenance is not None


def test_the_version_is_named_when_the_judged_text_was_saved(open_studio: Opener, policy: Policy) -> None:
    studio = open_studio(ScriptedAnswer(answer("SP0")))
    studio.policies.save(policy, message="first")
    assert judged(studio, policy).version == 1


def test_text_streams_as_it_comes(open_studio: Opener, policy: Policy) -> None:
    events: list[JudgeEvent] = []
    run = judged(open_studio(ScriptedAnswer(answer("SP0", "One two three."))), policy, on_event=events.append)
    assert any(isinstance(event, Started) for event in events)
    assert "".join(event.text for event in events if isinstance(event, Thinking)) == "One two three."
    assert "".join(event.text for event in events if isinstance(event, Answering)) == "SP0"
    assert run.verdict is not None


@pytest.mark.parametrize(
    ("final", "status"),
    [("", Status.EMPTY), ("SP9", Status.UNKNOWN_LABEL), ("I’m sorry, but I can’t help with that.", Status.REFUSED)],
)
def test_what_is_no_verdict_is_kept_as_none(open_studio: Opener, policy: Policy, final: str, status: Status) -> None:
    run = judged(open_studio(ScriptedAnswer(answer(final))), policy)
    assert run.verdict is not None
    assert run.verdict.status is status
    assert run.verdict.decision is None


def test_confidence_is_the_share_of_the_probability(open_studio: Opener, policy: Policy) -> None:
    chances = {"SP2": {"SP2": 0.6, "SP0": 0.2, "maybe": 0.2}}
    run = judged(open_studio(ScriptedAnswer(answer("SP2"), chances=chances)), policy)
    assert run.verdict is not None
    assert run.verdict.confidence == pytest.approx(0.75)


def test_cancel_keeps_what_was_thought(open_studio: Opener, policy: Policy) -> None:
    studio = open_studio(ScriptedAnswer(answer("SP2", "word " * 500), pace_s=0.01))
    cancel = Cancel()

    def stop_at_first_word(event: JudgeEvent) -> None:
        if isinstance(event, Thinking):
            cancel.request()

    run = judged(studio, policy, on_event=stop_at_first_word, cancel=cancel)
    assert run.verdict is not None
    assert run.verdict.status is Status.CANCELLED
    assert run.verdict.status_detail == "Stopped by you."
    assert run.verdict.reasoning.startswith("word")
    assert studio.sessions.run(run.id) == run


def test_what_is_overtaken_leaves_no_record(open_studio: Opener, policy: Policy) -> None:
    studio = open_studio(ScriptedAnswer(answer("SP2", "word " * 500), pace_s=0.01), ScriptedAnswer(answer("SP2")))
    cancel = Cancel()

    def stop_at_first_word(event: JudgeEvent) -> None:
        if isinstance(event, Thinking):
            cancel.request()

    stopped = judged(studio, policy, on_event=stop_at_first_word, cancel=cancel, keep_stopped=False)
    assert stopped.verdict is not None
    assert stopped.verdict.status is Status.CANCELLED
    assert studio.sessions.runs() == []
    done = judged(studio, policy, keep_stopped=False)
    assert studio.sessions.runs() == [done]


@pytest.mark.parametrize(
    ("raised", "status", "says"),
    [(KeyboardInterrupt, Status.CANCELLED, "Stopped by you."), (ZeroDivisionError, Status.ENGINE_FAILED, "ZeroDiv")],
)
def test_what_breaks_off_a_run_is_told_apart(
    open_studio: Opener, policy: Policy, raised: type[BaseException], status: Status, says: str
) -> None:
    studio = open_studio(ScriptedAnswer(answer("SP2", "word " * 50), pace_s=0.01))

    def break_off(event: JudgeEvent) -> None:
        if isinstance(event, Thinking):
            raise raised

    with pytest.raises(raised):
        judged(studio, policy, on_event=break_off)
    (kept,) = studio.sessions.runs()
    assert kept.state is RunState.DONE
    assert kept.verdict is not None
    assert kept.verdict.status is status
    assert says in kept.verdict.status_detail
    assert kept.verdict.reasoning.startswith("word")


@pytest.mark.parametrize("then", ["kill", "crash", "exit", "garbage"])
def test_a_dead_engine_is_recorded_and_the_next_judgement_works(open_studio: Opener, policy: Policy, then: str) -> None:
    half = ScriptedAnswer("<|channel|>analysis<|message|>I was just", then=then, only_start=1)  # type: ignore[arg-type]  # one of Then
    studio = open_studio(half, ScriptedAnswer(answer("SP0")))
    dead = judged(studio, policy)
    assert dead.verdict is not None
    assert dead.verdict.status is Status.ENGINE_FAILED
    assert dead.verdict.reasoning == "I was just"
    assert dead.verdict.status_detail
    # What it ran on is in the record, though it gave no answer.
    assert dead.provenance is not None
    assert dead.provenance.model_name
    assert dead.provenance.pinned_date == studio.pinned_date()
    assert studio.sessions.run(dead.id) == dead
    after = judged(studio, policy)
    assert after.verdict is not None
    assert after.verdict.decision is Decision.ALLOWED


def test_a_model_that_does_not_load_is_a_non_verdict_with_words(open_studio: Opener, policy: Policy) -> None:
    run = judged(open_studio(ScriptedAnswer(answer("SP0")), loads=(ScriptedLoad(then="no_memory"),)), policy)
    assert run.verdict is not None
    assert run.verdict.status is Status.ENGINE_FAILED
    assert "memory" in run.verdict.status_detail
    assert run.provenance is None


def test_a_model_whose_file_is_gone_is_a_non_verdict_too(open_studio: Opener, policy: Policy, tmp_path: Path) -> None:
    studio = open_studio(ScriptedAnswer(answer("SP0")))
    judged(studio, policy)
    file = tmp_path / "own.gguf"
    file.write_bytes(b"GGUF" + (3).to_bytes(4, "little"))
    studio.models.use(studio.models.named(str(file)))
    file.unlink()
    run = judged(studio, policy)
    assert run.verdict is not None
    assert (run.verdict.status, studio.models.loaded) == (Status.ENGINE_FAILED, False)
    assert studio.sessions.run(run.id) == run


def test_too_long_says_the_numbers(open_studio: Opener, policy: Policy) -> None:
    run = judged(open_studio(ScriptedAnswer(answer("SP0")), n_ctx_limit=300), policy, Content.message("word " * 2000))
    assert run.verdict is not None
    assert run.verdict.status is Status.TOO_LONG
    assert "300" in run.verdict.status_detail


def test_closing_while_it_thinks_records_why(open_studio: Opener, policy: Policy, workspace: Path) -> None:
    studio = open_studio(ScriptedAnswer(answer("SP2", "word " * 2000), pace_s=0.01))
    thinking = threading.Event()

    def heard(event: JudgeEvent) -> None:
        if isinstance(event, Thinking):
            thinking.set()

    studio.models.load()
    runs: list[Run] = []
    worker = threading.Thread(target=lambda: runs.append(judged(studio, policy, on_event=heard)))
    worker.start()
    assert thinking.wait(30)
    # Should the studio be killed now, its record says what it ran on.
    (running,) = studio.sessions.runs()
    assert running.state is RunState.RUNNING
    assert running.provenance is not None
    studio.close()
    worker.join(30)
    assert not worker.is_alive()
    (run,) = runs
    assert run.verdict is not None
    assert run.verdict.status is Status.CANCELLED
    assert "closed" in run.verdict.status_detail
    again = open_studio()
    assert again.sessions.run(run.id) == run
    assert again.interrupted == ()


def test_the_date_in_the_prompt_does_not_follow_the_clock(open_studio: Opener, policy: Policy) -> None:
    studio = open_studio(ScriptedAnswer(answer("SP0")))
    studio.pin_date(date(2025, 5, 5))
    assert "Current date: 2025-05-05" in studio.judge.prompt(policy, HELLO).text
    run = judged(studio, policy)
    assert run.provenance is not None
    assert run.provenance.pinned_date == date(2025, 5, 5)


def test_a_cut_answer_is_not_read(open_studio: Opener, policy: Policy) -> None:
    run = judged(open_studio(ScriptedAnswer("<|channel|>analysis<|message|>only thoughts about SP2<|return|>")), policy)
    assert run.verdict is not None
    assert run.verdict.status is Status.NO_FINAL


def test_runs_are_found_by_their_decision(open_studio: Opener, policy: Policy) -> None:
    studio = open_studio(
        ScriptedAnswer(answer("SP2"), match="one"),
        ScriptedAnswer(answer("SP0"), match="two"),
        ScriptedAnswer(answer("no idea"), match="three"),
    )
    bad, good, none = (judged(studio, policy, Content.message(text)) for text in ("one", "two", "three"))
    assert studio.sessions.runs() == [none, good, bad]
    assert studio.sessions.runs(decisions={Decision.VIOLATES}) == [bad]
    assert studio.sessions.runs(decisions={Decision.VIOLATES, None}) == [none, bad]
    assert studio.sessions.runs(decisions={None}, limit=1, offset=1) == []
