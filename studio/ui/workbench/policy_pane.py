"""The left side of the Workbench: the policy with its versions, its text, outline, labels and the prompt it makes."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from PySide6.QtCore import QRect, Qt, Signal
from PySide6.QtWidgets import QFileDialog, QFrame, QWidget

from studio.core.labels import Label
from studio.core.policy import Policy, PolicySummary, PolicyVersion
from studio.core.prompt import Prompt
from studio.services.explain import Part
from studio.services.packs import SUFFIX
from studio.services.policies import ReadPolicy
from studio.ui.actions import Act, keys_text
from studio.ui.context import Context
from studio.ui.tasks import Lane
from studio.ui.widgets.ask_line import AskLine
from studio.ui.widgets.basics import column, frame, icon_button, push_button, row, set_icon, spread, tab_row, text_label
from studio.ui.widgets.controls import ElidingButton, KeptSplitter
from studio.ui.widgets.file_drop import FileDrop
from studio.ui.widgets.popup import Entry, Facet, SearchPopup
from studio.ui.workbench.chooser import PolicyButton
from studio.ui.workbench.completion import codes_of
from studio.ui.workbench.compose_work import ComposeWork
from studio.ui.workbench.details_dialog import DetailsDialog
from studio.ui.workbench.document import PolicyDocument
from studio.ui.workbench.editor import PolicyEditor
from studio.ui.workbench.find_bar import FindBar
from studio.ui.workbench.labels_tab import LabelsTab, held_words
from studio.ui.workbench.length_line import LengthLine
from studio.ui.workbench.lint_tab import LintTab
from studio.ui.workbench.outline import OutlineTab
from studio.ui.workbench.pack_work import PackWork
from studio.ui.workbench.policy_work import PolicyWork
from studio.ui.workbench.prompt_tab import PromptTab

_POLICY_FILES = "Policies (*.md *.txt);;All files (*)"
_WITH_FRONT, _PLAIN = "Policy with its labels (*.md)", "Plain text alone (*.txt *.md)"


class PolicyPane(QFrame):
    """Shows and edits one policy. ``changed`` comes after each pause in editing and when another one is opened."""

    changed = Signal()
    opened = Signal()
    prompt_wanted = Signal()
    versions_wanted = Signal()

    def __init__(self, context: Context) -> None:
        super().__init__()
        self.setProperty("kind", "pane")
        self._context = context
        self.editor = PolicyEditor(context.theme)
        self.document = PolicyDocument(self.editor.exact_text, self)
        self.work = PolicyWork(context, self.document, self)
        self.packs = PackWork(context, self.document, self, self.work.open)
        self.compose = ComposeWork(context, self.document, self, self.work.create, self.work.open)
        self.find_bar = FindBar(context.theme, self.editor)
        self.outline = OutlineTab(context.theme)
        self.labels = LabelsTab(context.theme)
        self.lint = LintTab(context, self.editor, self.document)
        self.prompt = PromptTab(context.theme)
        self.length = LengthLine(context)
        self.chooser = PolicyButton(context.theme)
        self._popup = SearchPopup(context.theme, "Find a policy", self)
        self._old_labels: tuple[Label, ...] | None = None
        self._lay_out()
        self.drop = FileDrop(self, "Drop to open this policy", context.errors)
        self._connect()

    def show_policy(self, policy: Policy, version: PolicyVersion | None, notes: tuple[str, ...]) -> None:
        """Take a policy in."""
        self.editor.set_labels(policy.labels)
        self.editor.set_exact_text(policy.text)
        self._show_notes(notes)
        self.document.open(policy, version)
        self.opened.emit()

    def save_version(self) -> None:
        """Ask for a message and save the next version."""
        self.document.settle()
        if not self.document.is_open:
            return
        if not self.document.edited and self.document.version is not None:
            self._context.changes.status.emit(f"Nothing has changed since version {self.document.version.number}")
            return
        number = self.document.version.number + 1 if self.document.version else 1
        ask = AskLine(
            self._context.theme,
            self,
            title=f"Save version {number}",
            label="What has changed? (may stay empty)",
            take="Save version",
            may_be_empty=True,
        )
        if ask.exec():
            self.work.save_version(ask.text)

    def edit_details(self) -> None:
        """Ask for title, summary, tags and jurisdictions."""
        if self.document.is_open:
            dialog = DetailsDialog(self._context.theme, self, self.document.policy)
            if dialog.exec():
                self.document.change(**dialog.fields)

    def open_file(self) -> None:
        """Choose a policy file and open it."""
        path, _ = QFileDialog.getOpenFileName(self, "Open a policy file", "", _POLICY_FILES)
        if path:
            self.work.read(Path(path))

    def _take_file(self, path: Path) -> None:
        """Take in what was dropped: a policy file, a policy pack, or a folder of policies."""
        if path.is_dir():
            self.packs.read_folder(path)
        elif path.suffix.casefold() == SUFFIX:
            self.packs.read(path)
        else:
            self.work.read(path)

    def export_file(self) -> None:
        """Choose where to save the policy as a file."""
        name = f"{self.document.policy.id}.md" if self.document.is_open else "policy.md"
        kinds = f"{_WITH_FRONT};;{_PLAIN}"
        path, kind = QFileDialog.getSaveFileName(self, "Save the policy as a file", name, kinds)
        if path:
            self.work.write(Path(path), plain=kind == _PLAIN)

    def show_prompt(self, prompt: Prompt) -> None:
        """Show the compiled prompt."""
        self.prompt.show_prompt(prompt)

    @property
    def prompt_in_sight(self) -> bool:
        """Whether the prompt tab is open."""
        return self.tabs.currentWidget() is self.prompt

    def go_to_rule(self, rule: str) -> None:
        """Scroll to a rule."""
        if not self.editor.go_to_rule(rule):
            self._context.changes.status.emit(f"The policy text does not name {rule}")

    def go_to_part(self, part: Part) -> None:
        """Scroll to a part of the text, wherever it stands by now."""
        text = self.editor.exact_text()
        at = part.start if text.startswith(part.text, part.start) else text.find(part.text)
        if at < 0:
            self._context.changes.status.emit("The policy text no longer has this part")
        else:
            self.editor.go_to_line(text.count("\n", 0, at))

    def choose_policy(self) -> None:
        """Open the list of policies."""
        policies = self._context.studio.policies

        def show(summaries: list[PolicySummary]) -> None:
            entries = [
                Entry(
                    s.title,
                    partial(self.work.open, s.id),
                    s.summary,
                    _summary_note(s),
                    marks=frozenset((*(f"tag {tag}" for tag in s.tags), *(f"in {one}" for one in s.jurisdictions))),
                )
                for s in summaries
            ]
            tags = sorted({tag for s in summaries for tag in s.tags}, key=str.casefold)
            places = sorted({one for s in summaries for one in s.jurisdictions}, key=str.casefold)
            facets = (
                Facet("All jurisdictions", {f"in {one}": one for one in places}),
                Facet("All tags", {f"tag {tag}": tag for tag in tags}),
            )
            self._popup.open_at(_below(self.chooser), entries, facets)

        self._context.tasks.run(Lane.READ, policies.list, on_done=show)

    def restore(self, policy: Policy) -> None:
        """Put an older text back in place; undo brings the newer one again."""
        self.editor.set_exact_text(policy.text, undoable=True)
        self.document.change(labels=policy.labels, form=policy.form, position=policy.position, effort=policy.effort)
        self.document.settle()

    def _lay_out(self) -> None:
        theme = self._context.theme
        self.save_button = ElidingButton(theme, "Save version", short="Save")
        self.save_button.setAccessibleName("Save version")
        self.save_button.setToolTip(f"Save version ({keys_text(Act.SAVE_VERSION)})")
        self.save_button.clicked.connect(self.save_version)
        set_icon(self.save_button, theme, "floppy-disk")
        self.versions_button = icon_button(theme, "clock-counter-clockwise", "Versions", act=self.versions_wanted.emit)
        self.more_button = icon_button(theme, "dots-three", "New, open, save as a file")
        self.flag = push_button(theme, "0", "quiet", "flag", act=self.show_lint)
        head = frame(
            "bar",
            row(
                self.chooser,
                self.flag,
                self.versions_button,
                self.more_button,
                self.save_button,
                spacing=4,
                margins=(8, 7, 12, 7),
            ),
        )
        self._notes_words = text_label("", wrap=True)
        self.put_back = push_button(theme, "Keep the old labels")
        self.put_back.clicked.connect(self._keep_old_labels)
        self.confirm = push_button(theme, "They are right", "primary", act=self._confirm_labels)
        self.notes = frame(
            "note",
            row(
                spread(self._notes_words),
                self.put_back,
                push_button(theme, "Show labels", act=self._look_at_labels),
                self.confirm,
                margins=(16, 8, 12, 8),
            ),
        )
        self.notes.hide()
        self.tabs = tab_row("About the policy")
        self.tabs.addTab(self.outline, "Outline")
        self.tabs.addTab(self.lint, "Lint")
        self.tabs.addTab(self.labels, "Labels && answer")
        self.tabs.addTab(self.prompt, "Prompt as sent")
        self.splitter = KeptSplitter(self._context.preferences, "policy", Qt.Orientation.Vertical, (460, 230))
        self.splitter.addWidget(_over(self.editor, self.length))
        self.splitter.addWidget(self.tabs)
        self.splitter.setStretchFactor(0, 1)
        self.splitter.restore()
        layout = column(head, self.notes, self.find_bar, self.splitter, spacing=0)
        layout.setStretch(3, 1)
        self.setLayout(layout)

    def _connect(self) -> None:
        self.work.loaded.connect(self.show_policy)
        self.work.counted.connect(self.length.show_tokens)
        self.drop.dropped.connect(self._take_file)
        self.editor.edited.connect(self.document.touch)
        self.editor.whole_pasted.connect(self._read_pasted)
        self.document.changed.connect(self._refresh)
        self.lint.counted.connect(self._show_findings)
        self.labels.labels_changed.connect(lambda labels: self.document.change(labels=labels))
        self.labels.form_changed.connect(lambda form: self.document.change(form=form))
        self.labels.position_changed.connect(lambda position: self.document.change(position=position))
        self.labels.effort_changed.connect(lambda effort: self.document.change(effort=effort))
        self.tabs.currentChanged.connect(lambda _at: self._show_held())
        self.outline.line_wanted.connect(self._go_to_line)
        self.chooser.clicked.connect(self.choose_policy)
        self.tabs.currentChanged.connect(lambda _at: self.prompt_wanted.emit())

    def _refresh(self) -> None:
        if not self.document.is_open:
            return
        policy = self.document.policy
        self.editor.set_labels(policy.labels)
        self.outline.show_policy(policy.text, policy.labels)
        self.editor.completion.set_codes(codes_of(policy.labels, self.outline.entries))
        self.labels.show_policy(policy)
        self._show_held()
        self._show_state()
        self.changed.emit()

    def _show_held(self) -> None:
        """Say under the labels whether the model is held to the form, when that can be seen."""
        if self.tabs.currentWidget() is self.labels and self.document.is_open:
            policy = self.document.policy
            self._context.tasks.run(Lane.READ, lambda: held_words(policy), on_done=self.labels.show_held)

    def _show_state(self) -> None:
        version = self.document.version
        parts = [f"v{version.number}" if version else "draft"]
        if version and self.document.edited:
            parts.append("edited")
        self.chooser.show_policy(self.document.policy.title, " · ".join(parts))

    def show_lint(self) -> None:
        """Open the tab with the linter's findings."""
        self.tabs.setCurrentWidget(self.lint)
        self.lint.take_focus()

    def _show_findings(self, number: int, words: str) -> None:
        self.flag.setText(f" {number}")
        self.flag.setToolTip(f"Linter: {words}")
        self.flag.setAccessibleName(f"Linter: {words}")

    def _show_notes(self, notes: tuple[str, ...], old_labels: tuple[Label, ...] | None = None) -> None:
        self._notes_words.setText("\n".join(notes))
        self.notes.setVisible(bool(notes))
        self._old_labels = old_labels
        self.put_back.setVisible(old_labels is not None)

    def _read_pasted(self, text: str) -> None:
        """A whole policy was pasted: take its labels from it, and ask whether they are right."""
        policies, policy = self._context.studio.policies, self.document.policy

        def show(read: ReadPolicy) -> None:
            found, old = read.policy, policy.labels
            if found.text != text:
                self.editor.set_exact_text(found.text, undoable=True)
            self.document.change(labels=found.labels, form=found.form, position=found.position)
            words = tuple(read.notes) or ("The labels came with the pasted text.",)
            self._show_notes(words, old if old != found.labels else None)

        self._context.tasks.run(Lane.READ, lambda: policies.read_text(text, policy.title), on_done=show)

    def _keep_old_labels(self) -> None:
        if self._old_labels is not None:
            self.document.change(labels=self._old_labels)
        self._show_notes(())

    def _look_at_labels(self) -> None:
        self.tabs.setCurrentWidget(self.labels)
        self.labels.view.setFocus(Qt.FocusReason.OtherFocusReason)

    def _confirm_labels(self) -> None:
        self._show_notes(())
        self.editor.setFocus(Qt.FocusReason.OtherFocusReason)

    def _go_to_line(self, line: int) -> None:
        self.editor.go_to_line(line)
        self.editor.setFocus(Qt.FocusReason.OtherFocusReason)


def _over(upper: QWidget, lower: QWidget) -> QWidget:
    """Two widgets as one, the upper one with all the room that is left."""
    both = QWidget()
    layout = column(upper, lower, spacing=0)
    layout.setStretch(0, 1)
    both.setLayout(layout)
    return both


def _below(button: QWidget) -> QRect:
    corner = button.mapToGlobal(button.rect().topLeft())
    return QRect(corner, button.size())


def _summary_note(summary: PolicySummary) -> str:
    parts = [*summary.jurisdictions, *(["starter"] if summary.builtin else [])]
    parts.append(f"v{summary.latest}" if summary.latest else "draft")
    if summary.latest and summary.has_draft:
        parts.append("edited")
    return " · ".join(parts)
