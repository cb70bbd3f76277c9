"""The outline of a policy: its headings and rules, each a way into the text."""

from __future__ import annotations

import re
from dataclasses import dataclass

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QBrush, QColor
from PySide6.QtWidgets import QTreeWidget, QTreeWidgetItem, QWidget

from studio.core.labels import Label, LabelDecision
from studio.ui.theme import Theme
from studio.ui.widgets.controls import decision_icon

_HEADING = re.compile(r"^(#{1,6})\s+(.*?)\s*#*\s*$")
_FENCES = ("```", "~~~")
_LINE = Qt.ItemDataRole.UserRole


@dataclass(frozen=True, slots=True)
class Entry:
    """A heading (``level`` 1 to 6) or a rule (``level`` 7) with the line it stands on, from 0."""

    level: int
    text: str
    line: int
    label: Label | None = None


RULE_LEVEL = 7


def outline(text: str, labels: tuple[Label, ...]) -> list[Entry]:
    """Headings and rules of a policy in order; fenced blocks are passed over."""
    ids = sorted((re.escape(label.id) for label in labels), key=len, reverse=True)
    rule = re.compile(rf"^\W*(?P<label>{'|'.join(ids)})(?:\.\w+)*(?![\w.]*\w)") if ids else None
    by_id = {label.id: label for label in labels}
    entries: list[Entry] = []
    fenced = False
    for number, line in enumerate(text.split("\n")):
        # Looked at without a pattern first: this runs at each pause in typing, over every line.
        if line.lstrip().startswith(_FENCES):
            fenced = not fenced
        elif line and not fenced:
            heading = _HEADING.match(line) if line[0] == "#" else None
            if heading:
                entries.append(Entry(len(heading[1]), heading[2] or "(no title)", number))
                continue
            match = rule.match(line) if rule else None
            if match:
                entries.append(Entry(RULE_LEVEL, _plain(line), number, by_id[match["label"]]))
    return entries


class OutlineTab(QTreeWidget):
    """Shows the outline; Enter or a click goes to the line."""

    line_wanted = Signal(int)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._shown: list[Entry] = []
        self._items: list[QTreeWidgetItem] = []
        self.setHeaderHidden(True)
        self.setAccessibleName("Outline of the policy")
        self.setIndentation(16)
        self.itemActivated.connect(self._go)
        self.itemClicked.connect(self._go)
        theme.changed.connect(self._again)

    @property
    def entries(self) -> tuple[Entry, ...]:
        """What is shown, in order."""
        return tuple(self._shown)

    def show_policy(self, text: str, labels: tuple[Label, ...]) -> None:
        """Show the outline of a text, leaving the view alone when nothing changed."""
        entries = outline(text, labels)
        if entries == self._shown:
            return
        same_shape = [(e.level, e.label) for e in entries] == [(e.level, e.label) for e in self._shown]
        before, self._shown = self._shown, entries
        if same_shape:
            for item, old, new in zip(self._items, before, entries, strict=True):
                if old != new:
                    _fill(item, new)
        else:
            self._again()

    def _again(self) -> None:
        at = self.verticalScrollBar().value()
        self.clear()
        self._items = []
        icons = {decision: decision_icon(self._theme, decision.decision) for decision in LabelDecision}
        parents: list[tuple[int, QTreeWidgetItem]] = []
        for entry in self._shown:
            while parents and parents[-1][0] >= entry.level:
                parents.pop()
            item = QTreeWidgetItem()
            _fill(item, entry)
            self._items.append(item)
            if entry.label is not None:
                item.setIcon(0, icons[entry.label.decision])
                item.setForeground(0, QBrush(QColor(self._theme.tokens.text_quiet)))
            if parents:
                parents[-1][1].addChild(item)
            else:
                self.addTopLevelItem(item)
            if entry.level < RULE_LEVEL:
                parents.append((entry.level, item))
        self.expandAll()
        self.verticalScrollBar().setValue(at)

    def _go(self, item: QTreeWidgetItem) -> None:
        self.line_wanted.emit(int(item.data(0, _LINE)))


def _fill(item: QTreeWidgetItem, entry: Entry) -> None:
    item.setText(0, entry.text)
    item.setData(0, _LINE, entry.line)
    item.setToolTip(0, entry.text)


def _plain(line: str) -> str:
    """A rule's line without its list mark and its emphasis."""
    return line.strip().lstrip("-+ ").replace("**", "").replace("`", "").lstrip("* ")
