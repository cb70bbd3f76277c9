"""Two texts of a policy and what changed between them, word by word: in one column, or side by side.

What went is struck through behind a minus, what came is underlined behind a plus, so that it reads without colour too.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import (
    QColor,
    QShowEvent,
    QTextBlockFormat,
    QTextCharFormat,
    QTextCursor,
    QTextFrameFormat,
    QTextLength,
    QTextTableCellFormat,
    QTextTableFormat,
)
from PySide6.QtWidgets import QTextBrowser

from studio.core.diff import Change, Hunk, Piece
from studio.ui.theme import BODY, SMALL, Theme
from studio.ui.words import count

CONTEXT = 3
"""Unchanged lines that are shown on either side of a change, as is usual for unified diffs."""
_NUMBER_SHARE = 6
"""Per cent of the width for each column of line numbers."""
_AT_ONCE = 40
"""Rows that are drawn in one turn of the event loop: Qt takes its time over tables."""


@dataclass(frozen=True, slots=True)
class DiffRow:
    """One row: lines that are the same, lines that are left out (``skipped`` of them), or a change."""

    old_line: int
    new_line: int
    text: str = ""
    skipped: int = 0
    hunk: Hunk | None = None


def rows(old: str, hunks: Sequence[Hunk]) -> list[DiffRow]:
    """The changes with the lines around them; line numbers count from 1."""
    found: list[DiffRow] = []
    lines = old.split("\n")
    old_at, new_at = 1, 1
    for number, hunk in enumerate(hunks):
        same = lines[old_at - 1 : hunk.old_line - 1]
        found += _unchanged(same, old_at, new_at, first=number == 0, last=False)
        found.append(DiffRow(hunk.old_line, hunk.new_line, hunk=hunk))
        old_at, new_at = hunk.old_line + _lines_of(hunk.old), hunk.new_line + _lines_of(hunk.new)
    found += _unchanged(lines[old_at - 1 :], old_at, new_at, first=not hunks, last=True)
    return found


class DiffView(QTextBrowser):
    """Shows changes. ``marked`` changes are those that decide; they carry an arrow."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._old, self._hunks, self._marked = "", tuple[Hunk, ...](), frozenset[Hunk]()
        self._beside = True
        self._places: list[int] = []
        self._at = -1
        self.setAccessibleName("What changed")
        self.setProperty("kind", "flat")
        self.setOpenLinks(False)
        self.setTabChangesFocus(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setUndoRedoEnabled(False)
        self._formats: dict[tuple[Change, bool], QTextCharFormat] = {}
        self._rest: list[DiffRow] = []
        self._turn = QTimer(self)
        self._turn.setInterval(0)
        self._turn.timeout.connect(self._draw_more)
        theme.follow(self, self._restyle)

    @property
    def beside(self) -> bool:
        """Whether old and new stand side by side."""
        return self._beside

    @property
    def hunks(self) -> tuple[Hunk, ...]:
        """The changes that are shown."""
        return self._hunks

    def show_changes(self, old: str, hunks: Sequence[Hunk], marked: Collection[Hunk] = ()) -> None:
        """Show the changes of ``old``."""
        self._old, self._hunks, self._marked = old, tuple(hunks), frozenset(marked)
        self._draw()
        self._at = -1
        if self._marked:
            self.go_on(1)

    def show_beside(self, beside: bool) -> None:
        """Side by side, or in one column."""
        self._beside = beside
        self._draw()

    def go_on(self, step: int) -> None:
        """Go to the next change (1), or the one before it (-1), round the end; to those that decide, if there are."""
        wanted = [at for at, hunk in enumerate(self._hunks) if not self._marked or hunk in self._marked]
        if not wanted:
            return
        later = [at for at in wanted if (at > self._at if step > 0 else at < self._at)]
        self._at = (later or wanted)[0 if step > 0 else -1]
        while self._at >= len(self._places):
            self._draw_more()
        cursor = self.textCursor()
        cursor.setPosition(self._places[self._at])
        self.setTextCursor(cursor)
        self.ensureCursorVisible()

    def showEvent(self, event: QShowEvent) -> None:  # noqa: D102  Qt's name
        super().showEvent(event)
        if not self._formats:
            self._draw()

    def _restyle(self) -> None:
        """Draw in other colours; out of sight not before it is seen again."""
        self._formats = {}
        if self.isVisible():
            self._draw()

    def _draw(self) -> None:
        """Draw the first rows now, and the others turn by turn."""
        self.clear()
        self._places = []
        self._formats = {(change, quiet): self._format(change, quiet) for change in Change for quiet in (False, True)}
        self._rest = rows(self._old, self._hunks) if self._hunks else []
        if not self._rest:
            QTextCursor(self.document()).insertText("The texts are equal", self._look(quiet=True))
        self._draw_more()
        self.moveCursor(QTextCursor.MoveOperation.Start)

    def _draw_more(self) -> None:
        shown, self._rest = self._rest[:_AT_ONCE], self._rest[_AT_ONCE:]
        if shown:
            cursor = QTextCursor(self.document())
            cursor.movePosition(QTextCursor.MoveOperation.End)
            # In one block: else Qt lays the table out anew at every word.
            cursor.beginEditBlock()
            (self._draw_beside if self._beside else self._draw_inline)(cursor, shown)
            cursor.endEditBlock()
        if self._rest:
            self._turn.start()
        else:
            self._turn.stop()

    def _draw_inline(self, cursor: QTextCursor, shown: Sequence[DiffRow]) -> None:
        for line in shown:
            if not self.document().isEmpty():
                cursor.insertBlock(QTextBlockFormat(), QTextCharFormat())
            if line.hunk is None:
                self._same(cursor, line, line.new_line)
                continue
            self._places.append(cursor.position())
            block = QTextBlockFormat()
            block.setBackground(QColor(self._theme.tokens.sunken))
            cursor.setBlockFormat(block)
            cursor.insertText(self._number(line.hunk, line.new_line, "±"), self._look(quiet=True))
            self._pieces(cursor, line.hunk.pieces, _ALL)

    def _draw_beside(self, cursor: QTextCursor, shown: Sequence[DiffRow]) -> None:
        table = cursor.insertTable(len(shown), 4, self._table_format())
        self._close_gap()
        for number, line in enumerate(shown):
            cells = [table.cellAt(number, column) for column in range(4)]
            if line.hunk is None:
                for at, old in ((1, True), (3, False)):
                    self._same(cells[at].firstCursorPosition(), line, None)
                    if not line.skipped:
                        place = line.old_line if old else line.new_line
                        cells[at - 1].firstCursorPosition().insertText(str(place), self._look(quiet=True))
                continue
            hunk = line.hunk
            sides = (
                (0, hunk.old, "−", line.old_line, Change.REMOVED, self._theme.tokens.violates.soft),
                (2, hunk.new, "+", line.new_line, Change.ADDED, self._theme.tokens.allowed.soft),
            )
            for at, text, sign, place, change, colour in sides:
                if not text:
                    continue
                tinted = QTextTableCellFormat()
                tinted.setBackground(QColor(colour))
                for column in (at, at + 1):
                    cells[column].setFormat(tinted)
                words = self._number(hunk, place, sign)
                cells[at].firstCursorPosition().insertText(words, self._look(quiet=True))
                self._pieces(cells[at + 1].firstCursorPosition(), hunk.pieces, frozenset({Change.SAME, change}))
            self._places.append(cells[1].firstPosition())

    def _same(self, cursor: QTextCursor, line: DiffRow, number: int | None) -> None:
        if line.skipped:
            cursor.insertText(f"⋯ {count(line.skipped, 'line')} unchanged", self._look(quiet=True))
            return
        if number is not None:
            cursor.insertText(f"{number:>5}   ", self._look(quiet=True))
        cursor.insertText(line.text, self._look())

    def _pieces(self, cursor: QTextCursor, pieces: Sequence[Piece], wanted: Collection[Change]) -> None:
        chosen = [piece for piece in pieces if piece.change in wanted]
        for at, piece in enumerate(chosen):
            text = piece.text.rstrip("\n") if at == len(chosen) - 1 else piece.text
            cursor.insertText(text.replace("\n", "\u2028"), self._look(piece.change))

    def _close_gap(self) -> None:
        """Qt keeps an empty line after a table: it takes no room, so that the next table follows at once."""
        last = QTextCursor(self.document())
        last.movePosition(QTextCursor.MoveOperation.End)
        flat = QTextBlockFormat()
        flat.setLineHeight(1, QTextBlockFormat.LineHeightTypes.FixedHeight.value)
        last.setBlockFormat(flat)

    def _look(self, change: Change = Change.SAME, *, quiet: bool = False) -> QTextCharFormat:
        return self._formats[change, quiet]

    def _format(self, change: Change, quiet: bool) -> QTextCharFormat:
        tokens = self._theme.tokens
        made = QTextCharFormat()
        made.setFont(self._theme.font(SMALL) if quiet else self._theme.mono(BODY))
        made.setForeground(QColor(tokens.text_quiet if quiet else tokens.text))
        if change is Change.ADDED:
            made.setFontUnderline(True)
            made.setForeground(QColor(tokens.allowed.text))
            made.setBackground(QColor(tokens.allowed.soft))
        elif change is Change.REMOVED:
            made.setFontStrikeOut(True)
            made.setForeground(QColor(tokens.violates.text))
            made.setBackground(QColor(tokens.violates.soft))
        return made

    def _number(self, hunk: Hunk, line: int, sign: str) -> str:
        arrow = "▶ " if hunk in self._marked else ""
        return f"{arrow}{line} {sign}" if self._beside else f"{arrow}{line:>5} {sign} "

    def _table_format(self) -> QTextTableFormat:
        made = QTextTableFormat()
        made.setBorder(0)
        made.setBorderStyle(QTextFrameFormat.BorderStyle.BorderStyle_None)
        made.setCellSpacing(0)
        made.setCellPadding(2)
        made.setWidth(QTextLength(QTextLength.Type.PercentageLength, 100))
        number = QTextLength(QTextLength.Type.PercentageLength, _NUMBER_SHARE)
        half = QTextLength(QTextLength.Type.PercentageLength, 50 - _NUMBER_SHARE)
        made.setColumnWidthConstraints([number, half, number, half])
        return made


_ALL = frozenset(Change)


def _unchanged(same: Sequence[str], old_at: int, new_at: int, *, first: bool, last: bool) -> Iterator[DiffRow]:
    """Lines that stayed: all of a short stretch, else those next to a change and how many are left out."""
    head, tail = (0 if first else CONTEXT), (0 if last else CONTEXT)
    if len(same) <= head + tail + 1:
        head, tail = len(same), 0
    for at in range(head):
        yield DiffRow(old_at + at, new_at + at, same[at])
    if len(same) > head + tail:
        yield DiffRow(old_at + head, new_at + head, skipped=len(same) - head - tail)
    for at in range(len(same) - tail, len(same)):
        yield DiffRow(old_at + at, new_at + at, same[at])


def _lines_of(text: str) -> int:
    return text.count("\n") + (not text.endswith("\n") and bool(text))
