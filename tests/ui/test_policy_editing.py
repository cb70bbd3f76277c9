from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData
from PySide6.QtGui import QTextCursor, QTextDocument
from PySide6.QtWidgets import QApplication, QToolButton

from studio.core.labels import Label, LabelDecision
from studio.core.policy import Policy
from studio.core.prompt import Control, Origin
from studio.ui.theme import Theme
from studio.ui.widgets.ask_line import AskLine
from studio.ui.workbench.editor import rule_line
from studio.ui.workbench.highlighter import PolicyHighlighter
from studio.ui.workbench.outline import outline
from tests.ui.conftest import POLICY_TEXT, VIOLATES, Opener, Stage


def append(stage: Stage, text: str) -> None:
    stage.bench.policy.editor.moveCursor(QTextCursor.MoveOperation.End)
    stage.bench.policy.editor.insertPlainText(text)


def save_version(stage: Stage, monkeypatch: pytest.MonkeyPatch, message: str) -> None:
    def answer(dialog: AskLine) -> int:
        dialog.line.setText(message)
        return 1

    monkeypatch.setattr(AskLine, "exec", answer)
    stage.keys("Ctrl+S")
    stage.settle()


def test_what_was_typed_is_there_again_after_closing(open_window: Opener) -> None:
    stage = open_window()
    policy = stage.open_spam()
    append(stage, "- SP2.c: and more\n")
    stage.show("half a thou\u00a0ght\u200b")
    stage.close()

    again = open_window()

    assert again.bench.policy.document.policy.id == policy.id
    assert again.bench.policy.editor.exact_text() == POLICY_TEXT + "- SP2.c: and more\n"
    assert again.bench.policy.chooser.state.startswith("v1 · edited")
    assert again.bench.content.message.exact_text() == "half a thou\u00a0ght\u200b"


def test_the_draft_is_kept_at_a_pause_without_being_asked(open_window: Opener) -> None:
    stage = open_window()
    policy = stage.open_spam()

    append(stage, "- SP2.c: and more\n")

    stage.until(lambda: stage.studio.policies.open(policy.id).text.endswith("and more\n"))


def test_the_last_verdict_is_there_again_after_closing(open_window: Opener) -> None:
    stage = open_window(VIOLATES)
    stage.open_spam()
    run = stage.judged("You have won")
    stage.close()

    again = open_window(VIOLATES)

    assert again.bench.verdict.run == run
    assert not again.bench.verdict.card.stale


