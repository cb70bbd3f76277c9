"""Downloads through the real client library from a Hub on loopback that does everything wrong that a Hub can."""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from studio.core.errors import InputError
from studio.core.progress import Cancel, Progress
from studio.hub.catalogue import KnownFile, KnownModel, load
from studio.services.download import Patience, download
from studio.services.shelf import DownloadError, NoRoomError, PausedError, QuarantinedError, Shelf, State
from tests.hub.conftest import HURRIED, after, get, known, model_bytes
from tests.hub.hub_stand_in import BODY_FAULTS, FAULTS, OTHER_COMMIT, REPO, HubStandIn, running


def test_a_model_is_fetched_pinned_checked_and_ready(shelf: Shelf, hub: HubStandIn) -> None:
    seen: list[Progress] = []
    assert shelf.get("small").state is State.GET
    path = get(shelf, hub, on_progress=seen.append)
    assert path.read_bytes() == hub.files["m.gguf"]
    origin = json.loads(path.with_name("m.gguf.origin.json").read_text())
    assert (origin["commit"], origin["sha256"], origin["size"]) == (hub.commit, hub.sha("m.gguf"), path.stat().st_size)
    assert seen[-1].done == seen[-1].total == path.stat().st_size
    assert any("Downloading" in progress.message for progress in seen)
    assert hub.commit in hub.asked[-1].path
    entry = shelf.get("small")
    assert (entry.recognised, entry.ours, entry.busy) == (True, True, False)
    assert [e.path for e in shelf.inventory.list()][1:] == [path]
    count = len(hub.asked)
    get(shelf, hub)
    assert not [a for a in hub.asked[count:] if a.method == "GET" and "resolve" in a.path]


@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_ends_right_or_clearly_not_there(shelf: Shelf, hub: HubStandIn, fault: str) -> None:
    after(hub, fault)
    needs_a_person = {"wrong_bytes", "other_commit", "other_etag", "401", "403", "404", "redirect_elsewhere"}
    assert right_or_clearly_not_there(shelf, hub) == (fault not in needs_a_person)
    hub.faults = []
    assert get(shelf, hub).read_bytes() == hub.files["m.gguf"]


@pytest.mark.timeout(600)
@pytest.mark.parametrize("count", [25, pytest.param(200, marks=pytest.mark.slow)])
def test_random_faults_end_right_or_clearly_not_there(tmp_path: Path, count: int) -> None:
    chance = random.Random(count)
    outcomes = set()
    with running(HubStandIn({"m.gguf": model_bytes()})) as hub:
        for number in range(count):
            folder = tmp_path / str(number)
            folder.mkdir()
            shelf = Shelf(folder=folder, known=known("m.gguf", hub=hub if chance.random() < 0.5 else None))
            common = [fault for fault in BODY_FAULTS if fault != "stall"] + ["503"]
            hub.faults = [""] * chance.randrange(4) + chance.choices(common, k=chance.randint(1, 5))
            hub.faults[chance.randrange(len(hub.faults))] = chance.choice(FAULTS)
            hub.cut = chance.randint(1, 50_000)
            outcomes.add(right_or_clearly_not_there(shelf, hub))
            hub.faults = []
            shutil.rmtree(folder)
    assert outcomes == {True, False}


def right_or_clearly_not_there(shelf: Shelf, hub: HubStandIn) -> bool:
    """Whether the file is there, and then right; else no name may promise it, and the words say why."""
    try:
        path = get(shelf, hub)
    except DownloadError as error:
        assert error.message  # noqa: PT017
        assert error.hint  # noqa: PT017
        entry = shelf.get("small")
        assert entry.state in (State.GET, State.PARTIAL, State.QUARANTINED)
        assert entry.model is None
        assert not entry.files[0].exists()
        assert len(shelf.inventory.list()) == 1
        return False
    assert path.read_bytes() == hub.files["m.gguf"]
    return True


def test_it_goes_on_where_it_was_after_a_break_and_after_a_restart(shelf: Shelf, hub: HubStandIn) -> None:
    after(hub, "drop", *["503"] * HURRIED.tries)
    with pytest.raises(DownloadError, match="503"):
        get(shelf, hub)
    entry = shelf.get("small")
    assert (entry.state, entry.done) == (State.PARTIAL, hub.cut)
    hub.commit, before = OTHER_COMMIT, hub.commit  # something newer was published meanwhile
    hub.files["other.gguf"] = b"new"
    again = Shelf(folder=shelf.folder, known=shelf.catalogue)
    count = len(hub.asked)
    get(again, hub)
    [fetched] = [a for a in hub.asked[count:] if a.method == "GET" and "resolve" in a.path]
    assert fetched.headers["range"] == f"bytes={hub.cut}-"
    assert before in hub.asked[count].path  # the commit of the first start was asked for


