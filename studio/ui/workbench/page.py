"""The Workbench page: brings policy, content and verdict together and keeps what was typed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import QStackedWidget, QVBoxLayout, QWidget

from studio.core.content import Content
from studio.core.golden import GoldenExample
from studio.core.policy import Effort, Policy
from studio.core.prompt import Prompt
from studio.core.run import Run
from studio.services.explain import Part, Piece
from studio.ui.context import Context, Page
from studio.ui.tasks import Lane
from studio.ui.widgets.controls import KeptSplitter
from studio.ui.workbench.content_pane import ContentPane
from studio.ui.workbench.live import LiveMode
from studio.ui.workbench.matrix_view import MatrixView
from studio.ui.workbench.policy_pane import PolicyPane
from studio.ui.workbench.runner import Asked, Runner
from studio.ui.workbench.start import Opening, read_opening
from studio.ui.workbench.verdict_pane import VerdictPane
from studio.ui.workbench.versions_view import VersionsView
from studio.ui.workbench.warming import Warming

STATE_PAUSE_MS = 700


class WorkbenchPage(Page):
    """Where a policy is written and tried. ``ready`` comes once, when what was last open stands there again."""

    ready = Signal()

    def __init__(self, context: Context) -> None:
        super().__init__()
        self._context = context
        self._session_id = ""
        self._kept_state: dict[str, Any] = {}
        self._wanted_sample = ""
        self._is_ready = False
        self.policy = PolicyPane(context)
        self.content = ContentPane(context)
        self.verdict = VerdictPane(context)
        self.runner = Runner(context, self)
        self.live = LiveMode(
            self.runner, self._ask, self._is_fresh, lambda: not self.verdict.busy, self._start_live, self
        )
        self.warming = Warming(context, self.policy.document, self.runner, self._effort, self)
        self._run_next = False
        self._state_timer = QTimer(self)
        self._state_timer.setSingleShot(True)
        self._state_timer.setInterval(STATE_PAUSE_MS)
        self._state_timer.timeout.connect(self.keep_state)
        right = KeptSplitter(context.preferences, "judgement", Qt.Orientation.Vertical, (240, 460))
        right.addWidget(self.content)
        right.addWidget(self.verdict)
        right.restore()
        self.splitter = KeptSplitter(context.preferences, "workbench", Qt.Orientation.Horizontal, (640, 560))
        self.splitter.addWidget(self.policy)
        self.splitter.addWidget(right)
        self.splitter.restore()
        self.versions = VersionsView(context)
        self._stack = QStackedWidget()
        self._stack.addWidget(self.splitter)
        self._stack.addWidget(self.versions)
        self.matrix = MatrixView(context)
        self._stack.addWidget(self.matrix)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._stack)
        self._connect()
        studio = context.studio
        context.tasks.run(Lane.STORE, lambda: read_opening(studio), on_done=self._open)

    @property
    def is_ready(self) -> bool:
        """Whether what was last open stands there again."""
        return self._is_ready

    @property
    def parts(self) -> Sequence[QWidget]:
        """Its panes, each by itself."""
        return (self.policy, self.content, self.verdict, self.versions, self.matrix)

    def entered(self) -> None:
        """Put the focus into the content."""
        if self._stack.currentWidget() is self.splitter:
            self.content.take_focus()

    def leaving(self) -> None:
        """Keep draft and state before the window closes, and stop what runs."""
        self.stop()
        self.policy.document.settle()
        self.policy.work.keep_draft()
        self.keep_state()

    def run(self) -> None:
        """Judge what stands there now; under several policies where those are in sight."""
        if self._stack.currentWidget() is self.matrix:
            self.matrix.start()
            return
        self.show_bench()
        if self.runner.live:
            # What was asked for by hand goes first, and into the session.
            self._run_next = True
            self.runner.stop()
            return
        if self.runner.running or not self.policy.document.is_open:
            return
        if self.content.empty:
            self._context.errors.tell("There is nothing to judge yet", "Write or paste a content, or take a sample.")
            self.content.take_focus()
            return
        self.policy.document.settle()
        asked = self._ask()
        if asked is not None:
            self.runner.start(asked, self._session_id)

    def stop(self) -> None:
        """Stop what is under way."""
        self._run_next = False
        self.live.hold()
        self.runner.stop()
        shown = self._stack.currentWidget()
        if shown is self.versions and self.versions.bisect.running:
            self.versions.bisect.stop()
        elif shown is self.matrix and self.matrix.running:
            self.matrix.stop()
        elif shown is not self.splitter:
            self.show_bench()
        else:
            self.verdict.stop()

    def show_versions(self) -> None:
        """Show the versions of the open policy in place of the bench."""
        self.policy.document.settle()
        document = self.policy.document
        if document.is_open:
            self._stack.setCurrentWidget(self.versions)
            self.versions.show_policy(document.policy, edited=document.edited)

    def _refresh_versions(self) -> None:
        if self._stack.currentWidget() is self.versions:
            self.show_versions()

    def show_matrix(self) -> None:
        """Show what several policies decide, beginning with the content that stands on the bench."""
        self.policy.document.settle()
        if self.policy.document.is_open:
            self._stack.setCurrentWidget(self.matrix)
            content = None if self.content.empty else self.content.content
            self.matrix.show_content(content, self.policy.document.policy.id)

    def show_bench(self) -> None:
        """Show policy, content and verdict again."""
        if self._stack.currentWidget() is not self.splitter:
            self.versions.bisect.stop()
            self.matrix.stop()
            self._stack.setCurrentWidget(self.splitter)
            self.policy.versions_button.setFocus(Qt.FocusReason.OtherFocusReason)

    def reopen(self, run: Run) -> None:
        """Put policy, content and verdict of a kept run back on the bench."""
        self.show_bench()
        self.policy.work.open_again(run.policy)
        self.content.show_content(run.content)
        self.verdict.show_run(run)
        self._keep_soon()

    def open_policy(self, policy_id: str) -> None:
        """Open another policy."""
        self.show_bench()
        self.policy.work.open(policy_id)

    def _restore(self, policy: Policy) -> None:
        """Put an older version's text into the editor."""
        self.show_bench()
        self.policy.restore(policy)

    def _keep_soon(self) -> None:
        """Counted from the first change that is not kept: typing on and on never puts it off."""
        if not self._state_timer.isActive():
            self._state_timer.start()

    def keep_state(self) -> None:
        """Keep what was typed and chosen in the session."""
        self._state_timer.stop()
        if not (self._is_ready and self._session_id and self.policy.document.is_open):
            return
        state = self.content.state()
        state["live"] = self.live.on
        state["policy_id"] = self.policy.document.policy.id
        state["run_id"] = self.verdict.run.id if self.verdict.run else None
        if state != self._kept_state:
            self._kept_state = state
            sessions, session_id = self._context.studio.sessions, self._session_id
            self._context.tasks.run(Lane.STORE, lambda: sessions.save_state(session_id, state))

    def _connect(self) -> None:
        self.policy.changed.connect(self._changed)
        self.policy.opened.connect(self._policy_opened)
        self.policy.opened.connect(self.warming.touch)
        self.policy.prompt_wanted.connect(self._show_prompt)
        self.content.changed.connect(self._changed)
        self.content.run_wanted.connect(self.run)
        self.content.stop_wanted.connect(self.stop)
        self.verdict.again.connect(self.run)
        self.verdict.rule_clicked.connect(self.policy.go_to_rule)
        self.verdict.why.part_wanted.connect(self._show_part)
        self.policy.versions_wanted.connect(self.show_versions)
        self.versions.closed.connect(self.show_bench)
        self.matrix.closed.connect(self.show_bench)
        self._context.changes.policies.connect(self._refresh_versions)
        self.matrix.run_wanted.connect(self.reopen)
        self.versions.restore_wanted.connect(self._restore)
        self.versions.open_wanted.connect(self.open_policy)
        self._context.preferences.changed.connect(self._changed)
        self.runner.began.connect(self._began)
        self.runner.finished.connect(self._finished)
        self.runner.finished.connect(self.policy.length.note_run)
        self.runner.failed.connect(self._failed)
        self.runner.ended.connect(lambda _failed: self._ended())
        self._connect_live()
        self.runner.bridge.loading.connect(self.verdict.show_loading)
        self.runner.bridge.started.connect(self.verdict.show_prompt_read)
        self.runner.bridge.thinking.connect(self.verdict.show_thinking)
        self.runner.bridge.answering.connect(self.verdict.show_answering)

    def _connect_live(self) -> None:
        self.policy.document.touched.connect(self.live.touch)
        self.policy.opened.connect(self.live.touch)
        self.content.live.clicked.connect(self.live.switch)
        self.live.switched.connect(self.content.live.setChecked)
        self.live.switched.connect(lambda _on: self._keep_soon())
        self.live.changed.connect(lambda: self.verdict.card.set_judging(self.live.due))
        self.live.gave_up.connect(self._context.changes.status)

    def _open(self, opening: Opening) -> None:
        self._session_id = opening.session_id
        if opening.state:
            self.content.restore(opening.state)
        elif opening.sample is not None:
            self.content.show_content(opening.sample, sample=True)
        self.content.set_policy(opening.policy.id)
        self.policy.show_policy(opening.policy, opening.version, ())
        if opening.run is not None:
            self.verdict.show_run(opening.run)
            self._check_stale()
        self._is_ready = True
        self.live.switch(opening.state.get("live") is True, now=False)
        self.content.take_focus()
        self.ready.emit()

    def _policy_opened(self) -> None:
        policy_id = self.policy.document.policy.id
        self.content.set_policy(policy_id)
        if self._is_ready and self.content.untouched_sample and not self.runner.running:
            self._wanted_sample = policy_id
            studio = self._context.studio
            self._context.tasks.run(Lane.READ, lambda: studio.policies.samples(policy_id), on_done=self._first_sample)

    def _first_sample(self, samples: list[GoldenExample]) -> None:
        still = self.policy.document.policy.id == self._wanted_sample
        if samples and still and self.content.untouched_sample:
            self.content.show_content(samples[0].content, sample=True)

    def _changed(self) -> None:
        self._check_stale()
        self._show_prompt()
        if self._is_ready:
            self._keep_soon()
            self.warming.touch()
            self.live.touch()

    def _ask(self) -> Asked | None:
        """What stands there now; None when there is nothing to judge."""
        if not self.policy.document.is_open or self.content.empty:
            return None
        policy = self.policy.document.policy
        return Asked(policy, self.content.content, self._effort())

    def _effort(self) -> Effort | None:
        return self.content.effort or self._context.preferences.values.effort

    def _is_fresh(self) -> bool:
        return self.verdict.run is not None and not self.verdict.card.stale

    def _start_live(self, asked: Asked) -> None:
        self.runner.start(asked, self._session_id, live=True)

    def _check_stale(self) -> None:
        run = self.verdict.run
        if run is None or not self.policy.document.is_open:
            return
        self.verdict.card.set_stale(not self._same(run, self.policy.document.policy))

    def _same(self, run: Run, policy: Policy) -> bool:
        if run.policy.sha256 != policy.sha256 or self.content.empty:
            return False
        content: Content = self.content.content
        asked = self._effort() or policy.effort
        used = run.provenance.effort if run.provenance else asked
        return run.content == content and used == asked

    def _show_part(self, run: Run, part: Part | Piece) -> None:
        """Show where a part of the policy, or of the content, stands now."""
        if isinstance(part, Part):
            self.policy.go_to_part(part)
        elif not self.content.go_to_piece(run.content, part):
            self._context.changes.status.emit("Another content stands there now")

    def _show_prompt(self) -> None:
        if not (self.policy.prompt_in_sight and self.policy.document.is_open):
            return
        policy = self.policy.document.policy
        effort = self._effort()
        content = Content.message("") if self.content.empty else self.content.content
        judge = self._context.studio.judge

        def show(prompt: Prompt) -> None:
            self.policy.show_prompt(prompt)

        self._context.tasks.run(Lane.READ, lambda: judge.prompt(policy, content, effort=effort), on_done=show)

    def _began(self) -> None:
        if self.runner.live and self.verdict.run is not None:
            return  # The verdict in sight stays, dimmed and with words, until the next one takes its place.
        self.content.set_running(not self.runner.live)
        self.verdict.show_start()

    def _finished(self, run: Run) -> None:
        self.verdict.show_run(run)
        self._check_stale()
        self.keep_state()

    def _failed(self) -> None:
        self.verdict.show_empty()

    def _ended(self) -> None:
        self.content.set_running(False)
        if self.verdict.run is None and not self.live.due:
            self.verdict.show_empty()
        if self._run_next:
            self._run_next = False
            self.run()
