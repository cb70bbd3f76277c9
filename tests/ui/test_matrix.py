"""Several policies at once, the filters of the policy list, and policy packs in the window."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog

from studio.core.content import Content
from studio.core.golden import GoldenExample
from studio.core.labels import Decision
from studio.core.policy import Policy
from studio.engine.scripted import ScriptedAnswer
from studio.ui.widgets.ask_line import AskLine
from tests.ui.conftest import FINE, LURE, POLICY_TEXT, SLOW, Opener, Stage

BAD = ScriptedAnswer(match="three times\n- SP4.b: a prize", text=LURE)
GOOD = ScriptedAnswer(match="# Mild", text=FINE)


def with_two(stage: Stage) -> Policy:
    policy = stage.open_spam()
    mild = replace(policy, id="mild", title="Mild spam", text="# Mild\n- SP0.a: all\n", jurisdictions=("BR",))
    stage.studio.policies.save(mild)
    stage.studio._workspace.golden.add(
        GoldenExample("one", policy.id, Content.message("A golden one"), Decision.ALLOWED)
    )
    return policy


def shown(stage: Stage) -> Stage:
    """Open the view with both policies ticked."""
    policy = with_two(stage)
    stage.show("You have won")
    stage.keys("Ctrl+M")
    stage.settle()
    assert stage.bench.matrix.ticked() == [policy.id]
    stage.bench.matrix.tick([policy.id, "mild"])
    return stage


def test_a_content_is_judged_under_the_ticked_policies_and_cells_open_their_verdict(open_window: Opener) -> None:
    stage = shown(open_window(BAD, GOOD))
    view = stage.bench.matrix
    view.add_button.click()
    stage.until(lambda: view._examples.isVisible())
    stage.keys("Return", view._examples.search)
    assert view.words.text() == "2 contents"

    view.run_button.click()
    stage.until(lambda: not view.running)
    stage.settle()

    words = [
        [view.table.index(row, column).data(Qt.ItemDataRole.AccessibleTextRole) for column in (1, 2)] for row in (0, 1)
    ]
    titles = [view.table.headerData(at, Qt.Orientation.Horizontal, Qt.ItemDataRole.DisplayRole) for at in range(3)]
    assert titles == ["Content", "Mild spam", "Small spam"]
    assert words[0][0].startswith("Mild spam: Allowed")
    assert words[1][1].startswith("Small spam: Violates")
    view.view.setCurrentIndex(view.table.index(1, 2))
    stage.settle()
    assert view.card_area.isVisible()
    assert view.card.run is not None
    assert view.card.run.content.text == "A golden one"
    assert view.card.run.raw_output

    view.open_button.click()
    stage.settle()
    assert stage.bench.content.isVisible()
    assert stage.bench.content.content.text == "A golden one"


def test_combined_says_what_it_costs(open_window: Opener) -> None:
    stage = shown(open_window(ScriptedAnswer(match="## Mild", text=FINE)))
    view = stage.bench.matrix
    view.combined.setChecked(True)

    view.start()
    stage.until(lambda: not view.running)
    stage.settle()

    assert "43.6 %" in view.words.text()
    assert view.table.columnCount() == 2


def test_esc_stops_and_again_leads_back(open_window: Opener) -> None:
    stage = shown(open_window(SLOW))
    view = stage.bench.matrix
    view.start()
    stage.until(lambda: view.running)

    stage.keys("Escape")
    stage.until(lambda: not view.running)
    stage.settle()
    assert view.words.text() == "Stopped"
    stage.keys("Escape")
    assert stage.bench.policy.isVisible()


def test_the_list_of_policies_is_narrowed_by_jurisdiction_and_tag(open_window: Opener) -> None:
    stage = open_window()
    with_two(stage)
    stage.bench.policy.chooser.click()
    popup = stage.bench.policy._popup
    stage.until(popup.isVisible)

    popup.narrow(0, "in BR")
    assert [entry.title for entry in popup.matching("")] == ["Mild spam"]
    popup.narrow(1, "tag demo")
    assert popup.matching("") == []
    popup.narrow(0, "")
    assert len(popup.matching("")) == 3
    popup.close()


def test_a_pack_is_saved_and_dropped_in_again(
    open_window: Opener, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = open_window()
    policy = with_two(stage)
    stage.bench.open_policy(policy.id)
    stage.settle()
    path = tmp_path / "ours.policypack"
    monkeypatch.setattr(AskLine, "exec", lambda dialog: dialog.line.setText("For spring") or 1)
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(path), ""))
    stage.bench.policy.packs.save_pack()
    stage.settle()
    assert path.is_file()
    assert "1 golden example" in stage.window.footer.words.text()

    stage.studio.policies.save(replace(policy, text=POLICY_TEXT + "- SP0.b: more\n"))
    stage.bench.policy.drop.dropped.emit(path)
    stage.settle()

    notice = stage.window.banners.banners[0].notice
    assert notice.title == "Small spam, version 3"
    assert "For spring" in notice.message
    assert stage.bench.policy.document.policy.text == POLICY_TEXT

    path.write_bytes(b"spoilt")
    stage.bench.policy.packs.read(path)
    stage.until(lambda: len(stage.window.banners.banners) == 2)


def test_a_folder_is_brought_in_and_what_cannot_be_used_is_told(open_window: Opener, tmp_path: Path) -> None:
    stage = open_window()
    stage.settle()
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "adverts.md").write_text("# Rules\n- AD1: no adverts\n- AD0: all else is allowed\n")
    (tmp_path / "in" / "bad.txt").write_bytes(b"\xff")

    stage.bench.policy.drop.dropped.emit(tmp_path / "in")

    stage.until(lambda: stage.bench.policy.document.policy.id == "adverts")
    notice = stage.window.banners.banners[0].notice
    assert notice.title == "1 policy brought in"
    assert "bad.txt" in notice.message
