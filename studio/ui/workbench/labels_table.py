"""The labels of a policy as rows that are edited in place, with what is wrong with an id said while it is typed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from PySide6.QtCore import (
    QAbstractItemModel,
    QAbstractTableModel,
    QEvent,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    Qt,
    Signal,
)
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QComboBox, QLineEdit, QStyledItemDelegate, QStyleOptionViewItem, QTableView, QWidget

from studio.core.labels import Label, LabelDecision
from studio.ui.theme import Theme
from studio.ui.widgets.controls import decision_icon
from studio.ui.words import LABEL_DECISION, SEVERITY

Index = QModelIndex | QPersistentModelIndex
COLUMNS = ("Label", "Decides", "Severity", "Name", "What it means")
ID, DECISION, SEVERITY_AT, NAME, DESCRIPTION = range(5)


def id_problem(labels: tuple[Label, ...], at: int, typed: str) -> str:
    """What is wrong with an id for the label at a place; empty when nothing is."""
    if not typed.strip():
        return "A label needs an id."
    if typed.split() != [typed]:
        return "An id has no spaces: the model answers with it."
    for place, other in enumerate(labels):
        if place != at and other.id.casefold() == typed.casefold():
            return f"The id {typed} is the id of another label."
    return ""


class LabelsTable(QAbstractTableModel):
    """The rows. ``labels_changed`` comes with every edit that was taken over."""

    labels_changed = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self.labels: tuple[Label, ...] = ()

    def show_labels(self, labels: tuple[Label, ...]) -> None:
        """Show other labels."""
        if labels != self.labels:
            self.beginResetModel()
            self.labels = labels
            self.endResetModel()

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: D102, B008  Qt's signature
        return 0 if parent.isValid() else len(self.labels)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: D102, B008  Qt's signature
        return 0 if parent.isValid() else len(COLUMNS)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = 0) -> Any:  # noqa: D102
        if orientation is Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return COLUMNS[section]
        return None

    def flags(self, index: Index) -> Qt.ItemFlag:  # noqa: D102
        return super().flags(index) | Qt.ItemFlag.ItemIsEditable

    def data(self, index: Index, role: int = 0) -> Any:  # noqa: D102
        label, column = self.labels[index.row()], index.column()
        if role == Qt.ItemDataRole.DecorationRole and column == DECISION:
            return decision_icon(self._theme, label.decision.decision)
        if role == Qt.ItemDataRole.ToolTipRole and column in (NAME, DESCRIPTION):
            return (label.name, label.description)[column - NAME] or None
        if role == Qt.ItemDataRole.EditRole:
            return (label.id, label.decision, label.severity, label.name, label.description)[column]
        if role == Qt.ItemDataRole.DisplayRole:
            words = (label.id, LABEL_DECISION[label.decision], SEVERITY[label.severity], label.name, label.description)
            return words[column]
        return None

    def setData(self, index: Index, value: Any, role: int = 0) -> bool:  # noqa: D102  Qt's name
        at, column = index.row(), index.column()
        label = self.labels[at]
        if column == ID:
            if id_problem(self.labels, at, str(value).strip()):
                return False
            label = replace(label, id=str(value).strip())
        elif column == DECISION:
            label = replace(label, decision=LabelDecision(value))
        elif column == SEVERITY_AT:
            label = replace(label, severity=value)
        elif column == NAME:
            label = replace(label, name=str(value).strip())
        else:
            label = replace(label, description=str(value).strip())
        if label == self.labels[at]:
            return False
        self.labels = (*self.labels[:at], label, *self.labels[at + 1 :])
        self.dataChanged.emit(index, index)
        self.labels_changed.emit()
        return True

    def add(self) -> int:
        """Add a label with a free id; returns its row."""
        taken = {label.id.casefold() for label in self.labels}
        number = len(self.labels)
        while f"l{number}" in taken:
            number += 1
        at = len(self.labels)
        self.beginInsertRows(QModelIndex(), at, at)
        self.labels = (*self.labels, Label(f"L{number}", LabelDecision.VIOLATE, "New label"))
        self.endInsertRows()
        self.labels_changed.emit()
        return at

    def remove(self, at: int) -> None:
        """Take a label away."""
        self.beginRemoveRows(QModelIndex(), at, at)
        self.labels = (*self.labels[:at], *self.labels[at + 1 :])
        self.endRemoveRows()
        self.labels_changed.emit()

    def move(self, at: int, step: int) -> bool:
        """Move a label one row up (-1) or down (1); False at the end. The contract names labels in this order."""
        to = at + step
        if not 0 <= to < len(self.labels):
            return False
        self.beginMoveRows(QModelIndex(), at, at, QModelIndex(), to + (step > 0))
        moved = list(self.labels)
        moved.insert(to, moved.pop(at))
        self.labels = tuple(moved)
        self.endMoveRows()
        self.labels_changed.emit()
        return True


class LabelsView(QTableView):
    """The table, worked by keys: Enter edits, Insert adds, Delete removes, Alt with Up or Down moves."""

    add_wanted = Signal()
    remove_wanted = Signal()
    move_wanted = Signal(int)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: D102  Qt's name
        key, held = event.key(), event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
        editing = self.state() is QTableView.State.EditingState
        if held == Qt.KeyboardModifier.AltModifier and key in (Qt.Key.Key_Up, Qt.Key.Key_Down):
            self.move_wanted.emit(-1 if key == Qt.Key.Key_Up else 1)
        elif held or editing:
            super().keyPressEvent(event)
        elif key == Qt.Key.Key_Insert:
            self.add_wanted.emit()
        elif key in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace):
            self.remove_wanted.emit()
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.currentIndex().isValid():
            self.edit(self.currentIndex())
        else:
            super().keyPressEvent(event)


class IdDelegate(QStyledItemDelegate):
    """Edits an id. ``problem`` says at once what is wrong with what is typed; until it is right Enter does nothing."""

    problem = Signal(str)

    def __init__(self, table: LabelsTable, parent: QWidget) -> None:
        super().__init__(parent)
        self._table = table

    def createEditor(self, parent: QWidget, option: QStyleOptionViewItem, index: Index) -> QWidget:  # noqa: D102
        line = QLineEdit(parent)
        line.setAccessibleName("Id of the label")
        at = index.row()
        line.textEdited.connect(lambda typed: self.problem.emit(id_problem(self._table.labels, at, typed.strip())))
        line.destroyed.connect(lambda: self.problem.emit(""))
        line.setProperty("row", at)
        return line

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: D102  Qt's name
        if (
            isinstance(watched, QLineEdit)
            and isinstance(event, QKeyEvent)
            and event.type() == QEvent.Type.KeyPress
            and event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Tab, Qt.Key.Key_Backtab)
        ):
            wrong = id_problem(self._table.labels, watched.property("row"), watched.text().strip())
            if wrong:
                self.problem.emit(wrong)
                return True
        return super().eventFilter(watched, event)


class ChoiceDelegate(QStyledItemDelegate):
    """Chooses one of a few values; ``icons`` are those of the decisions."""

    def __init__(self, theme: Theme, choices: dict[Any, str], parent: QWidget, *, icons: bool = False) -> None:
        super().__init__(parent)
        self._theme, self._choices, self._icons = theme, choices, icons

    def createEditor(self, parent: QWidget, option: QStyleOptionViewItem, index: Index) -> QWidget:  # noqa: D102
        box = QComboBox(parent)
        for value, word in self._choices.items():
            if self._icons:
                box.addItem(decision_icon(self._theme, value.decision), word)
            else:
                box.addItem(word)
        box.activated.connect(lambda _at: self._done(box))
        return box

    def setEditorData(self, editor: QWidget, index: Index) -> None:  # noqa: D102  Qt's name
        if isinstance(editor, QComboBox):
            editor.setCurrentIndex(list(self._choices).index(index.data(Qt.ItemDataRole.EditRole)))
            editor.showPopup()

    def setModelData(self, editor: QWidget, model: QAbstractItemModel, index: Index) -> None:  # noqa: D102
        if isinstance(editor, QComboBox):
            model.setData(index, list(self._choices)[editor.currentIndex()])

    def _done(self, box: QComboBox) -> None:
        self.commitData.emit(box)
        self.closeEditor.emit(box)