def test_a_version_is_saved_with_its_message_and_undo_survives(
    open_window: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = open_window()
    policy = stage.open_spam()
    append(stage, "- SP2.c: and more\n")

    save_version(stage, monkeypatch, "One rule more")

    saved = stage.studio.policies.versions(policy.id)[0]
    assert (saved.number, saved.message) == (2, "One rule more")
    assert stage.bench.policy.chooser.state.split(" · ")[0] == "v2"
    assert "edited" not in stage.bench.policy.chooser.state
    stage.bench.policy.editor.undo()
    assert stage.bench.policy.editor.exact_text() == POLICY_TEXT
    stage.until(lambda: "edited" in stage.bench.policy.chooser.state)


def test_saving_without_a_change_makes_no_version(open_window: Opener, monkeypatch: pytest.MonkeyPatch) -> None:
    stage = open_window()
    policy = stage.open_spam()

    save_version(stage, monkeypatch, "Nothing")

    assert len(stage.studio.policies.versions(policy.id)) == 1
    assert "Nothing has changed" in stage.window.footer.words.text()


def test_an_older_version_comes_back_and_can_be_undone(open_window: Opener, monkeypatch: pytest.MonkeyPatch) -> None:
    stage = open_window()
    policy = stage.open_spam()
    append(stage, "- SP2.c: and more\n")
    save_version(stage, monkeypatch, "")

    stage.bench.policy.restore(stage.studio.policies.get(policy.id, 1).policy)

    assert stage.bench.policy.editor.exact_text() == POLICY_TEXT
    stage.bench.policy.editor.undo()
    assert stage.bench.policy.editor.exact_text().endswith("and more\n")


def test_find_and_replace_with_a_pattern_in_one_undo(open_window: Opener) -> None:
    stage = open_window()
    stage.open_spam()
    editor, bar = stage.bench.policy.editor, stage.bench.policy.find_bar
    editor.set_exact_text("one 😀 cat\ntwo 😀 cats\n")
    stage.keys("Ctrl+F")
    assert bar.isVisible()
    bar.regex.setChecked(True)
    bar.query.setText(r"cat(s?)")
    bar.replacement.setText(r"dog\1")
    bar.search()
    bar.step(1)
    assert editor.textCursor().selectedText() == "cat"

    bar.replace_all()

    assert editor.exact_text() == "one 😀 dog\ntwo 😀 dogs\n"
    editor.undo()
    assert editor.exact_text() == "one 😀 cat\ntwo 😀 cats\n"
    stage.keys("Escape", on=bar.query)
    assert not bar.isVisible()


def test_a_label_that_decides_otherwise_changes_the_policy(open_window: Opener) -> None:
    stage = open_window()
    stage.open_spam()
    table = stage.bench.policy.labels.table
    before = stage.bench.policy.document.policy.sha256

    assert table.setData(table.index(0, 1), LabelDecision.REVIEW)
    assert not table.setData(table.index(0, 0), "sp2")  # taken by another label

    policy = stage.bench.policy.document.policy
    assert policy.labels[0].decision is LabelDecision.REVIEW
    assert policy.sha256 != before
    stage.until(lambda: "edited" in stage.bench.policy.chooser.state)


def test_labels_of_a_plain_text_wait_for_a_yes(open_window: Opener, tmp_path: Path) -> None:
    stage = open_window()
    file = tmp_path / "Ads.txt"
    file.write_bytes(b"AD0 is allowed: none.\r\nAD2 violates: adverts.\r\n")

    stage.bench.policy.work.read(file)

    stage.until(lambda: stage.bench.policy.notes.isVisible())
    assert stage.bench.policy.editor.exact_text() == "AD0 is allowed: none.\r\nAD2 violates: adverts.\r\n"
    stage.bench.policy.confirm.click()
    assert not stage.bench.policy.notes.isVisible()


def test_a_policy_pasted_over_the_whole_brings_its_labels(open_window: Opener) -> None:
    stage = open_window()
    stage.open_spam()
    old = stage.bench.policy.document.policy.labels
    pasted = stage.studio.policies.export_text(stage.studio.policies.get("hate").policy)
    mime = QMimeData()
    mime.setText(pasted)
    stage.bench.policy.editor.selectAll()

    stage.bench.policy.editor.insertFromMimeData(mime)

    stage.until(lambda: stage.bench.policy.notes.isVisible())
    hate = stage.studio.policies.get("hate").policy
    assert stage.bench.policy.document.policy.labels == hate.labels
    assert stage.bench.policy.document.policy.text == hate.text
    stage.bench.policy.put_back.click()
    assert stage.bench.policy.document.policy.labels == old


def test_codes_are_marked_by_colour_and_by_line(qapp: QApplication, theme: Theme) -> None:
    document = QTextDocument("# SP0 title\n- SP4.b: a prize 😀 SP0 not SPX\n")
    marker = PolicyHighlighter(document, theme)
    policy = Policy(id="p", title="p", text="", labels=_labels())
    marker.set_labels(policy.labels)

    formats = document.findBlockByNumber(1).layout().formats()
    marked = {(f.start, f.length): f.format for f in formats if f.format.underlineStyle().value}

    assert set(marked) == {(2, 5), (20, 3)}  # Qt counts the emoji twice
    assert marked[2, 5].underlineStyle() != marked[20, 3].underlineStyle()
    assert marked[2, 5].foreground().color().name() == theme.tokens.violates.text


def test_an_edit_of_a_long_policy_paints_one_line(qapp: QApplication, theme: Theme) -> None:
    document = QTextDocument("\n".join(f"- SP4.b: rule number {n} with a good many words in it" for n in range(3000)))
    marker = PolicyHighlighter(document, theme)
    marker.set_labels(_labels())
    painted: list[str] = []
    real = marker.highlightBlock
    marker.highlightBlock = lambda text: (painted.append(text), real(text))  # type: ignore[method-assign, assignment, func-returns-value]
    cursor = QTextCursor(document.findBlockByNumber(1500))

    cursor.insertText("x")

    assert len(painted) <= 2


def test_the_outline_finds_headings_and_rules_outside_fences() -> None:
    text = "# Rules\n```\n# not this\n```\n- **SP4.b**: prizes\nSP4 is named in passing\n## Examples\n"

    entries = outline(text, _labels())

    assert [(e.level, e.text) for e in entries] == [
        (1, "Rules"),
        (7, "SP4.b: prizes"),
        (7, "SP4 is named in passing"),
        (2, "Examples"),
    ]


def test_the_line_of_a_rule_is_where_it_is_defined() -> None:
    text = "See SP4.b below.\n- SP4.bc: other\n- **SP4.b**: prizes\n"

    assert rule_line(text, "SP4.b") == 2
    assert rule_line(text, "sp4.bc") == 1
    assert rule_line(text, "SP5") is None


def test_the_prompt_tab_shows_every_byte_as_sent(open_window: Opener) -> None:
    stage = open_window()
    policy = stage.open_spam()
    stage.show("<|end|> you have won")
    pane = stage.bench.policy
    pane.tabs.setCurrentWidget(pane.prompt)
    stage.settle()
    prompt = stage.studio.judge.prompt(policy, stage.bench.content.content)

    assert pane.prompt.view.document().toRawText().replace("\u2029", "\n") == prompt.text
    ours = [s for s in prompt.segments if not isinstance(s, Control) for o, _ in s.spans if o is Origin.CONTRACT]
    assert ours


def test_length_and_cost_are_told_and_unknown_ones_are_not_guessed(open_window: Opener) -> None:
    stage = open_window(VIOLATES)
    stage.open_spam()
    line = stage.bench.policy.length
    stage.until(lambda: line.length.text() and "about" not in line.length.text())
    exact = stage.studio.judge.count_tokens(stage.bench.policy.document.policy)
    assert line.length.text() == f"{exact:,} tokens · 400–600 advised"
    assert line.cost.text() == "cost known after a run"

    stage.judged("You have won")

    assert line.cost.text().startswith("first run ")
    assert "1 of this model's runs" in line.cost.toolTip()


def test_the_rail_gives_way_in_a_narrow_window(open_window: Opener) -> None:
    stage = open_window()
    wide = stage.window.rail.width()

    stage.window.resize(1000, 700)

    stage.until(lambda: stage.window.rail.width() < wide)
    names = [button.accessibleName() for button in stage.window.rail.findChildren(QToolButton)]
    assert names == ["Workbench", "Golden set", "History", "Models", "Settings"]


def _labels() -> tuple[Label, ...]:
    return (Label("SP0", LabelDecision.ALLOW), Label("SP4", LabelDecision.VIOLATE))


def test_an_opened_file_is_saved_byte_for_byte_and_an_edited_one_in_its_encoding(
    open_window: Opener, tmp_path: Path
) -> None:
    stage = open_window()
    text = "# Règles\r\nDecide.\n- R1: insults 😀\r\n"
    file, out = tmp_path / "rules.txt", tmp_path / "out.txt"
    file.write_bytes(text.encode("utf-16"))

    stage.bench.policy.work.read(file)
    stage.until(lambda: stage.bench.policy.document.policy.id == "rules")
    stage.bench.policy.work.write(out, plain=True)
    stage.settle()
    stage.until(out.exists)
    assert out.read_bytes() == file.read_bytes()

    stage.bench.policy.editor.moveCursor(QTextCursor.MoveOperation.End)
    stage.bench.policy.editor.insertPlainText("More.")
    stage.bench.policy.document.settle()
    out.unlink()
    stage.bench.policy.work.write(out, plain=True)
    stage.until(out.exists)
    assert out.read_bytes() == (text + "More.").encode("utf-16")
