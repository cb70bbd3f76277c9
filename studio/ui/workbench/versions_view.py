"""The versions of the open policy: their history, what changed between any two, and what to do with them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QRect, Qt, Signal
from PySide6.QtGui import QStandardItem, QStandardItemModel
from PySide6.QtWidgets import QFrame, QListView, QWidget

from studio.core.diff import Hunk, diff
from studio.core.golden import GoldenExample
from studio.core.policy import Policy, PolicyVersion
from studio.ui.context import Context
from studio.ui.tasks import Lane
from studio.ui.widgets.ask_line import AskLine
from studio.ui.widgets.basics import ElidedLabel, column, frame, icon_button, push_button, row, set_icon, text_label
from studio.ui.widgets.controls import Choice, ElidingButton, KeptSplitter, Segments, decision_icon
from studio.ui.widgets.popup import ENTRY_ROLE, Entry, EntryDelegate, SearchPopup
from studio.ui.words import count, decision_word, when
from studio.ui.workbench.bisect_strip import BisectStrip
from studio.ui.workbench.diff_view import DiffView

DRAFT = 0
"""Stands for the draft among the numbers of versions."""
_NUMBER = Qt.ItemDataRole.UserRole + 2
_FIELDS = {
    "labels": "labels",
    "form": "form of answer",
    "position": "who writes the answer's form",
    "effort": "effort",
    "review_below": "review threshold",
    "title": "title",
    "tags": "tags",
    "jurisdictions": "jurisdictions",
    "targets": "targets",
}


@dataclass(frozen=True, slots=True)
class _Shown:
    """What the two sides are, and the changes between them."""

    old: Policy
    new: Policy
    hunks: tuple[Hunk, ...]


class VersionsView(QFrame):
    """``restore_wanted`` hands a policy back to the editor; ``open_wanted`` asks for another policy by its id."""

    closed = Signal()
    restore_wanted = Signal(object)
    open_wanted = Signal(str)

    def __init__(self, context: Context) -> None:
        super().__init__()
        self.setProperty("kind", "pane")
        self._context = context
        self._policy: Policy | None = None
        self._edited = False
        self._versions: list[PolicyVersion] = []
        self._marked: tuple[Hunk, ...] = ()
        self._examples = SearchPopup(context.theme, "Find the example that flipped", self)
        self._lay_out()
        self.bisect.found.connect(self._show_flip)

    def show_policy(self, policy: Policy, *, edited: bool) -> None:
        """Show the versions of a policy; ``edited`` says that it differs from the newest of them."""
        self._policy, self._edited = policy, edited
        self.bisect.forget()
        self._title.setText(policy.title)
        self._read(None)

    def choose(self, number: int) -> None:
        """Choose a version of the list, or the draft."""
        for at in range(self._model.rowCount()):
            if self._model.item(at).data(_NUMBER) == number:
                self.list.setCurrentIndex(self._model.index(at, 0))

    @property
    def chosen(self) -> int:
        """The number of the version that is chosen, DRAFT for the draft."""
        value = self.list.currentIndex().data(_NUMBER)
        return value if isinstance(value, int) else DRAFT

    def restore(self) -> None:
        """Put the chosen version's text back into the editor; undo there brings the newer one again."""
        version = self._version(self.chosen)
        if version is not None:
            self.restore_wanted.emit(version.policy)
            self._context.changes.status.emit(f"Version {version.number} is back in the editor. Save it as a version")

    def branch(self) -> None:
        """Ask for a title and begin a variant from the chosen version."""
        version = self._version(self.chosen)
        if version is None:
            return
        ask = AskLine(
            self._context.theme,
            self,
            title=f"Variant of version {version.number}",
            label="Its title. The golden set is copied.",
            take="Begin variant",
            text=f"{version.policy.title} (variant)",
        )
        if ask.exec():
            policies, title = self._context.studio.policies, ask.text

            def done(made: PolicyVersion) -> None:
                self._context.changes.policies.emit()
                self.open_wanted.emit(made.policy.id)

            work = self._context.tasks.run
            work(Lane.STORE, lambda: policies.branch(version.policy.id, version.number, title), on_done=done)

    def name_release(self) -> None:
        """Ask for the name of the chosen version as a release."""
        version = self._version(self.chosen)
        if version is None:
            return
        ask = AskLine(
            self._context.theme,
            self,
            title=f"Name version {version.number} as a release",
            label="The name; empty takes it away.",
            take="Save name",
            text=version.release,
            may_be_empty=True,
        )
        if ask.exec():
            policies, name = self._context.studio.policies, ask.text
            self._context.tasks.run(
                Lane.STORE,
                lambda: policies.name_release(version.policy.id, version.number, name),
                on_done=lambda done: self._read(done.number),
            )

    def find_flip(self) -> None:
        """Ask for a golden example, and find the version between the two sides that flipped it."""
        versions = self._bounds()
        if versions is None or self._policy is None:
            return
        first, last = versions
        golden, policy_id, theme = self._context.studio.golden, self._policy.id, self._context.theme

        def show(examples: Sequence[GoldenExample]) -> None:
            entries = [
                Entry(
                    one.content.title,
                    lambda one=one: self.bisect.start(policy_id, one.content, first, last),  # type: ignore[misc]  # bound now
                    detail=", ".join(one.tags),
                    note=decision_word(one.expected) if one.expected else "",
                    icon=decision_icon(theme, one.expected),
                )
                for one in examples
            ]
            self._examples.open_at(_at(self.flip_button), entries)

        self._context.tasks.run(Lane.READ, lambda: golden.list(policy_id, limit=5000), on_done=show)

    def _lay_out(self) -> None:
        theme = self._context.theme
        self.back = icon_button(theme, "arrow-left", "Back to the policy", act=self.closed.emit)
        self._title = ElidedLabel(kind="lead")
        self.base = Choice(theme, {-1: "the version before"}, "Compared with", prefix="Compared with ")
        self.base.chosen.connect(lambda _key: self._compare())
        self.mode = Segments({True: "Side by side", False: "Inline"}, "How changes are shown")
        self.diff = DiffView(theme)
        self.mode.chosen.connect(self.diff.show_beside)
        before = icon_button(theme, "caret-up", "Change before", act=lambda: self.diff.go_on(-1))
        after = icon_button(theme, "caret-down", "Next change", act=lambda: self.diff.go_on(1))
        head = row(self.back, text_label("Versions of", "quiet"), spacing=8, margins=(8, 7, 12, 7))
        head.addWidget(self._title, 1)
        for part in (self.base, before, after, self.mode):
            head.addWidget(part)
        self._model = QStandardItemModel(self)
        self.list = QListView()
        self.list.setAccessibleName("Versions, newest first")
        self.list.setItemDelegate(EntryDelegate(theme, self.list))
        self.list.setModel(self._model)
        self.list.setEditTriggers(QListView.EditTrigger.NoEditTriggers)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.selectionModel().currentChanged.connect(lambda _new, _old: self._chosen_changed())
        self.words = ElidedLabel(kind="small")
        self.bisect = BisectStrip(self._context)
        right = QWidget()
        shown = column(frame("bar", row(self.words, margins=(12, 6, 12, 6))), self.bisect, self.diff, spacing=0)
        shown.setStretch(2, 1)
        right.setLayout(shown)
        self.splitter = KeptSplitter(self._context.preferences, "versions", Qt.Orientation.Horizontal, (320, 900))
        self.splitter.addWidget(self.list)
        self.splitter.addWidget(right)
        self.splitter.setStretchFactor(1, 1)
        self.splitter.restore()
        self.restore_button = push_button(theme, "Restore", "", "arrow-counter-clockwise", act=self.restore)
        self.branch_button = push_button(theme, "Variant…", "", "git-branch", act=self.branch)
        self.release_button = push_button(theme, "Name release…", "", "tag", act=self.name_release)
        self.flip_button = ElidingButton(theme, "Find what flipped an example…", short="What flipped?")
        self.flip_button.setAccessibleName("Find what flipped an example")
        self.flip_button.clicked.connect(self.find_flip)
        set_icon(self.flip_button, theme, "magnifying-glass")
        foot = row(
            self.restore_button, self.branch_button, self.release_button, None, self.flip_button, margins=(12, 8, 12, 8)
        )
        layout = column(frame("bar", head), self.splitter, frame("foot", foot), spacing=0)
        layout.setStretch(1, 1)
        self.setLayout(layout)

    def _read(self, choose: int | None) -> None:
        if self._policy is None:
            return
        policies, policy_id = self._context.studio.policies, self._policy.id

        def show(versions: list[PolicyVersion]) -> None:
            if self._policy is not None and self._policy.id == policy_id:
                self._versions = versions
                self._fill(choose)

        self._context.tasks.run(Lane.READ, lambda: policies.versions(policy_id), on_done=show)

    def _fill(self, choose: int | None) -> None:
        self._model.clear()
        if self._edited or not self._versions:
            self._add(DRAFT, Entry("Draft", lambda: None, "What stands in the editor", "not saved"))
        for version in self._versions:
            release = f"  ·  {version.release}" if version.release else ""
            note = " · ".join(part for part in (version.author, when(version.created_at)) if part)
            words = version.message or "No message"
            self._add(version.number, Entry(f"v{version.number}{release}", lambda: None, words, note))
        numbers = {version.number: f"v{version.number}" for version in self._versions}
        self.base.set_choices({-1: "the version before", **numbers})
        self.base.choose(-1)
        self.list.setCurrentIndex(self._model.index(0, 0))
        if choose is not None:
            self.choose(choose)
        self.list.setFocus(Qt.FocusReason.OtherFocusReason)

    def _add(self, number: int, entry: Entry) -> None:
        item = QStandardItem(entry.title)
        item.setData(number, _NUMBER)
        item.setData(entry, ENTRY_ROLE)
        item.setData(f"{entry.title}, {entry.detail}, {entry.note}", Qt.ItemDataRole.AccessibleTextRole)
        self._model.appendRow(item)

    def _chosen_changed(self) -> None:
        if not self.list.currentIndex().isValid():
            return
        saved = self._version(self.chosen) is not None
        for button in (self.restore_button, self.branch_button, self.release_button):
            button.setEnabled(saved)
        self._compare()

    def _compare(self) -> None:
        old, new = self._side(self._base_number()), self._side(self.chosen)
        self.flip_button.setEnabled(self._bounds() is not None)
        if new is None:
            return
        if old is None:
            self.words.setText(f"{_name(self.chosen)} is the first version")
            self.diff.show_changes("", diff("", new.text))
            return
        marked = self._marked
        self._marked = ()

        def show(found: _Shown) -> None:
            if (found.old, found.new) == (self._side(self._base_number()), self._side(self.chosen)):
                self.words.setText(self._summary(found))
                self.diff.show_changes(found.old.text, found.hunks, marked)

        self._context.tasks.run(Lane.READ, lambda: _Shown(old, new, diff(old.text, new.text)), on_done=show)

    def _summary(self, found: _Shown) -> str:
        changed = [words for name, words in _FIELDS.items() if getattr(found.old, name) != getattr(found.new, name)]
        also = f" · also changed: {', '.join(changed)}" if changed else ""
        sides = f"{_name(self._base_number())} → {_name(self.chosen)}"
        return f"{sides} · {count(len(found.hunks), 'change')} of the text{also}"

    def _base_number(self) -> int:
        """The number of the side to compare with; -1 when there is none before."""
        base: int = self.base.value
        if base >= 1:
            return base
        older = [one.number for one in self._versions if self.chosen == DRAFT or one.number < self.chosen]
        return max(older, default=-1)

    def _bounds(self) -> tuple[int, int] | None:
        """The versions to bisect between: the sides where both are saved and differ in age, else None."""
        first, last = sorted((self._base_number(), self.chosen))
        return (first, last) if 1 <= first < last else None

    def _side(self, number: int) -> Policy | None:
        if number == DRAFT:
            return self._policy
        version = self._version(number)
        return version.policy if version else None

    def _version(self, number: int) -> PolicyVersion | None:
        return next((one for one in self._versions if one.number == number), None)

    def _show_flip(self, before: int, after: int, culprits: tuple[Hunk, ...]) -> None:
        """Show the change that flipped the example."""
        self._marked = culprits
        self.base.choose(before)
        if self.chosen == after:
            self._compare()
        else:
            self.choose(after)


def _name(number: int) -> str:
    return "Draft" if number == DRAFT else f"v{number}"


def _at(button: QWidget) -> QRect:
    return QRect(button.mapToGlobal(button.rect().topLeft()), button.size())
