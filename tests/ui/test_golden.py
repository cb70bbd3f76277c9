from __future__ import annotations

import pytest

from studio.core.labels import Decision
from studio.core.policy import ContentKind
from studio.ui.theme import Theme
from studio.ui.workbench.wrong_dialog import WrongDialog
from tests.ui.conftest import VIOLATES, Opener


def test_right_saves_the_content_as_judged_and_can_be_undone(open_window: Opener) -> None:
    stage = open_window(VIOLATES)
    policy = stage.open_spam()
    run = stage.judged("You have won")

    stage.keys("Ctrl+G")
    stage.settle()

    [example] = stage.studio.golden.list(policy.id)
    assert (example.content, example.expected, example.labels) == (run.content, Decision.VIOLATES, ("SP4",))
    assert not stage.bench.verdict.right.isEnabled()

    stage.bench.verdict.undo.click()
    stage.settle()

    assert stage.studio.golden.count(policy.id) == 0
    assert stage.bench.verdict.right.isEnabled()


def test_wrong_asks_what_is_right(open_window: Opener, monkeypatch: pytest.MonkeyPatch) -> None:
    stage = open_window(VIOLATES)
    policy = stage.open_spam()
    stage.judged("You have won")
    seen: list[Decision] = []

    def answer(dialog: WrongDialog) -> int:
        seen.append(dialog.decision)
        dialog.choose(Decision.NEEDS_REVIEW)
        dialog.why.set_exact_text("Nobody can tell.")
        return 1

    monkeypatch.setattr(WrongDialog, "exec", answer)
    stage.bench.verdict.wrong.click()
    stage.settle()

    assert seen == [Decision.ALLOWED]  # the likely one is chosen beforehand
    [example] = stage.studio.golden.list(policy.id)
    assert (example.expected, example.labels, example.why) == (Decision.NEEDS_REVIEW, ("SP9",), "Nobody can tell.")


def test_only_labels_of_the_decision_are_offered(open_window: Opener, theme: Theme) -> None:
    stage = open_window(VIOLATES)
    stage.open_spam()
    run = stage.judged("You have won")

    dialog = WrongDialog(theme, run, stage.window)
    dialog.choose(Decision.VIOLATES)

    assert dialog.offered == ["SP2", "SP3", "SP4"]
    assert dialog.labels == ()
    dialog.deleteLater()


def test_a_sample_brings_its_content(open_window: Opener) -> None:
    stage = open_window()
    stage.bench.open_policy("spam")
    stage.until(lambda: stage.bench.policy.document.policy.id == "spam")
    stage.settle()
    samples = stage.studio.policies.samples("spam")
    assert stage.bench.content.content == samples[0].content  # an untouched sample gives way to the policy's own

    other = next(sample for sample in samples[1:] if sample.content.kind is ContentKind.MESSAGE)
    stage.bench.content.take_sample(other)

    assert stage.bench.content.content == other.content
    stage.bench.content.message.insertPlainText("mine ")
    stage.bench.open_policy("hate")
    stage.until(lambda: stage.bench.policy.document.policy.id == "hate")
    stage.settle()
    assert "mine " in stage.bench.content.message.exact_text()
