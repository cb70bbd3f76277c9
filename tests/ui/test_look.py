from __future__ import annotations

import re
from dataclasses import fields
from itertools import product
from pathlib import Path

import pytest
from PySide6.QtWidgets import QAbstractButton, QApplication, QDateEdit, QLineEdit, QTextEdit, QWidget

from studio import settings
from studio.core.labels import Decision, LabelDecision
from studio.core.policy import ContentKind, Effort, OutputForm
from studio.core.verdict import ReviewReason, Status
from studio.ui import words
from studio.ui.actions import TABLE
from studio.ui.theme import Theme, contrast
from studio.ui.tokens import DARK, LIGHT, Tokens
from studio.ui.widgets.pill import PillSize, VerdictPill
from tests.ui.conftest import VIOLATES, Opener

DECISIONS = (*Decision, None)


@pytest.mark.parametrize("tokens", [LIGHT, DARK], ids=["light", "dark"])
def test_text_stands_out_from_what_it_is_written_on(tokens: Tokens) -> None:
    grounds = [tokens.window, tokens.surface, tokens.raised, tokens.sunken, tokens.current_line]
    pairs = list(product([tokens.text, tokens.text_quiet], [*grounds, tokens.accent_soft]))
    pairs += [(tokens.text, tokens.found), (tokens.text, tokens.ours), (tokens.text, tokens.control)]
    pairs += [(tokens.on_accent, tokens.accent), (tokens.on_accent, tokens.accent_hover), (tokens.on_tip, tokens.tip)]
    pairs += [(tokens.accent, tokens.surface), (tokens.accent, tokens.accent_soft)]
    for decision in DECISIONS:
        tone = tokens.tone(decision)
        pairs += [(tone.on_solid, tone.solid), (tone.text, tone.soft), (tone.text, tokens.surface)]
        pairs += [(tokens.text, tone.soft)]

    assert [(one, two, round(contrast(one, two), 2)) for one, two in pairs if contrast(one, two) < 4.5] == []


@pytest.mark.parametrize("tokens", [LIGHT, DARK], ids=["light", "dark"])
def test_shapes_and_borders_of_controls_can_be_seen(tokens: Tokens) -> None:
    shapes = [tokens.accent, tokens.line_strong, *(tokens.tone(decision).solid for decision in DECISIONS)]
    pairs = list(product(shapes, [tokens.window, tokens.surface]))

    assert [(one, two, round(contrast(one, two), 2)) for one, two in pairs if contrast(one, two) < 3] == []


def test_contrast_is_that_of_wcag() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.478, abs=0.001)


def test_every_colour_has_a_name_in_both_themes() -> None:
    for one in fields(Tokens):
        light, dark = getattr(LIGHT, one.name), getattr(DARK, one.name)
        assert type(light) is type(dark)


def test_no_colour_is_written_outside_the_tokens() -> None:
    folder = Path(words.__file__).parent
    found = [
        str(path.relative_to(folder))
        for path in folder.rglob("*.py")
        if path.name != "tokens.py" and re.search(r"#[0-9a-fA-F]{6}\b", path.read_text(encoding="utf-8"))
    ]
    assert found == []


def test_the_system_decides_between_light_and_dark_unless_the_user_does(theme: Theme) -> None:
    theme.choose(settings.Theme.DARK, None)
    assert theme.dark
    theme.choose(settings.Theme.LIGHT, None)
    assert not theme.dark


def test_another_theme_comes_part_by_part_and_is_seen_only_when_all_wear_it(open_window: Opener, theme: Theme) -> None:
    stage = open_window()
    window = stage.window
    before = window.rail.styleSheet()

    theme.choose(settings.Theme.DARK, None)

    assert not theme.settled  # the event loop turns between the parts
    assert not window.updatesEnabled()
    theme.choose(settings.Theme.LIGHT, None)  # a second thought on the way
    theme.choose(settings.Theme.DARK, None)
    stage.until(lambda: theme.settled)
    assert window.updatesEnabled()
    parts = [part for page in window.pages.values() for part in page.parts]
    sheets = {part.styleSheet() for part in (window.rail, window.top_bar, window.footer, *parts)}
    assert len(sheets) == 1
    assert sheets != {before}
    assert window.palette_list.popup.styleSheet() in sheets


