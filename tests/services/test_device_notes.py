"""A GPU that cannot load a model is given less, then nothing; that is remembered, and told apart from a bad file."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from studio import paths
from studio.core.errors import ModelFileError
from studio.engine.client import EngineClient
from studio.engine.errors import EngineLoadCrashError, NoRoomError
from studio.engine.types import EngineSettings, ModelInfo
from studio.hub.inventory import Inventory
from studio.services.device_notes import DeviceNotes
from studio.services.doctor import report
from studio.services.models import ModelService
from studio.services.studio import Studio
from tests.engine.pretending_worker import CARD, FAILURE, run
from tests.engine.tiny_gguf import TinyModel, write

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="ends its own process by a signal")

Shelf = Callable[[str], tuple[ModelService, EngineClient]]


@pytest.fixture(scope="module")
def model_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("models") / "tiny.gguf", TinyModel())


@pytest.fixture
def shelf(model_file: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shelf]:
    """A shelf as of a new start of the studio, on a machine whose GPU fails so."""
    engines: list[EngineClient] = []
    inventory = Inventory()
    inventory.add(model_file)
    monkeypatch.setattr("studio.engine.client.worker.run", run)

    def start(failure: str) -> tuple[ModelService, EngineClient]:
        monkeypatch.setenv(FAILURE, failure)
        engines.append(EngineClient())
        return ModelService(inventory, engines[-1], model_file), engines[-1]

    yield start
    for engine in engines:
        engine.close()


def loaded(service: ModelService, engine: EngineClient) -> tuple[ModelInfo, int]:
    """(what was loaded, how many workers that took)."""
    before = engine._starts
    return service.load(), engine._starts - before


@pytest.mark.parametrize("failure", ["abort", "memory"])
def test_after_the_gpu_failed_the_cpu_loads_and_that_is_remembered(shelf: Shelf, failure: str) -> None:
    first, attempts = loaded(*shelf(failure))
    assert attempts == 3
    assert (first.placement.device, first.backend, first.n_gpu_layers) == ("", "CPU", 0)
    assert "Pretended failed before" in first.placement.words

    service, engine = shelf(failure)
    again, attempts = loaded(service, engine)
    assert attempts == 1
    assert again.placement == first.placement
    (note,) = service.notes(service.current())
    assert (note.device, note.share, note.sha256) == (f"{CARD} (Pretended)", 0.0, first.sha256)
    assert note.words.startswith(f"{CARD} (Pretended) could not load this model on 20")
    assert paths.config_dir() in DeviceNotes()._file.parents


def test_a_gpu_that_manages_with_less_is_used_with_less(shelf: Shelf) -> None:
    found, attempts = loaded(*shelf("first"))
    assert (found.placement.device, attempts) == (CARD, 2)
    service, engine = shelf("first")
    assert loaded(service, engine)[1] == 1
    assert [note.share for note in service.notes(service.current())] == [0.5]


def test_the_user_can_have_it_tried_again(shelf: Shelf) -> None:
    service, engine = shelf("abort")
    assert loaded(service, engine)[0].placement.device == ""
    shelf("none")
    assert loaded(service, engine)[1] == 0

    service.try_again(service.current())

    assert not service.loaded
    assert loaded(service, engine)[0].placement.device == CARD
    assert service.notes(service.current()) == ()


def test_a_bad_file_is_not_held_against_the_gpu(shelf: Shelf, tmp_path: Path, model_file: Path) -> None:
    cut = tmp_path / "cut.gguf"
    cut.write_bytes(model_file.read_bytes()[:-40_000])
    service, engine = shelf("none")
    service.use(service._inventory.add(cut))
    with pytest.raises(ModelFileError) as caught:
        service.load()
    assert caught.value.code == "model_file.truncated"
    assert (engine._starts, service.notes(service.current())) == (1, ())


def test_a_crash_in_both_places_is_the_files_or_the_studios_and_nobody_is_noted(shelf: Shelf) -> None:
    service, engine = shelf("always")
    with pytest.raises(EngineLoadCrashError):
        service.load()
    assert (engine._starts, service.notes(service.current())) == (3, ())


def test_notes_that_cannot_be_read_are_as_none_and_say_so(tmp_path: Path) -> None:
    notes = DeviceNotes(tmp_path)
    notes.add("ab", "CUDA0 (A card)", 0.5, "why")
    assert notes.shares("ab") == {"CUDA0 (A card)": 0.5}
    notes.add("ab", "CUDA0 (A card)", 0.0, "why")
    assert notes.shares("ab") == {"CUDA0 (A card)": 0.0}
    assert notes.shares("") == notes.shares("cd") == {}
    for damaged in (b"", b"{}x", b"[1]", b'[{"share": NaN}]', b'[{"sha256": "ab", "share": 7}]', b"\xff"):
        (tmp_path / "devices.json").write_bytes(damaged)
        assert notes.shares("ab") == {}
        assert "every GPU is tried again" in notes.problem
    notes.add("ab", "CUDA0 (A card)", 0.5, "why")
    assert notes.shares("ab") == {"CUDA0 (A card)": 0.5}


def test_a_model_that_cannot_fit_says_the_numbers_and_what_would(model_file: Path) -> None:
    with EngineClient() as client, pytest.raises(NoRoomError) as caught:
        client.load(model_file, EngineSettings(memory_limit=5_000_000))
    words = str(caught.value)
    for number in ("5.0 MB are free", "its weights 1.3 MB", "a context of 4,096 tokens 4.2 MB"):
        assert number in words
    # No file fits there: the context alone takes more.
    assert "would fit" not in caught.value.hint
    with EngineClient() as client, pytest.raises(NoRoomError) as caught:
        client.load(model_file, EngineSettings(memory_limit=44_000_000))
    assert "A model file of up to 0." in caught.value.hint


def test_with_little_memory_contexts_stay_short_and_the_longest_is_told(model_file: Path) -> None:
    with EngineClient() as client:
        info = client.load(model_file, EngineSettings(memory_limit=48_000_000, n_seq=1))
    assert 4096 <= info.n_ctx_limit < 8192
    assert info.memory_bytes <= 48_000_000


def test_the_doctor_tells_what_was_given_up_and_how_to_have_it_back(
    shelf: Shelf, tmp_path: Path, model_file: Path
) -> None:
    service, engine = shelf("abort")
    loaded(service, engine)
    with Studio.open(tmp_path / "a.studio", model=model_file, engine=engine) as studio:
        facts = {fact.name: fact for fact in report(studio).facts}
    assert "failed before" in facts["Placement"].value
    assert "could not load this model" in facts["GPU"].value
    assert "--retry-gpu" in facts["GPU"].hint
    assert "MB at most, for 8 requests at a time" in facts["Memory"].value