def test_other_bytes_under_the_name_are_not_gone_on_with(hub: HubStandIn, tmp_path: Path) -> None:
    shelf = Shelf(folder=tmp_path, known=known("m.gguf"))
    after(hub, "drop", "404")
    with pytest.raises(DownloadError, match="404"):
        get(shelf, hub)
    hub.commit = OTHER_COMMIT
    hub.files["m.gguf"] = model_bytes(seed=2)
    assert get(shelf, hub).read_bytes() == hub.files["m.gguf"]


def test_a_pause_comes_at_once_even_while_the_server_is_silent(shelf: Shelf, hub: HubStandIn) -> None:
    after(hub, "stall")
    cancel = Cancel()

    def ask_when_silent() -> None:
        hub.silent.wait(10)
        deadline = time.monotonic() + 10
        while not shelf.get("small").done and time.monotonic() < deadline:
            time.sleep(0.01)  # what was sent has to reach the disk
        cancel.request()

    asker = threading.Thread(target=ask_when_silent)
    asker.start()
    with pytest.raises(PausedError, match="stopped at"):
        download(shelf, "small", endpoint=hub.url, timeout_s=60, cancel=cancel)
    asker.join()
    assert not hub.release.is_set()
    assert shelf.get("small").state is State.PARTIAL
    assert get(shelf, hub).read_bytes() == hub.files["m.gguf"]


def test_wrong_bytes_are_set_aside_and_explained(shelf: Shelf, hub: HubStandIn) -> None:
    after(hub, "wrong_bytes")
    with pytest.raises(QuarantinedError, match=hub.sha("m.gguf")):
        get(shelf, hub)
    entry = shelf.get("small")
    assert entry.state is State.QUARANTINED
    assert hub.sha("m.gguf") in entry.why
    assert [p.name for p in sorted(entry.files[0].parent.iterdir()) if "lock" not in p.name] == [
        "m.gguf.quarantined",
        "m.gguf.quarantined.json",
    ]
    get(shelf, hub)
    assert shelf.get("small").why == ""


def test_promised_bytes_that_are_no_model_are_set_aside_and_the_shelf_can_be_read(
    hub: HubStandIn, tmp_path: Path
) -> None:
    shelf = Shelf(folder=tmp_path, known=known("m.gguf"))
    hub.files["m.gguf"] = b"not a model" * 1000
    with pytest.raises(QuarantinedError, match="by its sha256 too, but it is not a GGUF file"):
        get(shelf, hub)
    entry = shelf.get("small")
    assert (entry.state, entry.model, entry.files[0].exists()) == (State.QUARANTINED, None, False)
    hub.files["m.gguf"] = model_bytes()
    path = get(shelf, hub)
    shelf.inventory.remove(path)
    changed = path.stat().st_mtime_ns
    path.write_bytes(bytes(path.stat().st_size))  # as a disk that fails: the notes about it look right
    os.utime(path, ns=(changed, changed))
    entry = shelf.get("small")
    assert (entry.state, entry.model) == (State.MISSING, None)
    assert "not a GGUF file" in entry.why


def test_a_hub_that_cannot_answer_is_given_up_soon_and_meanwhile_that_is_said(shelf: Shelf, hub: HubStandIn) -> None:
    hub.faults = ["503"] * 50
    seen: list[Progress] = []
    with pytest.raises(DownloadError, match="503"):
        download(
            shelf, "small", endpoint=hub.url, patience=Patience(50, 0.01, 0.02), timeout_s=5, on_progress=seen.append
        )
    assert len(hub.asked) == len(seen) + 1 == 4
    assert all("Trying again in" in progress.message for progress in seen)


def test_a_description_without_an_end_is_not_read_to_it(shelf: Shelf, hub: HubStandIn) -> None:
    hub.faults = ["endless"]
    with pytest.raises(DownloadError, match="more than 16 MB of description"):
        get(shelf, hub)


def test_a_hub_that_offers_another_file_than_the_catalogue_knows_is_told_before_a_byte(
    shelf: Shelf, hub: HubStandIn
) -> None:
    hub.files["m.gguf"] = model_bytes(seed=9)
    with pytest.raises(DownloadError, match="now offers another file"):
        get(shelf, hub)
    assert not [a for a in hub.asked if "resolve" in a.path]


