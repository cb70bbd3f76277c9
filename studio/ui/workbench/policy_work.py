"""What can be done with the open policy: open, draft, save, restore, bring in, hand out. The pane shows it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QObject, QTimer, Signal

from studio.core.policy import Policy, PolicyVersion
from studio.ui.context import Context
from studio.ui.tasks import Lane
from studio.ui.workbench.document import PolicyDocument

DRAFT_PAUSE_MS = 700
_TOKENS_PAUSE_MS = 500
_CHARACTERS_PER_TOKEN = 4.2


class PolicyWork(QObject):
    """Works on the policies of the workspace for the pane. Everything slow happens beside the window.

    ``loaded`` hands a policy over with its newest version (or None) and notes that want confirmation;
    ``counted`` tells the length in tokens and whether that is exact.
    """

    loaded = Signal(object, object, tuple)
    counted = Signal(int, bool)
    kept = Signal()

    def __init__(self, context: Context, document: PolicyDocument, parent: QObject) -> None:
        super().__init__(parent)
        self._context, self._document = context, document
        self._kept: Policy | None = None
        self._counted: str = ""
        self._draft_timer = _pause(self, DRAFT_PAUSE_MS, self.keep_draft)
        self._token_timer = _pause(self, _TOKENS_PAUSE_MS, self.count)
        document.touched.connect(self._draft_soon)
        document.changed.connect(self._draft_soon)
        document.changed.connect(self._token_timer.start)
        context.changes.model.connect(self._token_timer.start)

    def open(self, policy_id: str) -> None:
        """Open a policy as it was last left."""
        self.keep_draft()
        policies = self._context.studio.policies

        def work() -> tuple[Policy, PolicyVersion | None]:
            return policies.open(policy_id), _newest(policies.versions(policy_id))

        self._context.tasks.run(Lane.STORE, work, on_done=lambda found: self._loaded(*found))

    def open_again(self, policy: Policy) -> None:
        """Open a policy as it was in a run: its text becomes the draft where the policy still exists."""
        self.keep_draft()
        policies = self._context.studio.policies

        def work() -> tuple[Policy, PolicyVersion | None]:
            return policy, _newest(policies.versions(policy.id))

        self._context.tasks.run(Lane.STORE, work, on_done=lambda found: self._loaded(*found))

    def create(self, title: str) -> None:
        """Begin a new policy."""
        self.keep_draft()
        policies = self._context.studio.policies
        self._context.tasks.run(
            Lane.STORE, lambda: policies.create(title), on_done=lambda policy: self._loaded(policy, None)
        )

    def read(self, path: Path) -> None:
        """Open a policy file. Its labels are shown for confirmation when they had to be inferred."""
        self.keep_draft()
        policies = self._context.studio.policies

        def work() -> tuple[Policy, tuple[str, ...]]:
            read = policies.read(path)
            policy = replace(read.policy, id=policies.free_id(read.policy.id))
            policies.save_draft(policy)
            return policy, tuple(read.notes)

        self._context.tasks.run(Lane.STORE, work, on_done=lambda found: self._loaded(found[0], None, found[1]))

    def write(self, path: Path, *, plain: bool = False) -> None:
        """Save the policy as a file; ``plain`` is its text alone, byte for byte."""
        policies, policy = self._context.studio.policies, self._document.policy
        told = f"Saved as {path.name}"
        self._context.tasks.run(
            Lane.STORE,
            lambda: policies.export(policy, path, plain=plain),
            on_done=lambda _none: self._context.changes.status.emit(told),
        )

    def save_version(self, message: str) -> None:
        """Save what stands there as the next version. Undo in the editor goes on working."""
        policies, policy = self._context.studio.policies, self._document.policy
        self._draft_timer.stop()

        def done(version: PolicyVersion) -> None:
            if self._document.is_open and self._document.policy.id == version.policy.id:
                self._kept = version.policy
                self._document.saved(version)
            self._context.changes.policies.emit()
            self._context.changes.status.emit(f"Version {version.number} saved")

        self._context.tasks.run(Lane.STORE, lambda: policies.save(policy, message=message), on_done=done)

    def keep_draft(self) -> None:
        """Keep what was typed, if it is not kept yet."""
        self._draft_timer.stop()
        if not self._document.is_open:
            return
        policy = self._document.policy
        if policy == self._kept:
            return
        policies = self._context.studio.policies
        work = (
            (lambda: policies.save_draft(policy))
            if self._document.edited
            else (lambda: policies.discard_draft(policy.id))
        )

        def done(_none: object) -> None:
            # Only now: what could not be written is tried again at the next change, and at closing.
            if self._document.is_open and self._document.policy.id == policy.id:
                self._kept = policy
            self.kept.emit()

        self._context.tasks.run(Lane.STORE, work, on_done=done)

    def _draft_soon(self) -> None:
        """Counted from the first change that is not kept: typing on and on never puts the draft off."""
        if not self._draft_timer.isActive():
            self._draft_timer.start()

    def count(self) -> None:
        """Count the tokens of the compiled policy: exactly when a model is loaded, roughly until then."""
        if not self._document.is_open:
            return
        policy, studio = self._document.policy, self._context.studio
        info = studio.models.info
        key = f"{policy.sha256} {info.sha256 if info else ''}"
        if key == self._counted:
            return
        if info is None:
            self._estimate(policy)
            return
        self._counted = key

        def show(number: int) -> None:
            if self._counted == key:
                self.counted.emit(number, True)

        self._context.tasks.run(
            Lane.TOKENS,
            lambda: studio.judge.count_tokens(policy),
            on_done=show,
            on_error=lambda _error: self._forget_count(),
        )

    def _estimate(self, policy: Policy) -> None:
        self.counted.emit(round(len(policy.text) / _CHARACTERS_PER_TOKEN) + 100, False)

    def _forget_count(self) -> None:
        self._counted = ""

    def _loaded(self, policy: Policy, version: PolicyVersion | None, notes: tuple[str, ...] = ()) -> None:
        self._kept = policy
        self._counted = ""
        self._estimate(policy)  # until it is counted: the number of another policy would be untrue
        self.loaded.emit(policy, version, notes)


def _newest(versions: list[PolicyVersion]) -> PolicyVersion | None:
    return versions[0] if versions else None


def _pause(owner: QObject, milliseconds: int, act: object) -> QTimer:
    timer = QTimer(owner)
    timer.setSingleShot(True)
    timer.setInterval(milliseconds)
    timer.timeout.connect(act)
    return timer
