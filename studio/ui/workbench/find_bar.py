"""Find and replace in the policy, with regular expressions if wanted."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QRegularExpressionMatch, Qt, QTimer
from PySide6.QtGui import QKeyEvent, QTextCursor
from PySide6.QtWidgets import QFrame, QLineEdit

from studio.ui.theme import Theme
from studio.ui.widgets.basics import SearchField, column, icon_button, push_button, row, text_label
from studio.ui.workbench.editor import PolicyEditor
from studio.ui.workbench.searching import Found, expanded, search

_PAUSE_MS = 120


class FindBar(QFrame):
    """A bar over the editor; Esc closes it."""

    def __init__(self, theme: Theme, editor: PolicyEditor) -> None:
        super().__init__()
        self.setProperty("kind", "bar")
        self._editor = editor
        self._places: list[tuple[int, int]] = []
        self.query = SearchField(theme, "Find")
        self.replacement = QLineEdit()
        self.replacement.setPlaceholderText("Replace with")
        self.replacement.setAccessibleName("Replace with")
        self.regex = push_button(theme, ".*", "filter", tip="Regular expression")
        self.regex.setCheckable(True)
        self.regex.setAccessibleName("Regular expression")
        self._count = text_label("", "small")
        self._count.setMinimumWidth(theme.scale.px(84))
        up = icon_button(theme, "caret-up", "Previous (Shift+Enter)", act=lambda: self.step(-1))
        down = icon_button(theme, "caret-down", "Next (Enter)", act=lambda: self.step(1))
        close = icon_button(theme, "x", "Close (Esc)", act=self.close_bar)
        one = push_button(theme, "Replace", act=self.replace_one)
        every = push_button(theme, "Replace all", act=self.replace_all)
        first = row(self.query, self.regex, self._count, up, down, close, spacing=4)
        second = row(self.replacement, one, every, spacing=4)
        layout = column(spacing=8, margins=(12, 8, 8, 8))
        layout.addLayout(first)
        layout.addLayout(second)
        self.problem = text_label("", "small", wrap=True)
        self.problem.hide()
        layout.addWidget(self.problem)
        self.setLayout(layout)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_PAUSE_MS)
        self._timer.timeout.connect(self.search)
        self.query.textChanged.connect(self._timer.start)
        self.regex.toggled.connect(self.search)
        for field in (self.query, self.replacement):
            field.installEventFilter(self)
        editor.textChanged.connect(self._text_changed)
        self.hide()

    def open_bar(self) -> None:
        """Open with what is selected."""
        chosen = self._editor.textCursor().selectedText()
        self.show()
        if chosen and "\u2029" not in chosen:
            self.query.setText(chosen)
        self.query.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.query.selectAll()
        self.search()

    def close_bar(self) -> None:
        """Close and give the focus back to the text."""
        self.hide()
        self._places = []
        self._editor.show_found([])
        self._editor.setFocus(Qt.FocusReason.OtherFocusReason)

    def search(self) -> None:
        """Find all places again and mark them."""
        self._timer.stop()
        found = self._find()
        self._places = found.places
        self._editor.show_found(self._places)
        self.problem.setText(found.problem)
        self.problem.setVisible(bool(found.problem))
        if found.problem:
            self._count.setText("")
        elif self.query.text():
            self._count.setText(f"{len(self._places):,} found" if self._places else "None found")
        else:
            self._count.setText("")

    def step(self, direction: int) -> None:
        """Select the next or previous place, around the end."""
        if self._timer.isActive():
            self.search()
        if not self._places:
            return
        cursor = self._editor.textCursor()
        if direction > 0:
            at = cursor.selectionEnd()
            place = next((p for p in self._places if p[0] >= at), self._places[0])
        else:
            at = cursor.selectionStart()
            place = next((p for p in reversed(self._places) if p[0] < at), self._places[-1])
        self._select(place)
        self._count.setText(f"{self._places.index(place) + 1:,} of {len(self._places):,}")

    def replace_one(self) -> None:
        """Replace the selected place and go to the next."""
        cursor = self._editor.textCursor()
        chosen = (cursor.selectionStart(), cursor.selectionEnd() - cursor.selectionStart())
        match = next((m for m in self._find().matches if (m.capturedStart(), m.capturedLength()) == chosen), None)
        if match is not None:
            cursor.insertText(self._new_text(match))
            self._editor.setTextCursor(cursor)
            self.search()
        self.step(1)

    def replace_all(self) -> None:
        """Replace every place in one step that can be undone."""
        self.search()
        matches = self._find().matches
        if not matches:
            return
        cursor = QTextCursor(self._editor.document())
        cursor.beginEditBlock()
        for match in reversed(matches):
            cursor.setPosition(match.capturedStart())
            cursor.setPosition(match.capturedEnd(), QTextCursor.MoveMode.KeepAnchor)
            cursor.insertText(self._new_text(match))
        cursor.endEditBlock()
        self.search()
        self._count.setText(f"{len(matches):,} replaced")

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: D102  Qt's name
        if isinstance(event, QKeyEvent) and event.type() in (QEvent.Type.KeyPress, QEvent.Type.ShortcutOverride):
            if event.key() == Qt.Key.Key_Escape:
                event.accept()
                if event.type() == QEvent.Type.KeyPress:
                    self.close_bar()
                return True
            plain = event.modifiers() in (Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.ShiftModifier)
            if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and plain and event.type() == QEvent.Type.KeyPress:
                back = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
                if watched is self.replacement:
                    self.replace_one()
                else:
                    self.step(-1 if back else 1)
                return True
        return super().eventFilter(watched, event)

    def _find(self) -> Found:
        text = self._editor.document().toRawText().replace("\u2029", "\n")
        return search(text, self.query.text(), is_pattern=self.regex.isChecked())

    def _new_text(self, match: QRegularExpressionMatch) -> str:
        return expanded(match, self.replacement.text()) if self.regex.isChecked() else self.replacement.text()

    def _select(self, place: tuple[int, int]) -> None:
        cursor = self._editor.textCursor()
        cursor.setPosition(place[0])
        cursor.setPosition(place[0] + place[1], QTextCursor.MoveMode.KeepAnchor)
        self._editor.setTextCursor(cursor)

    def _text_changed(self) -> None:
        if self.isVisible():
            self._timer.start()
