"""The import: what a file would become, seen and edited before anything is stored."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QComboBox, QDialog, QDoubleSpinBox, QFileDialog, QVBoxLayout, QWidget

from studio.core.policy import Policy
from studio.core.progress import Cancel, Progress
from studio.services.golden_import import Mapping, Preview, Stopped, Stored
from studio.services.import_mapping import Question, all_alike, answered, likely, meant
from studio.ui.context import Context
from studio.ui.golden.import_tables import ColumnsTable, LabelsTable
from studio.ui.tasks import Job, Lane
from studio.ui.widgets.basics import AutoText, ElidedLabel, column, push_button, row, scrolling, tab_row, text_label
from studio.ui.widgets.reading import ReadText
from studio.ui.words import count

_ANY_SHAPE = "generic"
_SHOWN_SKIPPED = 2_000


class ImportDialog(QDialog):
    """Previews a file, asks what is open, and stores it. ``stored`` says what was done, None when nothing was."""

    def __init__(self, context: Context, policy: Policy, path: Path, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle(f"Import into “{policy.title}”")
        self._context, self._policy, self._path = context, policy, path
        self._preview: Preview | None = None
        self._job: Job | None = None
        self.stored: Stored | None = None
        theme = context.theme
        theme.dress(self)
        self.head = ElidedLabel(path.name, kind="lead", mode=Qt.TextElideMode.ElideMiddle)
        self.summary = AutoText("", "quiet")
        self.columns = ColumnsTable(theme)
        self.labels = LabelsTable(theme)
        self.skipped = ReadText(theme, "Rows that are left out")
        self.problem = AutoText("", "warn")
        self.problem.hide()
        self._questions = QVBoxLayout()
        self._questions.setSpacing(6)
        self.answers: dict[tuple[str, str], QWidget] = {}
        self.take = push_button(theme, "Import", "primary", act=self._store)
        self.take.setEnabled(False)
        self.open_mapping = push_button(theme, "Use a saved mapping…", "quiet", act=self._open_mapping)
        self.keep_mapping = push_button(theme, "Save this mapping…", "quiet", act=self._keep_mapping)
        self.tabs = tab_row("What the file would become")
        self.likely = push_button(theme, "Take the likely meanings", act=self._take_likely)
        self.likely.hide()
        self._lay_out()
        self.columns.changed.connect(self.look)
        self.labels.chosen.connect(self._mean)
        self.look(None)

    @property
    def preview(self) -> Preview | None:
        """What is shown; None while the file is being read."""
        return self._preview

    @property
    def busy(self) -> bool:
        """Whether the file is being read or stored."""
        return self._job is not None

    def look(self, mapping: Mapping | None) -> None:
        """Read the file as a mapping says; None asks for a proposal."""
        if self._job is not None:
            self._job.cancel.request()
        files, policy, path, cancel = self._context.studio.golden_files, self._policy, self._path, Cancel()
        self.take.setEnabled(False)
        self.summary.setText("Reading the file…")
        jobs: list[Job] = []

        def tell(progress: Progress) -> None:
            if jobs:
                self._context.tasks.progressed.emit(jobs[0], progress.done, progress.total)

        def done(seen: Preview) -> None:
            if jobs[0] is self._job:
                self._job = None
                self._show(seen)

        def failed(error: Exception) -> None:
            if jobs[0] is self._job and not isinstance(error, Stopped):
                self._job = None
                self._fail(error)

        self._job = self._context.tasks.run(
            Lane.ANALYSE,
            lambda: files.preview(path, policy, mapping, on_progress=tell, cancel=cancel),
            on_done=done,
            on_error=failed,
            title=f"Reading {path.name}",
            cancel=cancel,
        )
        jobs.append(self._job)

    def reject(self) -> None:
        """Leave; what is being read or stored is stopped, and nothing of it stays."""
        if self._job is not None:
            self._job.cancel.request()
            self._job = None
        super().reject()

    def answer(self, question: Question, value: str | float) -> None:
        """Take the answer to a question and look at the file again."""
        if self._preview is not None and value != "":
            self.look(answered(self._preview.mapping, question, value))

    def _mean(self, label: str, word: str, labels: tuple[str, ...]) -> None:
        if self._preview is None:
            return
        if label:
            self._reckon(meant(self._preview.mapping, label, word, tuple(labels)))
        else:
            self.look(all_alike(self._preview.mapping, word, tuple(labels)))

    def _take_likely(self) -> None:
        if self._preview is not None:
            self._reckon(likely(self._preview.mapping, self._preview.questions))

    def _reckon(self, mapping: Mapping) -> None:
        """Other meanings of the labels: counted at once, as the file stays as it was read."""
        seen = self._preview
        if seen is None or self._job is not None:
            self.look(mapping)
            return
        self._show(self._context.studio.golden_files.meaning(seen, mapping, self._policy))

    def _show(self, seen: Preview) -> None:
        before, self._preview = self._preview, seen
        self.problem.hide()
        if before is None or before.table is not seen.table:
            self.columns.show_preview(seen)
        self.labels.show_preview(seen, self._policy)
        self._ask(seen)
        decisions = {word.replace("_", " "): number for word, number in seen.decisions.items()}
        parts = ", ".join(f"{number:,} {word}" for word, number in decisions.items())
        shape = seen.mapping.shape
        known = "" if shape == _ANY_SHAPE else f", read as {shape.replace('_', ' ')}"
        lines = [f"{count(seen.items, 'item')}{known}: {parts}."]
        self.summary.setText(" ".join([*lines, *seen.mapping.notes]))
        skipped = [f"Row {item.row}: {item.why}" if item.row else item.why for item in seen.skipped[:_SHOWN_SKIPPED]]
        more = len(seen.skipped) - len(skipped)
        self.skipped.show_text("\n".join([*skipped, *([f"and {more:,} more rows"] if more > 0 else [])]) or "None.")
        self.tabs.setTabText(1, f"Columns ({len(seen.columns)})")
        self.tabs.setTabText(0, f"Labels ({len(seen.by_label)})")
        self.tabs.setTabText(2, f"Left out ({seen.skipped_count:,})")
        kept = seen.items - seen.decisions.get("skip", 0)
        self.take.setText(f"Import {count(kept, 'example')}")
        self.take.setEnabled(not seen.questions and bool(kept))
        self.likely.setVisible(sum(q.where[0] == "values" and bool(q.suggested) for q in seen.questions) > 1)
        open_questions = len(seen.questions)
        self._open.setText(f"{count(open_questions, 'answer')} still needed" if open_questions else "")

    def _ask(self, seen: Preview) -> None:
        """Show the questions about the file and its thresholds; those about labels stand in their table."""
        for widget in self.answers.values():
            self._questions.removeWidget(widget)
            widget.deleteLater()
        self.answers = {}
        for question in seen.questions:
            if question.where[0] != "values":
                line = self._question(question)
                self._questions.addWidget(line)
                self.answers[question.where] = line
        self._asked.setVisible(bool(self.answers))

    def _question(self, question: Question) -> QWidget:
        line = QWidget()
        field: QComboBox | QDoubleSpinBox
        if question.options:
            field = QComboBox()
            field.addItem("Please say", "")
            for option in question.options:
                field.addItem(option, option)
            field.activated.connect(lambda _at, box=field: self.answer(question, box.currentData()))
            parts = row(text_label(question.ask, wrap=True), None, field)
        else:
            field = QDoubleSpinBox()
            field.setRange(-1e9, 1e9)
            field.setDecimals(4)
            field.setSingleStep(0.05)
            field.setValue(0.5)
            use = push_button(self._context.theme, "Use", act=lambda: self.answer(question, field.value()))
            parts = row(text_label(question.ask, wrap=True), None, field, use)
        parts.setStretch(0, 1)
        field.setAccessibleName(question.ask)
        line.setLayout(parts)
        return line

    def _fail(self, error: Exception) -> None:
        message, hint = getattr(error, "message", str(error)), getattr(error, "hint", "")
        self.problem.setText(f"{message} {hint}".strip())
        self.problem.show()
        self.summary.setText("")
        if self._preview is not None:
            # What was chosen last cannot be had: the tables go back to what could be read.
            self.columns.show_preview(self._preview)
            self.labels.show_preview(self._preview, self._policy)
            self.take.setEnabled(not self._preview.questions)

    def _store(self) -> None:
        seen, files, policy, cancel = self._preview, self._context.studio.golden_files, self._policy, Cancel()
        if seen is None or seen.questions:
            return
        for part in (self.take, self.tabs, self.open_mapping):
            part.setEnabled(False)
        jobs: list[Job] = []

        def tell(progress: Progress) -> None:
            if jobs:
                self._context.tasks.progressed.emit(jobs[0], progress.done, progress.total)

        def done(stored: Stored) -> None:
            self._job, self.stored = None, stored
            self.accept()

        def failed(error: Exception) -> None:
            self._job = None
            for part in (self.tabs, self.open_mapping):
                part.setEnabled(True)
            if not isinstance(error, Stopped):
                self._fail(error)

        self.summary.setText("Storing…")
        self._job = self._context.tasks.run(
            Lane.ANALYSE,
            lambda: files.store(seen, policy, on_progress=tell, cancel=cancel),
            on_done=done,
            on_error=failed,
            title=f"Importing {seen.path.name}",
            cancel=cancel,
        )
        jobs.append(self._job)

    def _open_mapping(self) -> None:
        name, _ = QFileDialog.getOpenFileName(self, "Use a saved mapping", "", "Mapping (*.json)")
        if name:
            self._context.tasks.run(
                Lane.READ,
                lambda: self._context.studio.golden_files.read_mapping(Path(name)),
                on_done=self.look,
                on_error=self._fail,
            )

    def _keep_mapping(self) -> None:
        if self._preview is None:
            return
        name, _ = QFileDialog.getSaveFileName(self, "Save this mapping", "mapping.json", "Mapping (*.json)")
        mapping = self._preview.mapping
        if name:
            self._context.tasks.run(
                Lane.STORE,
                lambda: self._context.studio.golden_files.save_mapping(mapping, Path(name)),
                on_error=self._fail,
            )

    def _lay_out(self) -> None:
        theme = self._context.theme
        self.tabs.addTab(self.labels, "Labels")
        self.tabs.addTab(self.columns, "Columns")
        self.tabs.addTab(self.skipped, "Left out")
        self._open = text_label("", "warn")
        asked = QWidget()
        asked.setLayout(self._questions)
        self._questions.setContentsMargins(0, 0, 0, 0)
        self._asked = scrolling(asked)
        self._asked.setMaximumHeight(theme.scale.px(150))
        self._asked.hide()
        layout = column(
            self.head, self.summary, self.problem, self._asked, self.tabs, spacing=8, margins=(24, 20, 24, 16)
        )
        layout.setStretch(4, 1)
        cancel = push_button(theme, "Cancel", act=self.reject)
        layout.addLayout(row(self.open_mapping, self.keep_mapping, None, self._open, self.likely, cancel, self.take))
        self.setLayout(layout)
        self.resize(theme.scale.px(880), theme.scale.px(600))
