"""Finding the version, and the change in it, that flipped a verdict."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from studio.core.content import Content
from studio.core.diff import Hunk
from studio.core.errors import InputError, NotFoundError
from studio.core.labels import Decision, Label, LabelDecision
from studio.core.policy import Policy
from studio.core.progress import Cancel, Progress
from studio.engine.scripted import ScriptedAnswer
from studio.services.bisect import Bisection, bisect
from studio.services.policies import PolicyService
from studio.services.studio import Studio
from tests.services.conftest import Opener, answer

WON = Content.message("You won a prize")
HEAD = "# Criteria\n- SP2.a: bulk\n- SP0.a: prizes are {}\n- SP2.b: {}\n"
FINE = ScriptedAnswer(match="prizes are fine", text=answer("SP0"))
BAD = ScriptedAnswer(match="prizes are not", text=answer("SP2"))


def saved(policies: PolicyService, policy: Policy, *texts: str) -> None:
    for text in texts:
        policies.save(replace(policy, text=text))


def found_by(studio: Studio, policy: Policy, first: int, last: int) -> Bisection:
    found = bisect(studio, policy.id, WON, first, last)
    assert found is not None
    return found


def test_the_version_and_the_hunk_are_found(open_studio: Opener, policy: Policy) -> None:
    studio = open_studio(FINE, BAD, n_seq=2)
    saved(
        studio.policies,
        policy,
        *(HEAD.format("fine", word) for word in ("a", "b", "c")),
        HEAD.format("not", "d"),
        *(HEAD.format("not", word) for word in ("e", "f", "g")),
    )
    told: list[Progress] = []

    found = bisect(studio, policy.id, WON, 1, 7, on_progress=told.append)

    assert found is not None
    assert (found.before.number, found.after.number) == (3, 4)
    assert [number for number, _ in found.tried] == [1, 2, 3, 4, 7]
    assert found.run_of(4).verdict is not None
    assert [(suspect.hunk and suspect.hunk.new, suspect.flips) for suspect in found.suspects] == [
        ("- SP0.a: prizes are not\n", True),
        ("- SP2.b: d\n", False),
    ]
    (culprit,) = found.culprits
    assert isinstance(culprit, Hunk)
    assert culprit.old == "- SP0.a: prizes are fine\n"
    assert told[-1].done == told[-1].total
    assert [one.done for one in told] == sorted(one.done for one in told)


def test_changes_that_only_flip_together_are_named_together(open_studio: Opener, policy: Policy) -> None:
    both = ScriptedAnswer(match="one now\n- SP2.b: two now", text=answer("SP2"))
    first = ScriptedAnswer(match="SP2.a: one\n", text=answer("SP0"))
    second = ScriptedAnswer(match="one now\n- SP2.b: two\n", text=answer("SP0"))
    text = "# Criteria\n- SP2.a: {}\n- SP2.b: {}\n- SP0.a: {}\n"
    studio = open_studio(first, second, both)
    saved(studio.policies, policy, text.format("one", "two", "x"), text.format("one now", "two now", "y"))

    found = found_by(studio, policy, 1, 2)

    assert [suspect.flips for suspect in found.suspects] == [False, False, False]
    assert [hunk.new for hunk in found.culprits if hunk] == ["- SP2.a: one now\n", "- SP2.b: two now\n"]


def test_a_change_of_labels_is_a_change_too(open_studio: Opener, policy: Policy) -> None:
    studio = open_studio(ScriptedAnswer(text=answer("SP2")))
    labels = (Label("SP0", LabelDecision.ALLOW), Label("SP2", LabelDecision.REVIEW))
    studio.policies.save(policy)
    studio.policies.save(replace(policy, labels=labels, text=policy.text + "More.\n"))

    found = found_by(studio, policy, 1, 2)

    assert found.culprits == (None,)
    assert [(suspect.hunk is None, suspect.flips) for suspect in found.suspects] == [(False, False), (True, True)]


def test_a_version_without_a_verdict_is_stepped_over_and_told(open_studio: Opener, policy: Policy) -> None:
    lost = ScriptedAnswer(match="SP2.b: lost", text=answer("Hm."))
    studio = open_studio(lost, FINE, BAD)
    saved(studio.policies, policy, HEAD.format("fine", "a"), HEAD.format("neither", "lost"), HEAD.format("not", "c"))

    found = found_by(studio, policy, 1, 3)

    assert (found.before.number, found.after.number, found.unclear) == (1, 3, (2,))


def test_what_did_not_flip_cannot_be_bisected(open_studio: Opener, policy: Policy) -> None:
    studio = open_studio(ScriptedAnswer(text=answer("SP0")))
    saved(studio.policies, policy, HEAD.format("fine", "a"), HEAD.format("fine", "b"))

    with pytest.raises(InputError, match="decide allowed"):
        bisect(studio, policy.id, WON, 1, 2)
    with pytest.raises(InputError, match="not older"):
        bisect(studio, policy.id, WON, 2, 1)
    with pytest.raises(NotFoundError):
        bisect(studio, policy.id, WON, 1, 9)
    cancel = Cancel()
    cancel.request()
    assert bisect(studio, policy.id, Content.message("else"), 1, 2, cancel=cancel) is None


def test_on_the_demo_model_the_rule_that_went_is_found(workspace: Path) -> None:
    with Studio.open(workspace) as studio:
        policy = replace(studio.policies.get("demo-notices").policy, id="notices")
        swapped = policy.text.replace("- N1: jokes at the expense of cakes\n", "")
        for text in (policy.text, policy.text.replace("swapping stamps", "swapping coins"), swapped, swapped + "\n"):
            studio.policies.save(replace(policy, text=text))
        found = bisect(studio, "notices", Content.message("What ridiculous muffins."), 1, 4)

    assert found is not None
    assert (found.before.number, found.after.number) == (2, 3)
    verdicts = [found.run_of(number).verdict for number in (2, 3)]
    assert [verdict and verdict.decision for verdict in verdicts] == [Decision.VIOLATES, Decision.ALLOWED]
    assert [hunk.old for hunk in found.culprits if hunk] == ["- N1: jokes at the expense of cakes\n"]
