"""The Models page over real services: getting a model from a Hub on loopback, and what can be done with it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from studio import paths
from studio.core.speed import Sample, Work
from studio.engine.scripted import ScriptedLoad
from studio.services import shield
from studio.services.device_notes import DeviceNotes
from studio.services.fit import Measurement
from studio.services.measure import CPU, Measurements
from studio.services.shelf import State
from studio.ui.models.card import ModelCard
from tests.hub.conftest import known, model_bytes
from tests.hub.hub_stand_in import HubStandIn, running
from tests.ui.conftest import Opener, Stage


@pytest.fixture(autouse=True)
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without other programs' models."""
    for name in ("OLLAMA_MODELS", "HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "HF_HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[HubStandIn]:
    """A Hub whose one model is the whole catalogue."""
    with running(HubStandIn({"m.gguf": model_bytes()})) as stand_in:
        catalogue = known("m.gguf", hub=stand_in)
        monkeypatch.setattr("studio.hub.catalogue.load", lambda: catalogue)
        monkeypatch.setenv("HF_ENDPOINT", stand_in.url)
        yield stand_in


def on_models(stage: Stage) -> Stage:
    stage.settle()
    stage.window.go_to("models")
    stage.until(lambda: stage.window.models.cards and stage.window.models.cards[-1].standing.advice is not None)
    stage.settle()
    return stage


def small(stage: Stage) -> ModelCard:
    return stage.window.models.card("small")


def fetched(stage: Stage) -> int:
    """Bytes of the small model that are on the disk so far."""
    return stage.studio.shelf.get("small").done


def agree(stage: Stage) -> None:
    """Ask for the download, and say yes to the question."""
    small(stage).get.click()
    stage.until(lambda: not small(stage).question.isHidden())
    small(stage).question.yes.click()


def test_a_model_is_got_with_consent_paused_gone_on_with_checked_and_deleted(
    open_window: Opener, hub: HubStandIn
) -> None:
    stage = on_models(open_window())
    assert small(stage).state.text() == "Not here yet"
    small(stage).get.click()
    stage.until(lambda: not small(stage).question.isHidden())
    asked = small(stage).question
    for named in (hub.url.removeprefix("http://"), "60.", "Free on the disk", "models", "sha256"):
        assert named in asked.text
    assert hub.asked == [], "nothing is reached before the yes"
    asked.no.click()
    assert hub.asked == []

    hub.faults = ["", "", "stall"]
    agree(stage)
    stage.until(hub.silent.is_set)
    stage.until(lambda: fetched(stage) > 0)
    stage.until(lambda: "%" in small(stage).progress.text())
    assert small(stage).state.text() == "Downloading"
    assert shield.allowances()
    assert "Downloading Small model" in stage.window.footer.words.text()
    small(stage).stop.click()
    hub.release.set()
    stage.until(lambda: small(stage).state.text().startswith("Paused · "))
    assert not shield.allowances()
    assert not stage.window.banners.banners, "a pause that was asked for is no error"

    assert small(stage).get.text() == "Go on"
    agree(stage)
    stage.until(lambda: small(stage).entry.state is State.READY)
    [banner] = stage.window.banners.banners
    assert banner.notice.title == "Small model is here"
    file = small(stage).entry.files[0]
    assert file.read_bytes() == hub.files["m.gguf"]
    assert small(stage).entry.sha256[0] in small(stage)._facts.text()

    small(stage).check.click()
    stage.until(lambda: "every byte" in stage.window.footer.words.text())
    small(stage).remove.click()
    assert str(file.name) in small(stage).question.text
    small(stage).question.yes.click()
    stage.until(lambda: small(stage).entry.state is State.GET)
    assert not file.exists()


def test_a_download_goes_into_the_cache_of_the_hubs_library_where_that_is_wanted(
    open_window: Opener, hub: HubStandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "cache"))
    stage = on_models(open_window())
    small(stage).get.click()
    stage.until(lambda: not small(stage).question.isHidden())
    assert small(stage).question.option.isHidden(), "there is no such cache on this machine"
    (tmp_path / "cache").mkdir()
    small(stage).question.no.click()
    small(stage).get.click()
    stage.until(lambda: not small(stage).question.isHidden())
    assert not small(stage).question.option.isHidden()
    small(stage).question.option.click()
    small(stage).question.yes.click()
    stage.until(lambda: small(stage).entry.state is State.READY)
    assert small(stage).entry.files[0].is_relative_to(tmp_path / "cache")


def test_wrong_bytes_are_set_aside_and_explained_on_the_card(open_window: Opener, hub: HubStandIn) -> None:
    hub.faults = ["", "", "wrong_bytes"]
    stage = on_models(open_window())
    agree(stage)
    stage.until(lambda: small(stage).state.text() == "Set aside")
    assert "sha256" in small(stage).words.text()
    assert stage.window.banners.banners[0].notice.title == "The downloaded file is not the right one"
    assert small(stage).use.isHidden()
    agree(stage)
    stage.until(lambda: small(stage).entry.state is State.READY)


