"""What is done to a whole set now and then: import, export, report, the held-out part, duplicates."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFileDialog, QMenu, QWidget

from studio.core.policy import Policy
from studio.core.progress import Cancel, Progress
from studio.services.golden_care import Balance, Duplicates
from studio.ui.context import Context
from studio.ui.golden.hold_out_dialog import HoldOutDialog
from studio.ui.golden.import_dialog import ImportDialog
from studio.ui.golden.work import GoldenWork
from studio.ui.tasks import Job, Lane
from studio.ui.widgets.ask_line import AskLine
from studio.ui.words import count

_OFFERED = "HTML (*.html)"
_FORMS = {_OFFERED: ".html", "PDF (*.pdf)": ".pdf", "JSON (*.json)": ".json", "CSV (*.csv)": ".csv"}
_KINDS = "*.csv *.tsv *.tab *.txt *.json *.jsonl *.ndjson *.yaml *.yml *.parquet *.xlsx *.gz"


class GoldenChores(QWidget):
    """The chores for the policy that the page shows. It has no look; dialogs have it as their parent.

    ``set_changed`` says that other examples, or another held-out part, are in the set now. ``duplicates_found``
    carries what was found.
    """

    set_changed = Signal()
    duplicates_found = Signal(object)

    def __init__(self, context: Context, work: GoldenWork, page: QWidget) -> None:
        super().__init__(page)
        self.hide()
        self._context, self._work = context, work
        self.policy_id = ""
        self.policy: Policy | None = None

    def offer(self, menu: QMenu, *, listed: Callable[[], Sequence[str]], balance: Callable[[], Balance]) -> None:
        """Put the chores into a menu; those about the examples that are listed ask which these are."""
        menu.addAction("Find duplicates", self.find_duplicates)
        menu.addAction("Tag the listed examples…", lambda: self.tag(listed()))
        menu.addAction("Hold out a part…", lambda: self.hold_out(balance()))
        menu.addSeparator()
        menu.addAction("Export the set…", self.export_file)
        menu.addAction("Write the report…", self.write_report)
        menu.addAction("Write the report with contents…", lambda: self.write_report(with_content=True))

    def choose_file(self) -> None:
        """Ask for a labelled file and show what it would become."""
        name, _ = QFileDialog.getOpenFileName(
            self.window(), "Import labelled examples", "", f"Labelled files ({_KINDS});;All (*)"
        )
        if name:
            self.import_file(Path(name))

    def import_file(self, path: Path) -> None:
        """Show what a file would become, and store it once all questions are answered."""
        if self.policy is None:
            return
        dialog = ImportDialog(self._context, self.policy, path, self.window())
        dialog.exec()
        stored = dialog.stored
        dialog.deleteLater()
        if stored is not None:
            there = f", {stored.already:,} were there already" if stored.already else ""
            self._context.changes.status.emit(f"{count(stored.added, 'example')} added{there}")
            self.set_changed.emit()

    def hold_out(self, balance: Balance) -> None:
        """Ask which share is held out, and draw it."""
        care, policy_id = self._context.studio.golden_care, self.policy_id
        dialog = HoldOutDialog(self._context.theme, balance, self.window())
        wanted, share, seed = dialog.exec(), dialog.share, dialog.seed.value()
        dialog.deleteLater()
        if not wanted or not balance.total:
            return

        def done(number: int) -> None:
            self._context.changes.status.emit(f"{count(number, 'example')} held out")
            self.set_changed.emit()

        self._context.tasks.run(Lane.STORE, lambda: care.hold_out(policy_id, share, seed), on_done=done)

    def tag(self, ids: Sequence[str]) -> None:
        """Ask for a tag and give it to all of the examples."""
        if not ids:
            return
        ask = AskLine(
            self._context.theme, self.window(), title=f"Tag {count(len(ids), 'example')}", label="Tag", take="Tag"
        )
        self._context.theme.dress(ask)
        wanted, tag, golden = ask.exec(), ask.text, self._context.studio.golden
        ask.deleteLater()
        if wanted:
            told = f"{count(len(ids), 'example')} tagged “{tag}”"

            def done(_none: object) -> None:
                self._context.changes.status.emit(told)
                self.set_changed.emit()

            self._context.tasks.run(Lane.STORE, lambda: golden.tag(ids, tag), on_done=done)

    def find_duplicates(self) -> None:
        """Look for what stands in the set twice or almost twice, beside the window."""
        care, policy_id, tasks, cancel = self._context.studio.golden_care, self.policy_id, self._context.tasks, Cancel()
        jobs: list[Job] = []

        def tell(progress: Progress) -> None:
            if jobs:
                tasks.progressed.emit(jobs[0], progress.done, progress.total)

        def done(found: Duplicates) -> None:
            if policy_id != self.policy_id:
                return
            words = f"{count(len(found.exact), 'group')} of the same content, {len(found.near):,} of nearly the same"
            apart = f"; {len(found.contradicting):,} contradict themselves" if found.contradicting else ""
            self._context.changes.status.emit(words + apart)
            self.duplicates_found.emit(found)

        jobs.append(
            tasks.run(
                Lane.ANALYSE,
                lambda: care.duplicates(policy_id, on_progress=tell, cancel=cancel),
                on_done=done,
                title="Looking for duplicates",
                cancel=cancel,
            )
        )

    def export_file(self) -> None:
        """Write the set to a file."""
        name, _ = QFileDialog.getSaveFileName(
            self.window(), "Export the golden set", "golden.jsonl", "JSONL (*.jsonl);;CSV (*.csv)"
        )
        if not name:
            return
        files, policy_id, path = self._context.studio.golden_files, self.policy_id, Path(name)

        def done(number: int) -> None:
            self._context.changes.status.emit(f"{count(number, 'example')} written to {path.name}")

        self._context.tasks.run(
            Lane.STORE, lambda: files.export(policy_id, path), on_done=done, title="Exporting the golden set"
        )

    def write_report(self, *, with_content: bool = False) -> None:
        """Write what is shown as a report."""
        if self._work.shown is None:
            self._context.errors.tell("There is nothing to report yet", "Run the policy over its golden set first.")
            return
        name, form = QFileDialog.getSaveFileName(self.window(), "Write the report", "report.html", ";;".join(_FORMS))
        if not name:
            return
        path = _named(Path(name), _FORMS.get(form, ""))
        if path != Path(name) and path.exists():
            # The dialog asked about the other name.
            self._context.errors.tell(f"There is a {path.name} already", "Name it in full to replace it.")
            return
        self._work.write_report(path, with_content=with_content)


def _named(path: Path, ending: str) -> Path:
    """The file with the ending of the form that was chosen: some systems leave the one that was offered first."""
    has = path.suffix.casefold()
    if has == _FORMS[_OFFERED] and ending:
        return path.with_suffix(ending)
    return path if has in _FORMS.values() else path.with_name(path.name + ending)
