"""The contracts about who may import whom hold, and each catches the violation planted for it."""

from __future__ import annotations

import ast
import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from studio import paths

ROOT = Path(paths.__file__).resolve().parents[1]
CONTRACTS: list[dict[str, Any]] = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"][
    "contracts"
]

LAYERS = "Every room sees only the rooms below it, and rooms side by side do not see each other"
SERVICES = "Windows and commands reach storage and engine through the services"

# The name of the contract, the module that gets a new line, and the line.
PLANTS = [
    (LAYERS, "studio/core/progress.py", "import studio.paths"),
    (LAYERS, "studio/services/__init__.py", "import studio.ui"),
    (LAYERS, "studio/store/__init__.py", "import studio.engine"),
    (LAYERS, "studio/exchange/__init__.py", "import studio.store"),
    (LAYERS, "studio/app.py", "import studio.cli"),
    (LAYERS, "studio/somewhere_else.py", ""),
    ("No circles inside a room", "studio/core/errors.py", "import studio.core.labels, studio.core.policy"),
    (SERVICES, "studio/ui/__init__.py", "import studio.store"),
    (SERVICES, "studio/cli/__init__.py", "import studio.engine"),
    (SERVICES, "studio/ui/__init__.py", "import studio.analysis"),
    ("The command line works without Qt", "studio/cli/__init__.py", "import studio.ui"),
    ("The command line works without Qt", "studio/services/__init__.py", "import PySide6.QtCore"),
    ("Only the store knows the database libraries", "studio/services/__init__.py", "import sqlalchemy"),
    ("Only the inner engine knows llama.cpp", "studio/engine/__init__.py", "import llama_cpp"),
    ("Only the inner engine and the analysis reckon with arrays", "studio/core/progress.py", "import numpy"),
    ("Only the analysis knows the libraries of statistics and charts", "studio/services/__init__.py", "import scipy"),
    ("Only the exchange fills templates", "studio/services/__init__.py", "import jinja2"),
    ("Only the engine knows the wire format", "studio/store/__init__.py", "import msgspec"),
    ("Only the exchange reads the formats of others", "studio/services/__init__.py", "import yaml"),
    ("Only the exchange reads what wheels say of themselves", "studio/services/__init__.py", "import packaging"),
    ("Only the hub speaks to the Hub", "studio/services/__init__.py", "import huggingface_hub"),
    (
        "HTTP is spoken in two places: to the Hub and to a server that the user added",
        "studio/engine/remote/engine.py",
        "import httpx2",
    ),
    ("Keys are kept in one place", "studio/services/remotes.py", "import keyring"),
    ("Only the command line prints", "studio/services/__init__.py", "import rich"),
    ("Only the window knows Qt", "studio/exchange/__init__.py", "from PySide6 import QtCore"),
    ("Only the paths ask where the system keeps files", "studio/settings.py", "import platformdirs"),
    (
        "One module asks the system about its memory, cores and power",
        "studio/services/doctor.py",
        "import psutil",
    ),
    ("Pages of the window do not know each other", "studio/ui/workbench/__init__.py", "import studio.ui.history"),
]


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """A copy of the package with its contracts."""
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    shutil.copytree(ROOT / "studio", tmp_path / "studio", ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def broken_contracts(house: Path) -> list[str]:
    """The names of the contracts that the linter reports as broken there."""
    done = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"],
        cwd=house,
        env={**os.environ, "PYTHONPATH": str(house), "COLUMNS": "400", "PYTHONUTF8": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    verdicts = [line.rsplit(" ", 1) for line in done.stdout.splitlines() if line.endswith((" KEPT", " BROKEN"))]
    assert {name for name, _ in verdicts} == {contract["name"] for contract in CONTRACTS}, done.stdout + done.stderr
    broken = [name for name, verdict in verdicts if verdict == "BROKEN"]
    assert done.returncode == (1 if broken else 0)
    return broken


def test_every_contract_is_kept(house: Path) -> None:
    assert broken_contracts(house) == []


@pytest.mark.parametrize(("contract", "module", "line"), PLANTS)
def test_a_planted_violation_is_caught(house: Path, contract: str, module: str, line: str) -> None:
    with (house / module).open("a", encoding="utf-8") as file:
        file.write(f"\n{line}\n")

    assert contract in broken_contracts(house)


def test_every_contract_has_a_planted_violation() -> None:
    assert {contract for contract, _, _ in PLANTS} == {contract["name"] for contract in CONTRACTS}


def test_every_third_party_library_has_its_room() -> None:
    roomed = {
        name
        for contract in CONTRACTS
        if contract["type"] == "protected"
        for name in contract["protected_modules"]
        if not name.startswith("studio")
    }

    assert third_party(ROOT / "studio") - roomed == set()


def test_the_core_uses_the_standard_library_only() -> None:
    assert third_party(ROOT / "studio" / "core") == set()


def third_party(folder: Path) -> set[str]:
    """The top names of all imports under the folder, without our own and the standard library's."""
    names: set[str] = set()
    for path in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                names.update(alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module:
                names.add(node.module)
    return {name.partition(".")[0] for name in names} - set(sys.stdlib_module_names) - {"studio"}
