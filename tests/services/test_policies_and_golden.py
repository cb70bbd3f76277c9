from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from studio.core.content import Content
from studio.core.errors import InputError, PolicyError
from studio.core.golden import GoldenExample
from studio.core.labels import Decision, Label, LabelDecision
from studio.core.policy import Policy
from studio.core.progress import Cancel, Progress
from studio.core.verdict import Status
from studio.engine.scripted import ScriptedAnswer
from studio.services.demo import move_rule
from tests.services.conftest import Opener, answer


def test_starters_are_installed_once_and_left_as_the_user_left_them(open_studio: Opener) -> None:
    studio = open_studio()
    spam = studio.policies.get("spam").policy
    studio.policies.save(replace(spam, text=spam.text + "\nMore."), message="mine")
    count = studio.golden.count("spam")
    assert count >= 24
    studio.close()
    again = open_studio()
    assert again.policies.get("spam").number == 2
    assert again.golden.count("spam") == count


def test_a_draft_is_what_opens_until_it_is_saved_or_dropped(open_studio: Opener) -> None:
    studio = open_studio()
    spam = studio.policies.get("spam").policy
    draft = replace(spam, text=spam.text + "\nDraft.")
    studio.policies.save_draft(draft)
    assert studio.policies.open("spam") == draft
    assert studio.policies.get("spam").policy == spam
    studio.policies.save(draft, message="saved")
    assert studio.policies.draft("spam") is None
    assert studio.policies.get("spam").policy == draft


