"""What came of one run, on one card: pill, label and rule, confidence, rationale, reasoning, timings.

The Workbench streams into it, History shows kept runs on it. Every part has its place from the start, so that nothing
moves when the next part arrives.
"""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QGridLayout, QSizePolicy, QStackedWidget, QVBoxLayout, QWidget

from studio.core.citations import Citation, cited_rules
from studio.core.policy import Policy
from studio.core.run import Run
from studio.core.verdict import Verdict
from studio.services.models import DEMO_NOTICE
from studio.services.remotes import FORGE_NOTICE
from studio.ui.theme import Theme
from studio.ui.widgets.basics import ElidedLabel, column, push_button, row, text_label
from studio.ui.widgets.controls import ConfidenceBar
from studio.ui.widgets.fold import Fold
from studio.ui.widgets.pill import PillSize, VerdictPill
from studio.ui.widgets.reading import ShortText
from studio.ui.words import (
    REVIEW_REASON,
    label_words,
    reason,
    reasoning_note,
    rule_line,
    seconds,
)

_AT_ONCE_S = 0.1
_NARROW = 480
"""Below this width label and rule do not fit beside the pill."""
_SIDES = 8
_LEFT = Qt.AlignmentFlag.AlignLeft


class VerdictCard(QWidget):
    """The card. ``again`` asks for a new run of what stands there now."""

    again = Signal()
    rule_clicked = Signal(str)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._run: Run | None = None
        self._stale = False
        self._reasoning_open = True
        self._narrow: tuple[bool, bool] | None = None
        self._first, self._words = QGridLayout(), QWidget()
        self.pill = VerdictPill(theme, PillSize.LARGE)
        self.headline = ElidedLabel(kind="lead")
        self.rule = ElidedLabel(kind="small")
        self.confidence = ConfidenceBar(theme)
        self.facts = ElidedLabel(kind="small")
        self.demo = text_label(DEMO_NOTICE, "warn")
        self.rationale = ShortText(theme, "Rationale")
        self.reasoning = Fold(theme, "Reasoning")
        self.raw = Fold(theme, "Raw answer")
        self.raw.view.setFont(theme.mono())
        self._stale_row = QWidget()
        self._stale_words = text_label("Of an older text", "small")
        self._run_again = push_button(theme, "Run again", "link", act=self.again.emit)
        self._stale_row.setLayout(row(self._stale_words, self._run_again, None, spacing=4))
        self._second = QStackedWidget()
        self._second.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self._second.addWidget(self.facts)
        self._second.addWidget(self._stale_row)
        self._lay_out()
        self.rationale.rule_clicked.connect(self.rule_clicked)
        for fold in (self.reasoning, self.raw):
            fold.rule_clicked.connect(self.rule_clicked)
        self.reasoning.toggled.connect(self._remember)
        self.demo.hide()

    @property
    def run(self) -> Run | None:
        """The run that is shown; None while one is under way."""
        return self._run

    @property
    def stale(self) -> bool:
        """Whether the verdict belongs to an older text."""
        return self._stale

    def show_run(self, run: Run, *, demo: bool = False) -> None:
        """Show a finished run."""
        self._run = run
        verdict = run.verdict
        why = reason(run)
        decision = verdict.decision if verdict else None
        self.pill.show_decision(decision)
        self._say(label_words(run), rule_line(run))
        self.confidence.show_value(verdict.confidence if verdict and verdict.is_verdict else None, decision)
        self.facts.setText(_facts(run))
        self.facts.explain(_facts_whole(run) if run.timing.prompt_tokens else "")
        self._warn(demo=demo, forged=run.provenance is not None and run.provenance.content_may_forge)
        if why is not None:
            detail = verdict.status_detail if verdict else ""
            self.rationale.show_text("\n".join(part for part in (why.why, detail, why.do) if part))
        elif verdict is not None:
            self.rationale.show_text(_explained(verdict), run.policy)
        self._show_reasoning(run)
        raw = (verdict.raw_final if verdict else "") or run.raw_output
        self.raw.setVisible(bool(raw))
        self.raw.view.show_text(raw)
        self.raw.set_open(bool(raw) and why is not None)
        if self.raw.is_open:
            self.reasoning.set_open(False)
        self.set_stale(False)

    def show_start(self, word: str, *, demo: bool = False) -> None:
        """Make room for a run that begins; what came before is gone."""
        self._run = None
        self.set_stale(False)
        self.pill.show_thinking(word)
        self._say("", "")
        self.confidence.show_value(None, None)
        self.facts.setText("")
        self.facts.explain("")
        self._warn(demo=demo)
        self.rationale.show_text("")
        self.reasoning.show()
        self.reasoning.view.show_text("")
        self.reasoning.set_note("")
        self.reasoning.set_links(())
        self.reasoning.set_open(self._reasoning_open)
        self.raw.hide()

    def set_stale(self, stale: bool) -> None:
        """Dim the verdict: policy or content is not what it was given for."""
        if stale == self._stale and self._run is None:
            return
        self._stale = stale
        self._second.setCurrentWidget(self._stale_row if stale else self.facts)
        if self._run is not None:
            verdict = self._run.verdict
            self.pill.show_decision(verdict.decision if verdict else None, stale=stale)
        self.headline.setEnabled(not stale)
        for widget in (self.rationale, self.reasoning.view):
            widget.set_dimmed(stale)

    def set_judging(self, judging: bool) -> None:
        """Say beside a verdict of an older text that the text as it is now is being judged."""
        self._stale_words.setText("Of an older text. Judging what stands there now…" if judging else "Of an older text")
        self._run_again.setVisible(not judging)

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: D102  Qt's name
        super().resizeEvent(event)
        self._place_words()
        self._wrap_notice()

    def minimumSizeHint(self) -> QSize:  # noqa: D102  Qt's name
        whole = super().minimumSizeHint()
        return QSize(min(whole.width(), self.pill.sizeHint().width() + _SIDES), whole.height())

    def _place_words(self) -> None:
        """Label and rule stand beside the pill; where there is no room, below it, and so does the confidence."""
        narrow = self.width() < self._theme.scale.px(_NARROW)
        cramped = self.width() < self.pill.sizeHint().width() + self.confidence.sizeHint().width() + _SIDES + 24
        if (narrow, cramped) != self._narrow:
            self._narrow = (narrow, cramped)
            for part in (self._words, self.confidence):
                self._first.removeWidget(part)
            self._first.addWidget(self._words, *((1, 0, 1, 3) if narrow else (0, 1)))
            self._first.addWidget(self.confidence, *((2, 0, 1, 3, _LEFT) if cramped else (0, 2)))

    def _warn(self, *, demo: bool, forged: bool = False) -> None:
        """What must be known before the verdict is relied on, under it."""
        self.demo.setText(FORGE_NOTICE if forged else DEMO_NOTICE)
        self.demo.setVisible(demo or forged)
        self._wrap_notice()

    def _wrap_notice(self) -> None:
        """In lines only where one is too short: with a label that wraps Qt makes the card taller than its room."""
        wide = self.demo.fontMetrics().horizontalAdvance(self.demo.text())
        self.demo.setWordWrap(wide > self.width() - _SIDES)

    def _say(self, words: str, rule: str) -> None:
        self.headline.setText(words)
        self.rule.setText(rule)
        self.rule.setVisible(bool(rule))

    def _show_reasoning(self, run: Run) -> None:
        verdict = run.verdict
        text = verdict.reasoning if verdict else ""
        self.reasoning.setVisible(bool(text))
        self.reasoning.view.show_text(text, run.policy)
        named = _named(verdict, run.policy) if verdict else []
        self.reasoning.set_links([*named, *self.reasoning.view.citations])
        tokens = run.timing.thinking_tokens
        self.reasoning.set_note(reasoning_note(tokens, cut=run.thinking_cut))
        self.reasoning.set_open(self._reasoning_open)

    def _remember(self, shown: bool) -> None:
        self._reasoning_open = shown

    def _lay_out(self) -> None:
        self._first.setContentsMargins(4, 0, 4, 0)
        self._first.setHorizontalSpacing(12)
        self._first.setVerticalSpacing(8)
        self._first.setColumnStretch(1, 1)
        self._first.addWidget(self.pill, 0, 0)
        self._words.setLayout(column(self.headline, self.rule, spacing=0))
        self._place_words()
        second = QVBoxLayout()
        second.setContentsMargins(4, 0, 4, 0)
        second.setSpacing(2)
        second.addWidget(self._second)
        second.addWidget(self.demo)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(8)
        layout.addLayout(self._first)
        layout.addLayout(second)
        layout.addWidget(self.rationale)
        layout.addWidget(self.reasoning, 2)
        layout.addWidget(self.raw, 1)
        layout.addStretch(0)


