"""What can be done with a golden set: judge it, recall what was judged, compare, report. The page shows it.

Everything slow happens beside the window; what was judged is kept at once by the service, so that a run that was
stopped, or that ended with the studio, goes on where it was.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from studio.core.evaluation import Comparison, Scores, Stability
from studio.core.golden import GoldenExample
from studio.core.policy import Effort, Policy
from studio.core.progress import Cancel, Pause, Progress
from studio.core.targets import targets_from
from studio.services.evaluate import EvaluateService, Evaluation, Settings
from studio.services.evaluation_report import make_report, write_report
from studio.services.studio import Studio
from studio.ui.context import Context
from studio.ui.golden.rows import Mark, Outcome, outcome_of
from studio.ui.tasks import Job, Lane

_ALL = 10_000_000


@dataclass(frozen=True, slots=True)
class Ask:
    """What is to be judged: a policy over one part of its set, and what to compare it with, if anything."""

    policy: Policy
    held_out: bool = False
    settings: Settings = Settings()
    before: Policy | None = None
    before_effort: Effort | None = None


@dataclass(frozen=True, slots=True)
class Result:
    """An evaluation with its figures. ``runs`` has the run that speaks for each example, by the example's id."""

    evaluation: Evaluation
    scores: Scores
    stability: Stability | None
    outcomes: dict[str, Outcome]
    runs: dict[str, str]
    marked: dict[Mark, frozenset[str]]
    met: dict[str, bool]


@dataclass(frozen=True, slots=True)
class Shown:
    """What the page shows: a result, and the one before with the comparison of the two where that was asked for."""

    ask: Ask
    result: Result
    before: Result | None = None
    comparison: Comparison | None = None

    @property
    def marked(self) -> dict[Mark, frozenset[str]]:
        """The examples by what came of them."""
        found = dict(self.result.marked)
        if self.comparison is not None:
            found[Mark.BETTER] = frozenset(flip.id for flip in self.comparison.got_better)
            found[Mark.WORSE] = frozenset(flip.id for flip in self.comparison.got_worse)
            found[Mark.BOTH_WRONG] = frozenset(flip.id for flip in self.comparison.both_wrong)
        return found


class GoldenWork(QObject):
    """Runs what the page asks for, one thing at a time. ``reckoned`` comes when :attr:`shown` is another."""

    reckoned = Signal()
    running_changed = Signal()

    def __init__(self, context: Context, parent: QObject) -> None:
        super().__init__(parent)
        self._context = context
        self._job: Job | None = None
        self._turn = 0
        self.shown: Shown | None = None
        context.tasks.changed.connect(self._look)

    @property
    def running(self) -> bool:
        """Whether examples are being judged."""
        return self._job is not None

    def recall(self, ask: Ask) -> None:
        """Show what is known already; nothing is judged."""
        self._turn += 1
        studio, turn = self._context.studio, self._turn

        def done(found: Shown | None) -> None:
            if turn == self._turn:
                self._show(found)

        def work() -> Shown | None:
            # Most policies that are looked at were never judged: then the set need not be read.
            if not studio.evaluate.judged_at_all(ask.policy):
                return None
            return put_together(studio, ask, studio.evaluate.recall)

        self._context.tasks.run(Lane.ANALYSE, work, on_done=done)

    def run(self, ask: Ask) -> None:
        """Judge what was not judged yet, and show what came of all."""
        if self.running:
            return
        self._turn += 1
        studio, tasks, turn, cancel, pause = self._context.studio, self._context.tasks, self._turn, Cancel(), Pause()
        jobs: list[Job] = []

        def tell(progress: Progress) -> None:
            if jobs:
                jobs[0].eta_s = progress.eta_s
                tasks.progressed.emit(jobs[0], progress.done, progress.total)

        def judge(policy: Policy, examples: list[GoldenExample], settings: Settings) -> Evaluation:
            return studio.evaluate.run(policy, examples, settings, on_progress=tell, cancel=cancel, pause=pause)

        def done(found: Shown | None) -> None:
            if turn == self._turn:
                self._show(found)
            self._context.changes.runs.emit()

        self._job = tasks.run(
            Lane.EVALUATE,
            lambda: put_together(studio, ask, judge) or _NOTHING,
            on_done=lambda found: done(None if found is _NOTHING else found),
            title=f"Golden run “{ask.policy.title}”",
            cancel=cancel,
            pause=pause,
        )
        jobs.append(self._job)
        self.running_changed.emit()

    def stop(self) -> None:
        """Stop judging. What was judged is kept and shown."""
        if self._job is not None:
            self._job.cancel.request()

    def forget(self) -> None:
        """Show nothing: another set is looked at."""
        self._turn += 1
        self._show(None)

    def write_report(self, path: Path, *, with_content: bool) -> None:
        """Write what is shown, in the form that the name asks for: a PDF, figures as JSON or CSV, else an HTML page."""
        shown, service = self.shown, self._context.studio.evaluate
        if shown is None:
            return

        def work() -> None:
            evaluation = shown.result.evaluation
            checks = service.check(evaluation, targets_from(dict(evaluation.policy.targets)))
            before = shown.before.evaluation if shown.before is not None else None
            made = make_report(service, evaluation, before=before, checks=checks, with_content=with_content)
            forms: dict[str, Callable[[], str | bytes]] = {".pdf": made.pdf, ".json": made.json, ".csv": made.csv}
            write_report(path, forms.get(path.suffix.casefold(), made.html)())

        told = f"Report written: {path.name}"
        self._context.tasks.run(
            Lane.ANALYSE,
            work,
            on_done=lambda _none: self._context.changes.status.emit(told),
            title="Writing the report",
        )

    def _show(self, shown: Shown | None) -> None:
        if shown is not None or self.shown is not None:
            self.shown = shown
            self.reckoned.emit()

    def _look(self) -> None:
        """However a run ended, also by a stop before it began: it is over when nobody works on it any more."""
        if self._job is not None and self._job not in self._context.tasks.visible:
            self._job = None
            self.running_changed.emit()


