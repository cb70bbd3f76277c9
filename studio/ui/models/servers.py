"""Models on servers of the user's own network: their cards, and adding, checking, editing, choosing and forgetting."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from studio.core.errors import StudioError
from studio.core.progress import Cancel
from studio.services import keys
from studio.services.remotes import Draft, Health, Known, Met
from studio.ui.context import Context
from studio.ui.models.grid import CardGrid
from studio.ui.models.server_card import ServerCard, ServerStanding, places
from studio.ui.models.server_form import ServerForm
from studio.ui.tasks import Lane
from studio.ui.widgets.basics import column, push_button, row, text_label

_WHAT = "llama-server, vLLM or Ollama. Nothing is connected until you ask, and what you judge with one is sent to it."


class Servers(QWidget):
    """The section. ``load_wanted``: the window is to connect to the chosen one; ``shown``: the cards are up to date."""

    load_wanted = Signal()
    shown = Signal()

    def __init__(self, context: Context, loading: Callable[[], bool], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._context, self._loading = context, loading
        self._remotes = context.studio.remotes
        self.cards: list[ServerCard] = []
        self.form: ServerForm | None = None
        self._health: dict[str, tuple[Health, ...]] = {}
        self._checking: set[str] = set()
        self._was_loading = False
        self.grid = CardGrid(context.theme)
        self.add_button = push_button(context.theme, "Add a server", icon_name="plus", act=self.add)
        words = column(
            text_label("On servers of your own network", "section"), text_label(_WHAT, "quiet", wrap=True), spacing=4
        )
        head = row(spacing=16)
        head.addLayout(words, 1)
        head.addWidget(self.add_button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 8, 0, 0)
        layout.setSpacing(12)
        layout.addLayout(head)
        layout.addWidget(self.grid)

    @property
    def chosen(self) -> str:
        """The servers that what is judged goes to, by name; empty when a model of this machine judges."""
        return next((places(card.known.remote.urls) for card in self.cards if card.standing.chosen), "")

    def look(self) -> None:
        """Read the list again. It connects to nothing."""
        self._context.tasks.run(Lane.READ, self._remotes.known, on_done=self._show)

    def refresh(self) -> None:
        """Show how each stands now."""
        judges = self._in_use()
        self._was_loading = self._loading()
        for card in self.cards:
            card.show_standing(card.known, self._standing(card.known.remote.id, judges))
        self.shown.emit()

    def follow_load(self) -> None:
        """Look whether a load began or ended; cheap, as it is called at every step of any work."""
        if self.cards and self._loading() != self._was_loading:
            self.refresh()

    def card(self, remote_id: str) -> ServerCard:
        """The card of a remote model."""
        return next(card for card in self.cards if card.known.remote.id == remote_id)

    def add(self) -> None:
        """Ask for a new one."""
        self._open(ServerForm(self._context.theme, self.window()), "")

    def _edit(self, remote_id: str) -> None:
        self._open(ServerForm(self._context.theme, self.window(), self.card(remote_id).known.remote), remote_id)

    def _open(self, form: ServerForm, instead_of: str) -> None:
        self.form = form

        def ring(there: bool) -> None:
            if self.form is form:
                form.set_keyring(there)

        form.connect_wanted.connect(lambda draft: self._meet(form, draft, instead_of))
        form.finished.connect(lambda _result: self._closed(form))
        self._context.tasks.run(Lane.READ, keys.available, on_done=ring)
        form.open()

    def _closed(self, form: ServerForm) -> None:
        if self.form is form:
            self.form = None
        form.deleteLater()

    def _meet(self, form: ServerForm, draft: Draft, instead_of: str) -> None:
        """Connect, and keep what was met unless the form was closed or the work stopped meanwhile."""
        form.show_connecting(True)
        cancel = Cancel()

        def met(found: Met) -> None:
            if self.form is form and cancel.requested:
                form.show_connecting(False)
            elif self.form is form:
                self._keep(form, found, instead_of)

        self._context.tasks.run(
            Lane.SERVER,
            lambda: self._remotes.meet(draft),
            on_done=met,
            on_error=lambda error: self._failed(form, error),
            title="Connecting to the server",
            cancel=cancel,
        )

    def _keep(self, form: ServerForm, found: Met, instead_of: str) -> None:
        models = self._context.studio.models

        def work() -> tuple[Known, bool]:
            judged = self._remotes.find(self._in_use())
            new = self._remotes.keep(found, instead_of=instead_of)
            # Edited it has another id: where its older self judged, it goes on judging.
            moved = judged is not None and self._remotes.find(judged.id) is None
            if moved:
                models.use(models.named(new.remote.id))
            return new, moved

        def done(result: tuple[Known, bool]) -> None:
            new, moved = result
            if self.form is form:
                form.accept()
            self._context.changes.status.emit(f"{new.remote.name} is {'saved' if instead_of else 'added'}")
            self.look()
            if moved:
                self._chosen_anew()

        self._context.tasks.run(Lane.SERVER, work, on_done=done, on_error=lambda error: self._failed(form, error))

    def _failed(self, form: ServerForm, error: Exception) -> None:
        if self.form is form:
            form.show_failure(error)

    def _check(self, remote_id: str) -> None:
        self._checking.add(remote_id)
        self.refresh()

        def ended() -> None:
            self._checking.discard(remote_id)
            self.look()

        def done(found: tuple[Health, ...]) -> None:
            self._health[remote_id] = found
            ended()

        def failed(error: Exception) -> None:
            ended()
            self._context.errors.show(error)

        self._context.tasks.run(
            Lane.SERVER,
            lambda: self._remotes.check(remote_id),
            on_done=done,
            on_error=failed,
            title=f"Checking {self.card(remote_id).known.remote.name}",
        )

    def _use(self, remote_id: str) -> None:
        models = self._context.studio.models
        self._context.tasks.run(
            Lane.MODEL, lambda: models.use(models.named(remote_id)), on_done=lambda _none: self._chosen_anew()
        )

    def _ask_remove(self, remote_id: str) -> None:
        remote = self.card(remote_id).known.remote
        lines = ["The server and its model stay as they are; the studio forgets its address."]
        if remote.key_kept:
            lines.append("Its key is taken out of the keyring.")
        ask = self.card(remote_id).question.ask
        ask("Forget this server?", lines, "Forget", lambda: self._remove(remote_id, remote.name))

    def _remove(self, remote_id: str, name: str) -> None:
        models = self._context.studio.models

        def work() -> bool:
            judged = self._in_use() == remote_id
            if judged:
                models.use(models.named("demo"))
            self._remotes.remove(remote_id)
            return judged

        def done(judged: bool) -> None:
            self._context.changes.status.emit(f"{name} is forgotten")
            self.look()
            self.add_button.setFocus()
            if judged:
                self._chosen_anew()

        self._context.tasks.run(Lane.MODEL, work, on_done=done)

    def _chosen_anew(self) -> None:
        self._context.changes.model.emit()
        self.load_wanted.emit()

    def _in_use(self) -> str:
        """The id or path of the model that judges; empty when its file is gone."""
        try:
            return str(self._context.studio.models.current().path)
        except StudioError:
            return ""

    def _show(self, known: Sequence[Known]) -> None:
        there = {card.known.remote.id: card for card in self.cards}
        self.cards = [there.get(one.remote.id) or self._new_card(one) for one in known]
        self.grid.set_cards(self.cards)
        self.grid.setVisible(bool(self.cards))
        before: QWidget = self.add_button
        for card, one in zip(self.cards, known, strict=True):
            card.known = one
            # Qt puts what is made later last, wherever it stands.
            for control in card.controls:
                QWidget.setTabOrder(before, control)
                before = control
        self.refresh()

    def _standing(self, remote_id: str, judges: str) -> ServerStanding:
        info = self._context.studio.models.info
        chosen = judges == remote_id
        return ServerStanding(
            chosen=chosen,
            loading=chosen and self._loading(),
            info=info if chosen and info is not None and Path(info.path) == Path(remote_id) else None,
            checking=remote_id in self._checking,
            health=self._health.get(remote_id),
        )

    def _new_card(self, known: Known) -> ServerCard:
        card = ServerCard(self._context.theme, known)
        card.use_wanted.connect(self._use)
        card.load_wanted.connect(lambda _id: self.load_wanted.emit())
        card.check_wanted.connect(self._check)
        card.edit_wanted.connect(self._edit)
        card.remove_wanted.connect(self._ask_remove)
        return card
