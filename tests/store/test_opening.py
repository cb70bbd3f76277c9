"""Opening a file: a new one, one of ours, and all that is not."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from studio.core.errors import StoreError
from studio.store.schema import APPLICATION_ID
from studio.store.workspace import Workspace
from tests.store.samples import NOW, a_policy, a_run, ended


def filled(path: Path, runs: int = 1) -> None:
    """A workspace with something in it, closed."""
    with Workspace.open(path) as workspace:
        session = workspace.sessions.create("Sitting", NOW)
        workspace.policies.save_version(a_policy(), message="First", author="me", now=NOW)
        for number in range(runs):
            run = a_run(session.id, f"Message {number} " + "words " * 200)
            workspace.runs.begin(run)
            workspace.runs.finish(ended(run))


@pytest.mark.parametrize("name", ["new/folder/w.db", "per%cent & space/ü#?.db", ":memory:"])
def test_a_new_file_is_made_with_its_folder(tmp_path: Path, name: str) -> None:
    with Workspace.open(tmp_path / name) as workspace:
        assert workspace.path == tmp_path / name
        assert workspace.sessions.list() == []

    assert (tmp_path / name).is_file()
    assert [path.name for path in (tmp_path / name).parent.iterdir()] == [Path(name).name]


@pytest.mark.skipif(os.name != "posix", reason="Windows has no such permissions")
def test_only_the_owner_may_read_what_is_judged(path: Path) -> None:
    old = os.umask(0o022)
    try:
        with Workspace.open(path) as workspace:
            workspace.runs.begin(a_run(workspace.sessions.create("Sitting", NOW).id))
            beside = [path, *path.parent.glob(f"{path.name}-*")]
            assert len(beside) >= 3
            assert {item.stat().st_mode & 0o777 for item in beside} == {0o600}
    finally:
        os.umask(old)


def test_the_pragmas_that_keep_what_was_told_as_done(path: Path) -> None:
    with Workspace.open(path) as workspace, workspace._database.write() as session:
        connection = session.connection()

        def pragma(name: str) -> object:
            return connection.exec_driver_sql(f"PRAGMA {name}").scalar()

        assert pragma("journal_mode") == "wal"
        assert pragma("synchronous") == 2
        assert pragma("foreign_keys") == 1
        assert pragma("busy_timeout") == 30_000
        assert pragma("application_id") == APPLICATION_ID


def test_an_empty_file_becomes_a_workspace(path: Path) -> None:
    path.touch()

    filled(path)

    with Workspace.open(path) as workspace:
        assert workspace.runs.count() == 1


@pytest.mark.parametrize("content", [b"Dear diary,\n", b"\0" * 5000, b"SQLite", b"\xff\xd8\xff"])
def test_another_file_is_refused_and_not_changed(path: Path, content: bytes) -> None:
    path.write_bytes(content)

    with pytest.raises(StoreError, match="is not a workspace") as caught:
        Workspace.open(path)

    assert caught.value.hint
    assert path.read_bytes() == content


@pytest.mark.parametrize("pragma", ["user_version = 1", "application_id = 17", f"application_id = {APPLICATION_ID}"])
def test_a_database_of_another_program_is_refused_and_not_changed(path: Path, pragma: str) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(f"PRAGMA {pragma}; CREATE TABLE bookmarks (url TEXT);")
    before = path.read_bytes()

    with pytest.raises(StoreError, match="is not a workspace"):
        Workspace.open(path)

    assert path.read_bytes() == before
    assert [item.name for item in path.parent.iterdir()] == [path.name]


def test_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StoreError):
        Workspace.open(tmp_path)


def test_a_file_in_the_place_of_the_folder_is_told(path: Path) -> None:
    path.touch()

    with pytest.raises(StoreError) as caught:
        Workspace.open(path / "workspace.db")

    assert caught.value.hint


def test_a_name_that_no_file_can_have_is_told() -> None:
    with pytest.raises(StoreError):
        Workspace.open("a\0b")


@pytest.mark.parametrize("size", [100, 512, 4096, 8192, 0.5])
def test_a_cut_off_file_is_told(path: Path, size: float) -> None:
    filled(path)
    os.truncate(path, int(size) if size >= 1 else path.stat().st_size // 2)

    with pytest.raises(StoreError, match="damaged") as caught:
        read_all(path)

    assert "backup" in caught.value.hint


def test_a_file_with_rubbish_inside_is_told(path: Path) -> None:
    filled(path, runs=30)
    size = path.stat().st_size
    with path.open("r+b") as file:
        for page in range(1, size // 4096):
            file.seek(page * 4096)
            file.write(b"\xff" * 2000)

    with pytest.raises(StoreError, match="damaged"):
        read_all(path)


def test_a_missing_table_is_told(path: Path) -> None:
    filled(path)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("DROP TABLE settings")

    with pytest.raises(StoreError, match="damaged"):
        Workspace.open(path)


def read_all(path: Path) -> None:
    with Workspace.open(path) as workspace:
        workspace.sessions.list()
        workspace.policies.list()
        workspace.runs.list()
        workspace.golden.list("spam")
        workspace.search.search("message")


READ_ONLY = """
import os, sys
# Root may write everywhere, so the test steps down first.
from studio.core.errors import StoreError
from studio.store import migrate
from studio.store.workspace import Workspace
if os.geteuid() == 0:
    os.setgid(65534), os.setuid(65534)
