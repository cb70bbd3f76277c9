"""Which rule decides."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from studio.core.content import Content
from studio.core.errors import InputError
from studio.core.labels import Decision
from studio.core.policy import Policy
from studio.core.progress import Cancel, Progress
from studio.engine.scripted import ScriptedAnswer
from studio.services.explain import Effect, Part, Removal, Unit, explain, same_as
from studio.services.studio import Studio
from tests.services.conftest import Opener, answer

TEXT = """\
# Instruction
Decide.

# Criteria
- SP2.a: prizes
- SP2.b: links
- SP0.a: anything else
"""
WON = Content.message("You won a prize")
# While the rule about prizes stands there, it violates; no prompt fits both.
PRIZE = ScriptedAnswer(match="SP2.a: prizes", text=answer("SP2"))
WITHOUT = ScriptedAnswer(match="# Criteria\n- SP2.b", text=answer("SP0"))
LOST = ScriptedAnswer(text=answer("I cannot say."))


def named(removals: tuple[Removal, ...]) -> list[tuple[str, Effect]]:
    return [(removal.part.name, removal.effect) for removal in removals if isinstance(removal.part, Part)]


def test_where_two_rules_would_do_none_decides_alone(open_studio: Opener, policy: Policy) -> None:
    studio = open_studio(ScriptedAnswer(text=answer("SP2")), n_seq=2)
    told: list[Progress] = []

    found = explain(studio, replace(policy, text=TEXT), WON, on_progress=told.append)

    assert found is not None
    assert found.total == 3
    assert named(found.removals) == [(name, Effect.HOLDS) for name in ("SP2.a", "SP2.b", "SP0.a")]
    assert found.deciding == ()
    assert [one.done for one in told] == [1, 2, 3]
    assert told[-1].eta_s == 0.0


def test_a_lost_verdict_is_no_flip_and_ranks_behind_one(open_studio: Opener, policy: Policy) -> None:
    whole = replace(PRIZE, match="- SP2.a: prizes\n- SP2.b: links")
    studio = open_studio(whole, replace(LOST, match="- SP2.a: prizes\n- SP0.a"), WITHOUT)

    found = explain(studio, replace(policy, text=TEXT), WON)

    assert found is not None
    assert named(found.removals) == [("SP2.a", Effect.FLIPS), ("SP2.b", Effect.NO_VERDICT), ("SP0.a", Effect.HOLDS)]
    assert (found.removals[1].share, found.removals[1].change) == (None, None)


def test_the_deciding_rule_flips_and_the_rest_holds(open_studio: Opener, policy: Policy) -> None:
    written = replace(policy, text=TEXT)
    studio = open_studio(PRIZE, WITHOUT, n_seq=4)

    found = explain(studio, written, WON)

    assert found is not None
    assert named(found.removals)[0] == ("SP2.a", Effect.FLIPS)
    assert {effect for _, effect in named(found.removals)[1:]} == {Effect.HOLDS}
    flipped = found.deciding[0]
    assert flipped.run.verdict is not None
    assert flipped.run.verdict.decision is Decision.ALLOWED
    assert "prizes" not in flipped.run.policy.text
    assert flipped.run.policy.labels == written.labels


def test_the_second_time_nothing_is_judged_again_and_the_runs_are_in_their_session(
    open_studio: Opener, policy: Policy
) -> None:
    studio = open_studio(PRIZE, WITHOUT, n_seq=4)
    written = replace(policy, text=TEXT)
    first = explain(studio, written, WON)
    session = next(one for one in studio.sessions.list() if one.title == "Which rule decides: Spam")
    assert first is not None
    assert session.run_count == 4

    second = explain(studio, written, WON, same_as(first.run))

    assert second is not None
    assert [removal.run.id for removal in second.removals] == [removal.run.id for removal in first.removals]
    assert studio.sessions.get(session.id).run_count == 4
    assert studio.sessions.run(second.removals[0].run.id).raw_output


def test_words_of_the_content(open_studio: Opener, policy: Policy) -> None:
    studio = open_studio(ScriptedAnswer(match="prize", text=answer("SP2")), replace(WITHOUT, match="You won a<|"))

    found = explain(studio, replace(policy, text="Decide.\n"), WON, unit=Unit.WORDS)

    assert found is not None
    assert [(one.part.text, one.effect is Effect.FLIPS) for one in found.removals] == [
        ("prize", True), ("You", False), ("won", False), ("a", False),
    ]  # fmt: skip


def test_a_stop_leaves_what_was_tried(open_studio: Opener, policy: Policy) -> None:
    studio = open_studio(ScriptedAnswer(text=answer("SP2"), pace_s=0.05), n_seq=1)
    cancel = Cancel()

    found = explain(
        studio, replace(policy, text=TEXT), WON, on_removal=lambda _run, _one: cancel.request(), cancel=cancel
    )

    assert found is not None
    assert len(found.removals) == 1
    assert found.total == 3
    assert explain(studio, policy, Content.message("another"), cancel=cancel) is None


def test_without_a_verdict_or_parts_there_is_nothing_to_explain(open_studio: Opener, policy: Policy) -> None:
    studio = open_studio(LOST)
    with pytest.raises(InputError, match="no verdict to explain"):
        explain(studio, replace(policy, text=TEXT), WON)
    with pytest.raises(InputError, match="no rules, examples or paragraphs"):
        explain(studio, replace(policy, text="Decide."), WON)
    with pytest.raises(InputError, match="fewer than two words"):
        explain(studio, policy, Content.message("one"), unit=Unit.WORDS)


def test_on_the_demo_model_the_deciding_rule_ranks_first(workspace: Path) -> None:
    with Studio.open(workspace) as studio:
        shipped = studio.policies.get("demo-notices").policy
        found = explain(studio, shipped, Content.message("What ridiculous muffins."))

    assert found is not None
    assert found.run.verdict is not None
    assert found.run.verdict.labels == ("N1",)
    assert named(found.removals)[0] == ("N1", Effect.FLIPS)
    first, second = found.removals[:2]
    assert first.change is not None
    assert second.change is not None
    assert first.change < -0.5 < -abs(second.change)
    assert found.share is not None
    assert first.share == pytest.approx(found.share + first.change)