def test_all_that_has_a_kind_is_within_a_part_that_is_dressed(open_window: Opener) -> None:
    window = open_window().window
    bare = [
        f"{type(widget).__name__} {widget.property('kind')} {widget.accessibleName()}"
        for widget in window.findChildren(QWidget)
        if widget.property("kind") and not _dressed(widget)
    ]
    assert bare == []


def test_every_code_has_words_without_shouting() -> None:
    assert set(words.STATUS) == set(Status) - {Status.OK}
    assert set(words.DECISION) == set(Decision)
    assert set(words.LABEL_DECISION) == set(LabelDecision)
    assert set(words.EFFORT) == set(Effort)
    assert set(words.FORM) == set(OutputForm)
    assert set(words.KIND) == set(ContentKind)
    assert set(words.REVIEW_REASON) == set(ReviewReason)
    for reason in words.STATUS.values():
        assert "!" not in f"{reason.short}{reason.why}{reason.do}"
        assert all((reason.short, reason.why, reason.do))


def test_the_pill_is_told_apart_without_colour(qapp: QApplication, theme: Theme) -> None:
    pill = VerdictPill(theme, PillSize.LARGE)
    width = pill.sizeHint().width()
    grey: list[bytes] = []
    for decision in DECISIONS:
        pill.show_decision(decision)
        assert pill.sizeHint().width() == width  # nothing beside it moves
        image = pill.grab().toImage().convertToFormat(pill.grab().toImage().Format.Format_Mono)
        grey.append(bytes(image.constBits()))
        assert words.decision_word(decision) in pill.accessibleName()
    assert len(set(grey)) == len(grey)


def test_no_two_actions_of_a_page_share_a_key() -> None:
    for page in {spec.page for spec in TABLE}:
        keys = [key for spec in TABLE if spec.page in ("", page) for key in spec.keys]

        assert len(keys) == len(set(keys)), page


def test_everything_that_takes_the_focus_has_a_name(open_window: Opener) -> None:
    stage = open_window(VIOLATES)
    stage.open_spam()
    stage.judged("You have won")
    nameless: list[str] = []
    for page in ("workbench", "golden", "history", "models", "settings"):
        stage.window.go_to(page)
        stage.settle()
        for widget in stage.window.findChildren(QWidget):
            operated = isinstance(widget, (QAbstractButton, QLineEdit, QTextEdit))
            inner = widget.objectName().startswith("qt_") or isinstance(widget.parent(), (QLineEdit, QDateEdit))
            if operated and widget.isVisible() and not inner and not _named(widget):
                nameless.append(f"{page}: {widget!r}")
    assert nameless == []


def test_tab_reaches_run_and_goes_round(open_window: Opener) -> None:
    stage = open_window()
    stage.bench.content.take_focus()
    seen: list[QWidget | None] = []
    for _ in range(60):
        seen.append(stage.window.focusWidget())
        stage.keys("Tab")
    wanted = [
        stage.bench.content.run_button,
        stage.bench.content.effort_choice,
        stage.bench.policy.editor,
        stage.bench.policy.chooser,
        stage.bench.policy.save_button,
        stage.window.top_bar.omnibox,
    ]
    assert [widget.accessibleName() for widget in wanted if widget not in seen] == []


def test_a_font_of_twice_the_size_still_fits(open_window: Opener, theme: Theme) -> None:
    stage = open_window(VIOLATES)
    stage.open_spam()
    stage.judged("You have won")

    theme.choose(settings.Theme.DARK, 20)
    stage.until(lambda: theme.settled)

    for page in ("workbench", "golden", "history", "models", "settings"):
        stage.window.go_to(page)
        stage.settle()
        assert stage.window.minimumSizeHint().width() <= 1280, page
        assert stage.window.minimumSizeHint().height() <= 900, page


def _dressed(widget: QWidget) -> bool:
    around: QWidget | None = widget
    while around is not None and not around.styleSheet():
        around = around.parentWidget()
    return around is not None


def _named(widget: QWidget) -> bool:
    text = widget.text() if isinstance(widget, QAbstractButton) else ""
    return bool(widget.accessibleName() or text)