_NOTHING = object()


def put_together(
    studio: Studio,
    ask: Ask,
    judge: Callable[[Policy, list[GoldenExample], Settings], Evaluation | None],
) -> Shown | None:
    """Judge or recall what was asked for, and reckon its figures; None where nothing is known."""
    examples = [item for item in studio.golden.list(ask.policy.id, limit=_ALL) if item.held_out is ask.held_out]
    before = None
    if ask.before is not None:
        effort = ask.before_effort or ask.settings.effort
        before = judge(ask.before, examples, _with_effort(ask.settings, effort))
    evaluation = judge(ask.policy, examples, ask.settings)
    if evaluation is None or not evaluation.examples:
        return None
    result = reckon(studio.evaluate, evaluation)
    if before is None or not before.examples:
        return Shown(ask, result)
    return Shown(ask, result, reckon(studio.evaluate, before), studio.evaluate.compare(before, evaluation))


def reckon(service: EvaluateService, evaluation: Evaluation) -> Result:
    """The figures of an evaluation, and what came of each example."""
    scores = service.scores(evaluation)
    stability = service.stability(evaluation) if evaluation.settings.repeats > 1 else None
    agree = {item.id: item.outcomes[0][1] for item in stability.items} if stability is not None else {}
    repeats = evaluation.settings.repeats
    outcomes: dict[str, Outcome] = {}
    runs: dict[str, str] = {}
    marked: defaultdict[Mark, set[str]] = defaultdict(set)
    for item, group in zip(service.items(evaluation), evaluation.judgements, strict=True):
        outcome = outcome_of(item, repeats, agree.get(item.id, repeats))
        outcomes[item.id] = outcome
        # The run whose reasoning is shown is one that says what the majority says.
        speaks = next((one for one in group if one.judged.decision is item.decision), group[0])
        runs[item.id] = speaks.run_id
        if outcome.got is None:
            marked[Mark.NO_VERDICT].add(item.id)
        elif not outcome.right:
            marked[Mark.WRONG].add(item.id)
        if outcome.unstable:
            marked[Mark.UNSTABLE].add(item.id)
    checks = service.check(evaluation, targets_from(dict(evaluation.policy.targets)))
    return Result(
        evaluation,
        scores,
        stability,
        outcomes,
        runs,
        {mark: frozenset(ids) for mark, ids in marked.items()},
        {check.target.key: check.met for check in checks},
    )


def _with_effort(settings: Settings, effort: Effort | None) -> Settings:
    return Settings(effort, settings.repeats, settings.seed, settings.sampling, settings.pinned_date)
