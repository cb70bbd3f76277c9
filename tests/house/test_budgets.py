"""The budgets of the house: nothing grows too large, nothing names a machine, and the map shows what is there."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from studio import paths

ROOT = Path(paths.__file__).resolve().parents[1]
LINES_PER_FILE = 400
LINES_PER_FUNCTION = 60
LINES_OF_MAIN_WINDOW = 300

# Written in pieces, so that this file does not name what it looks for.
REGISTRIES = ("pypi" + ".org", "python" + "hosted", "pypi" + "-mirror", "conda" + ".org", "artif" + "actory")
MACHINE_PATH = re.compile(r"(?<![\w.])/(?:work|home|root|Users|tmp|opt|mnt|srv)/[\w.-]+")
# A reader's own folder in an example is not a machine's path.
EXAMPLE_PATHS = ("/home/you", "/Users/you")


def tracked() -> list[Path]:
    """The files that git knows, or would add; all files where there is no git, as in an unpacked release."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        hidden = {".venv", ".git", "build", "dist", "__pycache__"}
        return [path for path in ROOT.rglob("*") if path.is_file() and not hidden & set(path.relative_to(ROOT).parts)]
    names = [name for name in done.stdout.decode("utf-8").split("\0") if name]
    return [ROOT / name for name in names if (ROOT / name).is_file()]


def texts() -> Iterator[tuple[Path, str]]:
    """Every tracked file that is text, with what it says."""
    for path in tracked():
        data = path.read_bytes()
        if b"\0" not in data[:8192]:
            yield path, data.decode("utf-8")


def sources() -> list[Path]:
    """Every tracked Python file."""
    return [path for path in tracked() if path.suffix == ".py"]


def test_no_file_is_too_long() -> None:
    long = {
        str(path.relative_to(ROOT)): lines
        for path in sources()
        if (lines := len(path.read_text(encoding="utf-8").splitlines()))
        > (LINES_OF_MAIN_WINDOW if path.name == "main_window.py" else LINES_PER_FILE)
    }

    assert long == {}


def test_no_function_is_too_long() -> None:
    assert {
        f"{path.relative_to(ROOT)}:{name}": lines
        for path in sources()
        for name, lines in functions(path)
        if lines > LINES_PER_FUNCTION
    } == {}


def functions(path: Path) -> Iterator[tuple[str, int]]:
    """Every function of the file with its number of lines, decorators left out."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node.name, (node.end_lineno or node.lineno) - node.lineno + 1


def test_a_long_function_would_be_seen(tmp_path: Path) -> None:
    path = tmp_path / "long.py"
    path.write_text("class A:\n    def long(self):\n" + "        pass\n" * LINES_PER_FUNCTION)

    assert list(functions(path)) == [("long", LINES_PER_FUNCTION + 1)]


def test_no_file_names_a_registry_or_a_machine() -> None:
    found = [f"{path.relative_to(ROOT)}: {match}" for path, text in texts() for match in machine_names(text)]

    assert found == []


def machine_names(text: str) -> list[str]:
    """What in the text belongs to a registry or to one machine."""
    lower = text.lower()
    found = [host for host in REGISTRIES if host in lower]
    return found + [path for path in MACHINE_PATH.findall(text) if not path.startswith(EXAMPLE_PATHS)]


@pytest.mark.parametrize("text", ["see https://PyPI" + ".org/simple", "in /ho" + "me/anna/x", "cd /wo" + "rk/main"])
def test_a_registry_or_machine_would_be_seen(text: str) -> None:
    assert machine_names(text) != []


def test_nothing_is_left_to_be_done() -> None:
    marks = re.compile(r"\b(TO" + r"DO|FIX" + r"ME|XX" + r"X)\b")

    assert [str(path.relative_to(ROOT)) for path, text in texts() if marks.search(text)] == []


def test_the_lock_has_hashes_and_no_addresses() -> None:
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    entries = [entry for entry in re.split(r"\n(?=\S)", lock) if not entry.startswith("#")]

    assert len(entries) > 30
    assert [entry.split()[0] for entry in entries if "--hash=sha256:" not in entry or "==" not in entry] == []
    assert "://" not in lock
    assert re.search(r"^\s*-", re.sub(r"--hash=\S+", "", lock), re.MULTILINE) is None


def test_the_map_names_every_room_and_module_and_no_other() -> None:
    text = (ROOT / "studio" / "README.md").read_text(encoding="utf-8")
    named = set(re.findall(r"^(?:- |### )`([\w/]+(?:\.py|/))`", text, re.MULTILINE))

    assert named == rooms_and_modules()


def test_the_map_is_as_make_map_writes_it() -> None:
    done = subprocess.run([sys.executable, ROOT / "docs" / "map.py", "--check"], check=False)

    assert done.returncode == 0, "run: make map"


def test_the_road_on_the_map_names_what_exists() -> None:
    text = (ROOT / "studio" / "README.md").read_text(encoding="utf-8")
    road = text.partition("## Who may")[0]
    named = re.findall(r"(?<![\w/])((?:core|engine|store|services|ui|cli)/[\w/]*(?:\.py)?)", road)

    assert len(named) > 6
    assert [name for name in named if not (ROOT / "studio" / name).exists()] == []


def rooms_and_modules() -> set[str]:
    """Every package (``ui/``) and module (``ui/theme.py``) below studio/, by its path."""
    package = ROOT / "studio"
    modules = {path for path in sources() if path.is_relative_to(package) and path.name != "__init__.py"}
    packages = {path.parent for path in sources() if path.is_relative_to(package)} - {package}
    return {path.relative_to(package).as_posix() for path in modules} | {
        f"{path.relative_to(package).as_posix()}/" for path in packages
    }


def test_the_version_has_its_entry_in_the_changelog() -> None:
    version = re.search(r'__version__ = "(.+)"', (ROOT / "studio" / "__init__.py").read_text(encoding="utf-8"))

    assert version is not None
    assert f"## {version[1]}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
