"""The prompt as sent: every character, whose it is, and written anew only where it differs."""

from __future__ import annotations

from datetime import date

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PySide6.QtGui import QTextFragment
from pytestqt.qtbot import QtBot

from studio.core.content import Content
from studio.core.labels import Label, LabelDecision
from studio.core.policy import Policy
from studio.core.prompt import Prompt, build_prompt
from studio.ui.theme import Theme
from studio.ui.workbench.prompt_tab import PromptTab

LABELS = (Label("A0", LabelDecision.ALLOW), Label("A1", LabelDecision.VIOLATE))
TEXTS = st.text(st.sampled_from("ab \n\r\U0001f600<|end|>#é"), max_size=30)


def prompt(policy: str, content: str) -> Prompt:
    return build_prompt(Policy("p", "P", policy, LABELS), Content.message(content), pinned_date=date(2026, 1, 1))


def pieces(tab: PromptTab) -> list[tuple[str, str]]:
    """The text with its tooltip, which says whose it is, joined where neighbours are alike."""
    found: list[tuple[str, str]] = []
    block = tab.view.document().begin()
    while block.isValid():
        place = block.begin()
        while not place.atEnd():
            piece: QTextFragment = place.fragment()
            whose = piece.charFormat().toolTip()
            if found and found[-1][0] == whose:
                found[-1] = (whose, found[-1][1] + piece.text())
            else:
                found.append((whose, piece.text()))
            place += 1
        block = block.next()
    return found


def shown(tab: PromptTab) -> str:
    return tab.view.document().toRawText().replace("\u2029", "\n")


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(TEXTS, TEXTS), min_size=2, max_size=4))
def test_a_change_looks_like_the_whole_written_anew(qtbot: QtBot, theme: Theme, prompts: list[tuple[str, str]]) -> None:
    tab, fresh = PromptTab(theme), PromptTab(theme)
    qtbot.addWidget(tab)
    qtbot.addWidget(fresh)
    for policy, content in prompts:
        sent = prompt(policy, content)

        tab.show_prompt(sent)

        fresh.show_prompt(sent)
        fresh._paint()
        # Qt holds each kind of line end as its own; what is put in by the studio is written apart from what is not.
        whole = "".join(part.text.replace("\r\n", "\n").replace("\r", "\n") for part in tab._spans)
        assert shown(tab) == whole
        assert "".join(part.text for part in tab._spans) == sent.text
        assert pieces(tab) == pieces(fresh)


def test_it_says_when_the_studio_put_nothing_in(qtbot: QtBot, theme: Theme) -> None:
    tab = PromptTab(theme)
    qtbot.addWidget(tab)

    tab.show_prompt(prompt("Judge.", "x"))
    assert "Tinted text was put in" in tab._legend.text()
    tab.show_prompt(prompt("Answer with exactly one label.", "x"))
    assert "no text of its own" in tab._legend.text()
