"""The Golden set page: run, cards, matrix, filters, comparison, held-out part, edits, import, as a person does it."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import Qt, QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QComboBox, QFileDialog

from studio.core.content import Content
from studio.core.golden import GoldenQuery
from studio.core.labels import Decision
from studio.core.policy import Policy
from studio.engine.scripted import ScriptedAnswer
from studio.ui.golden.hold_out_dialog import HoldOutDialog
from studio.ui.golden.import_dialog import ImportDialog
from studio.ui.golden.page import GoldenPage
from studio.ui.golden.rows import Mark
from studio.ui.golden.work import Shown
from tests.ui.conftest import FINE, LURE, Opener, Stage, harmony

GOOD, BAD, ODD = ("a recommendation", "kind words"), ("win big", "a lure", "a trick"), "something odd"
ANSWERS = (
    # Of two answers that fit the first is used once: what is compared with is judged first, and gets the worse ones.
    *(ScriptedAnswer(match=text, text=FINE) for text in BAD[1:]),
    *(ScriptedAnswer(match=text, text=LURE) for text in BAD),
    *(ScriptedAnswer(match=text, text=FINE) for text in GOOD),
    ScriptedAnswer(match=ODD, text=harmony("maybe")),
)


def with_set(open_window: Opener, tmp_path: Path, *answers: ScriptedAnswer) -> tuple[Stage, GoldenPage, Policy]:
    """A window on the Golden set of a small policy, with six examples."""
    stage = open_window(*(answers or ANSWERS[2:]))
    policy = stage.open_spam()
    rows = [(text, "allowed") for text in GOOD] + [(text, "violates") for text in (*BAD, ODD)]
    path = tmp_path / "set.csv"
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([("content", "label"), *rows])
    files = stage.studio.golden_files
    files.store(files.preview(path, policy), policy)
    page = stage.window.golden
    stage.window.go_to("golden")
    stage.settle()
    page.bar.policy.pick(policy.id)
    stage.until(lambda: page.table.rowCount() == len(rows))
    stage.settle()
    return stage, page, policy


def ran(stage: Stage, page: GoldenPage) -> None:
    page.bar.run.click()
    stage.until(lambda: not page.work.running and page.work.shown is not None)
    stage.settle()


def result_of(page: GoldenPage) -> Shown | None:
    return page.work.shown


def titles(stage: Stage, page: GoldenPage) -> list[str]:
    stage.until(lambda: all(page.table.row(at) is not None for at in range(page.table.rowCount())))
    return [row.title for at in range(page.table.rowCount()) if (row := page.table.row(at)) is not None]


def test_a_run_fills_cards_matrix_and_list(open_window: Opener, tmp_path: Path) -> None:
    answers = (ScriptedAnswer(match=BAD[0], text=FINE), *ANSWERS[2:])
    stage, page, _ = with_set(open_window, tmp_path, *answers)
    assert result_of(page) is None

    ran(stage, page)

    cards = page.results.cards
    assert cards["decision_accuracy"].words == "66.7 %"
    assert cards["no_verdict"].words == "16.7 %"
    assert "1 of 3" in page.filters.chip(Mark.WRONG).text() or page.filters.chip(Mark.WRONG).text() == "Wrong 1"
    assert page.results.words.text().startswith("2 of 6 not right (33.3 %, between ")
    # A cell of the matrix lists its examples, and they are taken back.
    matrix = page.results.matrix
    names = [matrix.verticalHeaderItem(y).text() for y in range(matrix.rowCount())]
    columns = [matrix.horizontalHeaderItem(x).text() for x in range(matrix.columnCount())]  # type: ignore[union-attr]  # set for all
    cell = matrix.item(names.index("Violates"), columns.index("Allowed"))
    assert cell is not None
    assert cell.text() == "1"
    matrix.itemClicked.emit(cell)
    stage.until(lambda: page.table.rowCount() == 1)
    assert titles(stage, page) == [BAD[0]]
    page.filters.clear_cell()
    stage.until(lambda: page.table.rowCount() == 6)
    page.filters.chip(Mark.NO_VERDICT).click()
    stage.until(lambda: page.table.rowCount() == 1)
    assert titles(stage, page) == [ODD]
    # The verdict of the example in sight is shown with its reasoning.
    stage.until(lambda: page.detail.example is not None and page.detail.example.content.text == ODD)
    stage.settle()
    assert page.detail.cards[0].run is not None
    assert page.detail.got.word == "No verdict"


def test_nothing_is_judged_twice_and_results_are_there_again(open_window: Opener, tmp_path: Path) -> None:
    stage, page, policy = with_set(open_window, tmp_path)
    ran(stage, page)
    judged = sum(session.run_count for session in stage.studio.sessions.list())
    first = page.results.cards["f1"].words

    ran(stage, page)
    page.bar.policy.pick("spam")
    stage.settle()
    assert result_of(page) is None
    page.bar.policy.pick(policy.id)
    stage.until(lambda: result_of(page) is not None)

    assert sum(session.run_count for session in stage.studio.sessions.list()) == judged
    assert page.results.cards["f1"].words == first


def test_a_stopped_run_goes_on_where_it_was(open_window: Opener, tmp_path: Path) -> None:
    slow = [replace(answer, pace_s=0.01) for answer in ANSWERS[2:]]
    stage, page, _ = with_set(open_window, tmp_path, *slow)
    page.run()
    stage.until(lambda: any(job.pause is not None and job.progress[0] for job in stage.window.tasks.visible))
    stage.until(lambda: stage.window.footer.pause.isVisible())
    stage.window.footer.pause.click()
    assert page.work.running
    stage.window.footer.pause.click()

    page.run()
    stage.until(lambda: not page.work.running)
    stage.settle()
    judged = page.work.shown
    assert judged is not None
    assert judged.result.evaluation.unfinished
    page.run()
    stage.until(lambda: not page.work.running)
    stage.settle()

    again = page.work.shown
    assert again is not None
    assert again.result.evaluation.unfinished == 0
    assert again.result.evaluation.reused >= len(judged.result.evaluation.examples)


def test_two_versions_are_compared_in_words_and_flips(open_window: Opener, tmp_path: Path) -> None:
    stage, page, policy = with_set(open_window, tmp_path, *ANSWERS)
    stage.studio.policies.save(replace(policy, text=policy.text + "- SP4.c: lures\n"))
    stage.window._context.changes.policies.emit()
    stage.settle()
    page.bar.before.choose(1)

    ran(stage, page)

    shown = page.work.shown
    assert shown is not None
    assert shown.comparison is not None
    assert page.results._change.text() == "The same within noise (p = 0.5)"
    assert page.results.words.text().startswith("+33.3 points, between ")
    assert page.results.cards["decision_accuracy"].words == "50.0 → 83.3 %"
    assert page.results.cards["decision_accuracy"].change_words == "same within noise"
    # The list has turned into the flips.
    stage.until(lambda: page.table.rowCount() == 2)
    assert page.filters.chip(Mark.BETTER).isChecked()
    assert titles(stage, page) == [*BAD[1:]]
    stage.until(lambda: page.detail.example is not None and page.detail.example.content.text in BAD)
    stage.settle()
    now, before = page.detail.cards[0].run, page.detail.cards[1].run
    assert now is not None
    assert now.verdict is not None
    assert before is not None
    assert before.verdict is not None
    assert (before.verdict.decision, now.verdict.decision) == (Decision.ALLOWED, Decision.VIOLATES)


def test_the_report_is_written_in_the_form_that_was_chosen(
    open_window: Opener, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage, page, _ = with_set(open_window, tmp_path)
    ran(stage, page)
    for name, form, written, start in (
        ("r.html", "HTML (*.html)", "r.html", b"<!doctype html>"),
        ("r.html", "PDF (*.pdf)", "r.pdf", b"%PDF-"),
        ("r.csv", "CSV (*.csv)", "r.csv", b"group,"),
        ("r.json", "", "r.json", b"{"),
        ("s.pdf", "HTML (*.html)", "s.pdf", b"%PDF-"),
        ("s.v2", "HTML (*.html)", "s.v2.html", b"<!doctype html>"),
    ):
        chosen = (str(tmp_path / name), form)
        monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_, chosen=chosen: chosen)
        page.chores.write_report()
        stage.settle()
        assert (tmp_path / written).read_bytes().lstrip().startswith(start)

    # The dialog asked about r.html, and nobody about the r.pdf that is there.
    (tmp_path / "r.pdf").write_text("mine", encoding="utf-8")
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(tmp_path / "r.html"), "PDF (*.pdf)"))
    page.chores.write_report()
    stage.settle()
    assert (tmp_path / "r.pdf").read_text(encoding="utf-8") == "mine"


def test_repeats_show_doubt(open_window: Opener, tmp_path: Path) -> None:
    answers = (ScriptedAnswer(match=BAD[0], text=FINE), *ANSWERS[2:])
    stage, page, _ = with_set(open_window, tmp_path, *answers)
    page.bar.repeats.choose(3)

    ran(stage, page)

    assert page.filters.chip(Mark.UNSTABLE).text() == "Unstable 1"
    page.filters.chip(Mark.UNSTABLE).click()
    stage.until(lambda: page.table.rowCount() == 1)
    outcome = page.table.outcome(page.table.ids[0])
    assert outcome is not None
    assert (outcome.agree, outcome.repeats) == (2, 3)
    stage.until(lambda: page.detail.doubt.text() == "2 of 3 repeats agree")


def test_an_example_is_edited_and_found(open_window: Opener, tmp_path: Path) -> None:
    stage, page, policy = with_set(open_window, tmp_path)
    stage.until(lambda: page.detail.example is not None)
    assert page.detail.save.isHidden()
    page.detail.decision._group.button(2).click()
    page.detail.labels["SP4"].click()
    page.detail.why.set_exact_text("Because of the lure")
    page.detail.tags.setText("hard, checked,hard")
    assert page.detail.save.isVisible()

    stage.keys("Ctrl+S")
    stage.settle()

    [kept] = stage.studio.golden.many([page.table.ids[0]])
    assert (kept.expected, kept.labels, kept.why) == (Decision.NEEDS_REVIEW, ("SP4",), "Because of the lure")
    assert kept.tags == ("hard", "checked")
    assert page.detail.save.isHidden()
    page.filters.search.setText("because LURE")
    stage.until(lambda: page.table.rowCount() == 1)
    page.filters.search.clear()
    page.filters.tag.pick("checked")
    stage.until(lambda: page.table.ids == [kept.id])
    page.detail.delete_wanted.emit(page.detail.example)
    stage.settle()
    assert stage.studio.golden.count(policy.id) == 5


def test_what_is_held_out_is_veiled_and_scored_on_demand(open_window: Opener, tmp_path: Path) -> None:
    stage, page, policy = with_set(open_window, tmp_path)

    def choose() -> None:
        dialog = QApplication.activeModalWidget()
        if isinstance(dialog, HoldOutDialog):
            dialog.percent.setValue(34)
            dialog.accept()
        else:
            QTimer.singleShot(10, choose)

    QTimer.singleShot(0, choose)
    page.chores.hold_out(page._balance)
    stage.until(lambda: page.table.rowCount() == 4)
    held = stage.studio.golden.find(policy.id, GoldenQuery(held_out=True))
    assert not {*page.table.ids} & {*held}
    ran(stage, page)
    drafting = result_of(page)
    assert drafting is not None
    assert not {*drafting.result.outcomes} & {*held}

    page.filters.held_out.click()
    stage.until(lambda: page.table.ids == held)
    stage.until(lambda: page.detail.veiled)
    stage.until(lambda: result_of(page) is None)
    stage.until(lambda: page.table.row(0) is not None)
    secret = stage.studio.golden.many(held[:1])[0].content.text
    assert page.table.index(0, 1).data() == "Held out. Its content is veiled."
    assert page.detail.message.exact_text() == ""
    page.detail.lift()
    assert page.detail.message.exact_text() == secret
    ran(stage, page)
    judged = result_of(page)
    assert judged is not None
    assert {*judged.result.outcomes} == {*held}


def test_a_file_is_stored_only_after_every_answer(open_window: Opener, tmp_path: Path) -> None:
    stage, page, policy = with_set(open_window, tmp_path)
    path = tmp_path / "more.csv"
    path.write_text("text,verdict\nfollow me back,spam-ish\nlovely weather,fine-ish\n")
    dialog = ImportDialog(stage.window._context, policy, path, stage.window)
    stage.until(lambda: dialog.preview is not None and not dialog.busy)
    assert not dialog.take.isEnabled()
    assert stage.studio.golden.count(policy.id) == 6
    for word in ("violates", "allowed"):
        box = dialog.labels.cellWidget(0 if word == "violates" else 1, 3)
        assert isinstance(box, QComboBox)
        at = next(n for n in range(box.count()) if box.itemData(n)[0] == word)
        box.setCurrentIndex(at)
        box.activated.emit(at)
        stage.until(lambda: not dialog.busy)
    assert dialog.take.isEnabled()

    dialog.take.click()
    stage.until(lambda: dialog.stored is not None)

    assert stage.studio.golden.count(policy.id) == 8
    dialog.deleteLater()


def test_the_likely_meanings_are_taken_at_once_and_the_file_is_not_read_again(
    open_window: Opener, tmp_path: Path
) -> None:
    stage, _page, policy = with_set(open_window, tmp_path)
    path = tmp_path / "flags.csv"
    path.write_text("text,toxic,insult\nfollow me back,1,0\nlovely weather,0,0\n")
    dialog = ImportDialog(stage.window._context, policy, path, stage.window)
    stage.until(lambda: dialog.preview is not None and not dialog.busy)
    assert dialog.preview is not None
    assert len(dialog.preview.questions) == 3
    assert not dialog.likely.isHidden()
    path.unlink()
    dialog.likely.click()
    assert dialog.preview.decisions == {"violates": 1, "allowed": 1}
    assert dialog.take.isEnabled()
    dialog.deleteLater()


def test_a_thousand_labels_come_a_few_at_a_time(open_window: Opener, tmp_path: Path) -> None:
    stage, _page, policy = with_set(open_window, tmp_path)
    path = tmp_path / "many.csv"
    path.write_text("text,label\n" + "".join(f"This is text {n},kind {n}\n" for n in range(1000)))
    dialog = ImportDialog(stage.window._context, policy, path, stage.window)
    stage.until(lambda: dialog.preview is not None)
    assert dialog.labels.rowCount() < 100
    stage.until(lambda: dialog.labels.rowCount() == 1000)
    dialog.deleteLater()


def test_duplicates_become_filters(open_window: Opener, tmp_path: Path) -> None:
    stage, page, policy = with_set(open_window, tmp_path)
    run = stage.studio.judge.judge(
        policy, Content.message("WIN  big!"), session_id=stage.studio.sessions.create("Sitting").id
    )
    stage.studio.golden.add_from_run(run, expected=Decision.ALLOWED)
    page.entered()
    stage.until(lambda: page.table.rowCount() == 7)

    page.chores.find_duplicates()
    stage.settle()

    assert page.filters.chip(Mark.DUPLICATE).text() == "Duplicates 2"
    assert page.filters.chip(Mark.CONTRADICTING).text() == "Contradicting 2"


def test_an_empty_set_says_what_to_do_next(open_window: Opener) -> None:
    stage = open_window()
    policy = stage.open_spam()
    page = stage.window.golden
    stage.window.go_to("golden")
    stage.settle()
    page.bar.policy.pick(policy.id)
    stage.settle()
    assert page._empty.isVisible()
    page.run()
    assert not page.work.running


@pytest.mark.parametrize("rows", [500])
def test_only_rows_in_sight_are_read(open_window: Opener, tmp_path: Path, rows: int) -> None:
    stage, page, policy = with_set(open_window, tmp_path)
    path = tmp_path / "many.csv"
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([("content", "label"), *((f"number {n}", "allowed") for n in range(rows))])
    files = stage.studio.golden_files
    files.store(files.preview(path, policy), policy)
    page.entered()
    stage.until(lambda: page.table.rowCount() == rows + 6)
    stage.settle()
    assert len(page.table._pages) < 4
    page.view.scrollToBottom()
    stage.until(lambda: page.table.row(rows + 5) is not None)
    assert page.table.row(rows + 5).title == f"number {rows - 1}"  # type: ignore[union-attr]  # just waited for
    QTest.keyClick(page.view, Qt.Key.Key_End, Qt.KeyboardModifier.ControlModifier)
    stage.until(lambda: page.detail.example is not None and page.detail.example.content.text == f"number {rows - 1}")
