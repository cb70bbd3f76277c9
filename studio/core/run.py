"""The record of one judgement: what was asked of which model, under which settings, and what came back."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum

from studio.core.content import Content
from studio.core.policy import Effort, Policy
from studio.core.verdict import Verdict


@dataclass(frozen=True, slots=True)
class Sampling:
    """How tokens are chosen. Greedy (temperature 0) reproduces; 1.0 / 1.0 is what the model's makers ask for."""

    temperature: float = 0.0
    top_p: float = 1.0
    seed: int = 0

    @property
    def greedy(self) -> bool:
        """Whether the most probable token is always taken."""
        return self.temperature <= 0.0


GREEDY = Sampling()
SAMPLED = Sampling(temperature=1.0, top_p=1.0)

SERVER_BACKEND = "server"
"""The backend of a server that takes token ids."""

TEXT_BACKEND = "server, prompts as text"
"""The backend of a server that takes none: it looks for control tokens in the whole prompt."""


@dataclass(frozen=True, slots=True)
class Provenance:
    """All that a judgement depended on beside policy and content: the same again gives the same answer.

    ``n_seq`` requests could be decoded together: with 1 the answer is the same bit for bit, with more up to rounding.
    ``is_demo`` says that the demo model answered, which nobody should moderate by.
    ``n_ubatch`` is the tokens of one decode at most, 0 where an earlier studio did not record it; ``kv_type`` is how
    numbers in the context's memory were kept. ``constrained``: the final was held to the grammar of the contract.
    ``thinking_budget``: tokens after which the reasoning was to be closed, None for no such limit. ``sampler``: the way
    of drawing by ``sampling``, whose seed means nothing without it; "" for greedy answers, and where nobody told it.
    """

    studio_version: str
    model_name: str
    model_sha256: str
    llama_build: str
    backend: str
    device: str
    n_ctx: int
    prompt_layout: int
    pinned_date: date
    effort: Effort
    sampling: Sampling
    policy_sha256: str
    n_seq: int = 1
    n_ubatch: int = 0
    flash_attn: bool = False
    kv_type: str = "f16"
    is_demo: bool = False
    constrained: bool = False
    thinking_budget: int | None = None
    sampler: str = ""

    @property
    def strict(self) -> bool:
        """Whether one request ran at a time, so that the same again gives the same answer bit for bit."""
        return self.n_seq == 1

    @property
    def remote(self) -> bool:
        """Whether a server judged, and not this machine."""
        return self.backend in (SERVER_BACKEND, TEXT_BACKEND)

    @property
    def content_may_forge(self) -> bool:
        """Whether the prompt went to a server as text, so that content could have passed for our own turns."""
        return self.backend == TEXT_BACKEND


@dataclass(frozen=True, slots=True)
class Timing:
    """Counts in tokens, times in seconds from the moment the request was sent to the engine.

    ``thinking_cut``: the reasoning reached its budget, was closed by the studio, and the answer was asked for.
    """

    prompt_tokens: int = 0
    cached_tokens: int = 0
    thinking_tokens: int = 0
    output_tokens: int = 0
    first_token_s: float = 0.0
    total_s: float = 0.0
    thinking_cut: bool = False


class RunState(StrEnum):
    """Where a run is in its life. ``interrupted``: the studio or the engine ended while it ran."""

    RUNNING = "running"
    DONE = "done"
    INTERRUPTED = "interrupted"


@dataclass(frozen=True, slots=True)
class Run:
    """One judgement as it is kept.

    ``version`` is the number of the saved policy version whose judged text equals this policy's, None for a draft.
    ``raw_output`` is the whole answer with control tokens spelled out, for reading and for ``reparse``.
    """

    id: str
    session_id: str
    policy: Policy
    version: int | None
    content: Content
    state: RunState
    started_at: datetime
    provenance: Provenance | None = None
    verdict: Verdict | None = None
    timing: Timing = field(default_factory=Timing)
    raw_output: str = ""
    finished_at: datetime | None = None

    @property
    def thinking_cut(self) -> bool:
        """Whether the verdict was given after less reasoning than the model wanted."""
        return self.timing.thinking_cut


@dataclass(frozen=True, slots=True)
class Session:
    """A sitting at the workbench: its runs, and the drafts as they were last typed."""

    id: str
    title: str
    created_at: datetime
    updated_at: datetime
    run_count: int = 0


@dataclass(frozen=True, slots=True)
class SearchHit:
    """A run found by full-text search; ``snippet`` marks the matched words with the characters U+0002 and U+0003."""

    run: Run
    snippet: str
