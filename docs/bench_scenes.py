"""The pictures of what the Workbench has beside its panes, and of servers, with the shipped demo model at work."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Protocol

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from studio.core.content import Content
from studio.services.studio import Studio
from studio.ui.actions import Act
from studio.ui.frame.keys import KeysDialog
from studio.ui.main_window import MainWindow
from studio.ui.workbench.details_dialog import DetailsDialog
from studio.ui.workbench.merge_dialog import MergeDialog
from studio.ui.workbench.new_dialog import Beginning, NewPolicyDialog
from tests.engine.remote_stand_in import StandIn, serving

_SALE = "Two puppies for sale!"
_LINT_MS = 900
_GUIDELINE = """Be kind to beginners: everybody has killed a fern.

Do not sell plants or tools outside the market thread. Swaps are welcome anywhere.

Pictures of pests are fine, also ugly ones. Ask a moderator when in doubt about chemicals.
"""


class Stage(Protocol):
    """What is needed of the stage of the other pictures."""

    studio: Studio
    window: MainWindow

    def wait(self, until: Callable[[], object]) -> None:
        """Let the window work until something holds."""

    def settle(self) -> None:
        """Let everything that was begun end."""

    def judge(self, content: Content) -> None:
        """Run one content to its end."""


def demo_pictures(stage: Stage, take: Callable[[str], None]) -> None:
    """All of them, in a window that was just opened for the first time."""
    window, bench = stage.window, stage.window.workbench
    bench.run()
    stage.wait(lambda: not bench.runner.running)
    stage.settle()
    take("demo")
    stage.judge(Content.message(_SALE))
    bench.verdict.ask_why()
    stage.wait(lambda: not bench.verdict.why.running)
    stage.settle()
    take("why")
    bench.verdict.show_verdict()
    _edited(stage, take)
    _several(stage, take)
    window.actions_table[Act.PALETTE].trigger()
    stage.settle()
    take("palette")
    window.palette_list.popup.close()
    _dialogs(stage, take)
    keys = KeysDialog(window._context.theme, window, "workbench", "Workbench")
    keys.show()
    take("keys")
    keys.close()
    keys.deleteLater()
    _servers(stage, take)


def _dialogs(stage: Stage, take: Callable[[str], None]) -> None:
    """How a policy begins, how several become one, and what one is called."""
    pane, theme, policies = stage.window.workbench.policy, stage.window._context.theme, stage.studio.policies.list()
    new = NewPolicyDialog(theme, pane, policies)
    new.title.setText("Gardening forum")
    new.choose(Beginning.GUIDELINE)
    new.guideline.set_exact_text(_GUIDELINE)
    merge = MergeDialog(theme, pane, policies, pane.document.policy.id)
    merge.title.setText("The whole market")
    merge.list.findItems("Demo: lending and borrowing", Qt.MatchFlag.MatchExactly)[0].setCheckState(
        Qt.CheckState.Checked
    )
    details = DetailsDialog(theme, pane, pane.document.policy)
    for name, dialog in (("new-policy", new), ("merge", merge), ("about-policy", details)):
        dialog.show()
        take(name)
        dialog.close()


def _edited(stage: Stage, take: Callable[[str], None]) -> None:
    """A policy with versions, and a draft with defects."""
    bench = stage.window.workbench
    policy = bench.policy.document.policy
    wider = policy.text.replace("selling dogs", "selling dogs or cats")
    stage.studio.policies.save(replace(policy, text=wider), message="Cats count too", author="Ana")
    bench.open_policy(policy.id)
    stage.wait(lambda: bench.policy.document.policy.text == wider)
    stage.settle()
    draft = wider.replace("stealing horses", "stealing horses, usually\n- D9: jokes about [INPUT]")
    bench.policy.editor.set_exact_text(draft, undoable=True)
    QTest.qWait(_LINT_MS)
    stage.settle()
    bench.policy.show_lint()
    stage.settle()
    take("lint")
    bench.show_versions()
    stage.settle()
    take("versions")
    bench.stop()
    stage.settle()


def _several(stage: Stage, take: Callable[[str], None]) -> None:
    bench = stage.window.workbench
    bench.content.show_content(Content.message(_SALE))
    bench.show_matrix()
    stage.settle()
    bench.matrix.tick([one.id for one in stage.studio.policies.list() if one.id.startswith("demo-")])
    bench.matrix.start()
    stage.wait(lambda: not bench.matrix.running)
    stage.settle()
    bench.matrix.view.setCurrentIndex(bench.matrix.table.index(0, 1))
    stage.settle()
    take("matrix")
    bench.stop()
    stage.settle()


def _servers(stage: Stage, take: Callable[[str], None]) -> None:
    """The shelf, and a server that answers; it is a stand-in on loopback."""
    window, page = stage.window, stage.window.models
    window.go_to("models")
    stage.wait(lambda: page.cards and page.cards[-1].standing.advice is not None)
    with serving(StandIn()) as server:
        page.servers.add()
        form = page.servers.form
        assert form is not None
        form.urls.setText(server.url)
        form.name.setText("Team server")
        stage.settle()
        form.take.click()
        stage.wait(lambda: page.servers.cards)
        stage.settle()
        page.servers.cards[0].check.click()
        stage.wait(lambda: page.servers.cards[0].state.text() == "Answers")
        stage.settle()
    # The stand-in's own sockets are this process's too: they are counted until it is gone.
    stage.wait(lambda: not stage.studio.connections)
    window.top_bar.refresh()
    take("models")
    page._scroll.ensureWidgetVisible(page.servers)
    take("servers")
