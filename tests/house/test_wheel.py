"""The wheel that people install holds all that the studio ships, and nothing else."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from studio import paths

ROOT = Path(paths.__file__).resolve().parents[1]
FIND = "from studio import paths; print(paths.resource(%r))"


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheel's content, as an installation has it."""
    checkout = tmp_path_factory.mktemp("checkout")
    for name in ("studio", "policies", "resources", "pyproject.toml", "README.md", "LICENSE"):
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, checkout / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, checkout)
    target = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(target)]
    subprocess.run(command, cwd=checkout, check=True, capture_output=True)
    [wheel] = target.glob("*.whl")
    installed = tmp_path_factory.mktemp("site-packages")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(installed)
    return installed


@pytest.mark.parametrize("name", ["policies", "demo.gguf", "check.jsonl", "catalogue.json"])
def test_what_is_shipped_is_found_where_the_wheel_puts_it(installed: Path, name: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", FIND % name],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(installed)},
        capture_output=True,
        text=True,
        check=True,
    )

    found = Path(done.stdout.strip())
    assert found == installed / "studio" / "data" / name
    shipped = paths.resource(name)
    if shipped.is_file():
        assert found.read_bytes() == shipped.read_bytes()
    else:
        assert {path.name for path in found.iterdir()} == {path.name for path in shipped.iterdir()}


def test_the_wheel_brings_one_package_with_all_its_modules(installed: Path) -> None:
    assert [entry.name for entry in installed.iterdir() if not entry.name.endswith(".dist-info")] == ["studio"]
    modules = {path.relative_to(ROOT) for path in (ROOT / "studio").rglob("*.py")}
    assert {path.relative_to(installed) for path in (installed / "studio").rglob("*.py")} == modules
    assert list((installed / "studio" / "data").rglob("*.py")) == []
