"""The main window: places rail, top bar, banners, pages and footer, and connects what one page wants of another."""

from __future__ import annotations

from PySide6.QtCore import QByteArray, QTimer, Signal
from PySide6.QtGui import QCloseEvent, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QMainWindow, QMenu, QStackedWidget, QVBoxLayout, QWidget

from studio.core.progress import Cancel, Progress
from studio.core.run import Run
from studio.ui.actions import GOLDEN, WORKBENCH, Act, Actions, keys_text
from studio.ui.context import Context, Page
from studio.ui.errors import Mend, Notice
from studio.ui.frame.footer import Footer
from studio.ui.frame.keys import KeysDialog
from studio.ui.frame.palette import Palette
from studio.ui.frame.rail import Place, Rail
from studio.ui.frame.top_bar import TopBar
from studio.ui.golden.page import GoldenPage
from studio.ui.history.page import HistoryPage
from studio.ui.models.page import ModelsPage
from studio.ui.settings.page import SettingsPage
from studio.ui.tasks import Job, Lane
from studio.ui.widgets.banner import BannerHost
from studio.ui.words import count
from studio.ui.workbench.page import WorkbenchPage

_NARROW_BELOW = 1100
_CLOSE_MS = 5000
PLACES = (
    Place(WORKBENCH, "Workbench", "scales", keys_text(Act.PAGE_WORKBENCH)),
    Place(GOLDEN, "Golden set", "circle-wavy-check", keys_text(Act.PAGE_GOLDEN)),
    Place("history", "History", "clock-counter-clockwise", keys_text(Act.PAGE_HISTORY)),
    Place("models", "Models", "cube", keys_text(Act.PAGE_MODELS), low=True),
    Place("settings", "Settings", "gear", keys_text(Act.PAGE_SETTINGS), low=True),
)


