"""What one removal did, as one row: the part, the pills before and after, and how far the probability moved."""

from __future__ import annotations

import re

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetrics, QPainter
from PySide6.QtWidgets import QStyledItemDelegate, QStyleOptionViewItem, QWidget

from studio.core.run import Run
from studio.services.explain import Effect, Part, PartKind, Removal
from studio.ui.theme import BODY, SMALL, Theme
from studio.ui.widgets.basics import draw_ground
from studio.ui.widgets.pill import PillSize, draw_pill, pill_size
from studio.ui.words import decision_word

ROW_ROLE = Qt.ItemDataRole.UserRole + 1
_KINDS = {PartKind.RULE: "Rule", PartKind.EXAMPLE: "Example", PartKind.PARAGRAPH: "Paragraph"}
_ARROW = "→"
_SHARE_SAMPLE = "> 99 → > 99 %"
_LEAD = re.compile(r"^[\s>*+\-•–|#]+")


class WhyRow:
    """The words of a row. ``base`` is the verdict with everything in place."""

    def __init__(self, base: Run, share: float | None, removal: Removal) -> None:
        part, verdict = removal.part, removal.run.verdict
        before = base.verdict
        self.removal = removal
        self.before = before.decision if before else None
        self.after = verdict.decision if verdict else None
        if isinstance(part, Part):
            self.place = f"{_KINDS[part.kind].lower()} in line {part.line}"
            self.title, self.detail = _words(part, self.place)
        else:
            self.title, self.place, self.detail = part.text, f"turn {part.turn + 1}" if part.turn else "", ""
        self.labels = ", ".join(verdict.labels) if verdict else ""
        self.share = _shares(share, removal.share)

    @property
    def quiet(self) -> str:
        """What stands in the pills' place where the decision stays."""
        if self.removal.effect is Effect.OTHER_LABEL:
            return f"other label: {self.labels}"
        return "holds" if self.removal.effect is Effect.HOLDS else ""

    @property
    def spoken(self) -> str:
        """The whole row for a screen reader."""
        what = self.quiet or f"from {decision_word(self.before).lower()} to {decision_word(self.after).lower()}"
        share = f", probability {self.share}" if self.share else ""
        place = f", {self.place}" if self.place else ""
        return f"Without {self.title}{place}: {what}{share}"


class WhyDelegate(QStyledItemDelegate):
    """Draws a row; of the verdict's parts those come first that have to be seen: what changed."""

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:  # noqa: D102
        row: WhyRow = index.data(ROW_ROLE)
        height = QFontMetrics(self._theme.font(BODY)).height() + 16
        return QSize(200, height + (QFontMetrics(self._theme.font(SMALL)).height() if row.detail else 0))

    def paint(  # noqa: D102
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        row: WhyRow = index.data(ROW_ROLE)
        tokens = self._theme.tokens
        painter.save()
        area = draw_ground(painter, option, tokens)
        area = area.adjusted(8, 0, -8, 0)
        small = QFontMetrics(self._theme.font(SMALL))
        share_width = small.horizontalAdvance(_SHARE_SAMPLE)
        painter.setFont(self._theme.font(SMALL))
        painter.setPen(QColor(tokens.text_quiet))
        right = int(Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight)
        painter.drawText(area, right, row.share)
        middle = area.adjusted(0, 0, -share_width - 16, 0)
        used = self._draw_effect(painter, row, middle)
        self._draw_words(painter, row, middle.adjusted(0, 0, -used - 16, 0))
        painter.restore()

    def _draw_effect(self, painter: QPainter, row: WhyRow, area: QRect) -> int:
        """Draw the pills, or a quiet word, at the right of ``area``; how wide that is."""
        small = QFontMetrics(self._theme.font(SMALL))
        right = int(Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight)
        if row.quiet:
            painter.drawText(area, right, row.quiet)
            return small.horizontalAdvance(row.quiet)
        at = area.right()
        for decision in (row.after, row.before):
            word = decision_word(decision)
            size = pill_size(self._theme, PillSize.SMALL, word)
            box = QRectF(at - size.width(), area.center().y() - size.height() / 2, size.width(), size.height())
            draw_pill(painter, self._theme, box, decision, word, PillSize.SMALL, solid=False)
            at -= size.width() + 4
            if decision is row.after and at > area.left():
                width = small.horizontalAdvance(_ARROW)
                painter.setPen(QColor(self._theme.tokens.text_quiet))
                painter.setFont(self._theme.font(SMALL))
                painter.drawText(QRect(at - width, area.top(), width, area.height()), right, _ARROW)
                at -= width + 4
                if row.before is row.after:
                    break
        return area.right() - at

    def _draw_words(self, painter: QPainter, row: WhyRow, area: QRect) -> None:
        tokens, body, quiet = self._theme.tokens, self._theme.font(BODY), self._theme.font(SMALL)
        height = QFontMetrics(body).height() + (QFontMetrics(quiet).height() if row.detail else 0)
        top = area.top() + (area.height() - height) // 2
        left = int(Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft)
        for font, colour, words in ((body, tokens.text, row.title), (quiet, tokens.text_quiet, row.detail)):
            metrics = QFontMetrics(font)
            painter.setFont(font)
            painter.setPen(QColor(colour))
            line = QRect(area.left(), top, area.width(), metrics.height())
            painter.drawText(line, left, metrics.elidedText(words, Qt.TextElideMode.ElideRight, line.width()))
            top += metrics.height()


def _words(part: Part, place: str) -> tuple[str, str]:
    """A rule with a code is told by it, with its words below; all else by its words, with its place below."""
    words = _LEAD.sub("", " ".join(part.text.split()))
    coded = part.kind is PartKind.RULE and " " not in part.name and words.startswith(part.name)
    rest = words[len(part.name) :].lstrip(" :.)*_") if coded else ""
    return (f"Rule {part.name}", rest) if rest else (words, place)


def _shares(before: float | None, after: float | None) -> str:
    """``94 → 12 %``, one number where both are the same; empty where one of them is not known."""
    if before is None or after is None:
        return ""
    if _percent(before) == _percent(after):
        return f"{_percent(after)} %"
    return f"{_percent(before)} {_ARROW} {_percent(after)} %"


def _percent(value: float) -> str:
    """Never rounded up to certainty or down to none."""
    return "> 99" if value > 0.99 else "< 1" if value < 0.01 else f"{value * 100:.0f}"
