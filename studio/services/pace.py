"""What a policy costs in seconds on this machine: measured from the runs so far of the model that is loaded."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from statistics import median

from studio.core.run import Run
from studio.services.models import ModelInfo

_LEAST_READ = 32
"""A first word after fewer tokens read says more about the way there than about the speed of reading."""


@dataclass(frozen=True, slots=True)
class Pace:
    """Speeds in tokens a second, and what a run needs in tokens, as medians over ``runs`` runs.

    ``reading`` is None where every policy was read before it was judged under; ``known_s`` is the time to the first
    word under a policy that was known, None when no run was made with one yet. One of the two is there.
    """

    runs: int
    reading: float | None
    writing: float
    answer: float
    known_s: float | None


@dataclass(frozen=True, slots=True)
class Cost:
    """Seconds of the first run under a policy, and of each one after it; None for what was not measured yet."""

    first_s: float | None
    then_s: float | None


def pace(runs: Iterable[Run], info: ModelInfo) -> Pace | None:
    """The pace of a loaded model on its device; None as long as no run tells it."""
    done = [
        run.timing
        for run in runs
        if run.provenance is not None
        and run.timing.output_tokens > 1
        and (run.provenance.model_sha256, run.provenance.device, run.provenance.backend)
        == (info.sha256, info.device, info.backend)
    ]
    reading = [
        (timing.prompt_tokens - timing.cached_tokens, timing.first_token_s)
        for timing in done
        if timing.prompt_tokens - timing.cached_tokens >= _LEAST_READ and timing.first_token_s > 0
    ]
    writing = [
        (timing.output_tokens - 1, timing.total_s - timing.first_token_s)
        for timing in done
        if timing.total_s > timing.first_token_s
    ]
    known = [timing.first_token_s for timing in done if timing.cached_tokens > 0 and timing.first_token_s > 0]
    if not writing or not (reading or known):
        return None
    return Pace(
        runs=len(done),
        reading=_rate(reading) if reading else None,
        writing=_rate(writing),
        answer=median(timing.output_tokens for timing in done),
        known_s=median(known) if known else None,
    )


def cost(of: Pace, policy_tokens: int) -> Cost:
    """What runs under a policy of so many compiled tokens take, one at a time."""
    answer_s = of.answer / of.writing
    return Cost(
        first_s=None if of.reading is None else policy_tokens / of.reading + (of.known_s or 0.0) + answer_s,
        then_s=None if of.known_s is None else of.known_s + answer_s,
    )


def _rate(parts: list[tuple[int, float]]) -> float:
    """Tokens a second over all: long runs tell more than short ones."""
    return sum(tokens for tokens, _ in parts) / sum(taken for _, taken in parts)
