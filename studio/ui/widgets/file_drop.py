"""Takes files that are dropped on a part of the window, and says over it what would become of them."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QEvent, QMimeData, QObject, Qt, Signal
from PySide6.QtGui import QDropEvent
from PySide6.QtWidgets import QFrame, QWidget

from studio.ui.errors import Errors
from studio.ui.widgets.basics import column, text_label


def dropped_files(source: QMimeData) -> list[Path]:
    """The files of this machine in what is dragged or pasted."""
    return [Path(url.toLocalFile()) for url in source.urls() if url.isLocalFile()] if source.hasUrls() else []


class FileDrop(QObject):
    """Lets one file be dropped on ``target``, or several with ``many``. ``dropped`` carries a path each time."""

    dropped = Signal(object)

    def __init__(self, target: QWidget, words: str, errors: Errors, *, many: bool = False) -> None:
        super().__init__(target)
        self._target, self._errors, self._many = target, errors, many
        self.sign = QFrame(target)
        self.sign.setProperty("kind", "drop")
        self.sign.setProperty("hot", "true")
        self.sign.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        label = text_label(words, "lead")
        label.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.sign.setLayout(column(label))
        self.sign.hide()
        target.setAcceptDrops(True)
        target.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: D102  Qt's name
        kind = event.type()
        if kind in (QEvent.Type.DragEnter, QEvent.Type.DragMove, QEvent.Type.Drop) and isinstance(event, QDropEvent):
            files = dropped_files(event.mimeData())
            self._show_sign(bool(files) and kind is not QEvent.Type.Drop)
            if not files:
                return False
            event.setDropAction(Qt.DropAction.CopyAction)
            event.accept()
            if kind is QEvent.Type.Drop:
                self._take(files)
            return True
        if kind is QEvent.Type.DragLeave:
            self._show_sign(False)
        return super().eventFilter(watched, event)

    def _take(self, files: list[Path]) -> None:
        if len(files) > 1 and not self._many:
            self._errors.tell(
                "One file at a time", f"{len(files)} files were dropped here. Nothing was opened.", level="warn"
            )
            return
        for file in files:
            self.dropped.emit(file)

    def _show_sign(self, shown: bool) -> None:
        if shown:
            self.sign.setGeometry(self._target.rect().adjusted(8, 8, -8, -8))
            self.sign.raise_()
        self.sign.setVisible(shown)
