"""The held-out part is a fair share of everything, and what stands in a set twice is found."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from studio.core.content import Content
from studio.core.errors import InputError
from studio.core.golden import GoldenExample, GoldenQuery
from studio.core.labels import Decision, Label, LabelDecision
from studio.core.policy import Policy
from studio.core.progress import Cancel
from studio.engine.scripted import ScriptedAnswer
from studio.services.evaluate import Settings
from studio.services.golden_care import GoldenCare, split
from studio.store.workspace import Workspace
from tests.services.conftest import Opener, answer

EXAMPLES = [
    GoldenExample(f"v{n}", "p", Content.message(f"violating number {n}"), Decision.VIOLATES, ("SP2",))
    for n in range(60)
] + [GoldenExample(f"a{n}", "p", Content.message(f"allowed {n}, quite different"), Decision.ALLOWED) for n in range(20)]


@pytest.fixture
def care(tmp_path: Path) -> Iterator[tuple[GoldenCare, Workspace]]:
    with Workspace.open(tmp_path / "care.studio") as workspace:
        workspace.golden.add_many(EXAMPLES)
        yield GoldenCare(workspace), workspace


def test_the_held_out_part_takes_its_share_of_each_decision(care: tuple[GoldenCare, Workspace]) -> None:
    service, workspace = care
    assert service.hold_out("p", 0.25, seed=7) == 20
    held = workspace.golden.find("p", GoldenQuery(held_out=True))
    assert Counter(key[0] for key in held) == {"v": 15, "a": 5}
    assert service.balance("p").held_out == 20
    assert service.balance("p").decisions() == {Decision.VIOLATES: 60, Decision.ALLOWED: 20}
    assert service.balance("p").labels() == {"SP2": 60}

    assert service.hold_out("p", 0.25, seed=7) == 20
    assert workspace.golden.find("p", GoldenQuery(held_out=True)) == held
    service.hold_out("p", 0.25, seed=8)
    assert workspace.golden.find("p", GoldenQuery(held_out=True)) != held
    assert service.hold_out("p", 0) == 0
    assert workspace.golden.find("p", GoldenQuery(held_out=True)) == []
    with pytest.raises(InputError, match="cannot be held out"):
        service.hold_out("p", 1.0)


@given(
    kinds=st.lists(st.tuples(st.sampled_from("abcdefgh"), st.sampled_from("xyz")), max_size=60),
    share=st.floats(0, 0.9),
    seed=st.integers(0, 9),
)
def test_copies_stay_on_one_side_and_the_share_is_kept(kinds: list[tuple[str, str]], share: float, seed: int) -> None:
    rows = [(str(n), digest, stratum) for n, (digest, stratum) in enumerate(kinds)]

    held = {*split(iter(rows), share, seed)}

    sides: dict[str, set[bool]] = {}
    for key, digest, _ in rows:
        sides.setdefault(digest, set()).add(key in held)
    assert all(len(found) == 1 for found in sides.values())
    assert len(held) <= share * len(rows) + 0.5


def test_duplicates_and_contradictions_are_found(care: tuple[GoldenCare, Workspace]) -> None:
    service, workspace = care
    workspace.golden.add_many(
        [
            replace(EXAMPLES[0], id="same", expected=Decision.ALLOWED),
            GoldenExample(
                "n1", "p", Content.message("Win a card worth 500 euros today, claim it here"), Decision.VIOLATES
            ),
            GoldenExample("n2", "p", Content.message("WIN a card worth 500 euros today - claim it here!"), None),
        ]
    )

    found = service.duplicates("p")

    assert found.exact == (("v0", "same"),)
    assert ("n1", "n2") in found.near
    assert ("v0", "same") in found.contradicting
    assert ("n1", "n2") not in found.contradicting
    stopped = Cancel()
    stopped.request()
    assert service.duplicates("p", cancel=stopped).near == ()


def test_what_was_judged_is_recalled_and_nothing_is_judged_for_it(open_studio: Opener, policy: Policy) -> None:
    studio = open_studio(ScriptedAnswer(answer("SP2")))
    examples = [replace(example, policy_id=policy.id) for example in EXAMPLES[:4]]
    assert studio.evaluate.recall(policy, examples) is None
    studio.models.load()
    assert studio.evaluate.recall(policy, examples) is None

    judged = studio.evaluate.run(policy, examples[:3])
    recalled = studio.evaluate.recall(policy, examples)

    assert recalled is not None
    assert (recalled.judgements, recalled.unfinished) == (judged.judgements, 1)
    assert studio.evaluate.recall(policy, examples, Settings(repeats=3)) is None
    assert sum(session.run_count for session in studio.sessions.list()) == 3


def test_an_edit_may_keep_a_label_that_the_policy_has_lost(open_studio: Opener, policy: Policy) -> None:
    studio = open_studio(ScriptedAnswer(answer("SP2")))
    older = replace(policy, labels=(*policy.labels, Label("OLD", LabelDecision.VIOLATE)))
    session = studio.sessions.create("Sitting")
    run = studio.judge.judge(older, Content.message("Buy now"), session_id=session.id)
    example = studio.golden.add_from_run(run, expected=Decision.VIOLATES, labels=("OLD",))

    edited = studio.golden.edit(policy, replace(example, labels=("OLD", "SP2"), why="Because"))

    assert edited.why == "Because"
    assert studio.golden_care.balance(policy.id).labels() == {"OLD": 1, "SP2": 1}
    with pytest.raises(InputError, match="SP9"):
        studio.golden.edit(policy, replace(edited, labels=("SP9",)))