@pytest.mark.parametrize("step", ["policies.Policies.save_version", "golden.Golden.add_new"])
def test_a_first_start_that_broke_off_is_made_good(
    open_studio: Opener, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(f"studio.store.{step}", lambda *_, **__: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            open_studio()
    studio = open_studio()
    assert all(studio.golden.count(summary.id) >= 24 for summary in studio.policies.list())
    assert len(studio.policies.list()) >= 13


def test_several_first_starts_in_one_new_workspace_get_along() -> None:
    command = [sys.executable, "-m", "studio", "policies", "list", "--json"]
    starts = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(4)]
    said = [start.communicate(timeout=120) for start in starts]
    assert [start.returncode for start in starts] == [0] * 4, said
    counted = [{row["id"]: row["golden"] for row in json.loads(out)} for out, _ in said]
    assert max(counts["spam"] for counts in counted) >= 24


def test_an_unchanged_policy_makes_no_new_version(open_studio: Opener) -> None:
    studio = open_studio()
    first = studio.policies.get("spam")
    assert studio.policies.save(first.policy, message="again").number == first.number


def test_an_imported_policy_never_takes_a_starters_place(open_studio: Opener, tmp_path: Path) -> None:
    studio = open_studio()
    file = tmp_path / "spam.md"
    file.write_text(studio.policies.export_text(studio.policies.get("spam").policy), encoding="utf-8")
    copy, notes = studio.policies.import_path(file)
    assert copy.policy.id == "spam-2"
    assert notes == ()
    assert studio.policies.import_path(file)[0] == copy


def test_an_import_leaves_the_unsaved_draft_alone(open_studio: Opener, policy: Policy, tmp_path: Path) -> None:
    studio = open_studio()
    studio.policies.save(policy)
    draft = replace(policy, text=policy.text + "\n- SP2.b: typed, not saved\n")
    studio.policies.save_draft(draft)
    file = tmp_path / "it.md"
    file.write_text(studio.policies.export_text(replace(policy, title="Other")), encoding="utf-8")
    assert studio.policies.import_path(file)[0].number == 2
    assert studio.policies.draft(policy.id) == draft


def test_a_policy_that_can_ask_for_nothing_is_refused(open_studio: Opener, tmp_path: Path) -> None:
    file = tmp_path / "p.md"
    file.write_text("---\ntitle: P\nlabels: []\noutput: {form: label, position: auto}\n---\nBe nice.", encoding="utf-8")
    with pytest.raises(PolicyError, match="no labels"):
        open_studio().policies.import_path(file)


def test_a_new_policy_is_laid_out_and_has_a_free_id(open_studio: Opener) -> None:
    studio = open_studio()
    made = studio.policies.create("Spam")
    assert made.id == "spam-2"
    assert [line for line in made.text.splitlines() if line.startswith("# ")] == [
        "# Instruction",
        "# Definitions",
        "# Criteria",
        "# Examples",
    ]


def test_a_golden_example_comes_from_a_run_and_is_not_doubled(open_studio: Opener, policy: Policy) -> None:
    studio = open_studio(ScriptedAnswer(answer("SP2")))
    run = studio.judge.judge(policy, Content.message("Hi"), session_id=studio.sessions.current().id)
    first = studio.golden.add_from_run(run, expected=Decision.VIOLATES, labels=("SP2",), why="bulk")
    second = studio.golden.add_from_run(run, expected=Decision.ALLOWED, labels=("SP0",), why="no, a greeting")
    assert second.id == first.id
    (kept,) = studio.golden.list(policy.id)
    assert (kept.expected, kept.labels, kept.why) == (Decision.ALLOWED, ("SP0",), "no, a greeting")
    with pytest.raises(InputError, match="XX"):
        studio.golden.add_from_run(run, expected=Decision.VIOLATES, labels=("XX",))


def test_a_score_keeps_non_verdicts_apart(open_studio: Opener, policy: Policy) -> None:
    studio = open_studio(
        ScriptedAnswer(answer("SP2"), match="one"),
        ScriptedAnswer(answer("SP0"), match="two"),
        ScriptedAnswer(answer("no idea"), match="three"),
    )
    session = studio.sessions.current().id
    for text in ("one", "two", "three"):
        run = studio.judge.judge(policy, Content.message(text), session_id=session)
        studio.golden.add_from_run(run, expected=Decision.VIOLATES)
    score = studio.golden.score(policy, studio.golden.list(policy.id))
    assert (score.total, score.right, score.wrong, score.no_verdict) == (3, 1, 1, 1)


def test_a_wide_score_keeps_the_order_of_its_examples(open_studio: Opener, policy: Policy) -> None:
    names = [f"number {number};" for number in range(12)]
    studio = open_studio(
        *(ScriptedAnswer(answer("SP2" if place % 3 else "SP0"), match=name) for place, name in enumerate(names)),
        n_seq=5,
    )
    examples = [GoldenExample(name, policy.id, Content.message(name), Decision.VIOLATES) for name in names]
    seen: list[Progress] = []

    score = studio.golden.score(policy, examples, on_progress=seen.append)

    assert [example.id for example, _ in score.items] == names
    assert all(run.content == example.content for example, run in score.items)
    assert (score.total, score.right, score.wrong) == (12, 8, 4)
    assert [step.done for step in seen] == list(range(1, 13))
    provenance = score.items[0][1].provenance
    assert provenance is not None
    assert provenance.n_seq == 5


def test_a_stopped_score_holds_what_was_judged(open_studio: Opener, policy: Policy) -> None:
    studio = open_studio(
        ScriptedAnswer(answer("SP2")), ScriptedAnswer(answer("SP2", "word " * 2000), pace_s=0.01), n_seq=3
    )
    examples = [GoldenExample(str(n), policy.id, Content.message(str(n)), Decision.VIOLATES) for n in range(9)]
    cancel = Cancel()

    score = studio.golden.score(policy, examples, on_progress=lambda _: cancel.request(), cancel=cancel)

    assert score.right == 1
    assert 1 <= score.total < 9
    judged = [run.verdict.status for _, run in score.items if run.verdict is not None]
    assert set(judged) <= {Status.OK, Status.CANCELLED}
    assert len(judged) == score.total


def test_moving_a_rule_moves_its_line_and_its_label(policy: Policy) -> None:
    text = "# Criteria\n## Violates\n- D1: selling dogs\n- D2: selling cats\n## Allowed\n- D3: giving away dogs\n"
    labels = (
        Label("D1", LabelDecision.VIOLATE),
        Label("D2", LabelDecision.VIOLATE),
        Label("D3", LabelDecision.ALLOW),
    )
    edit = move_rule(replace(policy, text=text, labels=labels), "D1", LabelDecision.ALLOW)
    assert edit is not None
    moved, heading = edit
    assert heading == "Allowed"
    assert moved.text == (
        "# Criteria\n## Violates\n- D2: selling cats\n## Allowed\n- D1: selling dogs\n- D3: giving away dogs\n"
    )
    label = moved.label("D1")
    assert label is not None
    assert label.decision is LabelDecision.ALLOW
    back = move_rule(moved, "D3", LabelDecision.VIOLATE)
    assert back is not None
    assert back[0].text.index("D3") < back[0].text.index("## Allowed")
    assert move_rule(moved, "D9", LabelDecision.ALLOW) is None
