from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from studio.core.content import Content
from studio.core.labels import Decision
from studio.core.policy import Effort, Policy
from studio.core.progress import Cancel
from studio.core.run import Run, RunState
from studio.core.verdict import Status, Verdict, no_verdict
from studio.engine.scripted import ScriptedAnswer
from studio.services.repeat import Repeats, repeat
from tests.services.conftest import Opener, answer

ALLOWED = Verdict(Status.OK, Decision.ALLOWED)
VIOLATES = Verdict(Status.OK, Decision.VIOLATES)
NOTHING = no_verdict(Status.UNPARSED)


def test_the_same_is_judged_again_with_sampling_and_seeds_of_its_own(open_studio: Opener, policy: Policy) -> None:
    studio = open_studio(ScriptedAnswer(text=answer("SP2")))
    session = studio.sessions.create("Repeats")
    run = studio.judge.judge(policy, Content.message("buy"), session_id=session.id, effort=Effort.HIGH)
    heard: list[Run] = []

    found = repeat(studio.judge, run, session_id=session.id, times=3, seed=7, on_run=heard.append)

    assert found.decisions == (Decision.VIOLATES,) * 3
    assert {one.id for one in heard} == {one.id for one in found.runs}
    kept = [one.provenance for one in found.runs if one.provenance is not None]
    assert [one.sampling.seed for one in kept] == [7, 8, 9]
    assert {(one.sampling.temperature, one.sampling.top_p, one.effort) for one in kept} == {(1.0, 1.0, Effort.HIGH)}
    assert {one.content for one in found.runs} == {run.content}
    assert len(studio.sessions.runs(session_id=session.id)) == 4


def test_a_stop_keeps_those_that_ended(open_studio: Opener, policy: Policy) -> None:
    studio = open_studio(ScriptedAnswer(text=answer("SP2")))
    session = studio.sessions.create("Repeats")
    run = studio.judge.judge(policy, Content.message("buy"), session_id=session.id)
    stop = Cancel()

    found = repeat(studio.judge, run, session_id=session.id, on_run=lambda _run: stop.request(), cancel=stop)

    assert 1 <= len(found.runs) < 5
    assert found.majority is Decision.VIOLATES


@pytest.mark.parametrize(
    ("verdicts", "majority", "agreement", "flips", "rate"),
    [
        ([VIOLATES] * 5, Decision.VIOLATES, 1.0, 0, 0.0),
        ([VIOLATES, ALLOWED, VIOLATES, VIOLATES, ALLOWED], Decision.VIOLATES, 0.6, 2, 0.4),
        ([VIOLATES, ALLOWED], None, 0.5, 1, 0.5),
        ([VIOLATES, NOTHING, NOTHING, ALLOWED, ALLOWED], Decision.ALLOWED, 2 / 3, 2, 2 / 3),
        ([NOTHING, NOTHING], None, None, 0, None),
    ],
)
def test_no_verdict_is_never_counted_as_a_decision(
    policy: Policy,
    verdicts: list[Verdict],
    majority: Decision | None,
    agreement: float | None,
    flips: int,
    rate: float | None,
) -> None:
    run = Run("r", "s", policy, None, Content.message("buy"), RunState.DONE, datetime.now(UTC))

    found = Repeats(tuple(replace(run, verdict=verdict) for verdict in verdicts))

    assert (found.majority, found.agreement) == (majority, agreement)
    assert (found.flips(Decision.VIOLATES), found.flip_rate(Decision.VIOLATES)) == (flips, rate)
