"""How one number is measured, and proof that all engines did the same work for it."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from benchmarks.jobs import Engine, Job, Outcome
from benchmarks.machine import cpu_clock

LEAST_ALIKE = 0.9
"""Share of greedy answers that must begin with the same letters. Not all: engines split prompts at other places, which
rounds otherwise, and random weights leave many tokens almost equally likely."""
_LETTERS = 3


class NotTheSameWorkError(Exception):
    """Two engines did not do the same work, so that their times must not be compared."""


@dataclass(slots=True)
class Series:
    """Measurements of one case: per engine one number a round, in ``unit``."""

    unit: str
    rounds: dict[str, list[float]] = field(default_factory=dict)
    alike: list[float] = field(default_factory=list)

    def add(self, engine: str, value: float) -> None:
        """Note one round of one engine."""
        self.rounds.setdefault(engine, []).append(value)

    def median(self, engine: str) -> float:
        """The engine's median over the rounds."""
        return statistics.median(self.rounds[engine])

    def ratio(self, peer: str, ours: str = "ours") -> float:
        """The peer's time over ours: above 1 we are faster."""
        return self.median(peer) / self.median(ours)

    def best(self, engines: Sequence[str]) -> str:
        """The fastest of these engines."""
        return min(engines, key=self.median)


def cpu_seconds(engine: Engine, jobs: Sequence[Job]) -> tuple[float, list[Outcome]]:
    """CPU seconds of the engine's process and of this one while the jobs are answered."""
    before = cpu_clock(engine.pid()) + time.process_time()
    outcomes, _ = engine.run(jobs)
    return cpu_clock(engine.pid()) + time.process_time() - before, outcomes


def interleaved(engines: Sequence[Engine], rounds: int, measure: Callable[[Engine, int], None]) -> None:
    """Measure all engines in every round, each time beginning with another one, so that drift meets all alike."""
    for number in range(rounds):
        start = number % len(engines)
        for engine in (*engines[start:], *engines[:start]):
            measure(engine, number)
            print(".", end="", flush=True)
    print(flush=True)


def check_counts(engine: str, jobs: Sequence[Job], outcomes: Sequence[Outcome]) -> None:
    """Raise :class:`NotTheSameWorkError` unless every job had all its tokens, in and out."""
    for job, outcome in zip(jobs, outcomes, strict=True):
        if (outcome.prompt_tokens, outcome.output_tokens) != (len(job.tokens), job.answer):
            raise NotTheSameWorkError(
                f"{engine} read {outcome.prompt_tokens} and wrote {outcome.output_tokens} tokens, "
                f"not {len(job.tokens)} and {job.answer}"
            )


def share_alike(answers: Mapping[str, Sequence[Outcome]]) -> float:
    """The share of jobs whose answers begin alike in all engines; when it is too small, NotTheSameWorkError."""
    starts = zip(*([_start(outcome) for outcome in outcomes] for outcomes in answers.values()), strict=False)
    same = [len(set(start)) == 1 for start in starts]
    share = sum(same) / len(same)
    if share < LEAST_ALIKE:
        raise NotTheSameWorkError(f"only {share:.0%} of the answers begin alike in {', '.join(answers)}")
    return share


def _start(outcome: Outcome) -> str:
    # Half a character is shown in different ways; whole ones are not.
    return outcome.text.replace("\ufffd", "")[:_LETTERS]
