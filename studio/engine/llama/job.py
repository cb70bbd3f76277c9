"""A request on its way through the engine, and how far it is."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from studio.core.prompt import Segment
from studio.core.run import Sampling
from studio.engine.llama.answer import Answer
from studio.engine.llama.context import Ids
from studio.engine.llama.prefixes import Head
from studio.engine.types import Priority

NO_SEQUENCE = -1


@dataclass(slots=True, eq=False)
class Job:
    """A request on its way.

    ``answer`` is None for a warm-up, which only decodes its prompt: ``state`` is that work as it was kept from an
    earlier worker, ``keep`` asks to hand it out.

    Once its turn has come: ``prompt`` is what is to be decoded before a token can be chosen (after a pause with the
    answer so far), the first ``shared`` tokens of it by ``head``; ``decoded`` tokens lie in sequence ``seq``. ``ahead``
    are tokens that were chosen, or put in by us, and are not decoded yet. ``pinned``: what came before the final is
    kept, so that other finals can be tried after it.
    """

    id: int
    segments: Sequence[Segment]
    prefix: int
    priority: int
    sampling: Sampling | None = None
    max_output_tokens: int | None = None
    top_candidates: int = 0
    stream: bool = True
    grammar: str = ""
    answers: tuple[tuple[Segment, ...], ...] = ()
    thinking_budget: int | None = None
    state: bytes = b""
    keep: bool = False
    submitted: float = field(default_factory=time.monotonic)
    order: int = 0
    cancelled: bool = False
    prompt: Ids = field(default_factory=lambda: np.empty(0, np.int32))
    prompt_tokens: int = 0
    room: int = 0
    shared: int = 0
    head: Head | None = None
    seq: int = NO_SEQUENCE
    decoded: int = 0
    written: list[int] = field(default_factory=list)
    ahead: list[int] = field(default_factory=list)
    pinned: bool = False
    answer: Answer | None = None

    def __lt__(self, other: Job) -> bool:
        """Whether this one goes first."""
        return (self.priority, self.order) < (other.priority, other.order)

    @property
    def interactive(self) -> bool:
        """Whether somebody waits for it."""
        return self.priority == Priority.INTERACTIVE

    @property
    def own_cells(self) -> int:
        """Cells that it takes for itself."""
        return max(0, self.decoded - self.shared)

    @property
    def most_cells(self) -> int:
        """Cells that it may need at most, its head included."""
        return self.prompt_tokens + self.room

    def pause(self) -> None:
        """Let go of its cells; what was written so far is decoded again when its turn comes."""
        self.written += self.ahead
        self.prompt = np.concatenate([self.prompt[: self.prompt_tokens], np.asarray(self.written, np.int32)])
        self.head, self.seq, self.decoded, self.ahead, self.pinned = None, NO_SEQUENCE, 0, [], False
