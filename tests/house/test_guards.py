"""The guards that stand around every test catch what they are there for."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from studio import paths

ROOT = Path(paths.__file__).resolve().parents[1]

GUARDED = """
import logging, multiprocessing, os, socket, subprocess, sys, threading, time, warnings
import pytest
from studio import paths

def test_good_thread():
    thread = threading.Thread(target=print); thread.start(); thread.join()

def test_good_process():
    subprocess.run([sys.executable, "-c", "pass"], check=True)

def test_good_spawned_process():
    process = multiprocessing.get_context("spawn").Process(target=print)
    process.start(); process.join()

@pytest.mark.expects_log
def test_good_announced_warning():
    logging.getLogger("studio").warning("as expected")

def test_good_local_connection():
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()):
        server.accept()[0].close()

def test_good_window(qtbot):
    from PySide6.QtWidgets import QWidget
    widget = QWidget(); qtbot.addWidget(widget); widget.show()

def test_good_home():
    assert os.environ[paths.HOME_VARIABLE] in str(paths.data_dir())

def test_bad_thread():
    threading.Thread(target=time.sleep, args=(1.5,)).start()

def test_bad_process():
    sys.modules["kept"] = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(2)"])

def test_bad_log():
    logging.getLogger("anything").warning("not expected")

def test_bad_qt_message(qtbot):
    from PySide6.QtCore import qWarning
    qWarning("not expected")

def test_bad_python_warning():
    warnings.warn("not expected")

def test_bad_connection():
    socket.create_connection(("192.0.2.1", 9), timeout=0.1)

def test_bad_window(qapp):
    from PySide6.QtWidgets import QWidget
    sys.modules["window"] = QWidget()
    sys.modules["window"].show()
"""


def test_each_guard_catches_what_it_is_there_for(tmp_path: Path) -> None:
    for name in ("pyproject.toml", "tests/conftest.py"):
        text = (ROOT / name).read_text(encoding="utf-8")
        # The guards wait for what ends by itself; here all that is left behind is left for good.
        (tmp_path / Path(name).name).write_text(text.replace("GRACE_S = 5.0", "GRACE_S = 0.3"), encoding="utf-8")
    (tmp_path / "test_guarded.py").write_text(GUARDED, encoding="utf-8")

    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-rA", "test_guarded.py"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )

    broken = set(re.findall(r"^(?:FAILED|ERROR) test_guarded\.py::(\w+)", done.stdout, re.MULTILINE))
    wanted = set(re.findall(r"^def (test_bad_\w+)", GUARDED, re.MULTILINE))
    assert broken == wanted, done.stdout
