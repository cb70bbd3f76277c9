"""The upper right of the Workbench: what is judged, as a message, a conversation, or a prompt with its response."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtCore import QRect, Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QApplication, QFrame, QPushButton, QStackedWidget, QWidget

from studio.core.content import Content, Turn
from studio.core.errors import StudioError
from studio.core.golden import GoldenExample
from studio.core.policy import ContentKind, Effort
from studio.services.contents import parse_content, read_dropped_file
from studio.services.explain import Piece
from studio.ui.actions import Act, keys_text
from studio.ui.context import Context
from studio.ui.tasks import Lane
from studio.ui.theme import Theme
from studio.ui.widgets.basics import ElidedLabel, column, frame, icon_button, push_button, row, spread, text_label
from studio.ui.widgets.controls import CaretButton, Choice, Segments, decision_icon
from studio.ui.widgets.exact_edit import ExactEdit, hidden_summary
from studio.ui.widgets.file_drop import FileDrop
from studio.ui.widgets.popup import Entry, SearchPopup
from studio.ui.words import EFFORT, KIND, content_text, decision_word
from studio.ui.workbench.conversation import ConversationEditor

_HINT_FROM = 400
"""Below this width the key of Run is only in its tip."""
_RUN_WIDTH = 96
"""Run and Stop are equally wide, so that nothing moves when one takes the place of the other."""


class ContentPane(QFrame):
    """Takes in a content. ``changed`` comes with every edit."""

    changed = Signal()
    run_wanted = Signal()
    stop_wanted = Signal()

    def __init__(self, context: Context) -> None:
        super().__init__()
        self.setProperty("kind", "pane")
        self._context = context
        self._policy_id = ""
        self._sample: Content | None = None
        theme = context.theme
        self.kind = Segments(KIND, "Kind of content")
        self.message = ExactEdit(theme, "Content to judge")
        self.message.setPlaceholderText("Write or paste what is to be judged, or take a sample.")
        self.conversation = ConversationEditor(theme)
        self.prompt = ExactEdit(theme, "Prompt")
        self.prompt.setPlaceholderText("What the assistant was asked")
        self.response = ExactEdit(theme, "Response")
        self.response.setPlaceholderText("What it answered: this is judged")
        for field in (self.prompt, self.response):
            field.setProperty("kind", "")
            field.document().setDocumentMargin(2)
        self._stack = QStackedWidget()
        self._popup = SearchPopup(theme, "Find a sample", self)
        self._running = False
        self._lay_out()
        self.drop = FileDrop(self, "Drop to judge what is in this file", context.errors)
        self._connect()

    @property
    def content(self) -> Content:
        """What stands there. Raises InputError for a conversation without turns."""
        kind: ContentKind = self.kind.value
        if kind is ContentKind.MESSAGE:
            return Content.message(self.message.exact_text())
        if kind is ContentKind.COMPLETION:
            return Content.completion(self.prompt.exact_text(), self.response.exact_text())
        return Content.conversation(self.conversation.turns)

    @property
    def empty(self) -> bool:
        """Whether there is nothing to judge."""
        try:
            return (
                not content_text(self.content).strip() if self.kind.value is ContentKind.MESSAGE else self._no_words()
            )
        except StudioError:
            return True

    @property
    def untouched_sample(self) -> bool:
        """Whether what stands there is a sample as it came, or nothing."""
        return self.empty or (self._sample is not None and self.content == self._sample)

    @property
    def effort(self) -> Effort | None:
        """The chosen effort; None for what the policy asks."""
        value: Effort | None = self.effort_choice.value
        return value

    def show_content(self, content: Content, *, sample: bool = False) -> None:
        """Show another content."""
        self._sample = content if sample else None
        self.kind.choose(content.kind)
        self._stack.setCurrentIndex(list(KIND).index(content.kind))
        if content.kind is ContentKind.MESSAGE:
            self.message.set_exact_text(content.text, undoable=bool(self.message.exact_text()))
        elif content.kind is ContentKind.COMPLETION:
            self.prompt.set_exact_text(content.prompt)
            self.response.set_exact_text(content.response)
        else:
            self.conversation.show_turns(content.turns)
        self._edited()

    def go_to_piece(self, content: Content, piece: Piece) -> bool:
        """Select a word or sentence of ``content``; False when another one stands there."""
        if self.empty or self.content != content:
            return False
        if content.kind is ContentKind.CONVERSATION:
            self.conversation.select(piece.turn, piece.start, piece.end)
        else:
            (self.message if content.kind is ContentKind.MESSAGE else self.response).select(piece.start, piece.end)
        return True

    def set_policy(self, policy_id: str) -> None:
        """Offer the samples of this policy."""
        self._policy_id = policy_id

    def set_running(self, running: bool) -> None:
        """Turn the Run button into Stop and back, at the same width."""
        self._running = running
        self.run_button.setVisible(not running)
        self.stop_button.setVisible(running)
        if running and self.run_button.hasFocus():
            self.stop_button.setFocus(Qt.FocusReason.OtherFocusReason)

    def state(self) -> dict[str, Any]:
        """All that was typed and chosen, for the session."""
        return {
            "kind": self.kind.value.value,
            "message": self.message.exact_text(),
            "turns": [[turn.speaker, turn.text] for turn in self.conversation.turns],
            "prompt": self.prompt.exact_text(),
            "response": self.response.exact_text(),
            "effort": self.effort.value if self.effort else None,
            "sample": self._sample is not None and self.untouched_sample,
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Put back what :meth:`state` gave."""
        self.message.set_exact_text(_string(state.get("message")))
        self.prompt.set_exact_text(_string(state.get("prompt")))
        self.response.set_exact_text(_string(state.get("response")))
        turns = state.get("turns")
        if isinstance(turns, list):
            self.conversation.show_turns(tuple(Turn(str(pair[0]), str(pair[1])) for pair in turns if len(pair) == 2))
        kind = state.get("kind")
        if kind in tuple(ContentKind):
            self.kind.choose(ContentKind(kind))
            self._stack.setCurrentIndex(list(KIND).index(ContentKind(kind)))
        effort = state.get("effort")
        self.effort_choice.choose(Effort(effort) if effort in tuple(Effort) else None)
        self._sample = self.content if state.get("sample") and not self.empty else None
        self._edited()

    def take_focus(self) -> None:
        """Put the focus where one would type."""
        kind: ContentKind = self.kind.value
        if kind is ContentKind.CONVERSATION:
            self.conversation.focus_first()
        else:
            (self.message if kind is ContentKind.MESSAGE else self.prompt).setFocus(Qt.FocusReason.OtherFocusReason)

    def choose_sample(self) -> None:
        """Open the list of samples of the policy."""

        def show(samples: list[GoldenExample]) -> None:
            entries = [
                Entry(
                    " ".join(content_text(sample.content).split()) or "(empty)",
                    partial(self.take_sample, sample),
                    sample.why,
                    decision_word(sample.expected) if sample.expected else "undecided",
                    decision_icon(self._context.theme, sample.expected),
                )
                for sample in samples
            ]
            corner = self.samples.mapToGlobal(self.samples.rect().topLeft())
            self._popup.open_at(QRect(corner, self.samples.size()), entries)

        studio, policy_id = self._context.studio, self._policy_id
        self._context.tasks.run(Lane.READ, lambda: studio.policies.samples(policy_id), on_done=show)

    def take_sample(self, sample: GoldenExample) -> None:
        """Show a sample."""
        self.show_content(sample.content, sample=True)
        self.take_focus()

    def read(self, path: Path) -> None:
        """Show what is in a file."""
        self._context.tasks.run(Lane.READ, lambda: read_dropped_file(path), on_done=self.show_content)

    def toggle_hidden(self) -> None:
        """Show or hide the characters that have no look."""
        self.hidden.toggle()

    def _lay_out(self) -> None:
        theme = self._context.theme
        self.samples = CaretButton(theme, "Samples")
        self.samples.setProperty("kind", "quiet")
        self.hidden = icon_button(theme, "", f"Show hidden characters ({keys_text(Act.HIDDEN)})", checkable=True)
        self.hidden.setText("¶")
        head = frame("bar", row(self.kind, None, self.samples, self.hidden, spacing=4, margins=(12, 7, 8, 7)))
        both = QWidget()
        both.setLayout(
            column(
                text_label("Prompt", "small"), self.prompt, text_label("Response", "small"), self.response,
                spacing=4, margins=(12, 8, 12, 8),
            )
        )  # fmt: skip
        for page in (self.message, self.conversation, both):
            self._stack.addWidget(page)
        self.effort_choice = Choice(
            theme,
            {None: "as policy", **{key: word.lower() for key, word in EFFORT.items()}},
            "Effort",
            prefix="Effort: ",
        )
        self.run_button = push_button(theme, "Run", "primary", "play", act=self.run_wanted.emit)
        self.run_button.setToolTip(f"Judge this content under the policy ({keys_text(Act.RUN)})")
        self.stop_button = push_button(theme, "Stop", "", "stop", act=self.stop_wanted.emit)
        self.stop_button.setToolTip(f"Stop ({keys_text(Act.STOP)})")
        self.stop_button.hide()
        self.live = push_button(theme, "Live", "filter")
        self.live.setCheckable(True)
        self.live.setToolTip(f"Judge while you type, a moment after each change ({keys_text(Act.LIVE)})")
        self._note = ElidedLabel(kind="warn")
        self._hint = text_label(keys_text(Act.RUN), "small")
        foot = frame(
            "foot",
            row(
                self.effort_choice,
                spread(self._note),
                self._hint,
                self.live,
                self.run_button,
                self.stop_button,
                margins=(12, 8, 12, 8),
            ),
        )
        for button in (self.run_button, self.stop_button):
            theme.follow(button, partial(_keep_wide, button, theme))
        layout = column(head, self._stack, foot, spacing=0)
        layout.setStretch(1, 1)
        self.setLayout(layout)

    def _connect(self) -> None:
        for editor in (self.message, self.conversation, self.prompt, self.response):
            editor.edited.connect(self._edited)
        self.drop.dropped.connect(self.read)
        self.kind.chosen.connect(self._switch)
        self.samples.clicked.connect(self.choose_sample)
        self.hidden.toggled.connect(self._show_hidden)
        self.conversation.paste_wanted.connect(self._paste_turns)
        self.effort_choice.chosen.connect(lambda _value: self.changed.emit())

    def _switch(self, kind: ContentKind) -> None:
        self._stack.setCurrentIndex(list(KIND).index(kind))
        self._edited()

    def _edited(self) -> None:
        self._note.setText("" if self.empty else hidden_summary(content_text(self.content)))
        self._show_hint()
        self.changed.emit()

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: D102  Qt's name
        super().resizeEvent(event)
        self._show_hint()

    def _show_hint(self) -> None:
        """Name the key beside the button where there is room."""
        self._hint.setVisible(not self._note.text() and self.width() >= self._context.theme.scale.px(_HINT_FROM))

    def _show_hidden(self, shown: bool) -> None:
        for editor in (self.message, self.conversation, self.prompt, self.response):
            editor.show_hidden(shown)

    def _paste_turns(self) -> None:
        try:
            content = parse_content(QApplication.clipboard().text())
        except StudioError as error:
            self._context.errors.show(error)
            return
        self.show_content(content)

    def _no_words(self) -> bool:
        content = self.content
        return not (content.response.strip() or any(turn.text.strip() for turn in content.turns))


def _keep_wide(button: QPushButton, theme: Theme) -> None:
    button.setMinimumWidth(theme.scale.px(_RUN_WIDTH))


def _string(value: object) -> str:
    return value if isinstance(value, str) else ""
