"""The setting for the folder that downloaded models are put into: where it is, the room there, and choosing another."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog, QWidget

from studio.core.errors import InputError
from studio.services import model_folder
from studio.services.model_folder import Chosen, ModelFolder
from studio.ui.context import Context
from studio.ui.tasks import Lane
from studio.ui.widgets.basics import ElidedLabel, column, push_button, row, set_kind, text_label
from studio.ui.words import count, path_words, size


class ModelPlace(QWidget):
    """The folder, its free room, and buttons to choose another one or go back to the studio's own."""

    def __init__(self, context: Context, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._context = context
        theme = context.theme
        self.path = ElidedLabel("", "small", mode=Qt.TextElideMode.ElideMiddle)
        self.room = text_label("", "small")
        self.choose = push_button(theme, "Choose folder", icon_name="folder-open", act=self._ask)
        self.choose.setAccessibleName("Choose the folder for models")
        self.back = push_button(theme, "Use the studio's own", act=lambda: self.take(None))
        self.back.hide()
        self.said = text_label("", "small", wrap=True)
        self.said.hide()
        told = column(text_label("Downloaded models"), self.path, self.room, self.said, spacing=2)
        whole = row(spacing=24)
        whole.addLayout(told, 1)
        whole.addWidget(self.back)
        whole.addWidget(self.choose)
        self.setLayout(whole)

    def look(self) -> None:
        """Look at the folder again, and how much room its disk has."""
        shelf = self._context.studio.shelf
        self._context.tasks.run(Lane.READ, lambda: model_folder.current(shelf), on_done=self._show)

    def take(self, folder: Path | None) -> None:
        """Put what is fetched from now on into ``folder``; None for the studio's own."""
        shelf = self._context.studio.shelf
        self._context.tasks.run(
            Lane.STORE, lambda: model_folder.choose(shelf, folder), on_done=self._chosen, on_error=self._failed
        )

    def _ask(self) -> None:
        now = str(self._context.studio.shelf.folder)
        path = QFileDialog.getExistingDirectory(self, "Put downloaded models into this folder", now)
        if path:
            self.take(Path(path))

    def _show(self, folder: ModelFolder) -> None:
        self.path.setText(path_words(folder.path))
        room = "Its disk is not there now. Connect it, or choose another folder."
        self.room.setText(room if folder.free is None else f"{size(folder.free)} free on its disk")
        set_kind(self.room, kind="warn" if folder.free is None else "small")
        self.back.setVisible(not folder.own)

    def _chosen(self, chosen: Chosen) -> None:
        self._show(chosen.folder)
        told = [f"Models of this folder: {', '.join(chosen.found)}." if chosen.found else ""]
        if chosen.staying:
            told.append(f"Nothing was moved: {count(len(chosen.staying), 'model')} of the old folder can be used on.")
        if chosen.unfinished:
            told.append(f"Not finished, and waiting in the old folder: {', '.join(chosen.unfinished)}.")
        self.said.setText(" ".join(filter(None, told)) or "What is fetched from now on goes there. Nothing was moved.")
        set_kind(self.said, kind="small")
        self.said.show()
        # The focus would else leave with the button that is hidden now.
        self.choose.setFocus(Qt.FocusReason.OtherFocusReason)

    def _failed(self, error: Exception) -> None:
        if not isinstance(error, InputError):
            self._context.errors.show(error)
            return
        self.said.setText(f"{error.message} {error.hint}".strip())
        set_kind(self.said, kind="warn")
        self.said.show()
