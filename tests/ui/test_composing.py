"""Policies out of policies, in the window: new ones by their three beginnings, merged ones, split ones."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QDialog

from studio.ui.actions import Act
from studio.ui.theme import Theme
from studio.ui.workbench.details_dialog import DetailsDialog
from studio.ui.workbench.merge_dialog import MergeDialog
from studio.ui.workbench.new_dialog import Beginning, NewPolicyDialog
from tests.ui.conftest import Opener, Stage

GUIDELINE = "Be kind to each other.\nNo insults.\nQuestions are welcome.\n"


def answer(monkeypatch: pytest.MonkeyPatch, dialog: type[QDialog], act: Callable[[QDialog], None]) -> None:
    """Have a dialog filled in and taken instead of shown."""

    def taken(shown: QDialog) -> int:
        act(shown)
        return 1

    monkeypatch.setattr(dialog, "exec", taken)


def told(stage: Stage) -> str:
    return " ".join(f"{one.notice.title} {one.notice.message}" for one in stage.window.banners.banners)


def opened(stage: Stage, title: str) -> None:
    stage.until(lambda: stage.bench.policy.document.policy.title == title)
    stage.settle()


def test_a_policy_begins_blank_from_another_or_from_a_guideline(
    open_window: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = open_window()
    stage.open_spam()
    pane = stage.bench.policy

    def blank(dialog: QDialog) -> None:
        assert isinstance(dialog, NewPolicyDialog)
        assert not dialog.may_begin
        dialog.title.setText("Fresh")
        assert dialog.may_begin

    answer(monkeypatch, NewPolicyDialog, blank)
    stage.keys("Ctrl+N")
    opened(stage, "Fresh")
    assert "# Criteria" in pane.editor.exact_text()

    def copied(dialog: QDialog) -> None:
        assert isinstance(dialog, NewPolicyDialog)
        dialog.title.setText("My hate rules")
        dialog.choose(Beginning.POLICY)
        assert not dialog.may_begin
        (found,) = dialog.policies.findItems("Hate against protected groups", Qt.MatchFlag.MatchExactly)
        dialog.policies.setCurrentItem(found)
        assert dialog.may_begin

    answer(monkeypatch, NewPolicyDialog, copied)
    stage.keys("Ctrl+N")
    opened(stage, "My hate rules")
    hate = stage.studio.policies.get("hate").policy
    assert pane.editor.exact_text() == hate.text
    assert stage.studio.golden.count(pane.document.policy.id) == stage.studio.golden.count("hate") > 0

    def pasted(dialog: QDialog) -> None:
        assert isinstance(dialog, NewPolicyDialog)
        dialog.title.setText("House rules")
        dialog.choose(Beginning.GUIDELINE)
        assert not dialog.may_begin
        dialog.guideline.set_exact_text(GUIDELINE)
        QTest.keyClick(dialog.guideline, Qt.Key.Key_Space)
        assert dialog.may_begin

    answer(monkeypatch, NewPolicyDialog, pasted)
    stage.keys("Ctrl+N")
    opened(stage, "House rules")
    text = pane.editor.exact_text()
    assert all(line in text for line in GUIDELINE.splitlines())
    assert "[MISSING" in text.upper()
    assert "Missing in the guideline" in told(stage)


def test_policies_are_merged_with_a_word_on_the_cost_and_split_again(
    open_window: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = open_window()
    stage.open_spam()

    def chosen(dialog: QDialog) -> None:
        assert isinstance(dialog, MergeDialog)
        dialog.title.setText("Both")
        for at in range(dialog.list.count()):
            wanted = dialog.list.item(at).data(Qt.ItemDataRole.UserRole) in ("hate", "harassment")
            dialog.list.item(at).setCheckState(Qt.CheckState.Checked if wanted else Qt.CheckState.Unchecked)
        assert dialog.may_merge

    answer(monkeypatch, MergeDialog, chosen)
    stage.window.actions_table[Act.MERGE].trigger()
    opened(stage, "Both")
    ids = {label.id for label in stage.bench.policy.document.policy.labels}
    assert {"HT4", "HR4"} <= ids
    assert "43.6" in told(stage)

    stage.bench.open_policy("hate")
    opened(stage, "Hate against protected groups")
    before = {one.id for one in stage.studio.policies.list()}
    stage.window.actions_table[Act.SPLIT].trigger()
    stage.until(lambda: len({one.id for one in stage.studio.policies.list()} - before) == 3)
    stage.settle()
    assert "3 policies made" in told(stage)


def test_title_tags_and_jurisdictions_are_edited_and_go_into_a_version(
    open_window: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = open_window()
    before = stage.open_spam()

    def filled(dialog: QDialog) -> None:
        assert isinstance(dialog, DetailsDialog)
        dialog.title.setText("Lures")
        dialog.tags.setText("spam, , children,spam")
        dialog.jurisdictions.setText("EU")

    answer(monkeypatch, DetailsDialog, filled)
    stage.window.actions_table[Act.DETAILS].trigger()
    opened(stage, "Lures")
    policy = stage.bench.policy.document.policy
    assert (policy.tags, policy.jurisdictions, policy.text) == (("spam", "children"), ("EU",), before.text)
    assert stage.bench.policy.document.edited
    stage.bench.policy.work.save_version("Named")
    stage.settle()
    assert stage.studio.policies.get(before.id).policy.jurisdictions == ("EU",)


def test_a_long_summary_is_read_from_its_beginning(open_window: Opener, theme: Theme) -> None:
    stage = open_window()
    policy = replace(stage.open_spam(), summary="What is written in many words " * 9)

    dialog = DetailsDialog(theme, stage.window, policy)

    assert dialog.summary.cursorPosition() == 0
    assert dialog.title.cursorPosition() == len(policy.title)
