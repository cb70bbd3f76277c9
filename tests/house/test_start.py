"""What each way in brings along: the command line no Qt and no llama.cpp, the window no llama.cpp."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

# Slow to import, or belonging to another way in.
QT = ("PySide6", "shiboken6", "qtawesome")
MODEL = ("llama_cpp",)
HEAVY = ("numpy", "matplotlib", "sklearn", "scipy", "pyarrow", "torch", "huggingface_hub", "httpx2", "jinja2")

WINDOW = """
from PySide6.QtWidgets import QApplication
import studio.app, studio.ui.main_window
"""


def loaded_after(code: str) -> set[str]:
    """The top names of all modules that a fresh interpreter has loaded after the code."""
    report = "\nimport sys\nprint('\\n'.join({name.partition('.')[0] for name in sys.modules}), file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", code + report], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return set(done.stderr.split())


@pytest.mark.parametrize(
    "code",
    [
        "import studio.cli",
        "import studio.__main__",
        """
import contextlib, sys
import studio.__main__
sys.argv = ["moderation-studio", "--help"]
with contextlib.suppress(SystemExit):
    studio.__main__.main()
""",
    ],
)
def test_the_command_line_starts_without_qt_and_without_llama(code: str) -> None:
    assert loaded_after(code) & {*QT, *MODEL, *HEAVY} == set()


def test_the_window_starts_without_llama() -> None:
    assert loaded_after(WINDOW) & {*MODEL, *HEAVY} == set()


def test_the_services_know_neither_qt_nor_llama() -> None:
    assert loaded_after("import studio.services.studio") & {*QT, *MODEL, *HEAVY} == set()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="other systems always have a screen")
def test_without_a_screen_the_window_says_so_and_ends() -> None:
    screens = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")
    env = {name: value for name, value in os.environ.items() if name not in screens}
    done = subprocess.run([sys.executable, "-m", "studio"], env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("There is no screen here")
    assert "--help" in done.stderr


def test_a_loaded_library_would_be_seen() -> None:
    assert "numpy" in loaded_after("import numpy")
