"""The two tables of the import: what each column is for, and what each label of the file means."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import QAbstractItemView, QComboBox, QHeaderView, QTableWidget, QTableWidgetItem, QWidget

from studio.core.labels import Decision
from studio.core.policy import Policy
from studio.services.golden_import import Preview
from studio.services.import_mapping import SKIP, UNKNOWN, Role, can_place, placed, roles, said
from studio.ui.theme import Theme
from studio.ui.words import DECISION

ROLE = {
    Role.CONTENT: "Content",
    Role.PROMPT: "Prompt",
    Role.RESPONSE: "Response",
    Role.CONTEXT: "Context before the content",
    Role.TURNS: "Turns of a conversation",
    Role.LABEL: "Label: what is right",
    Role.FLAG: "Yes or no for one label",
    Role.CODES: "Codes of the policy's labels",
    Role.WHY: "Why",
    Role.DECIDED_BY: "Who decided",
    Role.ID: "Name of the example",
    Role.TAG: "Tag",
    Role.UNUSED: "Not used",
}
_ASK = "Please say"
NO_LABEL = "(no label)"
_AT_ONCE = 12
_END = object()


class _Table(QTableWidget):
    """A table whose last column is chosen in."""

    def __init__(self, theme: Theme, name: str, columns: tuple[str, ...], stretched: int) -> None:
        super().__init__(0, len(columns))
        self.setAccessibleName(name)
        self.setHorizontalHeaderLabels(list(columns))
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self.setShowGrid(False)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.verticalHeader().hide()
        self.verticalHeader().setDefaultSectionSize(theme.scale.px(36))
        header = self.horizontalHeader()
        header.setHighlightSections(False)
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(stretched, QHeaderView.ResizeMode.Stretch)

        self._rows: Iterator[None] = iter(())
        self._soon = QTimer(self)
        self._soon.setInterval(0)
        self._soon.timeout.connect(self._more)

    @property
    def filling(self) -> bool:
        """Whether rows are still to come."""
        return self._soon.isActive()

    def fill(self, rows: Iterator[None]) -> None:
        """Empty the table and let ``rows`` fill it, a few at a time: a thousand choices would hold the window up."""
        self.setRowCount(0)
        self._rows = rows
        self._soon.start()
        self._more()

    def _more(self) -> None:
        for _ in range(_AT_ONCE):
            if next(self._rows, _END) is _END:
                self._soon.stop()
                return

    def put(self, at: int, *cells: str | QWidget) -> None:
        """Fill a row; a widget stands in its cell."""
        for column, cell in enumerate(cells):
            if isinstance(cell, QWidget):
                self.setCellWidget(at, column, cell)
                continue
            item = QTableWidgetItem(" ".join(cell.split()))
            item.setToolTip(cell)
            self.setItem(at, column, item)


class ColumnsTable(_Table):
    """What each column of the file is for. ``changed`` carries the mapping with another role."""

    changed = Signal(object)

    def __init__(self, theme: Theme) -> None:
        super().__init__(theme, "Columns of the file", ("Column", "What it is for", "Why it is left out"), 2)
        self.setColumnWidth(1, theme.scale.px(220))

    def show_preview(self, seen: Preview) -> None:
        """Show the columns of a preview; where a known shape settles them they only say what they are."""
        self.fill(self._filling(seen))

    def _filling(self, seen: Preview) -> Iterator[None]:
        mapping = seen.mapping
        for at, (column, used) in enumerate(roles(mapping, seen.columns).items()):
            self.insertRow(at)
            left_out = mapping.unmapped.get(column, "")
            if not can_place(mapping):
                self.put(at, column, ", ".join(ROLE[role] for role in used), left_out)
                yield
                continue
            box = QComboBox()
            box.setAccessibleName(f"What the column {column} is for")
            for role, word in ROLE.items():
                box.addItem(word, role)
            box.setCurrentIndex(list(ROLE).index(used[0]))
            box.activated.connect(
                lambda _at, column=column, box=box: self.changed.emit(placed(mapping, column, Role(box.currentData())))
            )
            self.put(at, column, box, left_out)
            yield


class LabelsTable(_Table):
    """What each original label means. ``chosen`` carries a label, the word for its meaning, and the policy's labels.

    An empty label stands for all items of a file that has no labels.
    """

    chosen = Signal(str, str, object)

    def __init__(self, theme: Theme) -> None:
        super().__init__(theme, "Labels of the file", ("Label in the file", "Items", "First of them", "It means"), 2)
        self._boxes: dict[str, QComboBox] = {}
        self._shown: tuple[str, ...] = ()

    def show_preview(self, seen: Preview, policy: Policy) -> None:
        """Show the labels of a preview; those that nobody has given a meaning ask for one."""
        labels = (policy.id, *seen.by_label)
        if labels == self._shown and not self.filling:
            for label, box in self._boxes.items():
                box.setCurrentIndex(_place(box, *said(seen.mapping, label)))
            return
        self._shown, self._boxes = labels, {}
        self.fill(self._filling(seen, policy))

    def _filling(self, seen: Preview, policy: Policy) -> Iterator[None]:
        likely = {question.where[1]: question.suggested for question in seen.questions if question.where[0] == "values"}
        for at, (label, number) in enumerate(seen.by_label.items()):
            self.insertRow(at)
            samples = " · ".join(seen.samples.get(label, ()))
            if label.endswith(" (score)"):
                self.put(at, label, f"{number:,}", samples, "By its threshold")
            else:
                box = self._boxes[label] = self._meanings(label, policy, likely.get(label, ""))
                box.setCurrentIndex(_place(box, *said(seen.mapping, label)))
                box.activated.connect(partial(self._chosen, label, box))
                self.put(at, label, f"{number:,}", samples, box)
            yield
        if seen.unlabelled:
            self.insertRow(self.rowCount())
            self.put(self.rowCount() - 1, NO_LABEL, f"{seen.unlabelled:,}", "", self._unlabelled(seen, policy))

    def _unlabelled(self, seen: Preview, policy: Policy) -> str | QComboBox:
        """What items without a label are: unknown, unless a person says that all items of the file are alike."""
        if seen.unlabelled < seen.items or not can_place(seen.mapping):
            return "Unknown"
        box = self._meanings(NO_LABEL, policy, "")
        box.removeItem(0)
        box.setCurrentIndex(_place(box, UNKNOWN, ()))
        box.activated.connect(partial(self._chosen, "", box))
        return box

    def _chosen(self, label: str, box: QComboBox, _at: int) -> None:
        self.chosen.emit(label, *box.currentData())

    def _meanings(self, label: str, policy: Policy, likely: str) -> QComboBox:
        box = QComboBox()
        box.setAccessibleName(f"What the label {label} means")
        hint = f" (likely: {DECISION[Decision(likely)]})" if likely in tuple(Decision) else ""
        box.addItem(_ASK + hint, ("", ()))
        for decision, word in DECISION.items():
            box.addItem(word, (str(decision), ()))
        box.addItem("Unknown", (UNKNOWN, ()))
        box.addItem("Leave these items out", (SKIP, ()))
        for item in policy.labels:
            words = f"{item.id}  {item.name}".strip()
            box.addItem(f"{DECISION[item.decision.decision]}: {words}", (str(item.decision.decision), (item.id,)))
        return box


def _place(box: QComboBox, word: str, labels: tuple[str, ...]) -> int:
    """Where a meaning stands; one with several labels, from a mapping made by hand, is added."""
    for at in range(box.count()):
        known, own = box.itemData(at)
        if (known, tuple(own)) == (word, labels):
            return at
    box.addItem(f"{DECISION[Decision(word)]}: {', '.join(labels)}", (word, labels))
    return box.count() - 1
