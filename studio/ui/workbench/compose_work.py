"""Policies out of policies: begin a new one, merge several, split one by its labels."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtWidgets import QWidget

from studio.core.policy import PolicySummary
from studio.services import policy_tools
from studio.services.policy_tools import Made
from studio.ui.context import Context
from studio.ui.tasks import Lane
from studio.ui.words import count
from studio.ui.workbench.document import PolicyDocument
from studio.ui.workbench.merge_dialog import MergeDialog
from studio.ui.workbench.new_dialog import Beginning, NewPolicyDialog


class ComposeWork:
    """Asks what is wanted and has the services do it.

    ``blank`` is called with a title for a new draft, ``opened`` with the id of a policy that was made.
    """

    def __init__(
        self,
        context: Context,
        document: PolicyDocument,
        parent: QWidget,
        blank: Callable[[str], None],
        opened: Callable[[str], None],
    ) -> None:
        self._context, self._document, self._parent = context, document, parent
        self._blank, self._opened = blank, opened

    def new(self) -> None:
        """Ask how a new policy begins, and begin it."""
        self._with_policies(self._ask_new)

    def merge(self) -> None:
        """Ask which policies become one, and merge them."""
        self._with_policies(self._ask_merge)

    def split(self) -> None:
        """Make a policy of its own for each violating label of the open one."""
        self._document.settle()
        if not self._document.is_open:
            return
        policy, studio = self._document.policy, self._context.studio

        def done(made: tuple[Made, ...]) -> None:
            names = ", ".join(one.version.policy.title for one in made)
            notes = dict.fromkeys(note for one in made for note in one.notes)
            self._context.errors.tell(f"{count(len(made), 'policy', 'policies')} made", " ".join([f"{names}.", *notes]))
            self._context.changes.policies.emit()
            self._opened(made[0].version.policy.id)

        self._context.tasks.run(Lane.STORE, lambda: policy_tools.split(studio, policy), on_done=done)

    def _with_policies(self, ask: Callable[[list[PolicySummary]], None]) -> None:
        self._context.tasks.run(Lane.READ, self._context.studio.policies.list, on_done=ask)

    def _ask_new(self, policies: list[PolicySummary]) -> None:
        dialog = NewPolicyDialog(self._context.theme, self._parent, [one for one in policies if one.latest])
        if not dialog.exec():
            return
        title, studio = dialog.title.text().strip(), self._context.studio
        if dialog.beginning is Beginning.BLANK:
            self._blank(title)
        elif dialog.beginning is Beginning.POLICY:
            source = dialog.source
            self._context.tasks.run(
                Lane.STORE,
                lambda: studio.policies.branch(source, studio.policies.get(source).number, title),
                on_done=lambda version: self._show(Made(version, ())),
            )
        else:
            text = dialog.guideline.exact_text()
            self._context.tasks.run(
                Lane.STORE, lambda: policy_tools.from_guideline_text(studio, text, title), on_done=self._show
            )

    def _ask_merge(self, policies: list[PolicySummary]) -> None:
        is_open = self._document.policy.id if self._document.is_open else ""
        dialog = MergeDialog(self._context.theme, self._parent, policies, is_open)
        if not dialog.exec():
            return
        title, chosen, studio = dialog.title.text().strip(), dialog.chosen, self._context.studio
        self._context.tasks.run(
            Lane.STORE,
            lambda: policy_tools.merge(studio, [studio.policies.open(one) for one in chosen], title),
            on_done=self._show,
        )

    def _show(self, made: Made) -> None:
        if made.notes:
            self._context.errors.tell(made.version.policy.title, " ".join(made.notes))
        self._context.changes.policies.emit()
        self._opened(made.version.policy.id)
