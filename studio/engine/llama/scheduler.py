"""Who is decoded when. Today one sequence at a time; callers see only requests, steps and events.

Each :meth:`Scheduler.step` decodes one chunk of a prompt or one token of an answer, so that the worker looks at its
inbox between any two of them.
"""

from __future__ import annotations

import heapq
import itertools
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from studio.core.prompt import Segment
from studio.core.run import Sampling
from studio.engine import protocol
from studio.engine.llama.answer import Answer
from studio.engine.llama.failure import WorkerFailure
from studio.engine.llama.model import Model
from studio.engine.llama.sequence import Sequence as DecodedSequence
from studio.engine.llama.sequence import steps
from studio.engine.types import DEFAULT_ANSWER_TOKENS, LEAST_ANSWER_TOKENS

_MOST_TIMES = 8
"""A prompt of so many contexts is too long without being counted to its end."""

Emit = Callable[[protocol.FromWorker], None]


@dataclass(slots=True)
class Job:
    """A request on its way. ``answer`` is None for a warm-up, which only decodes its prompt."""

    id: int
    segments: Sequence[Segment]
    prefix: int
    priority: int
    sampling: Sampling | None = None
    max_output_tokens: int | None = None
    top_candidates: int = 0
    submitted: float = field(default_factory=time.monotonic)
    cancelled: bool = False
    tokens: list[int] = field(default_factory=list)
    ends: tuple[int, ...] = ()
    decoded: int = 0
    answer: Answer | None = None


class Scheduler:
    """Runs requests on one model, interactive ones first, each to its end."""

    def __init__(self, model: Model, emit: Emit) -> None:
        self._model = model
        self._emit = emit
        self._sequence = DecodedSequence(model)
        self._waiting: list[tuple[int, int, Job]] = []
        self._order = itertools.count()
        self._active: Job | None = None

    @property
    def busy(self) -> bool:
        """Whether there is anything to do."""
        return self._active is not None or bool(self._waiting)

    def submit(self, job: Job) -> None:
        """Take a request; it is answered by events, the last of which ends it."""
        heapq.heappush(self._waiting, (job.priority, next(self._order), job))

    def cancel(self, job_id: int) -> None:
        """Stop a request: the one that runs before its next step, one that waits at once, any other not at all."""
        if self._active is not None and self._active.id == job_id:
            self._active.cancelled = True
        for entry in self._waiting:
            if entry[2].id == job_id:
                self._waiting.remove(entry)
                heapq.heapify(self._waiting)
                self._finish_cancelled(entry[2])
                return

    def step(self) -> None:
        """Do one step of work, if there is any."""
        job = self._active
        try:
            if job is None:
                if self._waiting:
                    job = self._active = heapq.heappop(self._waiting)[2]
                    self._begin(job)
            elif job.cancelled:
                self._finish_cancelled(job)
            elif job.decoded < len(job.tokens):
                self._prefill(job)
            elif job.answer is None:
                self._end(job, protocol.Warmed(job.id))
            else:
                self._write(job, job.answer)
        except WorkerFailure as failure:
            if job is None:
                raise
            self._close_answer(job)
            self._end(job, protocol.Failed(job.id, failure.code, failure.numbers, failure.detail))

    def close(self) -> None:
        """Free everything that was made for requests."""
        if self._active is not None:
            self._close_answer(self._active)
        self._sequence.close()

    def _begin(self, job: Job) -> None:
        available = self._model.info.n_ctx_limit
        found = self._model.vocabulary.tokens(job.segments, available, _MOST_TIMES * available)
        job.tokens = [token.id for token in found]
        if not job.tokens:
            raise WorkerFailure("empty_prompt")
        room = self._room(len(job.tokens), job.max_output_tokens)
        self._sequence.make_room(len(job.tokens) + room)
        prefix = sum(token.segment < job.prefix for token in found)
        job.ends = steps(len(job.tokens), prefix, self._model.info.n_batch)
        job.decoded = self._sequence.begin(job.tokens, job.ends)
        if job.sampling is not None:
            limit = min(room, self._sequence.n_ctx - len(job.tokens))
            job.answer = Answer(self._model.vocabulary, job.sampling, limit, job.top_candidates, job.submitted)
            job.answer.cached_tokens = job.decoded
            self._emit(protocol.Began(job.id, len(job.tokens), job.decoded))

    def _room(self, prompt: int, wanted: int | None) -> int:
        """Tokens for the answer. Raises ``too_long`` with the numbers when prompt and answer do not fit."""
        available = self._model.info.n_ctx_limit
        needed = prompt + (LEAST_ANSWER_TOKENS if wanted is None else max(wanted, 1))
        if needed > available:
            raise WorkerFailure("too_long", {"needed": needed, "available": available})
        return min(DEFAULT_ANSWER_TOKENS, available - prompt) if wanted is None else max(wanted, 1)

    def _prefill(self, job: Job) -> None:
        end = next(end for end in job.ends if end > job.decoded)
        self._sequence.prefill(job.tokens[job.decoded : end])
        job.decoded = end

    def _write(self, job: Job, answer: Answer) -> None:
        token = answer.choose(self._sequence.context, self._sequence.logits())
        answer.take(token)
        for channel, text in answer.due():
            self._emit(protocol.Chunk(job.id, channel, text))
        if answer.stop is None:
            self._sequence.append(token)
        else:
            self._finish(job, answer)

    def _finish_cancelled(self, job: Job) -> None:
        if job.answer is None and job.sampling is not None:
            job.answer = Answer(self._model.vocabulary, job.sampling, 0, 0, job.submitted)
        if job.answer is None:
            self._end(job, protocol.Failed(job.id, "cancelled"))
            return
        job.answer.stop = "cancelled"
        self._finish(job, job.answer)

    def _finish(self, job: Job, answer: Answer) -> None:
        for channel, text in answer.rest():
            self._emit(protocol.Chunk(job.id, channel, text))
        generation = answer.generation(len(job.tokens), self._sequence.n_ctx)
        self._close_answer(job)
        self._end(job, protocol.Finished(job.id, generation))

    def _close_answer(self, job: Job) -> None:
        if job.answer is not None:
            job.answer.close()

    def _end(self, job: Job, message: protocol.FromWorker) -> None:
        if job is self._active:
            self._active = None
        self._emit(message)
