"""Many questions, each a content under a policy, judged greedily and together; what was judged before is not again.

"Which rule decides", bisecting and the matrix are all this. Every answer is an ordinary run, in a session of its own
that the History shows: what was found can be looked at, asked again for nothing, and deleted with its session.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from studio.core.content import Content
from studio.core.errors import StudioError
from studio.core.policy import Policy
from studio.core.progress import Cancel, Progress
from studio.core.run import Run
from studio.core.verdict import Status
from studio.services.evaluation import Settings
from studio.services.many import judge_many
from studio.services.studio import Studio


@dataclass(frozen=True, slots=True)
class Question:
    """A content, and the policy that it is judged under."""

    policy: Policy
    content: Content

    @property
    def key(self) -> tuple[str, str]:
        """What makes two questions the same one."""
        return self.policy.sha256, self.content.sha256


def ask(
    studio: Studio,
    questions: Sequence[Question],
    settings: Settings,
    *,
    session: str,
    on_progress: Callable[[Progress], None] | None = None,
    on_answer: Callable[[Question, Run], None] | None = None,
    cancel: Cancel | None = None,
) -> list[Run | None]:
    """The runs in the questions' order; None for those that a stop left out. ``session`` is the title of theirs.

    ``on_answer`` is called once for each question that differs, known ones first, from this thread. Raises
    ModelFileError or EngineError when the model does not load, and StoreError.
    """
    try:
        info = studio.models.load(cancel=cancel)
    except StudioError:
        if cancel is not None and cancel.requested:
            return [None] * len(questions)
        raise
    wanted = {question.key: question for question in questions}
    answers = _Answers(session, len(wanted), on_progress, on_answer)
    missing = []
    for question in wanted.values():
        found = studio.evaluate.known(question.policy, question.content, settings, info)
        if found is None:
            missing.append(question)
        else:
            answers.take(question, found)
    answers.begin()
    if missing:
        session_id = studio.sessions.named(session).id

        def judged(question: Question, own: Cancel) -> Run:
            return studio.judge.judge(
                question.policy,
                question.content,
                session_id=session_id,
                effort=settings.effort,
                sampling=settings.sampling_of(0),
                pinned_date=settings.pinned_date,
                batch=True,
                cancel=own,
            )

        judge_many(missing, judged, width=info.n_seq, on_done=answers.take, cancel=cancel)
    return [answers.found.get(question.key) for question in questions]


@dataclass(slots=True)
class _Answers:
    """What has come so far, and how long the rest will take: as long for each as for those that were judged now."""

    title: str
    total: int
    on_progress: Callable[[Progress], None] | None
    on_answer: Callable[[Question, Run], None] | None
    found: dict[tuple[str, str], Run] = field(default_factory=dict)
    known: int = 0
    begun: float = 0.0

    def begin(self) -> None:
        """From here on each answer is judged now."""
        self.known, self.begun = len(self.found), time.monotonic()

    def take(self, question: Question, run: Run) -> None:
        """Keep an answer and tell it; one that a stop cut off is none."""
        if run.verdict is not None and run.verdict.status is Status.CANCELLED:
            return
        self.found[question.key] = run
        if self.on_answer is not None:
            self.on_answer(question, run)
        if self.on_progress is not None:
            self.on_progress(Progress(len(self.found), self.total, self.title, self._left_s()))

    def _left_s(self) -> float | None:
        fresh = len(self.found) - self.known if self.begun else 0
        return (time.monotonic() - self.begun) * (self.total - len(self.found)) / fresh if fresh else None