def _named(verdict: Verdict, policy: Policy) -> list[Citation]:
    """The rules that the answer itself names; a name that the policy lacks is one that was made up."""
    found = []
    for rule in verdict.rule_ids:
        cited = cited_rules(f"rule {rule}", policy)
        found.append(cited[0] if cited else Citation(0, 0, rule, rule.casefold() in policy.text.casefold()))
    return found


def _explained(verdict: Verdict) -> str:
    why = REVIEW_REASON[verdict.review_reason] if verdict.review_reason else ""
    return "\n".join(part for part in (verdict.rationale, why) if part)


def _facts(run: Run) -> str:
    timing = run.timing
    parts = []
    if timing.total_s:
        soon = timing.first_token_s < _AT_ONCE_S
        first = "at once" if soon else f"after {seconds(timing.first_token_s)}"
        parts.append(f"{seconds(timing.total_s)}, first word {first}")
    if timing.prompt_tokens:
        parts.append(f"{timing.prompt_tokens:,} tokens in, {timing.output_tokens:,} out")
    if run.provenance is not None:
        parts.append(run.provenance.model_name)
    return " · ".join(parts)


def _facts_whole(run: Run) -> str:
    timing = run.timing
    return (
        f"{_facts(run)}\n{timing.cached_tokens:,} of the {timing.prompt_tokens:,} tokens read were reused, "
        f"{timing.thinking_tokens:,} of the {timing.output_tokens:,} written were reasoning"
    )
