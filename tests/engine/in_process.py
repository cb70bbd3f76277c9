"""The scheduler without its process: requests in, steps one by one, events out."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from studio.core.prompt import Segment
from studio.core.run import GREEDY, Sampling
from studio.engine import protocol
from studio.engine.llama import binding
from studio.engine.llama.job import Job
from studio.engine.llama.model import Model, open_model
from studio.engine.llama.opening import open_scheduler
from studio.engine.llama.scheduler import Scheduler
from studio.engine.types import EngineSettings, Generation, Priority

STEP = 32
ROOM = 16 << 30


def opened(path: Path) -> Model:
    """A model that reads prompts in steps of :data:`STEP` tokens."""
    binding.start()
    return open_model(path, EngineSettings(n_batch=STEP, n_threads=1), "", lambda _: True)


@dataclass
class Desk:
    """One scheduler and all that it said."""

    model: Model
    n_seq: int = 1
    cache_bytes: int | None = None
    free: int = ROOM
    events: list[protocol.FromWorker] = field(default_factory=list)
    jobs: dict[int, Job] = field(default_factory=dict)
    ids: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    def __post_init__(self) -> None:
        settings = EngineSettings(n_seq=self.n_seq, cache_bytes=self.cache_bytes)
        self.scheduler: Scheduler = open_scheduler(self.model, settings, self.events.append, self.free)

    def ask(
        self,
        segments: Sequence[Segment],
        prefix: int = 0,
        *,
        answer: int = 8,
        priority: Priority = Priority.BATCH,
        sampling: Sampling = GREEDY,
        stream: bool = False,
        grammar: str = "",
        answers: tuple[tuple[Segment, ...], ...] = (),
        thinking_budget: int | None = None,
    ) -> int:
        """Hand in a request; returns its number."""
        job = Job(next(self.ids), segments, prefix, priority, sampling, answer, 0, stream)
        job.grammar, job.answers, job.thinking_budget = grammar, answers, thinking_budget
        self.jobs[job.id] = job
        self.scheduler.submit(job)
        return job.id

    def warm(self, segments: Sequence[Segment], *, state: bytes = b"", keep: bool = False) -> int:
        """Hand in a warm-up."""
        number = next(self.ids)
        self.scheduler.submit(Job(number, segments, len(segments), Priority.WARM, state=state, keep=keep))
        return number

    def warmed(self) -> bytes:
        """The decoded work that the only warm-up gave out."""
        (event,) = [event for event in self.events if isinstance(event, protocol.Warmed)]
        return event.state

    def run(self, steps: int = 100_000) -> None:
        """So many steps, or until nothing is left to do."""
        for _ in range(steps):
            if not self.scheduler.busy:
                return
            self.scheduler.step()

    def answer(self, number: int) -> Generation:
        """The finished answer of a request."""
        return next(
            event.generation for event in self.events if isinstance(event, protocol.Finished) and event.id == number
        )

    def tokens(self, number: int) -> list[int]:
        """The prompt of a finished request and what was written, up to the last token that was decoded."""
        job = self.jobs[number]
        return [*job.prompt[: job.prompt_tokens].tolist(), *job.written]

    def order(self, kind: type[protocol.FromWorker]) -> list[int]:
        """The requests that had such an event, in the order of the events."""
        return [event.id for event in self.events if isinstance(event, kind) and not isinstance(event, _NOBODY)]

    def close(self) -> None:
        """Free the context."""
        self.scheduler.close()


_NOBODY = protocol.Hello | protocol.Heartbeat