try:
    Workspace.open(sys.argv[1])
except StoreError as error:
    print(error.message, "|", error.hint)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="folders are protected in another way there")
@pytest.mark.parametrize("exists", [True, False])
def test_a_place_that_cannot_be_written_is_told(exists: bool) -> None:
    # Not in pytest's own folder, which only its user may enter.
    folder = Path(subprocess.check_output(["mktemp", "-d"], text=True).strip())
    path = folder / "workspace.db"
    try:
        if exists:
            filled(path)
            path.chmod(0o444)
        folder.chmod(0o555)
        said = subprocess.run(
            [sys.executable, "-c", READ_ONLY, str(path)], capture_output=True, text=True, check=True
        ).stdout
    finally:
        folder.chmod(0o755)
        shutil.rmtree(folder)

    assert str(path) in said
    assert "permission" in said or "write" in said


def test_a_full_disk_is_told(workspace: Workspace) -> None:
    workspace.settings.set("before", 1)
    with workspace._database.write() as session:
        pages = session.connection().exec_driver_sql("PRAGMA page_count").scalar()
        session.connection().exec_driver_sql(f"PRAGMA max_page_count = {pages}")

    with pytest.raises(StoreError, match="no room") as caught:
        workspace.settings.set("big", "x" * 1_000_000)

    assert "Free some space" in caught.value.hint
    assert workspace.settings.all() == {"before": 1}


def test_a_closed_workspace_says_so(path: Path) -> None:
    workspace = Workspace.open(path)
    workspace.close()
    workspace.close()

    with pytest.raises(StoreError, match="is closed"):
        workspace.sessions.list()


OPEN_AND_WRITE = """
import sys
from studio.store.workspace import Workspace
sys.stdin.readline()
with Workspace.open(sys.argv[1]) as workspace:
    for number in range(10):
        workspace.settings.set(f"{sys.argv[2]}-{number}", number)
"""


def test_many_processes_may_start_the_same_workspace(path: Path) -> None:
    started = [
        subprocess.Popen([sys.executable, "-c", OPEN_AND_WRITE, str(path), str(number)], stdin=subprocess.PIPE)
        for number in range(4)
    ]
    for process in started:
        assert process.stdin is not None
        process.stdin.write(b"\n")
        process.stdin.close()

    assert [process.wait(timeout=60) for process in started] == [0, 0, 0, 0]
    with Workspace.open(path) as workspace:
        assert len(workspace.settings.all()) == 40
        assert workspace.problems() == []
