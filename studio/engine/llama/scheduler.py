"""Who is decoded when: requests become sequences of one context, and each step decodes something of all of them.

A step is the next token of every running request and one bounded stretch of the prompts that are not read yet. Whoever
ends makes room at once. Requests that somebody waits for go before all others: places are kept for them, and on a CPU,
where a wide batch slows everybody in it, the others rest meanwhile. Between two steps the worker looks at its inbox.

With one sequence the engine is strict: one request at a time, in the steps and cells of a fresh context.
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable
from dataclasses import dataclass

from studio.core.run import Sampling
from studio.engine import protocol
from studio.engine.llama.answer import ASK_FOR_FINAL, Answer
from studio.engine.llama.context import Ids, NoRoom
from studio.engine.llama.failure import WorkerFailure
from studio.engine.llama.grammar import Grammars
from studio.engine.llama.job import NO_SEQUENCE, Job
from studio.engine.llama.model import Model
from studio.engine.llama.place import Place
from studio.engine.llama.prefixes import Head
from studio.engine.llama.prompts import PromptReader
from studio.engine.llama.rating import Branches, Rating
from studio.engine.llama.sampling import Logits, most_probable
from studio.engine.types import Priority

__all__ = ["Job", "Scheduler"]

_MARGIN = 128
"""Cells that must be free beyond a request's prompt before it begins, so that it is not sent away at once."""

Emit = Callable[[protocol.FromWorker], None]


@dataclass(frozen=True, slots=True)
class _Piece:
    """Tokens to decode for a request, or for the head that it waits for; ``output`` asks what comes after the last."""

    job: Job
    head: Head | None
    tokens: Ids | list[int]
    output: bool


