"""The Settings page: few choices, each with a default; where things lie; and how the machine stands."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

from PySide6.QtCore import QDate, QSignalBlocker, Qt, QTimer, QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QDateEdit, QFrame, QGridLayout, QLabel, QLineEdit, QVBoxLayout, QWidget

from studio import paths
from studio.core.policy import Effort
from studio.core.run import GREEDY, SAMPLED
from studio.services.author import account_name
from studio.services.doctor import DoctorReport, Health, report
from studio.settings import LONGEST_NAME
from studio.settings import Theme as ThemeChoice
from studio.ui.context import Context, Page
from studio.ui.settings.budgets import Budgets
from studio.ui.settings.model_place import ModelPlace
from studio.ui.tasks import Lane
from studio.ui.widgets.basics import ElidedLabel, column, frame, push_button, row, scrolling, text_label
from studio.ui.widgets.controls import Choice
from studio.ui.words import EFFORT, path_words

_WIDEST = 760
_TALL = 64
"""A control from this height on has its words at its top, not beside its middle."""
_FONT_SIZES = (None, 9, 10, 11, 12, 14, 16, 18, 20, 24)
_THEMES = {ThemeChoice.SYSTEM: "As the system", ThemeChoice.LIGHT: "Light", ThemeChoice.DARK: "Dark"}
_SAMPLINGS = {GREEDY: "Reproducible", SAMPLED: "Sampled"}
_STRICT = {False: "As quick as it goes", True: "Strict"}
_MARKS = {Health.GOOD: "●", Health.WARN: "▲", Health.BAD: "⬣"}


class SettingsPage(Page):
    """Shows and changes the settings."""

    def __init__(self, context: Context) -> None:
        super().__init__()
        self._context = context
        theme, values = context.theme, context.preferences.values
        self.theme = Choice(theme, _THEMES, "Colours")
        self.theme.choose(values.theme)
        sizes = {points: "As the system" if points is None else f"{points} points" for points in _FONT_SIZES}
        if values.font_size not in sizes:
            sizes[values.font_size] = f"{values.font_size} points"
        self.font_size = Choice(theme, sizes, "Size of text")
        self.font_size.choose(values.font_size)
        efforts: dict[Effort | None, str] = {None: "As each policy asks"}
        efforts |= {effort: word for effort, word in EFFORT.items()}
        self.effort = Choice(theme, efforts, "Effort")
        self.effort.choose(values.effort)
        self.budgets = Budgets(values.thinking_budgets)
        samplings = dict(_SAMPLINGS)
        if values.sampling not in samplings:
            samplings[values.sampling] = f"Temperature {values.sampling.temperature:g}"
        self.sampling = Choice(theme, samplings, "Sampling")
        self.sampling.choose(values.sampling)
        self.strict = Choice(theme, _STRICT, "Repeating a run")
        self.strict.choose(values.strict)
        self.pinned = QDateEdit()
        self.pinned.setCalendarPopup(True)
        self.pinned.setDisplayFormat("d MMMM yyyy")
        self.pinned.setAccessibleName("Date in the prompt")
        self.today = push_button(theme, "Today", act=lambda: self._pin(datetime.now(UTC).astimezone().date()))
        self.author = QLineEdit(values.author)
        self.author.setPlaceholderText(account_name())
        self.author.setMaxLength(LONGEST_NAME)
        self.author.setAccessibleName("Your name")
        self.models = ModelPlace(context)
        self._facts = QGridLayout()
        self._facts.setHorizontalSpacing(16)
        self._facts.setVerticalSpacing(8)
        self.report_button = push_button(theme, "Look now", icon_name="heartbeat", act=self.show_report)
        self._report_card = frame("card")
        self._lay_out()
        self._connect()

    def entered(self) -> None:
        """Read what the workspace says."""
        self.setFocus(Qt.FocusReason.OtherFocusReason)
        studio = self._context.studio
        self._context.tasks.run(Lane.READ, studio.pinned_date, on_done=self._show_date)
        self.models.look()

    def show_report(self) -> None:
        """Look at everything once and list it."""
        studio = self._context.studio
        self.report_button.setEnabled(False)

        def show(found: DoctorReport) -> None:
            self.report_button.setEnabled(True)
            self._show_facts(found)

        self._context.tasks.run(Lane.MODEL, lambda: report(studio), on_done=show, title="Looking at this machine")

    def _connect(self) -> None:
        change = self._context.preferences.change
        self.theme.chosen.connect(lambda value: change(theme=value))
        self.font_size.chosen.connect(lambda value: change(font_size=value))
        self.effort.chosen.connect(lambda value: change(effort=value))
        self.budgets.chosen.connect(self._limit_thinking)
        self.sampling.chosen.connect(lambda value: change(sampling=value))
        self.strict.chosen.connect(self._be_strict)
        self.author.editingFinished.connect(lambda: change(author=self.author.text().strip()))
        self.pinned.dateChanged.connect(lambda day: self._pin(date(day.year(), day.month(), day.day())))

    def _limit_thinking(self, budgets: dict[Effort, int]) -> None:
        """Remember it, for what is judged from now on."""
        self._context.preferences.change(thinking_budgets=budgets)
        self._context.studio.judge.set_budgets(budgets)

    def _be_strict(self, strict: bool) -> None:
        """Remember it, and load the model anew with it; what runs now ends as it began."""
        self._context.preferences.change(strict=strict)
        models, changes = self._context.studio.models, self._context.changes
        models.set_strict(strict)
        self._context.tasks.run(
            Lane.MODEL, models.load, on_done=lambda _info: changes.model.emit(), title="Loading the model"
        )

    def _pin(self, day: date) -> None:
        studio = self._context.studio
        self._context.tasks.run(Lane.STORE, lambda: studio.pin_date(day), on_done=self._show_date)

    def _show_date(self, day: date) -> None:
        with QSignalBlocker(self.pinned):
            self.pinned.setDate(QDate(day.year, day.month, day.day))

    def _show_facts(self, found: DoctorReport) -> None:
        while (item := self._facts.takeAt(0)) is not None:
            widget = item.widget()
            if widget is not None:
                widget.deleteLater()
        for line, fact in enumerate(found.facts):
            kind = "quiet" if fact.health is Health.GOOD else "warn"
            mark = text_label(_MARKS[fact.health], kind)
            mark.setAccessibleName(
                {Health.GOOD: "good", Health.WARN: "look at this", Health.BAD: "broken"}[fact.health]
            )
            value = text_label("\n".join(part for part in (fact.value, fact.hint) if part), wrap=True)
            value.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            top = Qt.AlignmentFlag.AlignTop
            self._facts.addWidget(mark, line, 0, top)
            self._facts.addWidget(text_label(fact.name, "quiet"), line, 1, top)
            self._facts.addWidget(value, line, 2, top)
        self._facts.setColumnStretch(2, 1)
        self._report_card.show()
        # Once it is laid out: it may be further down than what is in sight.
        QTimer.singleShot(0, self, lambda: self._scroll.ensureWidgetVisible(self._report_card))

    def _lay_out(self) -> None:
        content = QVBoxLayout()
        content.setSpacing(12)
        content.addWidget(text_label("Settings", "title"))
        date_row = QWidget()
        date_row.setLayout(row(self.pinned, self.today))
        content.addWidget(
            self._section(
                "Look",
                ("Colours", "", self.theme),
                ("Size of text", "", self.font_size),
            )
        )
        content.addWidget(self._section("You", ("Your name", "Stands beside the versions that you save.", self.author)))
        content.addWidget(
            self._section(
                "Judging",
                ("Effort", "How long the model may think, unless chosen for a run.", self.effort),
                (
                    "Most reasoning",
                    "After so many tokens the reasoning is closed and the answer asked for; the verdict says so. "
                    "Not on servers.",
                    self.budgets,
                ),
                ("Answers", "Reproducible answers the same every time. Sampled answers vary.", self.sampling),
                (
                    "Repeating a run",
                    "Strict judges one at a time, and the same run again gives the same answer bit for bit. "
                    "Otherwise several are judged together, and rounding may turn a close call.",
                    self.strict,
                ),
                (
                    "Date in the prompt",
                    "Stays the same from day to day, so that prompts stay the same.",
                    date_row,
                ),
            )
        )
        content.addWidget(self._places())
        content.addWidget(
            self._section(
                "This machine", ("Health", "What runs where, and that nothing is connected.", self.report_button)
            )
        )
        self._report_card.setLayout(self._facts)
        self._facts.setContentsMargins(16, 16, 16, 16)
        self._report_card.hide()
        content.addWidget(self._report_card)
        content.addStretch(1)
        middle = QWidget()
        middle.setLayout(content)
        middle.setMaximumWidth(self._context.theme.scale.px(_WIDEST))
        body = QWidget()
        outer = row(None, middle, None, margins=(32, 24, 32, 24))
        outer.setStretch(1, 100)
        body.setLayout(outer)
        self._scroll = scrolling(body)
        self.setLayout(column(self._scroll, spacing=0))

    def _places(self) -> QFrame:
        places = self._section(
            "Where things lie",
            (
                "Workspace",
                self._context.studio.workspace_path,
                self._opener("workspace", self._context.studio.workspace_path.parent),
            ),
            ("Log", paths.logs_dir(), self._opener("log", paths.logs_dir())),
        )
        layout = places.layout()
        assert layout is not None
        layout.addWidget(self.models)
        return places

    def _section(self, title: str, *rows: tuple[str, str | Path, QWidget]) -> QFrame:
        layout = column(text_label(title, "section"), spacing=12, margins=(16, 16, 16, 16))
        for name, words, control in rows:
            label: QLabel = text_label(name)
            label.setBuddy(control)
            told = column(label, spacing=2)
            if words and isinstance(words, Path):
                told.addWidget(ElidedLabel(path_words(words), "small", mode=Qt.TextElideMode.ElideMiddle))
            elif words:
                told.addWidget(text_label(str(words), "small", wrap=True))
            tall = control.sizeHint().height() > self._context.theme.scale.px(_TALL)
            if tall:
                told.addStretch(1)
            line = row(spacing=24)
            line.addLayout(told, 1)
            line.addWidget(control, 0, Qt.AlignmentFlag.AlignTop if tall else Qt.AlignmentFlag.AlignVCenter)
            layout.addLayout(line)
        return frame("card", layout)

    def _opener(self, whose: str, folder: Path) -> QWidget:
        button = push_button(
            self._context.theme,
            "Open folder",
            icon_name="folder-open",
            act=lambda: _open_folder(folder),
        )
        button.setAccessibleName(f"Open the folder of the {whose}")
        return button


def _open_folder(folder: Path) -> None:
    QDesktopServices.openUrl(QUrl.fromLocalFile(str(folder)))
