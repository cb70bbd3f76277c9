"""Keeps what was edited in an example, deletes one, and takes that back."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal

from studio.core.golden import GoldenExample
from studio.core.policy import Policy
from studio.ui.context import Context
from studio.ui.errors import Mend
from studio.ui.tasks import Lane


class ExampleEditing(QObject):
    """``kept`` carries an example as it is kept now; ``set_changed`` says that one was deleted or put back."""

    kept = Signal(object)
    set_changed = Signal()

    def __init__(self, context: Context, parent: QObject) -> None:
        super().__init__(parent)
        self._context = context
        self._golden = context.studio.golden

    def save(self, edited: GoldenExample, policy: Policy | None) -> None:
        """Keep an edited example."""
        if policy is None:
            return

        def done(example: GoldenExample) -> None:
            self._context.changes.status.emit("Golden example saved")
            self.kept.emit(example)

        self._context.tasks.run(Lane.STORE, lambda: self._golden.edit(policy, edited), on_done=done)

    def delete(self, example: GoldenExample) -> None:
        """Delete an example; the banner takes it back."""
        title = "It was held out." if example.held_out else example.content.title

        def put_back() -> None:
            self._context.tasks.run(
                Lane.STORE, lambda: self._golden.restore(example), on_done=lambda _kept: self.set_changed.emit()
            )

        def done(_none: object) -> None:
            self._context.errors.tell("Golden example deleted", title, mend=Mend("Undo", put_back))
            self.set_changed.emit()

        self._context.tasks.run(Lane.STORE, lambda: self._golden.delete(example.id), on_done=done)
