"""What a machine lacks is named, with the command that mends it."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from studio import paths

SCRIPT = Path(paths.__file__).resolve().parents[1] / "packaging" / "check_system.py"


@pytest.fixture
def script() -> ModuleType:
    """The script as a module of its own."""
    spec = importlib.util.spec_from_file_location("check_system", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_this_machine_lacks_nothing_that_the_tests_need() -> None:
    environment = {name: value for name, value in os.environ.items() if name not in ("DISPLAY", "WAYLAND_DISPLAY")}
    done = subprocess.run(
        [sys.executable, SCRIPT, "window"], env=environment, capture_output=True, text=True, check=False
    )

    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows brings its compiler another way")
def test_missing_tools_are_named_with_one_command(tmp_path: Path) -> None:
    apt_get = tmp_path / "apt-get"
    apt_get.write_text("#!/bin/sh\n")
    apt_get.chmod(0o755)
    done = subprocess.run(
        [sys.executable, SCRIPT, "build"], env={"PATH": str(tmp_path)}, capture_output=True, text=True, check=False
    )

    assert done.returncode == 1
    assert "C++ compiler" in done.stderr
    if sys.platform.startswith("linux"):
        assert done.stderr.splitlines()[-1].endswith("apt-get install -y g++ gcc make")


def test_without_apt_the_packages_are_named(script: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("PATH", "")

    assert "package manager" in script.advice(["g++"])
    assert script.advice(["g++"]).endswith("g++")


def test_a_missing_library_and_a_missing_font_are_named(script: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(script, "QT_LIBRARIES", (("libno-such-thing.so.1", "libno-such-thing1"),))
    monkeypatch.setattr(script, "has_fonts", lambda: False)
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)

    assert script.missing_for_window() == [
        ("the library libno-such-thing.so.1", "libno-such-thing1"),
        ("a font", "fonts-dejavu-core"),
    ]


def test_a_screen_asks_for_more(script: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(script, "loads", lambda name: False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.delenv("DISPLAY", raising=False)
    without = script.missing_for_window()
    monkeypatch.setenv("DISPLAY", ":0")

    assert len(script.missing_for_window()) > len(without)


def test_an_old_python_is_told(script: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(script, "OLDEST_PYTHON", (9, 0))

    assert "Python 3.11 or newer" in script.missing_for_build()[0][0]


def test_a_full_disk_is_told(script: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(script, "NEEDED_BYTES", 10**18)

    [(what, package)] = [entry for entry in script.missing_for_build() if "disk" in entry[0]]
    assert "GB are free" in what
    assert package == ""
