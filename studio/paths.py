"""Where the studio keeps its files, and where the files are that it ships.

Set ``MODERATION_STUDIO_HOME`` to put everything that the studio writes under one folder: a stick, a test, a second
installation. Without it each kind of file goes where the operating system wants it.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path

import platformdirs

from studio.core.errors import StudioError

APP_NAME = "moderation-studio"
HOME_VARIABLE = "MODERATION_STUDIO_HOME"
WORKSPACE_SUFFIX = ".studio"

_PACKAGE = Path(__file__).resolve().parent
# Shipped things by name: where each is in a checkout (from the repository root) and in the package (from studio/data).
_SHIPPED = {
    "policies": ("policies", "policies"),
    "benchmarks": ("resources/benchmarks", "benchmarks"),
    "demo.gguf": ("resources/demo_model/demo.gguf", "demo.gguf"),
    "check.jsonl": ("resources/demo_model/check.jsonl", "check.jsonl"),
    "catalogue.json": ("resources/models/catalogue.json", "catalogue.json"),
}


class FolderError(StudioError):
    """A folder that the studio needs could not be made."""

    title = "A folder cannot be used"
    code = "folder"


class ResourceMissingError(StudioError):
    """A file that belongs to the studio itself is not where it should be."""

    title = "The installation is incomplete"
    code = "resource_missing"


def home() -> Path | None:
    """The one folder that holds everything, when ``MODERATION_STUDIO_HOME`` names it; else None."""
    value = os.environ.get(HOME_VARIABLE, "").strip()
    return Path(value).expanduser().absolute() if value else None


def data_dir() -> Path:
    """Workspaces and their backups."""
    return _made(_place("data", platformdirs.user_data_path(APP_NAME, appauthor=False)))


def config_dir() -> Path:
    """The user's settings."""
    return _made(_place("config", platformdirs.user_config_path(APP_NAME, appauthor=False)))


def models_dir() -> Path:
    """Model files that the user imported."""
    return _made(data_dir() / "models")


def logs_dir() -> Path:
    """Log files. They never hold content that was judged."""
    return _made(_place("logs", platformdirs.user_log_path(APP_NAME, appauthor=False)))


def cache_dir() -> Path:
    """What can be made anew at any time."""
    return _made(_place("cache", platformdirs.user_cache_path(APP_NAME, appauthor=False)))


def default_workspace() -> Path:
    """The workspace file that opens when none was chosen. The file may not exist yet; its folder does."""
    return data_dir() / f"default{WORKSPACE_SUFFIX}"


def settings_file() -> Path:
    """The file of user settings. It may not exist yet; its folder does."""
    return config_dir() / "settings.json"


def resource(name: str) -> Path:
    """The path of what is shipped: ``policies``, ``benchmarks``, ``demo.gguf``, ``check.jsonl`` or ``catalogue.json``.

    Raises :class:`ResourceMissingError` when it is not there and ``KeyError`` for a name that the studio does not ship.
    """
    in_checkout, in_package = _SHIPPED[name]
    root = _PACKAGE.parent
    # Beside an installed package lie the packages of others: only a checkout has the project file there.
    path = root / in_checkout if (root / "pyproject.toml").is_file() else _PACKAGE / "data" / in_package
    if not path.exists():
        raise ResourceMissingError(
            f"The studio's own file {path} is missing.",
            hint="Install the studio again.",
        )
    return path


def write_atomically(path: Path, data: bytes) -> None:
    """Replace the file at ``path`` by ``data``, readable by its owner only; a crash leaves the old file or the new one.

    A symbolic link stays a link: the file that it points to is replaced. Raises ``OSError``.
    """
    target = path.resolve()
    descriptor, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(name, target)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(name)
        raise
    _sync_folder(target.parent)


def _sync_folder(folder: Path) -> None:
    """Make a rename in ``folder`` survive a power cut. Windows has no such call, and does not need it."""
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _place(kind: str, usual: Path) -> Path:
    root = home()
    return usual if root is None else root / kind


def _made(folder: Path) -> Path:
    """Make the folder and those above it, readable by their owner only, where they are not there yet."""
    if folder.is_dir():
        return folder
    try:
        if folder.parent != folder:
            _made(folder.parent)
        folder.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise FolderError(
            f"The folder {folder} could not be made: {error.strerror or error}.",
            hint=f"Check that its disk is writable, or set {HOME_VARIABLE} to a folder that is.",
        ) from error
    return folder
