"""Say what this machine lacks before anything fails for want of it, and the one command that mends it.

Run with the system's own Python, old or new: ``python3 packaging/check_system.py [build] [window]``.
``build``: what setting up needs. ``window``: what Qt needs to start. Without a word, both. Exit status 1 when something
is missing.
"""

from __future__ import annotations

import ctypes
import glob
import importlib.util
import os
import shutil
import sys

OLDEST_PYTHON = (3, 11)
NEEDED_BYTES = 3 * 10**9

# What Qt loads on Linux, and the Debian and Ubuntu package that has it.
QT_LIBRARIES = (
    ("libEGL.so.1", "libegl1"),
    ("libGL.so.1", "libgl1"),
    ("libxkbcommon.so.0", "libxkbcommon0"),
    ("libdbus-1.so.3", "libdbus-1-3"),
    ("libfontconfig.so.1", "libfontconfig1"),
    ("libgthread-2.0.so.0", "libglib2.0-0"),
    ("libX11.so.6", "libx11-6"),
    ("libzstd.so.1", "libzstd1"),
)
# What it loads besides where there is a screen.
SCREEN_LIBRARIES = (
    ("libxcb-cursor.so.0", "libxcb-cursor0"),
    ("libxcb-icccm.so.4", "libxcb-icccm4"),
    ("libxcb-keysyms.so.1", "libxcb-keysyms1"),
    ("libxcb-shape.so.0", "libxcb-shape0"),
    ("libxkbcommon-x11.so.0", "libxkbcommon-x11-0"),
)


def main(words: list[str]) -> int:
    """Print what is missing, if anything is; return the exit status."""
    missing: list[tuple[str, str]] = []
    if not words or "build" in words:
        missing += missing_for_build()
    if (not words or "window" in words) and sys.platform.startswith("linux"):
        missing += missing_for_window()
    if missing:
        print("This machine lacks what the studio needs:", file=sys.stderr)
        for what, _ in missing:
            print("  - " + what, file=sys.stderr)
        print(advice([package for _, package in missing if package]), file=sys.stderr)
    return 1 if missing else 0


def missing_for_build() -> list[tuple[str, str]]:
    """What setting up needs and is not here: what it is, and the Debian package that has it."""
    missing: list[tuple[str, str]] = []
    own = "python{}.{}".format(*sys.version_info[:2])
    if sys.version_info < OLDEST_PYTHON:
        missing.append((f"Python 3.11 or newer (this is {sys.version.split()[0]})", "python3.11 python3.11-venv"))
    elif importlib.util.find_spec("venv") is None or importlib.util.find_spec("ensurepip") is None:
        missing.append(("Python's venv module", own + "-venv"))
    if sys.platform != "win32":
        if not (os.environ.get("CXX") or shutil.which("c++") or shutil.which("g++") or shutil.which("clang++")):
            missing.append(("a C++ compiler, to build llama.cpp", "g++"))
        if not (os.environ.get("CC") or shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")):
            missing.append(("a C compiler, to build llama.cpp", "gcc"))
        if not shutil.which("make"):
            missing.append(("make", "make"))
    free = shutil.disk_usage(os.getcwd()).free
    if free < NEEDED_BYTES and not os.path.exists(os.path.join(".venv", "pyvenv.cfg")):
        missing.append((f"3 GB of free disk here ({free / 1e9:.1f} GB are free)", ""))
    return missing


def missing_for_window() -> list[tuple[str, str]]:
    """The libraries and fonts that Qt needs on Linux and does not find."""
    libraries = list(QT_LIBRARIES)
    if os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"):
        libraries += SCREEN_LIBRARIES
    missing = [("the library " + name, package) for name, package in libraries if not loads(name)]
    if not has_fonts():
        missing.append(("a font", "fonts-dejavu-core"))
    return missing


def loads(name: str) -> bool:
    """Whether the system's loader finds the library."""
    try:
        ctypes.CDLL(name)
    except OSError:
        return False
    return True


def has_fonts() -> bool:
    """Whether any font file is installed where fontconfig looks by default."""
    folders = ("/usr/share/fonts", "/usr/local/share/fonts", "~/.local/share/fonts", "~/.fonts")
    return any(
        next(glob.iglob(os.path.join(os.path.expanduser(folder), "**", pattern), recursive=True), None)
        for folder in folders
        for pattern in ("*.ttf", "*.otf", "*.ttc", "*.pfb")
    )


def advice(packages: list[str]) -> str:
    """The one line to type, or the packages' names where it cannot be known."""
    if not packages:
        return "Make room and try again."
    names = " ".join(packages)
    if sys.platform == "darwin":
        return "Install the compiler with: xcode-select --install"
    if shutil.which("apt-get"):
        root = "" if hasattr(os, "geteuid") and os.geteuid() == 0 else "sudo "
        return f"Install it with: {root}apt-get update && {root}apt-get install -y {names}"
    return "Install it with your package manager; on Debian the packages are: " + names


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
