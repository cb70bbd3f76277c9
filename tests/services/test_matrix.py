"""Contents under several policies."""

from __future__ import annotations

from dataclasses import replace

import pytest

from studio.core.content import Content
from studio.core.errors import InputError, PolicyError
from studio.core.labels import Decision, Label, LabelDecision
from studio.core.policy import OutputForm, Policy
from studio.core.progress import Cancel, Progress
from studio.engine.scripted import ScriptedAnswer
from studio.services.matrix import MERGE_COST, Matrix, matrix
from tests.services.conftest import Opener, answer

BUY, FOOL = Content.message("Buy this"), Content.message("You fool")
SPAM = ScriptedAnswer(match="- SP2.a: bulk\n", text=answer("SP2"))


@pytest.fixture
def insults(policy: Policy) -> Policy:
    labels = (Label("IN0", LabelDecision.ALLOW), Label("IN1", LabelDecision.VIOLATE))
    return replace(policy, id="insults", title="Insults", text="# Criteria\n- IN1: insults\n", labels=labels)


def decisions(found: Matrix) -> list[list[Decision | None]]:
    return [[run.verdict.decision if run and run.verdict else None for run in row] for row in found.runs]


def test_each_content_is_judged_under_each_policy(open_studio: Opener, policy: Policy, insults: Policy) -> None:
    studio = open_studio(SPAM, ScriptedAnswer(match="- IN1: insults\n", text=answer("IN0")), n_seq=2)
    told: list[Progress] = []

    found = matrix(studio, [policy, insults], [BUY, FOOL, BUY], on_progress=told.append)

    assert decisions(found) == [[Decision.VIOLATES, Decision.ALLOWED]] * 3
    assert [[run and run.content for run in row] for row in found.runs] == [[one] * 2 for one in (BUY, FOOL, BUY)]
    assert [run and run.policy.id for run in found.runs[0]] == [policy.id, "insults"]
    assert found.runs[0] == found.runs[2]  # the same question is asked once
    assert (told[-1].done, told[-1].total) == (4, 4)
    assert found.notes == ()


def test_combined_on_request_is_one_call_with_its_cost_told(
    open_studio: Opener, policy: Policy, insults: Policy
) -> None:
    studio = open_studio(ScriptedAnswer(match="# Insults", text=answer("IN1")))

    found = matrix(studio, [policy, insults], [FOOL], combined=True)

    assert [one.title for one in found.policies] == ["Spam + Insults"]
    assert decisions(found) == [[Decision.VIOLATES]]
    assert found.notes[0] == MERGE_COST
    with pytest.raises(PolicyError):
        matrix(studio, [policy, replace(insults, form=OutputForm.BINARY)], [FOOL], combined=True)


def test_a_stop_leaves_empty_cells_and_nothing_is_an_error(open_studio: Opener, policy: Policy) -> None:
    studio = open_studio(SPAM)
    cancel = Cancel()
    cancel.request()

    assert matrix(studio, [policy], [BUY], cancel=cancel).runs == ((None,),)
    with pytest.raises(InputError, match="no policies"):
        matrix(studio, [], [BUY])
    with pytest.raises(InputError, match="no contents"):
        matrix(studio, [policy], [])