def test_a_download_survives_the_window_and_goes_on_only_when_asked(open_window: Opener, hub: HubStandIn) -> None:
    hub.faults = ["", "", "stall"]
    stage = on_models(open_window())
    agree(stage)
    stage.until(lambda: fetched(stage) > 0)
    stage.close()
    hub.release.set()
    count = len(hub.asked)

    again = on_models(open_window())
    assert small(again).state.text().startswith("Paused · ")
    assert len(hub.asked) == count
    agree(again)
    again.until(lambda: small(again).entry.state is State.READY)
    assert any("range" in request.headers for request in hub.asked[count:])


def test_a_folder_is_added_used_and_taken_off(open_window: Opener, tmp_path: Path, demo_gguf: Path) -> None:
    folder = tmp_path / "stick"
    folder.mkdir()
    file = folder / "mine.gguf"
    file.write_bytes(demo_gguf.read_bytes())
    stage = on_models(open_window())
    stage.window.models.add(folder)
    stage.until(lambda: any(card.entry.title == "mine" for card in stage.window.models.cards))
    card = next(card for card in stage.window.models.cards if card.entry.title == "mine")
    assert "your responsibility" in card.words.text()
    stage.until(lambda: card.standing.advice is not None and card.fit.text().startswith("Fits"))
    card.use.click()
    stage.until(lambda: card.state.text() == "In use, ready")
    card.remove.click()
    assert "stays where it is" in card.question.text
    card.question.yes.click()
    stage.until(lambda: stage.window.models.card("demo").state.text() == "In use, ready")
    assert file.exists()


def test_files_of_other_programs_are_offered_where_they_lie(
    open_window: Opener, tmp_path: Path, demo_gguf: Path
) -> None:
    theirs = tmp_path / "home" / ".lmstudio" / "models" / "team" / "some-model" / "theirs.gguf"
    theirs.parent.mkdir(parents=True)
    theirs.write_bytes(demo_gguf.read_bytes())
    stage = on_models(open_window())
    assert [found.owner for found in stage.window.models.found.shown] == ["LM Studio"]
    stage.window.models.work.adopt(stage.window.models.found.shown[0])
    stage.until(lambda: stage.window.models.found.isHidden())
    assert [card.entry.files[0] for card in stage.window.models.cards if card.entry.title == "theirs"] == [theirs]


def test_a_load_shows_its_way_and_can_be_stopped_and_tried_again(open_window: Opener) -> None:
    stage = open_window(loads=(ScriptedLoad(delay_s=3600), ScriptedLoad()))
    stage.window.go_to("models")
    stage.until(lambda: stage.window.models.cards)
    card = stage.window.models.card("demo")
    stage.until(lambda: card.state.text() == "Loading" and "Loading" in card.progress.text())
    card.stop.click()
    stage.until(lambda: card.state.text() == "In use, not loaded")
    card.load.click()
    stage.until(lambda: card.state.text() == "In use, ready")


def test_what_a_gpu_could_not_load_is_told_once_and_can_be_tried_again(open_window: Opener) -> None:
    stage = on_models(open_window())
    info = stage.studio.models.info
    assert info is not None
    DeviceNotes().add(info.sha256, "CUDA0 (A card)", 0.5, "Not enough memory")
    stage.window.models.work._since = ""
    stage.window.go_to("workbench")
    stage.window.models.work.watch()
    stage.until(lambda: stage.window.banners.banners)
    assert "only 50% of its free memory is used" in stage.window.banners.banners[0].notice.message
    stage.window.go_to("models")
    card = stage.window.models.card("demo")
    stage.until(lambda: "CUDA0" in card.notes.text() and not card.retry.isHidden())
    assert len(stage.window.banners.banners) == 1
    card.retry.click()
    stage.until(lambda: card.retry.isHidden() and card.state.text() == "In use, ready")


def test_what_was_measured_shows_as_seconds_on_the_cards(open_window: Opener) -> None:
    stage = on_models(open_window())
    assert "per item" not in stage.window.models.card("demo").fit.text()
    there = stage.studio.fit.machine()
    sample = (Sample(Work(1e6, 4e6), 1e-4, 1e-3), Sample(Work(2e8, 2e8), 2e-3, 1e-2))
    Measurements(paths.config_dir()).keep(Measurement(there.key, "2026-11-21T10:00:00+00:00", {CPU: sample}))
    stage.window.models.work.look()
    stage.until(lambda: "per item" in stage.window.models.card("demo").fit.text())
    assert "speed measured" in stage.window.models.machine.speed.text()


def test_cards_stand_in_columns_where_there_is_room(open_window: Opener) -> None:
    stage = on_models(open_window())
    columns = []
    for width in (1000, 1280, 1920):
        stage.window.resize(width, 900)
        stage.settle()
        columns.append(stage.window.models.grid.columns)
    assert columns == [1, 2, 3]
