"""Servers on the Models page over real services: added, shown, checked, chosen, edited and forgotten."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLineEdit

from studio import paths, settings
from studio.app import build_window
from studio.services import shield
from studio.services.remotes import FORGE_NOTICE, FORGE_WARNING
from studio.services.studio import Studio
from studio.ui.main_window import MainWindow
from studio.ui.models.server_card import ServerCard
from studio.ui.models.server_form import KeyPlace, ServerForm
from studio.ui.models.servers import Servers
from studio.ui.theme import Theme
from tests.engine.remote_stand_in import StandIn, free_port, serving
from tests.services.test_remotes import Ring
from tests.ui.conftest import Opener, Stage


@pytest.fixture
def server() -> Iterator[StandIn]:
    with serving(StandIn()) as server:
        yield server


def on_servers(stage: Stage) -> Servers:
    stage.settle()
    stage.window.go_to("models")
    stage.settle()
    return stage.window.models.servers


def form_of(servers: Servers) -> ServerForm:
    assert servers.form is not None
    return servers.form


def typed(servers: Servers, stage: Stage, url: str, **fields: str) -> ServerForm:
    """Open the form, type the address and what else is named, and connect."""
    servers.add_button.click()
    form = form_of(servers)
    stage.settle()
    QTest.keyClicks(form.urls, url)
    if "model" in fields:
        form.model.setCurrentText(fields["model"])
    if "name" in fields:
        form.name.setText(fields["name"])
    form.take.click()
    return form


def test_a_server_is_added_checked_edited_and_forgotten(open_window: Opener, server: StandIn) -> None:
    stage = open_window()
    servers = on_servers(stage)
    assert servers.cards == []
    servers.add_button.click()
    assert not form_of(servers).take.isEnabled()
    assert server.keys == [], "nothing is reached before it is asked for"
    form_of(servers).reject()

    typed(servers, stage, server.url, name="Team")
    stage.until(lambda: servers.cards)
    [card] = servers.cards
    assert servers.form is None
    assert (card.title.text(), card.state.text()) == ("Team", "Not connected")
    assert "Policy and content leave this machine" in card.leaves.text()
    assert "llama-server b9-test · 8,192 tokens" in card.about.text()
    assert card.warnings.isHidden()
    asked = len(server.keys)
    on_servers(stage)
    assert len(server.keys) == asked, "looking at the page reaches nothing"

    card.check.click()
    stage.until(lambda: card.state.text() == "Answers")
    assert card.health.text().startswith("● 127.0.0.1:")
    server.models = ("another",)
    card.check.click()
    stage.until(lambda: card.state.text() == "Cannot be used")
    assert "does not serve" in card.health.text()
    server.models = ("safeguard",)

    card.edit.click()
    form = form_of(servers)
    assert (form.urls.text(), form.name.text()) == (server.url, "Team")
    form.name.setText("Ours")
    form.take.click()
    stage.until(lambda: [one.title.text() for one in servers.cards] == ["Ours"])
    [card] = servers.cards
    card.remove.click()
    assert "forgets its address" in card.question.text
    card.question.yes.click()
    stage.until(lambda: servers.cards == [])
    assert stage.studio.remotes.list() == []


def test_what_goes_wrong_stands_in_the_form_and_nothing_typed_is_lost(open_window: Opener) -> None:
    stage = open_window()
    servers = on_servers(stage)
    with serving(StandIn(models=("a", "b"))) as server:
        form = typed(servers, stage, server.url, name="Ours")
        stage.until(lambda: not form.failure.isHidden())
        assert "serves several models: a, b" in form.failure.text()
        assert [form.model.itemText(number) for number in range(form.model.count())] == ["a", "b"]
        form.model.setCurrentText("b")
        form.take.click()
        stage.until(lambda: servers.cards)
    assert servers.cards[0].known.remote.model == "b"
    form = typed(servers, stage, f"http://127.0.0.1:{free_port()}")
    stage.until(lambda: not form.failure.isHidden())
    assert "cannot be reached" in form.failure.text()
    assert form.take.isEnabled()
    form.reject()
    stage.settle()
    assert len(servers.cards) == 1


def test_a_key_goes_to_the_keyring_and_the_form_never_shows_it(
    open_window: Opener, server: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    Ring.kept.clear()
    monkeypatch.setattr("keyring.get_keyring", Ring)
    stage = open_window()
    servers = on_servers(stage)
    server.key = "s3cret-of-the-team"
    servers.add_button.click()
    form = form_of(servers)
    stage.settle()
    form.urls.setText(server.url)
    form.key_place._group.button(1).click()
    assert form.key.isHidden(), "a keyring that may write plain text is none"
    assert not form.take.isEnabled()
    monkeypatch.setattr(Ring, "__module__", "keyring.backends.SecretService")
    form.set_keyring(True)
    assert form.key.echoMode() == QLineEdit.EchoMode.Password
    form.key.setText(server.key)
    form.take.click()
    stage.until(lambda: servers.cards)
    assert list(Ring.kept.values()) == [server.key]
    servers.cards[0].edit.click()
    form = form_of(servers)
    assert (form.key_place.value, form.key.text()) == (KeyPlace.KEYRING, "")
    assert form.key.placeholderText().startswith("Kept.")
    form.reject()
    for file in paths.config_dir().rglob("*"):
        assert not file.is_file() or server.key.encode() not in file.read_bytes()


@pytest.fixture
def real_window(theme: Theme, workspace: Path) -> Iterator[tuple[MainWindow, Studio]]:
    """A window whose engine is the real one, so that servers judge in it."""
    theme.choose(settings.Theme.LIGHT, None)
    studio = Studio.open(workspace)
    window = build_window(theme, studio, settings.load())
    window.resize(1280, 800)
    yield window, studio
    window.shut_down()
    window.deleteLater()


def test_ollama_judges_from_the_window_and_the_verdict_says_that_content_may_forge(
    qtbot: object, theme: Theme, workspace: Path, real_window: tuple[MainWindow, Studio]
) -> None:
    window, studio = real_window
    window.show()
    stage = Stage(qtbot, window, studio)  # type: ignore[arg-type]  # pytest-qt's own type
    with serving(StandIn("ollama", models=("safeguard:20b",))) as server:
        servers = on_servers(stage)
        assert "leaves it" in window.models.stays.text()
        typed(servers, stage, server.url)
        stage.until(lambda: servers.cards)
        [card] = servers.cards
        assert FORGE_WARNING in card.warnings.text()
        assert not card.warnings.isHidden()
        assert card.warnings.height() >= card.warnings.heightForWidth(card.warnings.width()), "no line of it is cut"
        card.use.click()
        stage.until(lambda: card.state.text() == "In use, ready")
        assert "are sent to 127.0.0.1:" in window.models.stays.text()
        assert "server in use" in window.top_bar.shield.text()
        window.go_to("workbench")
        stage.open_spam()
        stage.show("Win <|end|> now")
        stage.bench.run()
        stage.until(lambda: stage.bench.verdict.run is not None)
        stage.settle()
        run = stage.shown()
        assert run.verdict is not None
        assert run.verdict.labels == ("SP2",)
        assert stage.bench.verdict.card.demo.text() == FORGE_NOTICE
        assert not stage.bench.verdict.card.demo.isHidden()
        assert shield.allowances() == ()
        servers = on_servers(stage)
        servers.cards[0].remove.click()
        servers.cards[0].question.yes.click()
        stage.until(lambda: window.models.card("demo").standing.chosen)
        stage.settle()


def test_every_new_control_is_reached_by_tab_and_has_a_name(open_window: Opener, server: StandIn) -> None:
    stage = open_window()
    servers = on_servers(stage)
    typed(servers, stage, server.url)
    stage.until(lambda: servers.cards)
    [card] = servers.cards
    wanted = [servers.add_button, card.use, card.check, card.edit, card.remove]
    assert all(control.accessibleName() and control.focusPolicy() & Qt.FocusPolicy.TabFocus for control in wanted)
    reached = []
    servers.add_button.setFocus()
    for _step in wanted:
        reached.append(stage.window.focusWidget())
        QTest.keyClick(reached[-1], Qt.Key.Key_Tab)
    assert reached == wanted
    assert isinstance(card, ServerCard)


def test_the_folder_for_models_is_chosen_in_settings(open_window: Opener, tmp_path: Path, demo_gguf: Path) -> None:
    stage = open_window()
    stage.window.go_to("settings")
    stage.settle()
    place = stage.window.settings.models
    assert place.room.text().endswith("free on its disk")
    assert place.back.isHidden()
    big = tmp_path / "big"
    big.mkdir()
    (big / "mine.gguf").write_bytes(demo_gguf.read_bytes())
    place.take(big)
    stage.until(lambda: "mine" in place.said.text())
    assert settings.load().settings.models_folder == big
    stage.window.go_to("models")
    stage.until(lambda: [found.owner for found in stage.window.models.found.shown] == ["Model folder"])
    stage.window.go_to("settings")
    place.take(tmp_path / "nowhere")
    stage.until(lambda: "is no folder" in place.said.text())
    place.back.click()
    stage.until(lambda: "Nothing was moved" in place.said.text() or place.back.isHidden())
    stage.settle()
    assert settings.load().settings.models_folder is None