def test_a_renamed_file_is_found_by_its_hash(hub: HubStandIn, tmp_path: Path) -> None:
    shelf = Shelf(folder=tmp_path, known=known("m.gguf", hub=hub))
    hub.files = {"folder/renamed.gguf": hub.files["m.gguf"]}
    assert get(shelf, hub).name == "m.gguf"


def test_a_split_model_is_one_entry_and_ready_only_whole(tmp_path: Path) -> None:
    names = ("m-00001-of-00002.gguf", "m-00002-of-00002.gguf")
    with running(HubStandIn({names[0]: model_bytes(seed=1), names[1]: model_bytes(seed=2)})) as hub:
        shelf = Shelf(folder=tmp_path, known=known(*names, hub=hub))
        hub.faults = ["", "", "", "", *["404"]]
        with pytest.raises(DownloadError, match="404"):
            get(shelf, hub)
        entry = shelf.get("small")
        assert (entry.state, entry.model) == (State.PARTIAL, None)
        assert entry.done == len(hub.files[names[0]])
        seen: list[Progress] = []
        get(shelf, hub, on_progress=seen.append)
        entry = shelf.get("small")
        assert [path.name for path in entry.files] == list(names)
        assert entry.sha256 == tuple(hub.sha(name) for name in names)
        assert max(progress.total for progress in seen) == entry.size
        entry.files[1].write_bytes(b"changed")
        assert shelf.get("small").state is State.PARTIAL


def test_too_little_room_is_told_with_numbers_before_a_byte(
    shelf: Shelf, hub: HubStandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(shelf.folder)
    monkeypatch.setattr("studio.hub.transfer.shutil.disk_usage", lambda _path: usage._replace(free=400_000_000))
    with pytest.raises(NoRoomError, match=r"0\.5 GB should stay free.*has 0\.4 GB") as caught:
        get(shelf, hub)
    assert caught.value.free == 400_000_000
    assert not [a for a in hub.asked if a.method == "GET" and "resolve" in a.path]


def test_a_disk_that_becomes_full_keeps_what_came(
    shelf: Shelf, hub: HubStandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(descriptor: int) -> None:
        if os.fstat(descriptor).st_size > 10_000:  # the bytes of the model, not the notes beside them
            raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("studio.hub.transfer.os.fsync", full)
        with pytest.raises(NoRoomError, match="became full"):
            get(shelf, hub)
    assert shelf.get("small").state is State.PARTIAL


def test_another_download_of_the_same_model_is_refused(shelf: Shelf, hub: HubStandIn) -> None:
    with shelf.busy("small", State.PARTIAL):
        assert shelf.get("small").busy
        with pytest.raises(InputError, match="already"):
            get(shelf, hub)
    slot = shelf.slots(shelf.catalogue.models[0])[0]
    slot.target.parent.mkdir()
    holder = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import sys; from pathlib import Path; from studio.hub.lock import only_one\n"
            "with only_one(Path(sys.argv[1])): print('held', flush=True); sys.stdin.read()",
            slot.lock,
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    with holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(DownloadError, match="another window or command"):
            get(shelf, hub)
        holder.communicate()
    get(shelf, hub)


def test_a_download_into_the_cache_of_the_library_is_found_there_by_the_library(
    hub: HubStandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import huggingface_hub  # slow: only this test asks it

    cache = tmp_path / "cache"
    monkeypatch.setenv("HF_HUB_CACHE", str(cache))
    shelf = Shelf(known=known("m.gguf", hub=hub))
    path = get(shelf, hub, into_hub_cache=True)
    assert path.is_relative_to(cache)
    for revision in (hub.commit, "main"):
        assert huggingface_hub.try_to_load_from_cache(REPO, "m.gguf", cache_dir=cache, revision=revision) == str(path)
    entry = shelf.get("small")
    assert (entry.recognised, entry.ours, entry.state) == (True, False, State.READY)
    assert shelf.verify("small").files == (path,)
    assert not shelf.slots(shelf.catalogue.models[0])[0].target.parent.exists()
    shelf.remove("small")
    assert path.exists()


def test_the_shipped_catalogue_is_whole() -> None:
    catalogue = load()
    assert len({model.id for model in catalogue.models}) == len(catalogue.models) >= 4
    for model in catalogue.models:
        for file in model.files:
            assert file.name.endswith(".gguf")
            assert file.sha256 is None or len(file.sha256) == 64
    split: KnownModel | None = catalogue.get("safeguard-120b-mxfp4")
    assert split is not None
    assert len(split.files) == 2
    assert split.size is None
    assert catalogue.by_hashes(file.sha256 or "" for file in split.files) is split
    assert catalogue.by_hashes([KnownFile("x", 1, "0" * 64).sha256 or ""]) is None
