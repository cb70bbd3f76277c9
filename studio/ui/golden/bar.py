"""The bar over the page: which set, which version, what to compare with, how to judge, and the button that does it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QSize, Signal
from PySide6.QtWidgets import QFrame, QMenu

from studio.core.policy import Effort, Policy, PolicySummary, PolicyVersion
from studio.services.evaluate import Settings
from studio.ui.context import Context
from studio.ui.golden.work import Ask
from studio.ui.icons import SIZE, icon
from studio.ui.widgets.basics import push_button, row
from studio.ui.widgets.controls import CaretButton, Choice
from studio.ui.words import EFFORT

_DRAFT = "draft"
_NOTHING = ""
_REPEATS = (1, 3, 5, 10)


@dataclass(frozen=True, slots=True)
class Opened:
    """A policy with its draft (None where there is none) and its saved versions, newest first."""

    policy_id: str
    draft: Policy | None
    versions: tuple[PolicyVersion, ...]

    @property
    def newest(self) -> int | None:
        """The number of the newest version; None where none was saved."""
        return self.versions[0].number if self.versions else None

    def policy(self, key: object) -> Policy | None:
        """The draft or the version of that number."""
        if key == _DRAFT:
            return self.draft
        return next((version.policy for version in self.versions if version.number == key), None)


class GoldenBar(QFrame):
    """The bar. ``policy_chosen`` carries a policy's id; ``changed`` says that something else is asked for."""

    policy_chosen = Signal(object)
    changed = Signal()
    run_wanted = Signal()
    import_wanted = Signal()

    def __init__(self, context: Context) -> None:
        super().__init__()
        self.setProperty("kind", "bar")
        self._theme = theme = context.theme
        self._opened = Opened("", None, ())
        self.held_out = False
        self.policy = Choice(theme, {}, "Policy")
        self.version = Choice(theme, {}, "Version")
        self.before = Choice(theme, {_NOTHING: "Compare with…"}, "Compare with")
        self.effort = Choice(theme, {None: "Policy's effort", **{e: f"{EFFORT[e]} effort" for e in Effort}}, "Effort")
        self.repeats = Choice(theme, {n: "Once" if n == 1 else f"{n} times" for n in _REPEATS}, "Judge each example")
        self.load = push_button(theme, "Import", icon_name="download-simple", act=self.import_wanted.emit)
        self.more = CaretButton(theme, "More")
        self.menu = QMenu(self.more)
        self.more.setMenu(self.menu)
        self.run = push_button(theme, " Run", "primary", act=self.run_wanted.emit)
        self._running = False
        self.policy.setMaximumWidth(theme.scale.px(230))
        self.setLayout(
            row(self.policy, self.version, self.before, None, self.effort, self.repeats, 4, self.load, self.more,
                self.run, margins=(16, 8, 12, 8))
        )  # fmt: skip
        theme.follow(self.run, self._paint_run)
        self.policy.chosen.connect(self.policy_chosen)
        for choice in (self.version, self.before, self.effort, self.repeats):
            choice.chosen.connect(lambda _key: self.changed.emit())

    @property
    def shown_policy(self) -> Policy | None:
        """The policy as it is to be judged by: its draft or one of its versions."""
        return self._opened.policy(self.version.value)

    @property
    def ask(self) -> Ask | None:
        """What is to be judged; None while no policy is open."""
        policy, before = self.shown_policy, self.before.value
        if policy is None:
            return None
        settings = Settings(effort=self.effort.value, repeats=self.repeats.value or 1)
        if before == _NOTHING:
            return Ask(policy, self.held_out, settings)
        if isinstance(before, Effort):
            return Ask(policy, self.held_out, settings, policy, before)
        return Ask(policy, self.held_out, settings, self._opened.policy(before))

    def show_policies(self, summaries: Sequence[PolicySummary], wanted: str) -> None:
        """Offer the policies; ``wanted`` is chosen where it is one of them."""
        self.policy.set_choices({summary.id: summary.title for summary in summaries})
        if any(summary.id == wanted for summary in summaries):
            self.policy.choose(wanted)

    def show_opened(self, opened: Opened) -> None:
        """Offer a policy's versions. The newest is chosen, unless an older one of the same policy was."""
        newest, same = self._opened.newest, opened.policy_id == self._opened.policy_id
        older = same and self.version.value not in (newest, _DRAFT)
        self._opened = opened
        words: dict[object, str] = {_DRAFT: "Unsaved draft"} if opened.draft is not None else {}
        words |= {version.number: f"Version {version.number}" for version in opened.versions}
        self.version.set_choices(words)
        if words and not older:
            self.version.choose(next(iter(words)))
        others = {key: f"Against {word[0].lower()}{word[1:]}" for key, word in words.items()}
        others |= {effort: f"Against {EFFORT[effort].lower()} effort" for effort in Effort}
        self.before.set_choices({_NOTHING: "Compare with…", **others})
        if not same:
            self.before.choose(_NOTHING)

    def set_running(self, running: bool) -> None:
        """Let the button stop what runs."""
        self._running = running
        self.run.setText(" Stop" if running else " Run")
        self.run.setAccessibleName("Stop the golden run" if running else "Run over the golden set")
        self._paint_run()

    def _paint_run(self) -> None:
        size = self._theme.scale.px(SIZE)
        self.run.setIconSize(QSize(size, size))
        self.run.setIcon(icon("stop" if self._running else "play", self._theme.tokens, on_accent=True))