class MainWindow(QMainWindow):
    """The window. ``closed`` comes when everything is kept and nothing runs any more."""

    closed = Signal()

    def __init__(self, context: Context) -> None:
        super().__init__()
        self._context = context
        self.errors = context.errors
        self.tasks = context.tasks
        self._is_closed = False
        self.setWindowTitle(f"{context.studio.workspace_name} · Moderation Studio")
        self.banners = BannerHost(context.theme)
        context.errors.raised.connect(self._show_notice)
        self.actions_table = Actions(self)
        self.workbench = WorkbenchPage(context)
        self.golden = GoldenPage(context)
        self.history = HistoryPage(context)
        self.models = ModelsPage(context)
        self.settings = SettingsPage(context)
        self.pages: dict[str, Page] = {
            WORKBENCH: self.workbench,
            GOLDEN: self.golden,
            "history": self.history,
            "models": self.models,
            "settings": self.settings,
        }
        self.rail = Rail(context.theme, PLACES)
        self.top_bar = TopBar(context)
        self.footer = Footer(context)
        parts = [part for page in self.pages.values() for part in page.parts]
        for part in (self.rail, self.top_bar, self.banners, self.footer, *parts):
            context.theme.dress(part)
        self._stack = QStackedWidget()
        for page in self.pages.values():
            self._stack.addWidget(page)
        self.palette_list = Palette(context, self.actions_table, self, self._open_policy, self._open_session)
        self._lay_out()
        self._connect()
        self._restore_geometry()
        context.theme.changed.connect(self._fit_rail)
        self.go_to(WORKBENCH)
        QTimer.singleShot(0, self._begin)

    def go_to(self, key: str) -> None:
        """Bring a page into view."""
        page = self.pages[key]
        if key == GOLDEN and self.workbench.policy.document.is_open:
            self.golden.prefer(self.workbench.policy.document.policy.id)
        self._stack.setCurrentWidget(page)
        self.rail.show_page(key)
        self.actions_table.enable_for(key)
        self.footer.show_keys(runs=key in (WORKBENCH, GOLDEN))
        page.entered()

    @property
    def page(self) -> str:
        """The key of the page in view."""
        return next(key for key, page in self.pages.items() if page is self._stack.currentWidget())

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: D102  Qt's name
        super().resizeEvent(event)
        self._fit_rail()

    def _fit_rail(self) -> None:
        self.rail.set_narrow(self.width() < self._context.theme.scale.px(_NARROW_BELOW))

    def closeEvent(self, event: QCloseEvent) -> None:  # noqa: D102  Qt's name
        self.shut_down()
        event.accept()

    def shut_down(self) -> None:
        """Keep everything, stop what runs and end. Doing it twice is doing it once."""
        if self._is_closed:
            return
        self._is_closed = True
        geometry = bytes(self.saveGeometry().toBase64().data()).decode("ascii")
        self._context.preferences.keep_layout("window", geometry)
        for page in self.pages.values():
            page.leaving()
        self._context.preferences.flush()
        self.hide()
        self._context.tasks.close(_CLOSE_MS)
        self._context.studio.close()
        self.closed.emit()

    def load_model(self) -> None:
        """Load the model in use beside the window; the chip says how it goes."""
        models, tasks, cancel = self._context.studio.models, self.tasks, Cancel()
        job: list[Job] = []

        def told(progress: Progress) -> None:
            if job:
                tasks.progressed.emit(job[0], progress.done, progress.total)

        def failed(error: Exception) -> None:
            self.top_bar.set_loading(False, failed=True)
            if not cancel.requested:
                self._context.errors.show(error, Mend("Choose a model", lambda: self.go_to("models")))

        self.top_bar.set_loading(True)
        job.append(
            tasks.run(
                Lane.MODEL,
                lambda: models.load(told, cancel),
                on_done=self._model_loaded,
                on_error=failed,
                title="Loading the model",
                cancel=cancel,
            )
        )

    def _begin(self) -> None:
        problem = self._context.preferences.problem
        if problem is not None:
            self._context.errors.show(problem)
        interrupted = self._context.studio.interrupted
        if interrupted:
            what = "was" if len(interrupted) == 1 else "were"
            self._context.errors.tell(
                f"{count(len(interrupted), 'run')} {what} interrupted",
                "The studio ended while it ran. Nothing of what was kept is lost.",
                mend=Mend("Show", lambda: self._show_run(interrupted[0])),
            )
        self.load_model()

    def _model_loaded(self, _info: object) -> None:
        self.top_bar.set_loading(False)
        self._context.changes.model.emit()

    def _show_notice(self, notice: Notice) -> None:
        self.banners.show_notice(notice)

    def _open_policy(self, policy_id: str) -> None:
        self.go_to(WORKBENCH)
        self.workbench.open_policy(policy_id)

    def _open_session(self, session_id: str) -> None:
        self.go_to("history")
        self.history.show_session(session_id)

    def _show_run(self, run: Run) -> None:
        self.go_to("history")
        self.history.show_run(run)

    def _reopen(self, run: Run) -> None:
        self.go_to(WORKBENCH)
        self.workbench.reopen(run)

    def _show_keys(self) -> None:
        word = next(place.word for place in PLACES if place.key == self.page)
        KeysDialog(self._context.theme, self, self.page, word).exec()

    def _connect(self) -> None:
        bench, table = self.workbench, self.actions_table
        for act, slot in {
            Act.RUN: bench.run,
            Act.STOP: bench.stop,
            Act.SAVE_VERSION: bench.policy.save_version,
            Act.GOLDEN: bench.verdict.save_right,
            Act.WRONG: bench.verdict.ask_right,
            Act.REPEAT: bench.verdict.repeat,
            Act.WHY: bench.verdict.ask_why,
            Act.LIVE: bench.live.toggle,
            Act.FIND: bench.policy.find_bar.open_bar,
            Act.FOLD: bench.policy.editor.folds.toggle_at_cursor,
            Act.FOLD_ALL: bench.policy.editor.folds.toggle_all,
            Act.NEXT_FINDING: lambda: bench.policy.lint.go_on(1),
            Act.LAST_FINDING: lambda: bench.policy.lint.go_on(-1),
            Act.NEW_POLICY: bench.policy.compose.new,
            Act.DETAILS: bench.policy.edit_details,
            Act.MERGE: bench.policy.compose.merge,
            Act.SPLIT: bench.policy.compose.split,
            Act.OPEN_POLICY: bench.policy.open_file,
            Act.EXPORT_POLICY: bench.policy.export_file,
            Act.VERSIONS: bench.show_versions,
            Act.MATRIX: bench.show_matrix,
            Act.SAVE_PACK: bench.policy.packs.save_pack,
            Act.OPEN_PACK: bench.policy.packs.open_pack,
            Act.OPEN_FOLDER: bench.policy.packs.open_folder,
            Act.HIDDEN: bench.content.toggle_hidden,
            Act.COPY_JSON: bench.verdict.copy_json,
            Act.COPY_TEXT: bench.verdict.copy_text,
            Act.GOLDEN_RUN: self.golden.run,
            Act.GOLDEN_STOP: self.golden.work.stop,
            Act.GOLDEN_SAVE: self.golden.detail.save.click,
            Act.GOLDEN_FIND: self.golden.filters.search.setFocus,
            Act.GOLDEN_IMPORT: self.golden.chores.choose_file,
            Act.PALETTE: self.palette_list.open,
            Act.KEYS: self._show_keys,
            Act.QUIT: self.close,
        }.items():
            table[act].triggered.connect(slot)
        for key in self.pages:
            table[Act(f"page_{key}")].triggered.connect(lambda _checked=False, key=key: self.go_to(key))
        self._fill_menu()
        self.rail.chosen.connect(self.go_to)
        self.top_bar.palette_wanted.connect(self.palette_list.open)
        self.top_bar.models_wanted.connect(lambda: self.go_to("models"))
        self.top_bar.shield_wanted.connect(self._show_report)
        self.history.reopen_wanted.connect(self._reopen)
        self.golden.bench_wanted.connect(self._reopen)
        bench.verdict.repeats.runs_wanted.connect(self._open_session)
        bench.verdict.why.runs_wanted.connect(self._open_session)
        self.models.load_wanted.connect(self.load_model)
        bench.runner.finished.connect(self.top_bar.note_speed)

    def _fill_menu(self) -> None:
        """What can be done with a policy as a whole, behind its three dots."""
        button, table = self.workbench.policy.more_button, self.actions_table
        more = QMenu(button)
        more.addActions([table[Act.NEW_POLICY], table[Act.OPEN_POLICY], table[Act.EXPORT_POLICY]])
        more.addSeparator()
        more.addActions([table[Act.OPEN_PACK], table[Act.SAVE_PACK], table[Act.OPEN_FOLDER]])
        more.addSeparator()
        more.addActions([table[Act.DETAILS], table[Act.MERGE], table[Act.SPLIT]])
        more.addSeparator()
        more.addActions([table[Act.FIND], table[Act.SAVE_VERSION], table[Act.VERSIONS], table[Act.MATRIX]])
        button.setMenu(more)
        button.setPopupMode(button.ToolButtonPopupMode.InstantPopup)

    def _show_report(self) -> None:
        self.go_to("settings")
        self.settings.show_report()

    def _lay_out(self) -> None:
        right = QVBoxLayout()
        right.setContentsMargins(0, 0, 0, 0)
        right.setSpacing(0)
        right.addWidget(self.top_bar)
        right.addWidget(self.banners)
        right.addWidget(self._stack, 1)
        right.addWidget(self.footer)
        whole = QHBoxLayout()
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(0)
        whole.addWidget(self.rail)
        whole.addLayout(right, 1)
        body = QWidget()
        body.setLayout(whole)
        self.setCentralWidget(body)

    def _restore_geometry(self) -> None:
        kept = self._context.preferences.layout("window")
        if not (kept and self.restoreGeometry(QByteArray.fromBase64(kept.encode("ascii", "replace")))):
            self.resize(1280, 800)
