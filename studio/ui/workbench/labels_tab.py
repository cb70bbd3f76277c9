"""Labels and answer: what the policy's codes decide, and what form of answer it asks for."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from PySide6.QtCore import QAbstractItemModel, QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt, Signal
from PySide6.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QHBoxLayout,
    QHeaderView,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableView,
    QWidget,
)

from studio.core.contract import carries_output
from studio.core.labels import Label, LabelDecision
from studio.core.policy import Effort, OutputForm, OutputPosition, Policy
from studio.ui.theme import Theme
from studio.ui.widgets.basics import ElidedLabel, column, row, set_icon, text_label
from studio.ui.widgets.controls import Choice, ElidingButton, decision_icon
from studio.ui.words import EFFORT, FORM, LABEL_DECISION

_Index = QModelIndex | QPersistentModelIndex
_COLUMNS = ("Label", "Decides", "Name")
_ID, _DECISION, _NAME = range(3)


class LabelsTable(QAbstractTableModel):
    """The labels of a policy as rows that can be edited."""

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

    def rowCount(self, parent: _Index = QModelIndex()) -> int:  # noqa: D102, B008  Qt's signature
        return 0 if parent.isValid() else len(self.labels)

    def columnCount(self, parent: _Index = QModelIndex()) -> int:  # noqa: D102, B008  Qt's signature
        return 0 if parent.isValid() else len(_COLUMNS)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = 0) -> Any:  # noqa: D102
        if orientation is Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return _COLUMNS[section]
        return None

    def flags(self, index: _Index) -> Qt.ItemFlag:  # noqa: D102
        return super().flags(index) | Qt.ItemFlag.ItemIsEditable

    def data(self, index: _Index, role: int = 0) -> Any:  # noqa: D102
        label = self.labels[index.row()]
        if role == Qt.ItemDataRole.DecorationRole and index.column() == _DECISION:
            return decision_icon(self._theme, label.decision.decision)
        if role == Qt.ItemDataRole.ToolTipRole and index.column() == _NAME:
            return label.description or None
        if role == Qt.ItemDataRole.EditRole and index.column() == _DECISION:
            return label.decision
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.EditRole):
            return (label.id, LABEL_DECISION[label.decision], label.name)[index.column()]
        return None

    def setData(self, index: _Index, value: Any, role: int = 0) -> bool:  # noqa: D102  Qt's name
        label = self.labels[index.row()]
        if index.column() == _ID:
            new_id = "".join(str(value).split())
            taken = {other.id.casefold() for other in self.labels if other is not label}
            if not new_id or new_id.casefold() in taken:
                return False
            label = replace(label, id=new_id)
        elif index.column() == _DECISION:
            label = replace(label, decision=LabelDecision(value))
        else:
            label = replace(label, name=str(value).strip())
        if label == self.labels[index.row()]:
            return False
        self.labels = (*self.labels[: index.row()], label, *self.labels[index.row() + 1 :])
        self.dataChanged.emit(index, index)
        self.labels_changed.emit()
        return True

    def add(self) -> int:
        """Add a label with a free id; returns its row."""
        taken = {label.id.casefold() for label in self.labels}
        number = len(self.labels)
        while f"l{number}" in taken:
            number += 1
        self.beginInsertRows(QModelIndex(), len(self.labels), len(self.labels))
        self.labels = (*self.labels, Label(f"L{number}", LabelDecision.VIOLATE, "New label"))
        self.endInsertRows()
        self.labels_changed.emit()
        return len(self.labels) - 1

    def remove(self, at: int) -> None:
        """Take a label away."""
        self.beginRemoveRows(QModelIndex(), at, at)
        self.labels = (*self.labels[:at], *self.labels[at + 1 :])
        self.endRemoveRows()
        self.labels_changed.emit()


class _DecisionDelegate(QStyledItemDelegate):
    """Chooses what a label decides."""

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme

    def createEditor(self, parent: QWidget, option: QStyleOptionViewItem, index: _Index) -> QWidget:  # noqa: D102
        box = QComboBox(parent)
        for decision, word in LABEL_DECISION.items():
            box.addItem(decision_icon(self._theme, decision.decision), word, decision.value)
        box.activated.connect(lambda _at: self._done(box))
        return box

    def setEditorData(self, editor: QWidget, index: _Index) -> None:  # noqa: D102  Qt's name
        if isinstance(editor, QComboBox):
            value = index.data(Qt.ItemDataRole.EditRole)
            editor.setCurrentIndex(list(LABEL_DECISION).index(LabelDecision(value)))
            editor.showPopup()

    def setModelData(self, editor: QWidget, model: QAbstractItemModel, index: _Index) -> None:  # noqa: D102
        if isinstance(editor, QComboBox):
            model.setData(index, editor.currentData())

    def _done(self, box: QComboBox) -> None:
        self.commitData.emit(box)
        self.closeEditor.emit(box)


class LabelsTab(QWidget):
    """Edits labels, output form and effort of the open policy."""

    labels_changed = Signal(tuple)
    form_changed = Signal(object)
    effort_changed = Signal(object)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.table = LabelsTable(theme)
        self.view = QTableView()
        self.view.setAccessibleName("Labels")
        self.view.setModel(self.table)
        self.view.setItemDelegateForColumn(_DECISION, _DecisionDelegate(theme, self.view))
        self.view.setShowGrid(False)
        self.view.setTabKeyNavigation(False)
        self.view.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.view.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.view.verticalHeader().hide()
        theme.follow(self.view, lambda: self.view.verticalHeader().setDefaultSectionSize(theme.scale.px(32)))
        header = self.view.horizontalHeader()
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        header.setSectionResizeMode(_NAME, QHeaderView.ResizeMode.Stretch)
        header.setHighlightSections(False)
        self.view.setColumnWidth(_ID, theme.scale.px(72))
        self.view.setColumnWidth(_DECISION, theme.scale.px(136))
        self.form = Choice(theme, FORM, "Form of the answer")
        self.effort = Choice(theme, EFFORT, "Effort the policy asks for")
        self.own = text_label("The policy's text says itself what to answer, so nothing is added.", "small", wrap=True)
        self.add_button = ElidingButton(theme, "Add label")
        self.remove_button = ElidingButton(theme, "Remove")
        for button, name, act in (
            (self.add_button, "plus", self._add),
            (self.remove_button, "trash", self._remove),
        ):
            button.setProperty("kind", "quiet")
            button.setAccessibleName(button.text())
            button.clicked.connect(act)
            set_icon(button, theme, name)
        buttons = row(self.add_button, self.remove_button, None, spacing=4, margins=(4, 4, 4, 4))
        left = column(self.view, spacing=0)
        left.addLayout(buttons)
        right = column(
            ElidedLabel("Form of the answer", "small"),
            self.form,
            8,
            ElidedLabel("Effort the policy asks for", "small"),
            self.effort,
            8,
            self.own,
            None,
            spacing=4,
            margins=(16, 12, 16, 8),
        )
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addLayout(left, 3)
        layout.addLayout(right, 2)
        self.table.labels_changed.connect(lambda: self.labels_changed.emit(self.table.labels))
        self.form.chosen.connect(self.form_changed)
        self.effort.chosen.connect(self.effort_changed)

    def show_policy(self, policy: Policy) -> None:
        """Show what the policy says."""
        self.table.show_labels(policy.labels)
        self.form.choose(OutputForm(policy.form))
        self.effort.choose(Effort(policy.effort))
        own = policy.position is OutputPosition.IN_TEXT or carries_output(policy.text)
        self.own.setVisible(own)

    def _add(self) -> None:
        at = self.table.index(self.table.add(), _ID)
        self.view.setCurrentIndex(at)
        self.view.edit(at)

    def _remove(self) -> None:
        index = self.view.currentIndex()
        if index.isValid():
            self.table.remove(index.row())
