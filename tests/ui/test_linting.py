from __future__ import annotations

from PySide6.QtGui import QTextCursor

from studio import settings
from studio.services.lint import Severity
from studio.ui.theme import Theme
from studio.ui.workbench.lint_marks import worst_by_block
from tests.ui.conftest import Opener, Stage

EXTRA = '\n# Examples\n- \U0001f525 "Free" -> SP4\n- \u200b"You won" -> SP4\nReasoning: high\nContent: [INPUT]\n'


def linted(stage: Stage, rule: str) -> None:
    """Wait until the linter has, or no longer has, a finding of a rule."""
    stage.until(lambda: any(finding.rule == rule for finding in stage.bench.policy.lint.findings))


def with_defects(stage: Stage) -> None:
    stage.open_spam()
    editor = stage.bench.policy.editor
    editor.moveCursor(QTextCursor.MoveOperation.End)
    editor.insertPlainText(EXTRA)
    linted(stage, "placeholder")


def test_findings_are_listed_marked_and_counted(open_window: Opener) -> None:
    stage = open_window()
    with_defects(stage)
    pane = stage.bench.policy

    rules = [finding.rule for finding in pane.lint.findings]
    assert {"hidden-characters", "effort-in-text", "placeholder", "examples-one-sided"} <= set(rules)
    assert pane.lint.list.topLevelItemCount() == len(rules)
    assert pane.flag.text().strip() == str(len(rules))
    assert "1 error" in pane.flag.toolTip()
    line = pane.editor.exact_text().split("\n").index("Content: [INPUT]")
    assert worst_by_block(pane.editor.marks)[line] is Severity.ERROR
    place = next(mark for mark in pane.editor.marks if mark.finding.rule == "placeholder")
    assert place.cursor.selectedText() == "[INPUT]"


def test_f8_goes_round_and_a_fix_is_one_step_of_undo(open_window: Opener) -> None:
    stage = open_window()
    with_defects(stage)
    pane = stage.bench.policy
    pane.editor.setFocus()
    before = pane.editor.exact_text()
    pane.editor.moveCursor(QTextCursor.MoveOperation.Start)

    seen = []
    for _ in pane.lint.findings:
        stage.keys("F8")
        seen.append(pane.editor.textCursor().selectedText())
    assert seen[-1] == "[INPUT]"
    stage.keys("F8")
    stage.keys("Shift+F8")
    assert pane.editor.textCursor().selectedText() == "[INPUT]"

    stage.bench.policy.show_lint()
    pane.lint.fix_button.click()
    assert pane.editor.exact_text() == before.replace("Content: [INPUT]\n", "")
    stage.until(lambda: all(finding.rule != "placeholder" for finding in pane.lint.findings))
    pane.editor.undo()
    assert pane.editor.exact_text() == before
    linted(stage, "placeholder")


def test_marks_move_with_the_text_until_the_next_look(open_window: Opener) -> None:
    stage = open_window()
    with_defects(stage)
    pane = stage.bench.policy
    cursor = QTextCursor(pane.editor.document())
    cursor.insertText("A line above.\n\n")
    place = next(mark for mark in pane.editor.marks if mark.finding.rule == "placeholder")
    assert place.cursor.selectedText() == "[INPUT]"
    last = pane.lint.list.topLevelItem(pane.lint.list.topLevelItemCount() - 1)
    assert last is not None
    pane.lint.list.setCurrentItem(last)
    before = pane.editor.exact_text()
    pane.lint.fix()
    assert pane.editor.exact_text() == before
    stage.settle()


def test_a_starter_has_no_findings_in_either_theme(open_window: Opener, theme: Theme) -> None:
    stage = open_window()
    stage.bench.open_policy("hate")
    stage.until(lambda: stage.bench.policy.document.policy.id == "hate")
    stage.until(lambda: stage.bench.policy.flag.text().strip() == "0")
    theme.choose(settings.Theme.DARK, None)
    stage.settle()
    assert stage.bench.policy.lint.findings == ()
    assert stage.bench.policy.lint.empty.isVisibleTo(stage.bench.policy.lint)
