"""What every page is handed: the studio, and the window's own services. Pages know this and not each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtWidgets import QWidget

from studio.core.run import Run
from studio.services.studio import Studio
from studio.ui.errors import Errors
from studio.ui.preferences import Preferences
from studio.ui.tasks import Tasks
from studio.ui.theme import Theme


class Changes(QObject):
    """An operation says what it changed; the views that show it look again."""

    runs = Signal()
    policies = Signal()
    model = Signal()
    status = Signal(str)


@dataclass(frozen=True, slots=True)
class Context:
    """The studio and what the window is made of."""

    studio: Studio
    tasks: Tasks
    errors: Errors
    theme: Theme
    preferences: Preferences
    changes: Changes


class Page(QWidget):
    """A page of the window. ``entered`` is called each time it comes into view."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("page")
        # Where nothing wants the focus first the page takes it, and Tab goes on from there.
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)

    @property
    def parts(self) -> Sequence[QWidget]:
        """What the theme dresses, one part in a turn of the event loop: a page with much in it names several."""
        return (self,)

    def entered(self) -> None:
        """Bring the page up to date and put the focus where it is wanted."""

    def leaving(self) -> None:
        """Write what is not yet kept; the window is about to close."""


def is_demo(run: Run) -> bool:
    """Whether the demo model gave this verdict: its words stand under everything that it says."""
    return run.provenance is not None and run.provenance.is_demo
