"""Bundles are whole or not there, wheels are made anew as they were, and every change of a bundle is named."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import json
import shutil
import stat
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from importlib.metadata import Distribution, distribution
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from studio import paths
from studio.core.errors import InputError, NotFoundError
from studio.core.progress import Cancel
from studio.exchange.bundle import build, installer, wheels
from studio.exchange.bundle.build import BundleModel, BundlePolicy, Made
from studio.exchange.bundle.sink import BundleError
from studio.exchange.bundle.verify import verify

ROOT = Path(paths.__file__).resolve().parents[1]
POLICY = BundlePolicy("spam", "Spam", "---\nid: spam\n---\nNo spam.\n")


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@pytest.fixture
def model(tmp_path: Path) -> BundleModel:
    file = tmp_path / "a model.gguf"
    file.write_bytes(b"GGUF" + bytes(range(256)) * 40)
    return BundleModel("A model", (file,), (sha256(file.read_bytes()),), "Apache-2.0")


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """The studio needs only two small libraries."""
    needed = [distribution("alembic"), distribution("idna")]
    monkeypatch.setattr(wheels, "closure", lambda _name, _find: needed)
    monkeypatch.setattr(build, "_own", lambda _folder: distribution("moderation-studio"))
    monkeypatch.setattr(build, "_pip", list)


@pytest.fixture
def make(few: None, model: BundleModel, tmp_path: Path) -> Any:
    def call(*, archive: bool = False, name: str = "bundle", **more: Any) -> Made:
        return build.create(tmp_path / name, models=[model], policies=[POLICY], archive=archive, **more)

    return call


def test_a_bundle_holds_all_and_verifies_as_folder_and_as_archive(make: Any, tmp_path: Path) -> None:
    folder, archive = make(), make(archive=True, name="bundle.tar")

    seen = [verify(folder.path), verify(archive.path)]

    for found, made in zip(seen, (folder, archive), strict=True):
        assert (found.problems, found.misfits) == ((), ())
        assert (found.models, found.policies) == (("A model",), ("spam",))
        assert found.manifest_sha256 == made.manifest_sha256
    held = {path.relative_to(folder.path).as_posix() for path in folder.path.rglob("*") if path.is_file()}
    assert held >= {"install.py", "install.sh", "install.cmd", "READ-ME.txt", "manifest.json", "policies/spam.md"}
    assert held >= {"models/1/a model.gguf", "licences/LICENCES.txt"}
    assert {name.split("-")[0] for name in held if name.startswith("wheels/")} == {"wheels/alembic", "wheels/idna"}
    assert any(name.startswith("licences/idna-") for name in held)
    assert (folder.path / "install.sh").stat().st_mode & stat.S_IXUSR
    with tarfile.open(archive.path) as packed:
        packed.extractall(tmp_path / "unpacked", filter="data")
    again = subprocess.run(
        ["sh", tmp_path / "unpacked" / "bundle" / "install.sh", "--verify-only"],
        capture_output=True, text=True, check=False, env={"PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin"},
    )  # fmt: skip
    assert again.returncode == 0, again.stderr
    assert "as the manifest says" in again.stdout


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def add(path: Path) -> None:
    path.with_name("extra.py").write_text("print()")


def link(path: Path) -> None:
    path.unlink()
    path.symlink_to("/etc/passwd")


CHANGES = {
    "wrong: policies/spam.md": flip,
    "missing: policies/spam.md": Path.unlink,
    "not listed: policies/extra.py": add,
    "not a plain file: policies/spam.md": link,
}


@pytest.mark.parametrize(("told", "change"), CHANGES.items())
def test_every_change_is_named_and_nothing_is_installed(make: Any, told: str, change: Any, tmp_path: Path) -> None:
    made = make()
    change(made.path / "policies" / "spam.md")

    found = verify(made.path)

    assert any(problem.startswith(told) for problem in found.problems), found.problems
    done = subprocess.run(
        [sys.executable, "-I", made.path / "install.py", "--to", tmp_path / "there"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert told in done.stderr
    assert "Nothing was installed" in done.stderr
    assert not (tmp_path / "there").exists()


def test_an_archive_that_was_changed_is_told(make: Any, tmp_path: Path) -> None:
    made = make(archive=True, name="bundle.tar")
    changed = tmp_path / "changed.tar"
    with tarfile.open(made.path) as old, tarfile.open(changed, "w") as new:
        for entry in old:
            if entry.name.endswith("spam.md"):
                continue
            new.addfile(entry, old.extractfile(entry))
        for name in ("bundle/../../evil", "bundle/more.txt", "other/more.txt"):
            new.addfile(tarfile.TarInfo(name), io.BytesIO())
        sym = tarfile.TarInfo("bundle/link")
        sym.type, sym.linkname = tarfile.SYMTYPE, "/etc/passwd"
        new.addfile(sym)

    assert set(verify(changed).problems) == {
        "missing: policies/spam.md",
        "not listed: more.txt",
        "not a plain file: bundle/../../evil",
        "not a plain file: other/more.txt",
        "not a plain file: bundle/link",
    }
    changed.write_bytes(made.path.read_bytes()[: made.size // 2])
    with pytest.raises(BundleError):
        verify(changed)


def test_what_is_no_bundle_is_told(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "text").write_text("no archive")
    for name in ("empty", "text", "nothing"):
        with pytest.raises(BundleError):
            verify(tmp_path / name)


def test_nothing_is_overwritten_and_nothing_half_made_is_left(make: Any, model: BundleModel, tmp_path: Path) -> None:
    (tmp_path / "bundle").mkdir()
    with pytest.raises(InputError, match="there already"):
        make()
    with pytest.raises(InputError, match="is not there"):
        make(name="no/where")
    stop = Cancel()
    stop.request()
    with pytest.raises(BundleError, match="stopped"):
        make(name="stopped", cancel=stop)
    flip(model.files[0])
    for archive in (False, True):
        with pytest.raises(BundleError, match="its content changed"):
            make(name="wrong", archive=archive)

    assert sorted(path.name for path in tmp_path.iterdir()) == ["a model.gguf", "bundle"]


def test_too_little_room_is_told_before_anything_is_written(make: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage("/")._replace(free=1000)
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: usage)

    with pytest.raises(BundleError, match="GB free"):
        make()


@pytest.mark.parametrize("name", ["alembic", "greenlet", "packaging"])
def test_a_wheel_made_anew_has_every_file_of_the_installed_one_and_a_true_record(name: str, tmp_path: Path) -> None:
    installed = distribution(name)

    package = wheels.rebuild(installed, tmp_path)

    with zipfile.ZipFile(tmp_path / package.wheel) as archive:
        held = {entry: archive.read(entry) for entry in archive.namelist()}
    [record] = [entry for entry in held if entry.endswith(".dist-info/RECORD")]
    for place, hashed, size in csv.reader(io.StringIO(held[record].decode())):
        if place != record:
            digest = base64.urlsafe_b64encode(hashlib.sha256(held[place]).digest()).rstrip(b"=").decode()
            assert (hashed, int(size)) == (f"sha256={digest}", len(held[place]))
    kept = {f.as_posix() for f in installed.files or () if ".." not in f.parts and "__pycache__" not in f.parts}
    left_out = {entry.rsplit("/", 1)[1] for entry in kept - set(held)}
    assert left_out <= {"INSTALLER", "REQUESTED", "direct_url.json"}
    assert not any("/scripts/" in entry for entry in held)
    if name == "greenlet":
        assert any(".data/data/include/" in entry for entry in held)
    for entry in kept & set(held) - {record}:
        assert held[entry] == Path(str(installed.locate_file(entry))).read_bytes()


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Distribution:
    """A distribution with a module, a command, a script of its own, a file elsewhere, and compiled code."""
    monkeypatch.setattr(sys, "prefix", str(tmp_path / "env"))
    site = tmp_path / "env" / "lib" / "site-packages"
    files = {
        "small/__init__.py": b"x = 1\n",
        "small/__pycache__/__init__.cpython-311.pyc": b"compiled",
        "../../bin/command": b"#!/some/python\nmade by pip\n",
        "../../bin/own-script": b"#!/some/python -u\nprint()\n",
        "../../share/small/data.txt": b"data",
        "small-1.0.dist-info/METADATA": b"Metadata-Version: 2.1\nName: small\nVersion: 1.0\nLicense: MIT\n",
        "small-1.0.dist-info/WHEEL": b"Wheel-Version: 1.0\nTag: py2-none-any\nTag: py3-none-any\n",
        "small-1.0.dist-info/entry_points.txt": b"[console_scripts]\ncommand = small:x\n",
        "small-1.0.dist-info/INSTALLER": b"pip",
    }
    rows = []
    for name, data in files.items():
        (site / name).parent.mkdir(parents=True, exist_ok=True)
        (site / name).write_bytes(data)
        digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
        rows.append(f"{name},sha256={digest},{len(data)}")
    (site / "small-1.0.dist-info" / "RECORD").write_text("\n".join([*rows, "small-1.0.dist-info/RECORD,,"]))
    return Distribution.at(site / "small-1.0.dist-info")


@pytest.mark.parametrize(("platform", "native"), [("linux_x86_64", True), ("manylinux_2_17_x86_64", False)])
def test_only_what_was_built_on_this_machine_counts_as_native(
    small: Distribution, tmp_path: Path, platform: str, native: bool
) -> None:
    info = Path(str(small.locate_file("small-1.0.dist-info")))
    about, before = f"Wheel-Version: 1.0\nTag: cp311-cp311-{platform}\n".encode(), (info / "WHEEL").read_bytes()
    (info / "WHEEL").write_bytes(about)
    record = (info / "RECORD").read_text()
    digests = [base64.urlsafe_b64encode(hashlib.sha256(d).digest()).rstrip(b"=").decode() for d in (before, about)]
    changed = record.replace(f"{digests[0]},{len(before)}", f"{digests[1]},{len(about)}")
    (info / "RECORD").write_text(changed)
    assert wheels.rebuild(small, tmp_path).native is native


def test_files_elsewhere_go_where_an_installer_puts_them_again(small: Distribution, tmp_path: Path) -> None:
    package = wheels.rebuild(small, tmp_path)

    assert (package.wheel, package.licence, package.native) == ("small-1.0-py2.py3-none-any.whl", "MIT", False)
    with zipfile.ZipFile(tmp_path / package.wheel) as archive:
        assert set(archive.namelist()) == {
            "small/__init__.py",
            "small-1.0.data/scripts/own-script",
            "small-1.0.data/data/share/small/data.txt",
            *(f"small-1.0.dist-info/{name}" for name in ("METADATA", "WHEEL", "entry_points.txt", "RECORD")),
        }
        assert archive.read("small-1.0.data/scripts/own-script") == b"#!python\nprint()\n"


def test_an_installed_file_that_was_changed_is_named(small: Distribution, tmp_path: Path) -> None:
    path = tmp_path / "env" / "lib" / "site-packages" / "small" / "__init__.py"
    path.write_text("x = 2\n")
    with pytest.raises(InputError, match=r"small/__init__\.py is not as small 1\.0 installed it"):
        wheels.rebuild(small, tmp_path)
    path.unlink()
    with pytest.raises(InputError, match="cannot be read"):
        wheels.rebuild(small, tmp_path / "env")


def test_a_bundle_brings_all_that_the_source_tree_needs_and_no_tool_of_its_makers(tmp_path: Path) -> None:
    own = build._own(tmp_path)

    needed = wheels.closure(
        "moderation-studio", lambda name: own if name == "moderation-studio" else distribution(name)
    )

    names = {canonicalize_name(found.metadata["Name"]) for found in needed}
    listed = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    assert names >= {canonicalize_name(Requirement(line).name) for line in listed}
    assert names >= {"moderation-studio", "llama-cpp-python", "pyside6-essentials", "shiboken6", "sqlalchemy", "h11"}
    assert names.isdisjoint({"pytest", "mypy", "ruff", "hatchling", "torch", "import-linter"})


def test_a_missing_library_is_named_with_who_needs_it(small: Distribution, tmp_path: Path) -> None:
    metadata = tmp_path / "env" / "lib" / "site-packages" / "small-1.0.dist-info" / "METADATA"
    metadata.write_text(
        metadata.read_text() + "Requires-Dist: there-is-no-such-thing>=1\nRequires-Dist: x; extra=='y'\n"
    )

    with pytest.raises(NotFoundError, match="there-is-no-such-thing is not installed, and small needs it"):
        wheels.closure("small", lambda name: small if name == "small" else distribution(name))


def test_wheels_of_a_folder_are_taken_when_all_are_there(make: Any, tmp_path: Path) -> None:
    folder = tmp_path / "wheels"
    folder.mkdir()
    wheels.rebuild(distribution("idna"), folder)
    with pytest.raises(InputError, match="lacks wheels for: alembic"):
        make(wheel_folder=folder)
    wheels.rebuild(distribution("alembic"), folder)

    made = make(wheel_folder=folder)

    assert {package.name for package in made.packages} == {"alembic", "idna"}


def test_a_bundle_for_another_machine_is_not_installed(make: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    requires = {
        "python": "3.2",
        "machine": "vax",
        "glibc": "99.0",
        "cpu": ["vector9000"],
        "system": "",
        "implementation": "",
    }
    monkeypatch.setattr(build, "_requires", lambda _packages, own: {**requires, "system": "Linux"})

    found = verify(make().path)

    assert not found.problems
    words = " ".join(found.misfits)
    assert all(part in words for part in ("python 3.2", "machine vax", "glibc 99.0", "vector9000"))


@given(
    st.text(st.characters(codec="utf-8"), max_size=40)
    | st.sampled_from(["..", "a/../b", "/a", "C:/a", "a\\b", "con.txt"])
)
def test_a_safe_path_stays_below_its_folder(path: str) -> None:
    if installer.is_safe(path):
        below = Path("/some/folder", path)
        assert below.is_relative_to("/some/folder")
        assert ".." not in below.parts
        assert below.as_posix() == f"/some/folder/{path}"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["path", "size", "files"]), inner),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from(["format", "files", "models", "policies", "requires", "studio"]), JSON), JSON)
def test_any_manifest_is_read_or_refused(manifest: dict[str, Any], files: Any) -> None:
    for value in (manifest, {**manifest, "format": 1, "files": [files], "requires": {}, "studio": "1"}):
        try:
            read = installer.read_manifest(json.dumps(value).encode())
        except installer.BundleProblem:
            continue
        assert all(installer.is_safe(entry["path"]) for entry in read["files"])
