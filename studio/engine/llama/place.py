"""Where requests are decoded: one context, its numbered sequences, and the heads in and beside it."""

from __future__ import annotations

from collections.abc import Sequence

from studio.engine.llama import memory
from studio.engine.llama.context import Context
from studio.engine.llama.failure import WorkerFailure
from studio.engine.llama.job import NO_SEQUENCE, Job
from studio.engine.llama.model import Model
from studio.engine.llama.prefixes import Prefixes


class Place:
    """The context of a model, for up to ``wanted`` sequences at a time as far as ``free`` bytes go.

    Raises ``out_of_memory`` when not even one sequence can be had.
    """

    def __init__(self, model: Model, *, wanted: int, free: int, cache_bytes: int | None = None) -> None:
        self._model = model
        self._shape = model.shape
        self._free = free
        self.width = wanted
        budget = memory.cache_budget(free) if cache_bytes is None else cache_bytes
        self.prefixes = Prefixes(step=model.info.n_batch, budget=budget)
        self._context: Context | None = None
        self._free_seqs: list[int] = []
        self.need = memory.Need(0, 0, 0)
        self._make(min(memory.FIRST_CONTEXT, model.info.n_ctx_limit))

    @property
    def strict(self) -> bool:
        """Whether there is one sequence at a time, so that answers are exact."""
        return self.width == 1

    @property
    def context(self) -> Context:
        """The context; made again where the last attempt to make one failed."""
        if self._context is None:
            self._make(min(memory.FIRST_CONTEXT, self._model.info.n_ctx_limit))
        if self._context is None:
            raise WorkerFailure("out_of_memory")
        return self._context

    @property
    def n_cells(self) -> int:
        """Tokens that the memory holds, of all sequences together."""
        return self.context.n_cells

    @property
    def n_ctx(self) -> int:
        """Tokens that one request can have."""
        return min(self._context.n_cells if self._context is not None else 0, self._model.info.n_ctx_limit)

    def grow(self, needed: int) -> None:
        """Make room for a request of ``needed`` tokens; no request may run. Heads are kept as far as they may."""
        self.prefixes.detach()
        context, self._context = self._context, None
        if context is not None:
            context.close()
        self._make(needed)

    def has_sequence(self, job: Job) -> bool:
        """Whether there is a number for a request, and one for its head."""
        return (bool(self._free_seqs) or job.sampling is None) and self.prefixes.can_acquire(job.prompt[: job.shared])

    def fits(self, rows: int, running: Sequence[Job]) -> bool:
        """Whether ``rows`` more tokens find cells."""
        return self.prefixes.cells + sum(job.own_cells for job in running) + rows <= self.n_cells

    def enter(self, job: Job) -> int:
        """Give a request its sequence and its head; returns how many tokens of it need no decoding."""
        job.head, cached = self.prefixes.acquire(job.prompt[: job.shared])
        if job.sampling is not None:
            job.seq = self._free_seqs.pop()
        return cached

    def share(self, job: Job) -> None:
        """Let a request begin with its head, which is complete."""
        if job.head is not None:
            self.context.share(job.head.seq, job.seq, job.shared)
            job.decoded = job.shared

    def pin(self, job: Job) -> None:
        """Keep all that is decoded of a request so far, for :meth:`pinned`.

        The sequence itself does not keep it: as it grows, the sliding-window layers give away cells that it no longer
        looks back on, and it could not be cut to here any more. Cells of two sequences are not given away.
        """
        self.context.share(job.seq, self.pinned(job), job.decoded)

    def pinned(self, job: Job) -> int:
        """The number under which a request was pinned."""
        return sum(memory.ids(self.width)) + job.seq

    def leave(self, job: Job) -> None:
        """Free what a request had."""
        if job.seq != NO_SEQUENCE:
            self.context.cut(self.pinned(job))
            self.context.cut(job.seq)
            self._free_seqs.append(job.seq)
            job.seq = NO_SEQUENCE
        if job.head is not None:
            self.prefixes.release(job.head)
            job.head = None

    def reset(self) -> None:
        """Forget all that lies in the context."""
        self.context.clear()
        self.prefixes.forget_resident()
        requests, _ = memory.ids(self.width)
        self._free_seqs = list(range(requests))

    def close(self) -> None:
        """Free the context."""
        if self._context is not None:
            self._context.close()
            self._context = None

    def _make(self, needed: int) -> None:
        """A context as wide as memory allows; where the system refuses all the same, half as wide, and so on."""
        info = self._model.info
        while True:
            plan = memory.plan(
                self._shape,
                self._free,
                needed=needed,
                limit=info.n_ctx_limit,
                wanted=self.width,
                step=info.n_batch,
                flash_attn=info.flash_attn,
                kv_type=info.kv_type,
                on_gpu=bool(info.placement.device),
            )
            requests, heads = memory.ids(plan.sequences)
            try:
                self._context = Context(
                    self._model,
                    n_cells=plan.cells,
                    n_seq=memory.numbers(plan.sequences),
                    n_rows=memory.step_rows(info.n_batch, plan.sequences),
                    n_outputs=memory.numbers(plan.sequences),
                )
            except WorkerFailure:
                if plan.sequences == 1:
                    raise
                self.width = plan.sequences // 2
                continue
            self.width, self.need = plan.sequences, plan.need
            self._free_seqs = list(range(requests))
            self.prefixes.attach(self._context, range(requests, requests + heads), exact=self.strict)
            return
