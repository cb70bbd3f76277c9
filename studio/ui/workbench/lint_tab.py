"""The Lint tab: what is wrong or weak in the open policy, where, why, and what mends it."""

from __future__ import annotations

from collections import Counter

from PySide6.QtCore import QSize, Qt, QTimer, Signal
from PySide6.QtGui import QTextCursor
from PySide6.QtWidgets import QHeaderView, QTreeWidget, QTreeWidgetItem, QWidget

from studio.core.policy import Policy
from studio.services.lint import Finding, Severity, lint_policy
from studio.ui.context import Context
from studio.ui.tasks import Lane
from studio.ui.widgets.basics import column, frame, push_button, row, spread, text_label
from studio.ui.widgets.empty import EmptyState
from studio.ui.workbench.document import PolicyDocument
from studio.ui.workbench.editor import PolicyEditor
from studio.ui.workbench.lint_marks import Mark, mark_icon, marks_in

_PAUSE_MS = 250
_LINE = 1


class LintTab(QWidget):
    """Lints the open policy beside the window after each pause, and shows the findings here and in the editor.

    ``counted`` tells how many findings there are, and the same in words by severity.
    """

    counted = Signal(int, str)

    def __init__(self, context: Context, editor: PolicyEditor, document: PolicyDocument) -> None:
        super().__init__()
        self._context, self._editor, self._document = context, editor, document
        self._marks: list[Mark] = []
        self._linted: Policy | None = None
        self._wanted: Policy | None = None
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_PAUSE_MS)
        self._timer.timeout.connect(self._lint)
        self._lay_out()
        document.changed.connect(self._timer.start)
        context.changes.model.connect(self._again)
        context.theme.changed.connect(self._paint)

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What is shown."""
        return tuple(mark.finding for mark in self._marks)

    def go_on(self, step: int) -> None:
        """Go to the next finding after the cursor (``step`` 1), or to the one before it (-1), round the end."""
        if not self._marks:
            self._context.changes.status.emit("The linter has no findings")
            return
        at = self._editor.textCursor().selectionStart()
        places = [mark.cursor.selectionStart() for mark in self._marks]
        current = self._place()
        if 0 <= current < len(places) and places[current] == at:
            place = current + step
        elif step > 0:
            place = next((n for n, other in enumerate(places) if other > at or (other == at and current < 0)), 0)
        else:
            place = next((n for n in reversed(range(len(places))) if places[n] < at), len(places) - 1)
        self._show(place % len(places))

    def take_focus(self) -> None:
        """Put the focus into the list, on a finding that says more."""
        self._choose(max(0, self._place()))
        self.list.setFocus(Qt.FocusReason.OtherFocusReason)

    def fix(self) -> None:
        """Make the safe fix of the finding that is chosen, as one step of undo."""
        mark = self._chosen()
        if mark is None or not mark.finding.fix or self._linted is None:
            return
        text = self._editor.exact_text()
        if text != self._linted.text:
            # Typed since: the places are those of an older text. The findings of this one are on their way.
            return
        cursor = QTextCursor(self._editor.document())
        cursor.beginEditBlock()
        for edit in sorted(mark.finding.fix, key=lambda edit: -edit.start):
            (place,) = marks_in(self._editor.document(), text, [_at(mark.finding, edit.start, edit.end)])
            cursor.setPosition(place.cursor.selectionStart())
            cursor.setPosition(place.cursor.selectionEnd(), QTextCursor.MoveMode.KeepAnchor)
            cursor.insertText(edit.text)
        cursor.endEditBlock()
        self._editor.setFocus(Qt.FocusReason.OtherFocusReason)

    def _lay_out(self) -> None:
        theme = self._context.theme
        self.list = QTreeWidget()
        self.list.setAccessibleName("Findings of the linter")
        self.list.setHeaderHidden(True)
        theme.follow(self.list, lambda: self.list.setMinimumHeight(theme.scale.px(32)))
        self.list.setRootIsDecorated(False)
        self.list.setColumnCount(2)
        self.list.header().setStretchLastSection(False)
        self.list.header().setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        self.list.header().setSectionResizeMode(_LINE, QHeaderView.ResizeMode.ResizeToContents)
        self.list.currentItemChanged.connect(lambda: self._explain())
        self.list.itemActivated.connect(lambda: self._go())
        self.list.itemClicked.connect(lambda: self._go())
        self.words = text_label("", "quiet", wrap=True)
        self.words.setAlignment(Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeading)
        self.fix_button = push_button(theme, "Fix", "", "wrench", act=self.fix)
        self.detail = frame("note", row(spread(self.words), self.fix_button, margins=(16, 8, 12, 8)))
        self.empty = EmptyState(theme, "check-circle", "No findings", "The linter reads along while you write.")
        self.setLayout(column(self.list, self.empty, self.detail, spacing=0))
        self._fill()

    def _again(self) -> None:
        """Another model counts tokens otherwise."""
        self._wanted = None
        self._timer.start()

    def _lint(self) -> None:
        if not self._document.is_open:
            return
        policy, studio = self._document.policy, self._context.studio
        if policy == self._wanted:
            return
        self._wanted = policy
        self._context.tasks.run(
            Lane.TOKENS, lambda: lint_policy(studio, policy), on_done=lambda found: self._take(policy, found)
        )

    def _take(self, policy: Policy, findings: tuple[Finding, ...]) -> None:
        if policy != self._wanted or self._editor.exact_text() != policy.text:
            return
        kept = self._chosen()
        self._linted = policy
        before, self._marks = self._marks, marks_in(self._editor.document(), policy.text, findings)
        if [_shown(mark.finding) for mark in before] == [_shown(mark.finding) for mark in self._marks]:
            self._move_lines()
            return
        self._fill()
        if kept is not None:
            same = [n for n, mark in enumerate(self._marks) if mark.finding.message == kept.finding.message]
            if same:
                self._choose(same[0])

    def _fill(self) -> None:
        self.list.clear()
        self.list.addTopLevelItems([_item(mark.finding) for mark in self._marks])
        self._paint()
        self._explain()
        self.list.setVisible(bool(self._marks))
        self.empty.setVisible(not self._marks)
        self._editor.show_marks(self._marks)
        self.counted.emit(len(self._marks), _counts(self.findings))

    def _move_lines(self) -> None:
        """The same findings, some of them on other lines: the list stays as it is."""
        for place, mark in enumerate(self._marks):
            item, line = self.list.topLevelItem(place), f"line {mark.finding.line}"
            if item is not None and item.text(_LINE) != line:
                item.setText(_LINE, line)
                item.setData(0, Qt.ItemDataRole.AccessibleTextRole, _spoken(mark.finding))
        self._editor.show_marks(self._marks)

    def _paint(self) -> None:
        side = self._context.theme.scale.px(12)
        self.list.setIconSize(QSize(side, side))
        icons = {one: mark_icon(self._context.theme, one, self.devicePixelRatioF()) for one in Severity}
        for place, mark in enumerate(self._marks):
            item = self.list.topLevelItem(place)
            if item is not None:
                item.setIcon(0, icons[mark.finding.severity])

    def _chosen(self) -> Mark | None:
        place = self._place()
        return self._marks[place] if 0 <= place < len(self._marks) else None

    def _place(self) -> int:
        """Which finding is chosen in the list; -1 when none is."""
        item = self.list.currentItem()
        return self.list.indexOfTopLevelItem(item) if item is not None else -1

    def _choose(self, place: int) -> None:
        item = self.list.topLevelItem(place)
        if item is not None:
            self.list.setCurrentItem(item)

    def _explain(self) -> None:
        mark = self._chosen()
        self.detail.setVisible(mark is not None)
        if mark is not None:
            self.words.setText(f"{mark.finding.reason} {mark.finding.advice}")
            self.fix_button.setVisible(bool(mark.finding.fix))

    def _show(self, place: int) -> None:
        self._choose(place)
        self._go()

    def _go(self) -> None:
        mark = self._chosen()
        if mark is not None:
            self._editor.setTextCursor(mark.cursor)
            self._editor.centerCursor()


def _item(finding: Finding) -> QTreeWidgetItem:
    item = QTreeWidgetItem([finding.message, f"line {finding.line}"])
    item.setToolTip(0, f"{finding.message}\n{finding.reason}\n{finding.advice}")
    item.setData(0, Qt.ItemDataRole.AccessibleTextRole, _spoken(finding))
    item.setTextAlignment(_LINE, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
    return item


def _spoken(finding: Finding) -> str:
    return f"{finding.severity}, line {finding.line}: {finding.message}"


def _shown(finding: Finding) -> tuple[object, ...]:
    """What the list shows of a finding, but for its line."""
    return (finding.rule, finding.severity, finding.message, finding.reason, finding.advice, bool(finding.fix))


def _counts(findings: tuple[Finding, ...]) -> str:
    """The findings by severity in words: ``1 error, 2 warnings``."""
    counts = Counter(finding.severity for finding in findings)
    parts = [f"{counts[one]} {one}{'' if counts[one] == 1 else 's'}" for one in Severity if counts[one]]
    return ", ".join(parts) or "No findings"


def _at(finding: Finding, start: int, end: int) -> Finding:
    """The finding moved to the place of one of its edits."""
    return Finding(
        finding.rule, finding.severity, start, end, finding.line, finding.column, finding.message, finding.reason,
        finding.advice,
    )  # fmt: skip
