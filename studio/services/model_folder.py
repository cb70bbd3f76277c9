"""The folder that downloaded models are put into: choosing another one. Nothing is moved, copied or deleted."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from studio import paths, settings
from studio.core.errors import InputError
from studio.hub.partial import Slot
from studio.services.shelf import Shelf


@dataclass(frozen=True, slots=True)
class ModelFolder:
    """The folder and its disk. ``free`` bytes, None while the disk is not there; ``own``: the studio's own folder."""

    path: Path
    free: int | None
    own: bool


@dataclass(frozen=True, slots=True)
class Chosen:
    """What came of a choice. ``found``: models that lie in the new folder; ``unfinished``: downloads begun in the old.

    ``staying``: models in the old folder; they stay on the shelf where they are.
    """

    folder: ModelFolder
    found: tuple[str, ...]
    staying: tuple[str, ...]
    unfinished: tuple[str, ...]


def current(shelf: Shelf) -> ModelFolder:
    """The folder that downloads go to now."""
    free = None
    with contextlib.suppress(OSError):
        free = shutil.disk_usage(shelf.folder).free
    return ModelFolder(shelf.folder, free, shelf.folder == paths.models_dir())


def choose(shelf: Shelf, folder: Path | None) -> Chosen:
    """Put what is fetched from now on into ``folder``, and remember that; None for the studio's own folder.

    Models of the old folder stay on the shelf where they are. Raises InputError when nothing can be written there or a
    download or check is running, SettingsError.
    """
    if shelf.at_work:
        raise InputError("A model is being fetched or checked.", hint="Pause it, or wait until it is done.")
    wanted = paths.models_dir() if folder is None else folder.expanduser().absolute()
    _try_writing(wanted)
    old = shelf.folder
    before = {entry.id: entry for entry in shelf.list()}
    unfinished = [known.title for known in shelf.catalogue.models if any(_begun(slot) for slot in shelf.slots(known))]
    settings.change(models_folder=None if wanted == paths.models_dir() else wanted)
    shelf.folder = wanted
    staying = [e.title for e in before.values() if e.model is not None and e.files[0].is_relative_to(old)]
    here = [entry.title for entry in shelf.list() if entry.model is not None and entry.files[0].is_relative_to(wanted)]
    here += [found.name for found in shelf.discover() if found.path.is_relative_to(wanted)]
    return Chosen(
        current(shelf),
        found=tuple(here),
        staying=tuple(staying) if wanted != old else (),
        unfinished=tuple(unfinished) if wanted != old else (),
    )


def _begun(slot: Slot) -> bool:
    return slot.have > 0 and slot.origin() is None


def _try_writing(folder: Path) -> None:
    if not folder.is_dir():
        raise InputError(f"{folder} is no folder.", hint="Choose one that is there.")
    try:
        with tempfile.NamedTemporaryFile(dir=folder, prefix=".moderation-studio-"):
            pass
    except OSError as error:
        raise InputError(
            f"Nothing can be written into {folder}: {error.strerror or error}.", hint="Choose another folder."
        ) from error
