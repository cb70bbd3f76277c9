"""The shelf over real files: importing, recognising, verifying, finding what other programs have, and giving up."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from pathlib import Path

import pytest

from studio.core.errors import InputError, ModelFileError, NotFoundError
from studio.core.progress import Cancel, Progress
from studio.hub.catalogue import Catalogue, KnownFile, KnownModel
from studio.hub.partial import Promise, Slot
from studio.services.shelf import QuarantinedError, Shelf, State
from tests.hub.conftest import model_bytes
from tests.hub.gguf_maker import F32_TENSOR, Maker, gpt_oss

BODY = model_bytes()
SHA = hashlib.sha256(BODY).hexdigest()


def catalogue(*hashes: str) -> Catalogue:
    files = tuple(KnownFile(f"known-{n}.gguf", None, digest) for n, digest in enumerate(hashes))
    return Catalogue((KnownModel("known", "Known model", "4-bit", "team/known", "Apache-2.0", "", {}, files),))


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shelf:
    """A shelf whose catalogue knows the sha256 of BODY, on a machine without other programs."""
    for name in ("OLLAMA_MODELS", "HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "HF_HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    return Shelf(known=catalogue(SHA))


def put(path: Path, body: bytes = BODY) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(body)
    return path


def test_a_known_file_is_recognised_by_its_hash_whatever_its_name(shelf: Shelf, tmp_path: Path) -> None:
    path = put(tmp_path / "stick" / "holiday pictures.gguf")
    seen: list[Progress] = []
    [entry] = shelf.import_path(path, on_progress=seen.append)
    assert (entry.id, entry.state, entry.recognised, entry.ours) == ("known", State.READY, True, False)
    assert (entry.files, entry.sha256, entry.why) == ((path,), (SHA,), "")
    assert entry.model is not None
    assert entry.model.name == "Known model, 4-bit"
    assert seen[-1].done == seen[-1].total == len(BODY)
    assert [e.id for e in shelf.list()] == ["demo", "known"]


def test_the_name_of_a_known_file_makes_nothing_known(shelf: Shelf, tmp_path: Path) -> None:
    path = put(tmp_path / "known-0.gguf", model_bytes(seed=2))
    [entry] = shelf.import_path(path)
    assert not entry.recognised
    assert "your responsibility" in entry.why
    assert entry.state is State.READY
    assert shelf.get("known").state is State.GET
    assert shelf.get(entry.id) == shelf.get(str(path)) == entry


def test_a_folder_with_a_split_model_and_another_is_imported_whole(tmp_path: Path) -> None:
    folder = tmp_path / "stick"
    for number in range(2):
        head = {"split.no": number, "split.count": 2, "split.tensors.count": 2}
        maker = Maker({**(gpt_oss() if number == 0 else {}), **head}, [(f"t{number}", *F32_TENSOR)])
        put(folder / "deep" / f"big-{number + 1:05}-of-00002.gguf", maker.bytes())
    put(folder / "one.gguf")
    hashes = [hashlib.sha256(p.read_bytes()).hexdigest() for p in sorted((folder / "deep").iterdir())]
    shelf = Shelf(known=catalogue(*hashes))
    split, single = shelf.import_path(folder)
    assert (split.id, len(split.files), split.sha256) == ("known", 2, tuple(hashes))
    assert split.size == sum(path.stat().st_size for path in split.files)
    assert not single.recognised
    assert shelf.verify(split.id).sha256 == tuple(hashes)
    split.files[1].unlink()
    assert shelf.get("known").state is State.MISSING
    with pytest.raises(InputError, match="no GGUF"):
        shelf.import_path(put(tmp_path / "empty" / "x.txt").parent)


def test_what_cannot_be_used_in_a_folder_keeps_nothing_else_from_being_added(tmp_path: Path) -> None:
    folder = tmp_path / "stick"
    other = {"general.architecture": "llama", "tokenizer.ggml.tokens": ["a", "b"]}
    put(folder / "a-llama.gguf", Maker(other).bytes())
    put(folder / "b-00002-of-00002.gguf")
    put(folder / "c-cut.gguf", BODY[:-1])
    good = put(folder / "d.gguf")
    refused: dict[str, str] = {}
    [entry] = Shelf(folder=tmp_path).import_path(
        folder, on_refused=lambda file, why: refused.update({file.name: why.message})
    )
    assert entry.files == (good,)
    assert list(refused) == ["a-llama.gguf", "b-00002-of-00002.gguf", "c-cut.gguf"]
    assert "llama" in refused["a-llama.gguf"]
    assert "b-00001-of-00002.gguf is missing" in refused["b-00002-of-00002.gguf"]
    assert "cut off" in refused["c-cut.gguf"]
    good.unlink()
    with pytest.raises(ModelFileError, match="a-llama"):
        Shelf(folder=tmp_path).import_path(folder)


def test_what_is_no_plain_file_with_a_name_in_text_is_told_and_never_waited_for(tmp_path: Path) -> None:
    shelf = Shelf(folder=tmp_path)
    pipe = tmp_path / "pipe.gguf"
    os.mkfifo(pipe)
    for ask in (shelf.inspect, shelf.import_path, shelf.inventory.find):
        with pytest.raises(ModelFileError, match="is no file"):
            ask(pipe)
    odd = put(Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.gguf")))
    with pytest.raises(ModelFileError, match="not text in UTF-8"):
        shelf.import_path(odd)
    assert [entry.id for entry in shelf.list()][0] == "demo"


def test_what_cannot_judge_is_refused_with_the_reason(shelf: Shelf, tmp_path: Path) -> None:
    guard = {"general.architecture": "llama", "general.name": "Llama Guard 3", "tokenizer.ggml.tokens": ["a"]}
    with pytest.raises(ModelFileError, match="Llama Guard"):
        shelf.import_path(put(tmp_path / "g.gguf", Maker(guard).bytes()))
    with pytest.raises(ModelFileError, match="cut off"):
        shelf.import_path(put(tmp_path / "cut.gguf", BODY[:-1]))
    with pytest.raises(ModelFileError, match="could not be read"):
        shelf.import_path(tmp_path / "missing.gguf")
    assert [e.id for e in shelf.list()] == ["demo", "known"]


def test_a_stopped_import_leaves_nothing(shelf: Shelf, tmp_path: Path) -> None:
    stop = Cancel()
    stop.request()
    with pytest.raises(ModelFileError, match="stopped"):
        shelf.import_path(put(tmp_path / "m.gguf"), cancel=stop)
    assert shelf.get("known").state is State.GET


def test_verify_tells_a_changed_file_and_takes_it_off_the_shelf(shelf: Shelf, tmp_path: Path) -> None:
    path = put(tmp_path / "m.gguf")
    [entry] = shelf.import_path(path)
    assert shelf.verify(entry.id).state is State.READY
    facts = path.stat()
    damaged = bytearray(BODY)
    damaged[-5] ^= 1
    path.write_bytes(damaged)
    os.utime(path, ns=(facts.st_mtime_ns, facts.st_mtime_ns))  # a disk that rots changes no time
    assert shelf.get(entry.id).state is State.READY
    with pytest.raises(QuarantinedError, match=SHA):
        shelf.verify(entry.id)
    assert path.read_bytes() == damaged
    assert shelf.get("known").state is State.GET
    with pytest.raises(ModelFileError, match="not here"):
        shelf.verify("known")


def downloaded(shelf: Shelf) -> Slot:
    """The state that a download leaves."""
    [slot] = shelf.slots(shelf.catalogue.models[0])
    put(slot.part)
    slot.finish(Promise("team/known", "a" * 40, "m.gguf", len(BODY), SHA, "https://hub.example"))
    shelf.inventory.remember([(slot.target, SHA)], "Known model")
    return slot


def test_a_downloaded_file_that_rots_is_set_aside(shelf: Shelf) -> None:
    slot = downloaded(shelf)
    facts = slot.target.stat()
    slot.target.write_bytes(BODY[:-1] + b"x")
    os.utime(slot.target, ns=(facts.st_mtime_ns, facts.st_mtime_ns))
    with pytest.raises(QuarantinedError, match="changed on the disk"):
        shelf.verify("known")
    entry = shelf.get("known")
    assert entry.state is State.QUARANTINED
    assert SHA in entry.why
    shelf.remove("known")
    assert not slot.target.parent.exists()


def test_a_touched_download_is_not_called_ready(shelf: Shelf) -> None:
    slot = downloaded(shelf)
    assert shelf.get("known").state is State.READY
    slot.target.touch()
    entry = shelf.get("known")
    assert (entry.state, entry.model) == (State.PARTIAL, None)
    assert "changed since" in entry.why


def test_remove_deletes_what_was_downloaded_and_forgets_the_rest(shelf: Shelf, tmp_path: Path) -> None:
    slot = downloaded(shelf)
    own = put(tmp_path / "own.gguf", model_bytes(seed=3))
    [entry] = shelf.import_path(own)
    shelf.remove("known")
    shelf.remove(entry.id)
    assert not slot.target.parent.exists()
    assert own.exists()
    assert [e.id for e in shelf.list()] == ["demo", "known"]
    with pytest.raises(NotFoundError):
        shelf.remove(entry.id)
    with pytest.raises(InputError, match="belongs to the studio"):
        shelf.remove("demo")
    with shelf.busy("known", State.VERIFYING):
        assert shelf.get("known").state is State.VERIFYING
        with pytest.raises(InputError, match="Stop that first"):
            shelf.remove("known")


def lm_studio(home: Path) -> Path:
    return put(home / ".lmstudio" / "models" / "publisher" / "model-GGUF" / "model-MXFP4.gguf", model_bytes(seed=4))


def ollama(folder: Path, body: bytes = BODY) -> Path:
    digest = hashlib.sha256(body).hexdigest()
    manifest = {
        "schemaVersion": 2,
        "config": {"mediaType": "application/vnd.docker.container.image.v1+json", "digest": f"sha256:{'0' * 64}"},
        "layers": [
            {"mediaType": "application/vnd.ollama.image.license", "digest": f"sha256:{'1' * 64}", "size": 3},
            {"mediaType": "application/vnd.ollama.image.model", "digest": f"sha256:{digest}", "size": len(body)},
            {"mediaType": "application/vnd.ollama.image.model", "digest": "sha256:x/../../secret", "size": 1},
        ],
    }
    note = folder / "manifests" / "registry.example" / "library" / "gpt-oss-safeguard" / "20b"
    put(note, json.dumps(manifest).encode())
    put(note.with_name("damaged"), b"[{")
    put(folder / "secret")
    (folder / "blobs" / "sha256-x").mkdir(parents=True)
    return put(folder / "blobs" / f"sha256-{digest}", body)


def hub_cache(folder: Path) -> Path:
    root = folder / "models--team--model"
    blob = put(root / "blobs" / SHA)
    link = root / "snapshots" / ("a" * 40) / "model.gguf"
    link.parent.mkdir(parents=True)
    link.symlink_to(Path("../../blobs") / blob.name)
    return link


def test_what_other_programs_have_is_found_and_used_without_copying(
    shelf: Shelf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert shelf.discover() == []
    home = tmp_path / "home"
    theirs = [lm_studio(home), ollama(home / ".ollama" / "models"), hub_cache(home / ".cache" / "huggingface" / "hub")]
    found = shelf.discover()
    assert [(f.path, f.owner) for f in found] == [
        (theirs[0], "LM Studio"),
        (theirs[1], "Ollama"),
        (theirs[2], "Hugging Face cache"),
    ]
    assert found[1].name == "gpt-oss-safeguard:20b"
    before = sum(1 for path in home.rglob("*") if path.is_file())
    adopted = shelf.adopt(found[2])
    assert (adopted.id, adopted.files, adopted.ours) == ("known", (theirs[2],), False)
    entry = shelf.adopt(found[0])
    assert not entry.recognised
    assert sum(1 for path in home.rglob("*") if path.is_file()) == before
    assert [f.owner for f in shelf.discover()] == ["Ollama"]
    shelf.remove(entry.id)
    assert theirs[0].exists()


def test_an_ollama_blob_without_an_ending_is_a_model_like_any_other(shelf: Shelf, tmp_path: Path) -> None:
    blob = ollama(tmp_path / "home" / ".ollama" / "models")
    [found] = shelf.discover()
    entry = shelf.adopt(found)
    assert (entry.id, entry.files) == ("known", (blob,))
    assert shelf.verify("known").state is State.READY
    shutil.rmtree(blob.parent)
    assert shelf.get("known").state is State.MISSING


def test_the_folders_that_the_environment_and_settings_name_are_looked_at(
    shelf: Shelf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OLLAMA_MODELS", str(tmp_path / "elsewhere"))
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    ollama(tmp_path / "elsewhere", model_bytes(seed=5))
    hub_cache(tmp_path / "hf" / "hub")
    home = tmp_path / "home"
    put(home / ".lmstudio" / "settings.json", json.dumps({"downloadsFolder": str(tmp_path / "lm")}).encode())
    put(tmp_path / "lm" / "publisher" / "model" / "m-00001-of-00002.gguf")
    put(tmp_path / "lm" / "publisher" / "model" / "m-00002-of-00002.gguf")
    assert [(f.owner, f.path.name[:8]) for f in shelf.discover()] == [
        ("LM Studio", "m-00001-"),
        ("Ollama", "sha256-" + hashlib.sha256(model_bytes(seed=5)).hexdigest()[0]),
        ("Hugging Face cache", "model.gg"),
    ]


def test_linked_folders_and_large_data_sets_hide_no_model(
    shelf: Shelf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("studio.hub.discovery.MOST_FILES", 20)
    home = tmp_path / "home"
    for number in range(30):
        put(home / ".cache" / "huggingface" / "hub" / "datasets--a" / "snapshots" / "x" / f"{number}.gguf", b"x")
    cached = hub_cache(home / ".cache" / "huggingface" / "hub")
    put(tmp_path / "large disk" / "model" / "linked.gguf")
    models = home / ".lmstudio" / "models"
    models.mkdir(parents=True)
    (models / "publisher").symlink_to(tmp_path / "large disk")
    (models / "circle").symlink_to(models)
    found = {(f.owner, f.path.resolve()) for f in shelf.discover()}
    assert found == {
        ("LM Studio", tmp_path / "large disk" / "model" / "linked.gguf"),
        ("Hugging Face cache", cached.resolve()),
    }


def test_what_may_judge_stands_before_the_other_models_of_a_disk(shelf: Shelf, tmp_path: Path) -> None:
    models = tmp_path / "home" / ".lmstudio" / "models" / "a" / "b"
    put(models / "a.gguf", Maker({"general.architecture": "llama", "tokenizer.ggml.tokens": ["a"] * 9}).bytes())
    put(models / "b.gguf", b"broken")
    put(models / "c.gguf")
    found = [(one.path.name, one.architecture, one.fitting) for one in shelf.discover()]
    assert found == [("b.gguf", "", True), ("c.gguf", "gpt-oss", True), ("a.gguf", "llama", False)]
