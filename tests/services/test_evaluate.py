"""Evaluations: nothing is judged twice, a stopped run goes on, and what is compared is the same content."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from studio.core.content import Content
from studio.core.errors import EngineError, InputError
from studio.core.evaluation import Change
from studio.core.golden import GoldenExample
from studio.core.labels import Decision
from studio.core.policy import Effort, Policy
from studio.core.progress import Cancel, Pause, Progress
from studio.core.run import SAMPLED
from studio.core.targets import By, parse_targets
from studio.core.verdict import Status, Verdict
from studio.engine.scripted import ScriptedAnswer, ScriptedLoad
from studio.services.evaluate import Settings
from studio.services.evaluation import p_violates
from studio.services.studio import Studio
from tests.services.conftest import Opener, answer

BAD, FINE = ScriptedAnswer(answer("SP2")), ScriptedAnswer(answer("SP0"))


def examples(count: int, expected: Decision | None = Decision.VIOLATES) -> list[GoldenExample]:
    return [
        GoldenExample(f"e{n}", "spam-test", Content.message(f"number {n};"), expected, ("sp2",)) for n in range(count)
    ]


def judged(studio: Studio) -> int:
    """How many judgements the workspace holds."""
    return sum(session.run_count for session in studio.sessions.list())


def test_nothing_is_judged_twice(open_studio: Opener, policy: Policy) -> None:
    studio = open_studio(BAD, n_seq=3)
    seen: list[Progress] = []
    first = studio.evaluate.run(policy, [*examples(5), *examples(1, None)], on_progress=seen.append)
    assert (first.fresh, first.reused, len(first.examples), judged(studio)) == (5, 0, 5, 5)
    assert [step.done for step in seen] == [1, 2, 3, 4, 5]
    assert seen[0].eta_s is not None
    assert seen[-1].eta_s == 0

    again = studio.evaluate.run(policy, examples(7))
    assert (again.fresh, again.reused, judged(studio)) == (2, 5, 7)
    assert again.judgements[:5] == first.judgements
    studio.close()
    other = open_studio(BAD, n_seq=4)
    third = other.evaluate.run(replace(policy, title="Another title"), examples(7))
    assert (third.fresh, third.reused, judged(other)) == (0, 7, 7)
    assert other.evaluate.scores(third) == other.evaluate.scores(again)


@pytest.mark.parametrize(
    ("change", "settings"),
    [
        ({"text": "# Other"}, Settings()),
        ({}, Settings(effort=Effort.HIGH)),
        ({}, Settings(pinned_date=date(2031, 1, 2))),
        ({}, Settings(sampling=SAMPLED, seed=1)),
    ],
)
def test_what_may_judge_otherwise_is_judged_again(
    open_studio: Opener, policy: Policy, change: dict[str, str], settings: Settings
) -> None:
    studio = open_studio(BAD)
    studio.evaluate.run(policy, examples(2))
    changed = studio.evaluate.run(replace(policy, **change), examples(2), settings)  # type: ignore[arg-type]
    assert (changed.fresh, changed.reused) == (2, 0)
    assert studio.evaluate.run(replace(policy, **change), examples(2), settings).fresh == 0  # type: ignore[arg-type]


def test_what_was_judged_under_another_thinking_budget_is_judged_again(open_studio: Opener, policy: Policy) -> None:
    studio = open_studio(BAD, n_seq=3)
    studio.evaluate.run(policy, examples(2))

    studio.judge.set_budgets({policy.effort: 500})
    limited, again = (studio.evaluate.run(policy, examples(2)) for _ in range(2))
    studio.judge.set_budgets({})
    free = studio.evaluate.run(policy, examples(2))

    assert [(done.fresh, done.reused) for done in (limited, again, free)] == [(2, 0), (0, 2), (0, 2)]
    run = studio.evaluate.run_of(limited.judgements[0][0].run_id)
    assert run is not None
    assert run.provenance is not None
    assert run.provenance.thinking_budget == 500


def test_one_at_a_time_is_not_the_same_as_several(open_studio: Opener, policy: Policy) -> None:
    open_studio(BAD, n_seq=2).evaluate.run(policy, examples(2))
    assert open_studio(BAD, n_seq=1).evaluate.run(policy, examples(2)).fresh == 2


def test_a_stopped_run_goes_on_where_it_was(open_studio: Opener, policy: Policy) -> None:
    studio = open_studio(BAD)
    cancel = Cancel()

    def stop(done: Progress) -> None:
        if done.done == 2:
            cancel.request()

    first = studio.evaluate.run(policy, examples(6), on_progress=stop, cancel=cancel)
    assert 2 <= len(first.examples) < 6
    assert first.unfinished == 6 - len(first.examples)
    assert studio.evaluate.scores(first).known == len(first.examples)
    studio.close()
    rest = open_studio(BAD).evaluate.run(policy, examples(6))
    assert (rest.reused, rest.fresh, rest.unfinished) == (len(first.examples), 6 - len(first.examples), 0)


def test_a_failure_of_the_engine_is_tried_again_and_a_silent_answer_is_not(open_studio: Opener, policy: Policy) -> None:
    studio = open_studio(ScriptedAnswer(fail="broken"), ScriptedAnswer(answer("no idea")), BAD)
    first = studio.evaluate.run(policy, examples(3))
    statuses = [group[0].judged.status for group in first.judgements]
    assert statuses == [Status.ENGINE_FAILED, Status.UNPARSED, Status.OK]
    again = studio.evaluate.run(policy, examples(3))
    assert (again.fresh, again.reused) == (1, 2)
    assert studio.evaluate.scores(again).no_verdict.k == 1


def test_a_model_that_does_not_load_is_an_error_and_no_score(open_studio: Opener, policy: Policy) -> None:
    studio = open_studio(loads=(ScriptedLoad(fail="not_gguf"),))
    with pytest.raises(EngineError):
        studio.evaluate.run(policy, examples(2))
    assert judged(studio) == 0


def test_the_same_content_twice_is_asked_once(open_studio: Opener, policy: Policy) -> None:
    studio = open_studio(BAD)
    twice = [replace(example, id=f"{example.id}{part}") for example in examples(2) for part in "ab"]
    found = studio.evaluate.run(policy, twice)
    assert (len(found.examples), found.fresh, judged(studio)) == (4, 2, 2)


def test_repeats_are_sampled_each_with_its_seed_and_a_tie_asks_for_a_person(
    open_studio: Opener, policy: Policy
) -> None:
    studio = open_studio(BAD, FINE, BAD, BAD)
    found = studio.evaluate.run(policy, examples(2), Settings(repeats=2, seed=7))
    seeds = [judgement.provenance.sampling.seed for judgement in found.judgements[0] if judgement.provenance]
    assert seeds == [7, 8]
    stability = studio.evaluate.stability(found)
    assert [item.tie for item in stability.items] == [True, False]
    assert (stability.changed.k, stability.changed.n, stability.ties) == (1, 2, 1)
    assert [item.decision for item in studio.evaluate.items(found)] == [Decision.NEEDS_REVIEW, Decision.VIOLATES]
    more = studio.evaluate.run(policy, examples(2), Settings(repeats=3, seed=7))
    assert (more.reused, more.fresh) == (4, 2)


@pytest.mark.parametrize("settings", [Settings(repeats=0), Settings(repeats=101)])
def test_what_cannot_be_run_is_refused(open_studio: Opener, policy: Policy, settings: Settings) -> None:
    studio = open_studio(BAD)
    with pytest.raises(InputError, match="repeats"):
        studio.evaluate.run(policy, examples(1), settings)
    with pytest.raises(InputError, match="decision"):
        studio.evaluate.run(policy, examples(2, None))


def test_a_pause_holds_and_a_stop_ends_it(open_studio: Opener, policy: Policy) -> None:
    studio = open_studio(BAD)
    pause, cancel = Pause(), Cancel()
    pause.request()
    done: list[int] = []
    job = threading.Thread(
        target=lambda: done.append(
            studio.evaluate.run(policy, examples(3), on_progress=lambda _: pause.request(), pause=pause).fresh
        )
    )
    job.start()
    while not done:
        pause.resume()
        job.join(0.05)
    assert done == [3]
    pause.request()
    threading.Timer(0.2, cancel.request).start()
    stopped = studio.evaluate.run(policy, examples(9), pause=pause, cancel=cancel)
    assert (stopped.unfinished, stopped.reused) == (6, 3)


def test_versions_are_compared_by_content_with_flips_and_reasoning(open_studio: Opener, policy: Policy) -> None:
    answers = [ScriptedAnswer(answer("SP0", "Looks fine."), match=f"number {n};") for n in range(8)]
    better = [ScriptedAnswer(answer("SP2", "It sells."), match=f"number {n};") for n in range(8)]
    studio = open_studio(*answers, *better)
    before = studio.evaluate.run(policy, examples(8))
    renamed = [replace(example, id=f"new {example.id}") for example in examples(8)]
    after = studio.evaluate.run(replace(policy, text=policy.text + "- SP2.b: sales\n"), renamed)
    found = studio.evaluate.compare(before, after)
    assert (found.n, found.change) == (8, Change.BETTER)
    assert [flip.id for flip in found.got_better] == [f"new e{n}" for n in range(8)]
    run = studio.evaluate.run_of(after.judgements[0][0].run_id)
    assert run is not None
    assert run.verdict is not None
    assert run.verdict.reasoning == "It sells."
    same = studio.evaluate.compare(before, before)
    assert same.change is Change.SAME
    assert same.words.startswith("The same within noise (p = 1)")
    far = studio.evaluate.run(policy, [replace(examples(1)[0], content=Content.message("elsewhere"))])
    with pytest.raises(InputError, match="no example in common"):
        studio.evaluate.compare(before, far)


def test_targets_and_thresholds_come_from_the_same_verdicts(open_studio: Opener, policy: Policy) -> None:
    studio = open_studio(BAD)
    found = studio.evaluate.run(policy, examples(12))
    checks = studio.evaluate.check(found, parse_targets("recall=0.9,recall[SP2]=0.7"))
    assert [check.met for check in checks] == [False, True]
    assert all(check.met for check in studio.evaluate.check(found, parse_targets("recall=1"), by=By.POINT))
    thresholds = studio.evaluate.thresholds(found, miss=0.01, false_flag=0.01)
    assert thresholds.allow.at is None
    assert "299" in thresholds.allow.reason


@pytest.mark.parametrize(
    ("alternatives", "expected"),
    [
        ((("SP2", 0.75), ("SP0", 0.25)), 0.75),
        ((("sp0", 0.9), ("SP2", 0.1)), 0.1),
        ((("INVALID", 0.6), ("VALID", 0.4)), 0.6),
        ((("1", 0.3), ("0", 0.7)), 0.3),
        ((("SP0 or SP2", 0.5), ("SP2", 0.5)), None),
        ((("what", 1.0),), None),
        ((), None),
    ],
)
def test_the_probability_of_violating_comes_from_the_answers(
    policy: Policy, alternatives: tuple[tuple[str, float], ...], expected: float | None
) -> None:
    verdict = Verdict(Status.OK, Decision.VIOLATES, alternatives=alternatives)
    assert p_violates(policy, verdict) == (None if expected is None else pytest.approx(expected))


def test_another_model_judges_in_its_turn_and_each_is_judged_once(
    open_studio: Opener, policy: Policy, tmp_path: Path
) -> None:
    studio = open_studio(BAD)
    path = tmp_path / "other.gguf"
    path.write_bytes(b"GGUF" + (3).to_bytes(4, "little") + bytes(64))
    other = studio.models.add(path)

    assert studio.evaluate.recall(policy, examples(3), model=other) is None
    before = studio.evaluate.run(policy, examples(3), model=other)
    after = studio.evaluate.run(policy, examples(3))
    assert (before.fresh, after.fresh) == (3, 3)
    assert before.model.sha256 == other.sha256 != after.model.sha256
    assert studio.models.current().is_demo
    assert studio.evaluate.compare(before, after).change is Change.SAME

    known = studio.evaluate.recall(policy, examples(3), model=other)
    assert known is not None
    assert known.judgements == before.judgements
    assert studio.evaluate.run(policy, examples(3), model=other).fresh == 0


def test_another_choice_of_model_ends_the_run_and_is_not_mixed_in(
    open_studio: Opener, policy: Policy, tmp_path: Path
) -> None:
    studio = open_studio(BAD)
    path = tmp_path / "other.gguf"
    path.write_bytes(b"GGUF" + (3).to_bytes(4, "little") + bytes(64))
    other = studio.models.add(path)
    found = studio.evaluate.run(policy, examples(40), on_progress=lambda _progress: studio.models.use(other))
    assert {group[0].provenance.model_sha256 for group in found.judgements if group[0].provenance} == {
        found.model.sha256
    }
    assert 0 < found.fresh < 40
    assert found.unfinished == 40 - found.fresh
    assert studio.models.current().path == path
