"""Asks which policies become one, and says what that costs."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QLineEdit, QListWidget, QListWidgetItem, QWidget

from studio.core.compose import MERGE_COST
from studio.core.policy import PolicySummary
from studio.ui.theme import Theme
from studio.ui.widgets.basics import column, push_button, row, text_label


class MergeDialog(QDialog):
    """A list of policies to tick, and the title of the one that they become."""

    def __init__(self, theme: Theme, parent: QWidget, policies: Sequence[PolicySummary], ticked: str = "") -> None:
        super().__init__(parent)
        self.setWindowTitle("Merge policies")
        self.list = QListWidget()
        self.list.setAccessibleName("Policies to merge")
        for summary in policies:
            item = QListWidgetItem(summary.title)
            item.setData(Qt.ItemDataRole.UserRole, summary.id)
            item.setFlags(item.flags() | Qt.ItemFlag.ItemIsUserCheckable)
            item.setCheckState(Qt.CheckState.Checked if summary.id == ticked else Qt.CheckState.Unchecked)
            self.list.addItem(item)
        self.title = QLineEdit()
        self.title.setAccessibleName("Title of the merged policy")
        self._take = push_button(theme, "Merge", "primary", act=self.accept)
        self._take.setDefault(True)
        layout = column(
            text_label("Merge policies into one", "lead"), text_label(MERGE_COST, "quiet", wrap=True), self.list,
            text_label("Title of the merged policy", "quiet"), self.title, 8, spacing=8, margins=(24, 24, 24, 16),
        )  # fmt: skip
        layout.addLayout(row(None, push_button(theme, "Cancel", act=self.reject), self._take))
        self.setLayout(layout)
        self.setMinimumWidth(theme.scale.px(480))
        self.list.itemChanged.connect(lambda _item: self._check())
        self.title.textChanged.connect(self._check)
        self._check()

    @property
    def chosen(self) -> list[str]:
        """The ids of the ticked policies, in the order of the list."""
        items = [self.list.item(at) for at in range(self.list.count())]
        return [
            str(item.data(Qt.ItemDataRole.UserRole)) for item in items if item.checkState() is Qt.CheckState.Checked
        ]

    @property
    def may_merge(self) -> bool:
        """Whether all that is needed is there."""
        return len(self.chosen) > 1 and bool(self.title.text().strip())

    def _check(self) -> None:
        self._take.setEnabled(self.may_merge)