class Scheduler:
    """Runs requests on one model. ``together``: requests that somebody waits for share their steps with the others."""

    def __init__(self, model: Model, emit: Emit, place: Place, *, together: bool = False) -> None:
        self._model = model
        self._emit = emit
        self._place = place
        self._together = together
        self._reader = PromptReader(model)
        self._grammars = Grammars(model.vocabulary)
        asking = model.vocabulary.tokens(ASK_FOR_FINAL, model.info.n_ctx_limit, model.info.n_ctx_limit)
        self._ask_for_final = [token.id for token in asking]
        self._waiting: list[Job] = []
        self._running: list[Job] = []
        self._order = itertools.count()

    @property
    def busy(self) -> bool:
        """Whether there is anything to do."""
        return bool(self._running or self._waiting)

    def submit(self, job: Job) -> None:
        """Take a request; it is answered by events, the last of which ends it."""
        job.order = next(self._order)
        heapq.heappush(self._waiting, job)

    def cancel(self, job_id: int) -> None:
        """Stop a request: one that runs before its next step, one that waits at once, any other not at all."""
        for job in self._running:
            if job.id == job_id:
                job.cancelled = True
        for job in self._waiting:
            if job.id == job_id:
                self._waiting.remove(job)
                heapq.heapify(self._waiting)
                self._finish_cancelled(job)
                return

    def step(self) -> None:
        """Do one step of work, if there is any."""
        for job in [job for job in self._running if job.cancelled]:
            self._finish_cancelled(job)
        self._admit()
        self._go_on_from_heads()
        pieces = self._pieces()
        while pieces and not self._fits(pieces):
            pieces = self._pieces()
        if pieces:
            self._decode(pieces)

    def close(self) -> None:
        """Free everything that was made for requests."""
        for job in (*self._running, *self._waiting):
            self._close_answer(job)
        self._grammars.close()
        self._place.close()

    # Who runs

    def _admit(self) -> None:
        while self._waiting:
            job = self._waiting[0]
            try:
                if not len(job.prompt):
                    self._reader.read(job)
                if not self._may_begin(job):
                    return
                heapq.heappop(self._waiting)
                self._begin(job)
            except WorkerFailure as failure:
                if job in self._waiting:
                    self._waiting.remove(job)
                    heapq.heapify(self._waiting)
                self._fail(job, failure)

    def _may_begin(self, job: Job) -> bool:
        """Whether it is this request's turn; makes room for one that somebody waits for."""
        if not self._running:
            return True
        if self._place.strict:
            return False
        others = [other for other in self._running if not other.interactive]
        if not job.interactive:
            rests = not self._together and len(others) < len(self._running)
            if rests or (job.priority == Priority.BATCH and len(others) >= self._place.width):
                return False
        while self._running and not self._has_room(job):
            if not job.interactive or not others or not self._pause(max(others)):
                return False
            others = [other for other in self._running if not other.interactive]
        return True

    def _has_room(self, job: Job) -> bool:
        if not self._place.has_sequence(job):
            return False
        taken = sum(max(other.own_cells, len(other.prompt) - other.shared) + _MARGIN for other in self._running)
        heads = {id(other.head): len(other.head.tokens) for other in self._running if other.head is not None}
        shares = self._place.prefixes.in_use(job.prompt[: job.shared])
        wanted = len(job.prompt) - (job.shared if shares else 0) + _MARGIN
        return taken + sum(heads.values()) + wanted <= self._place.n_cells

    def _begin(self, job: Job) -> None:
        if job.most_cells > self._place.n_cells:
            for other in list(self._running):
                self._pause(other)
            self._place.grow(job.most_cells)
        if job.state:
            self._place.prefixes.adopt(job.prompt[: job.shared], job.state)
        while not self._place.fits(self._place.prefixes.need(job.prompt[: job.shared]), self._running):
            if not self._place.prefixes.make_room() and not (self._running and self._pause(max(self._running))):
                break
        begun = job.answer is not None
        if job.sampling is not None and job.answer is None:
            job.answer = self._new_answer(job, job.sampling)
        cached = self._place.enter(job)
        # What was taken in and is whole has been kept already.
        job.keep = job.keep and not (job.state and cached == job.shared)
        self._running.append(job)
        if job.answer is not None and not begun:
            job.answer.cached_tokens = cached
            self._emit(protocol.Began(job.id, job.prompt_tokens, cached))

    def _new_answer(self, job: Job, sampling: Sampling) -> Answer:
        return Answer(
            self._model.vocabulary,
            sampling,
            job.room,
            job.top_candidates,
            job.submitted,
            stream=job.stream,
            rating=Rating(self._reader.answers(job)) if job.answers else None,
            constraint=self._grammars.constraint(job.grammar) if job.grammar else None,
            thinking_budget=job.thinking_budget,
        )

    def _pause(self, job: Job) -> bool:
        """Take a running request's cells; it goes on, without a word lost, when its turn comes again."""
        self._place.leave(job)
        self._running.remove(job)
        job.pause()
        heapq.heappush(self._waiting, job)
        return True

    def _active(self) -> list[Job]:
        """Those that take part in this step, in the order of their turns."""
        urgent = [job for job in self._running if job.interactive]
        return sorted(urgent if urgent and not self._together else self._running)

    # What a step decodes

    def _go_on_from_heads(self) -> None:
        """Requests whose head is complete begin with it; warm-ups are done with it."""
        for job in list(self._running):
            if job.head is None or not job.head.complete:
                continue
            if job.sampling is None:
                state = self._place.prefixes.state(job.head, protocol.MAX_STATE) if job.keep else b""
                self._end(job, protocol.Warmed(job.id, state))
            elif job.decoded == 0:
                self._place.share(job)

    def _pieces(self) -> list[_Piece]:
        active = self._active()
        budget = self._model.info.n_batch
        pieces: list[_Piece] = []
        for job in active:
            if job.ahead:
                # The first is what everybody has in a step; what we put in behind it is read like a prompt.
                tokens = job.ahead[: 1 + budget] if not self._place.strict else job.ahead[:budget]
                pieces.append(_Piece(job, None, tokens, len(tokens) == len(job.ahead)))
                budget -= len(tokens) - 1
        heads: list[Head] = []
        for job in active:
            if job.ahead or budget == 0 or job.head in heads:
                continue
            if job.head is not None and not job.head.complete:
                heads.append(job.head)
                piece = _Piece(job, job.head, job.head.tokens[job.head.decoded :][:budget], False)
            else:
                stretch = job.prompt[job.decoded :][:budget]
                piece = _Piece(job, None, stretch, job.decoded + len(stretch) == len(job.prompt))
            pieces.append(piece)
            budget -= len(piece.tokens)
        return pieces

    def _fits(self, pieces: list[_Piece]) -> bool:
        """Whether there are cells for a step. If not, a head that nobody uses leaves, or a request pauses."""
        rows = sum(len(piece.tokens) for piece in pieces)
        while not self._place.fits(rows, self._running):
            if self._place.prefixes.make_room():
                continue
            if len(self._running) == 1:
                return True
            self._pause(max(self._running))
            return False
        return True

    def _decode(self, pieces: list[_Piece]) -> None:
        context = self._place.context
        asked: list[Job] = []
        for piece in pieces:
            seq, start = (piece.job.seq, piece.job.decoded)
            if piece.head is not None:
                seq, start = piece.head.seq, piece.head.decoded
            context.add(seq, piece.tokens, start, output=piece.output)
            if piece.output:
                asked.append(piece.job)
        try:
            logits = context.decode()
        except NoRoom:
            if not self._place.prefixes.make_room():
                self._no_room()
            return
        except WorkerFailure as failure:
            self._fail_all(failure)
            return
        for piece in pieces:
            _note_decoded(piece)
        self._choose(asked, logits)

    def _choose(self, asked: list[Job], logits: Logits) -> None:
        ended: list[tuple[Job, Answer]] = []
        for job, best, row in zip(asked, most_probable(logits), logits, strict=True):
            answer = job.answer
            if answer is None:
                continue
            if best is None:
                self._fail(job, WorkerFailure("bad_numbers"))
                continue
            if answer.rating is not None and answer.before_final and not job.pinned:
                self._place.pin(job)
                job.pinned = True
            try:
                token = answer.choose(best, row)
            except WorkerFailure as failure:
                self._fail(job, failure)
                continue
            answer.take(token)
            job.ahead = [token, *answer.ask_for_final(self._ask_for_final)]
            for channel, text in answer.due():
                self._emit(protocol.Chunk(job.id, channel, text))
            if answer.stop is not None:
                ended.append((job, answer))
        # After all others have chosen: rating decodes again, and the rows above are gone.
        for job, answer in ended:
            if job in self._running and self._rate(job, answer):
                self._finish(job, answer)

    def _rate(self, job: Job, answer: Answer) -> bool:
        """Ask how probable each answer of the contract was; False when the memory was lost in doing so."""
        if answer.rating is None or not job.pinned or answer.stop in ("limit", "cancelled"):
            return True
        branches = Branches(self._place.context, self._place.pinned(job), job.prompt_tokens + answer.before_final)
        try:
            answer.logprobs = answer.rating.logprobs(branches.ask)
        except WorkerFailure as failure:
            self._fail_all(failure)
            return False
        return True

    # How requests end

    def _no_room(self) -> None:
        """The library found no cells although they were counted: fewer at a time, and the last one fails."""
        if len(self._running) > 1:
            self._pause(max(self._running))
        else:
            self._fail_all(WorkerFailure("decode", {"status": 1}))

    def _fail_all(self, failure: WorkerFailure) -> None:
        """After a failed decode nothing in the memory can be relied on."""
        running, self._running = self._running, []
        self._place.reset()
        for job in running:
            job.head, job.seq = None, NO_SEQUENCE
            self._fail(job, failure)

    def _fail(self, job: Job, failure: WorkerFailure) -> None:
        self._close_answer(job)
        self._end(job, protocol.Failed(job.id, failure.code, failure.numbers, failure.detail))

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
        generation = answer.generation(job.prompt_tokens, self._place.n_ctx)
        self._close_answer(job)
        self._end(job, protocol.Finished(job.id, generation))

    def _close_answer(self, job: Job) -> None:
        if job.answer is not None:
            job.answer.close()

    def _end(self, job: Job, message: protocol.FromWorker) -> None:
        if job in self._running:
            self._running.remove(job)
            self._place.leave(job)
        self._emit(message)


def _note_decoded(piece: _Piece) -> None:
    if piece.head is not None:
        piece.head.decoded += len(piece.tokens)
        return
    job = piece.job
    job.decoded += len(piece.tokens)
    if job.ahead:
        job.written += job.ahead[: len(piece.tokens)]
        del job.ahead[: len(piece.tokens)]
