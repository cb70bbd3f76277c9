"""Policy packs and folders of policies, in and out of the window."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtWidgets import QFileDialog, QWidget

from studio.core.policy import PolicyVersion
from studio.services.packs import SUFFIX, Imported, Pack, Unpacked
from studio.ui.context import Context
from studio.ui.tasks import Lane
from studio.ui.widgets.ask_line import AskLine
from studio.ui.words import count
from studio.ui.workbench.document import PolicyDocument

_PACKS = f"Policy packs (*{SUFFIX})"


class PackWork:
    """Asks for names and notes, and has the services do the rest. ``opened`` is called with the id of what came in."""

    def __init__(
        self, context: Context, document: PolicyDocument, parent: QWidget, opened: Callable[[str], None]
    ) -> None:
        self._context, self._document, self._parent, self._opened = context, document, parent, opened

    def save_pack(self) -> None:
        """Write the open policy's newest version with its golden set and a release note as one file."""
        self._document.settle()
        version = self._document.version
        if version is None or self._document.edited:
            self._context.errors.tell(
                "A pack holds a saved version", "Save what stands in the editor as a version first."
            )
            return
        ask = AskLine(
            self._context.theme,
            self._parent,
            title=f"Pack version {version.number}",
            label="Release note: what should those who get it know?",
            take="Choose the file",
            text=version.message,
            may_be_empty=True,
        )
        if not ask.exec():
            return
        name = f"{version.policy.id}{SUFFIX}"
        path, _ = QFileDialog.getSaveFileName(self._parent, "Save the policy pack", name, _PACKS)
        if path:
            self.write(version, Path(path), ask.text)

    def write(self, version: PolicyVersion, path: Path, note: str) -> None:
        """Write a pack."""
        packs = self._context.studio.packs

        def done(made: Pack) -> None:
            self._tell(f"Saved as {path.name} with {count(len(made.examples), 'golden example')}")

        self._context.tasks.run(Lane.STORE, lambda: packs.pack(version, path, note=note), on_done=done)

    def open_pack(self) -> None:
        """Choose a policy pack and bring it in."""
        path, _ = QFileDialog.getOpenFileName(self._parent, "Open a policy pack", "", f"{_PACKS};;All files (*)")
        if path:
            self.read(Path(path))

    def read(self, path: Path) -> None:
        """Bring a policy pack in and open its policy."""
        packs = self._context.studio.packs

        def done(came: Unpacked) -> None:
            words = [f"{count(came.added, 'golden example')} added, {came.known} were here already."]
            if came.differing:
                words.append(f"{came.differing} of those have another decision here, and keep it.")
            if came.note:
                words.append(came.note)
            title = f"{came.version.policy.title}, version {came.version.number}"
            self._context.errors.tell(title, " ".join([*words, *came.notes]))
            self._context.changes.policies.emit()
            self._opened(came.version.policy.id)

        self._context.tasks.run(Lane.STORE, lambda: packs.unpack(path), on_done=done)

    def open_folder(self) -> None:
        """Choose a folder and bring in all policies that are in it."""
        path = QFileDialog.getExistingDirectory(self._parent, "Bring in a folder of policies")
        if path:
            self.read_folder(Path(path))

    def read_folder(self, folder: Path) -> None:
        """Bring in a folder of policies and open the first."""
        packs = self._context.studio.packs

        def done(found: tuple[Imported, ...]) -> None:
            versions = [one.version for one in found if one.version is not None]
            refused = [f"{one.path.name}: {one.problem.message}" for one in found if one.problem is not None]
            title = f"{count(len(versions), 'policy', 'policies')} brought in"
            words = " ".join(refused) or f"From {folder.name}."
            self._context.errors.tell(title, words, level="warn" if refused else "info")
            self._context.changes.policies.emit()
            if versions:
                self._opened(versions[0].policy.id)

        self._context.tasks.run(Lane.STORE, lambda: packs.import_folder(folder), on_done=done)

    def _tell(self, words: str) -> None:
        self._context.changes.status.emit(words)
