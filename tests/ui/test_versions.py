"""The versions of the open policy: history, changes, restoring, variants, releases, and what flipped an example."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QTextCursor
from pytestqt.qtbot import QtBot

from studio.core.content import Content
from studio.core.diff import diff
from studio.core.errors import StoreError
from studio.core.golden import GoldenExample
from studio.core.labels import Decision
from studio.engine.scripted import ScriptedAnswer
from studio.ui.theme import Theme
from studio.ui.widgets.ask_line import AskLine
from studio.ui.workbench.diff_view import DiffView, rows
from tests.ui.conftest import FINE, LURE, POLICY_TEXT, Opener, Stage

PRIZE = "- SP4.b: a prize that nobody entered for\n"


def with_versions(stage: Stage) -> None:
    """Three versions: the second says more, the third lost the rule about prizes; and one golden example."""
    policy = stage.open_spam()
    more = POLICY_TEXT + "- SP0.b: questions\n"
    stage.studio.policies.save(replace(policy, text=more), message="Questions are fine", author="Ana")
    stage.studio.policies.save(replace(policy, text=more.replace(PRIZE, "")), message="Shorter")
    stage.studio._workspace.golden.add(
        GoldenExample("one", policy.id, Content.message("You have won"), Decision.VIOLATES)
    )
    stage.bench.open_policy(policy.id)
    stage.settle()
    stage.bench.policy.versions_button.click()
    stage.until(lambda: stage.bench.versions.list.model().rowCount())
    stage.settle()


def listed(stage: Stage) -> list[str]:
    model = stage.bench.versions.list.model()
    return [
        model.index(at, 0).data(Qt.ItemDataRole.AccessibleTextRole).rsplit(",", 1)[0] for at in range(model.rowCount())
    ]


def test_a_version_carries_the_name_of_the_settings_or_of_the_account(
    open_window: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = open_window()
    stage.open_spam()
    monkeypatch.setattr(AskLine, "exec", answered("Shorter"))
    page = stage.window.settings
    stage.bench.policy.editor.insertPlainText("a")
    stage.bench.policy.save_version()
    stage.settle()
    saved = stage.bench.policy.document.version
    assert saved is not None
    assert saved.author == page.author.placeholderText() != ""
    page.author.setText("Ana")
    page.author.editingFinished.emit()
    stage.settle()
    stage.bench.policy.editor.insertPlainText("b")
    stage.bench.policy.save_version()
    stage.settle()
    named = stage.bench.policy.document.version
    assert named is not None
    assert (named.author, named.message) == ("Ana", "Shorter")


def answered(text: str) -> object:
    def answer(dialog: AskLine) -> int:
        dialog.line.setText(text)
        return 1

    return answer


def test_the_history_shows_who_changed_what_and_both_ways_of_reading_it(open_window: Opener) -> None:
    stage = open_window()
    with_versions(stage)
    view = stage.bench.versions

    assert listed(stage) == ["v3, Shorter", "v2, Questions are fine", "v1, No message"]
    assert view.words.text() == "v2 → v3 · 1 change of the text"
    assert "7 −" in view.diff.toPlainText()
    assert "nobody entered for" in view.diff.toPlainText()

    view.choose(2)
    stage.settle()
    assert view.words.text() == "v1 → v2 · 1 change of the text"
    view.base.pick(3)
    stage.settle()
    assert view.words.text().startswith("v3 → v2")
    view.mode._group.button(1).click()
    assert not view.diff.beside
    assert "    7 ±" in view.diff.toPlainText()
    view.choose(1)
    view.base.pick(-1)
    stage.settle()
    assert view.words.text() == "v1 is the first version"

    stage.keys("Escape")
    assert stage.bench.policy.isVisible()


def test_an_edited_draft_stands_on_top(open_window: Opener) -> None:
    stage = open_window()
    stage.open_spam()
    editor = stage.bench.policy.editor
    editor.moveCursor(QTextCursor.MoveOperation.End)
    editor.insertPlainText("- SP2.c: more\n")
    stage.bench.show_versions()
    stage.settle()

    assert listed(stage) == ["Draft, What stands in the editor", "v1, No message"]
    assert stage.bench.versions.words.text() == "v1 → Draft · 1 change of the text"
    assert not stage.bench.versions.restore_button.isEnabled()


def test_restore_variant_and_release(open_window: Opener, monkeypatch: pytest.MonkeyPatch) -> None:
    stage = open_window()
    with_versions(stage)
    view = stage.bench.versions
    view.choose(1)
    monkeypatch.setattr(AskLine, "exec", answered("Spring"))
    view.release_button.click()
    stage.settle()
    assert listed(stage)[2] == "v1  ·  Spring, No message"
    assert view.chosen == 1

    view.restore_button.click()
    assert stage.bench.policy.editor.isVisible()
    assert stage.bench.policy.editor.exact_text() == POLICY_TEXT
    stage.bench.policy.editor.undo()
    assert PRIZE not in stage.bench.policy.editor.exact_text()

    stage.bench.show_versions()
    stage.settle()
    view.choose(2)
    monkeypatch.setattr(AskLine, "exec", answered("Strict"))
    view.branch_button.click()
    stage.until(lambda: stage.bench.policy.document.policy.id == "strict")
    stage.settle()
    assert stage.studio.golden.count("strict") == 1
    assert stage.bench.policy.isVisible()


def test_what_flipped_an_example_is_found_and_shown(open_window: Opener) -> None:
    stage = open_window(
        ScriptedAnswer(match="SP4.b: a prize", text=LURE), ScriptedAnswer(match="three times\n\n## Allowed", text=FINE)
    )
    with_versions(stage)
    view = stage.bench.versions
    view.base.pick(1)
    stage.settle()
    view.flip_button.click()
    stage.until(lambda: view._examples.isVisible())
    assert [entry.title for entry in view._examples.matching("won")] == ["You have won"]
    stage.keys("Return", view._examples.search)
    stage.until(lambda: view.bisect.running)
    stage.until(lambda: not view.bisect.running)
    stage.settle()

    assert view.bisect.words.text() == "Version 3 flipped it"
    assert view.bisect.detail.text() == "by its only change"
    assert view.words.text().startswith("v2 → v3")
    assert "▶ 7 −" in view.diff.toPlainText()


def test_rows_leave_out_what_is_far_from_a_change() -> None:
    old = "".join(f"line {number}\n" for number in range(1, 31))
    new = old.replace("line 15\n", "line fifteen\nand more\n")

    found = rows(old, diff(old, new))

    assert [(row.skipped, row.hunk is not None) for row in found] == [
        (11, False), *[(0, False)] * 3, (0, True), *[(0, False)] * 3, (13, False),
    ]  # fmt: skip
    after = next(row for row in found if row.text == "line 16")
    assert (after.old_line, after.new_line) == (16, 17)


def test_every_change_of_a_long_policy_is_drawn_and_reached(qtbot: QtBot, theme: Theme) -> None:
    old = "".join(f"- SP2.a: rule {number} of a long policy\n" for number in range(200))
    changes = diff(old, old.replace("0 of", "0 from"))
    view = DiffView(theme)
    qtbot.addWidget(view)
    view.show()
    for beside in (True, False):
        view.show_beside(beside)
        view.show_changes(old, changes)

        view.go_on(-1)  # round the start: to the last, which may not be drawn yet

        assert "190" in view.textCursor().block().text()
        qtbot.waitUntil(lambda: view.toPlainText().count("from") == len(changes) == 20)
    view.hide()


def test_a_draft_that_could_not_be_written_is_tried_again(open_window: Opener, monkeypatch: pytest.MonkeyPatch) -> None:
    stage = open_window()
    policy = stage.open_spam()
    real, failing = stage.studio.policies.save_draft, [True]

    def save(draft: object) -> None:
        if failing:
            failing.clear()
            raise StoreError("The disk is full.")
        real(draft)  # type: ignore[arg-type]  # a policy, as the real one is given

    monkeypatch.setattr(stage.studio.policies, "save_draft", save)
    stage.bench.policy.editor.moveCursor(QTextCursor.MoveOperation.End)
    stage.bench.policy.editor.insertPlainText("- SP2.c: more\n")
    stage.until(lambda: stage.window.banners.banners)

    stage.close()

    again = open_window()
    assert again.studio.policies.open(policy.id).text.endswith("- SP2.c: more\n")


def test_a_policy_is_exported_whole_or_refused_in_words(open_window: Opener, tmp_path: Path) -> None:
    stage = open_window()
    stage.open_spam()
    work = stage.bench.policy.work

    work.write(tmp_path / "missing" / "policy.md")
    stage.until(lambda: stage.window.banners.banners)
    assert "could not be written" in stage.window.banners.banners[0].notice.message
    work.write(tmp_path / "policy.txt", plain=True)
    stage.settle()
    assert (tmp_path / "policy.txt").read_bytes() == POLICY_TEXT.encode()
