"""The cases that are measured, one function each; all take the engines and give a :class:`Series`."""

from __future__ import annotations

import random
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from benchmarks.jobs import Engine, Job, Outcome, content_text, policy_text
from benchmarks.measuring import Series, check_counts, cpu_seconds, interleaved, share_alike

MakeJob = Callable[[str, str, int], Job]
CPU, WALL = "CPU s", "s"


@dataclass(frozen=True, slots=True)
class Size:
    """How much is measured. ``scale`` shortens policies, contents and answers, for a trial run only."""

    rounds: int = 3
    scale: float = 1.0
    contents: int = 32
    many: int = 64
    probes: int = 4

    def tokens(self, count: int) -> int:
        """So many tokens in this run."""
        return max(4, int(count * self.scale))


def golden(engines: Sequence[Engine], make: MakeJob, size: Size, shares: dict[str, float]) -> Series:
    """(a) A golden run: one policy of 600 tokens, 32 contents of 60, answers of 120; nothing decoded before."""
    return _batch(engines, make, size, shares, policy=600, content=60, answer=120, count=size.contents)[0]


def large_policy(
    engines: Sequence[Engine], make: MakeJob, size: Size, shares: dict[str, float]
) -> tuple[Series, Series]:
    """(b) A policy of 2,000 tokens, 64 contents of 20, answers of 16: (nothing decoded before, the policy again)."""
    return _batch(engines, make, size, shares, policy=2000, content=20, answer=16, count=size.many)


def new_content(engines: Sequence[Engine], make: MakeJob, size: Size) -> Series:
    """(c) The first token after the content changed, the policy of 2,000 tokens being warm."""

    def before(number: int) -> list[str]:
        return [policy_text(size.tokens(2000), number)]

    return _first_token(engines, make, size, before, lambda number, probe: policy_text(size.tokens(2000), number))


def edited_policy(engines: Sequence[Engine], make: MakeJob, size: Size, place: float) -> Series:
    """(d) The first token after all behind ``place`` of the policy changed (0.5: half of it; 0.95: the last line)."""

    def before(number: int) -> list[str]:
        return [policy_text(size.tokens(2000), 1000 + number)]

    def edited(number: int, probe: int) -> str:
        return policy_text(size.tokens(2000), 1000 + number, changed_from=place, edit=probe + 1)

    return _first_token(engines, make, size, before, edited)


def earlier_policy(engines: Sequence[Engine], make: MakeJob, size: Size) -> Series:
    """The first token after going back to the policy before the last one; two policies of 2,000 tokens in turn."""

    def both(number: int) -> list[str]:
        return [policy_text(size.tokens(2000), 2000 + 2 * number + which) for which in (0, 1)]

    return _first_token(engines, make, size, both, lambda number, probe: both(number)[probe % 2])


def interactive(engines: Sequence[Engine], make: MakeJob, size: Size, apart_s: float) -> Series:
    """(e) The wait of somebody at the window, until the first token, while a ragged batch of 24 is running."""
    series = Series(WALL)

    def measure(engine: Engine, number: int) -> None:
        rng = random.Random(number)
        policy = policy_text(size.tokens(600), 3000 + number)
        jobs = [
            make(policy, content_text(size.tokens(rng.randint(20, 200)), rng.randint(0, 10**6)), size.tokens(answer))
            for answer in rng.choices(range(20, 240), k=24)
        ]
        arrivals = [
            (apart_s * (arrival + 1), make(policy, content_text(size.tokens(60), 7000 + arrival), size.tokens(40)))
            for arrival in range(6)
        ]
        outcomes, urgent = engine.run(jobs, arrivals)
        check_counts(engine.name, jobs, outcomes)
        check_counts(engine.name, [job for _, job in arrivals], urgent)
        series.add(engine.name, statistics.median(outcome.first_s for outcome in urgent))

    interleaved(engines, size.rounds, measure)
    return series


def _batch(
    engines: Sequence[Engine],
    make: MakeJob,
    size: Size,
    shares: dict[str, float],
    *,
    policy: int,
    content: int,
    answer: int,
    count: int,
) -> tuple[Series, Series]:
    """Every round has a new policy, so nothing of it is decoded anywhere; then the same policy with new contents.

    An engine with a share below 1 answers only that share of the contents, each of which costs it the same.
    """
    cold, steady = Series(CPU), Series(CPU)
    answers: dict[int, dict[str, list[Outcome]]] = {}

    def measure(engine: Engine, number: int) -> None:
        text = policy_text(size.tokens(policy), 4000 + policy + number)
        share = shares.get(engine.name, 1.0)
        for again, series in enumerate((cold, steady)):
            jobs = [
                make(text, content_text(size.tokens(content), 1000 * again + place), size.tokens(answer))
                for place in range(max(1, int(count * share)))
            ]
            cost, outcomes = cpu_seconds(engine, jobs)
            check_counts(engine.name, jobs, outcomes)
            series.add(engine.name, cost * count / len(jobs))
            if not again:
                answers.setdefault(number, {})[engine.name] = outcomes
            if share < 1:
                # Without anything kept, the second time is the first one again.
                steady.add(engine.name, cost * count / len(jobs))
                break

    interleaved(engines, size.rounds, measure)
    cold.alike = [share_alike(of_round) for of_round in answers.values()]
    return cold, steady


def _first_token(
    engines: Sequence[Engine],
    make: MakeJob,
    size: Size,
    before: Callable[[int], list[str]],
    policy: Callable[[int, int], str],
) -> Series:
    """CPU seconds from a question to its first token: ``before`` is asked first, then ``policy`` for each probe."""
    series = Series(CPU)

    def measure(engine: Engine, number: int) -> None:
        for place, text in enumerate(before(number)):
            engine.run([make(text, content_text(size.tokens(60), 8000 + place), 4)])
        costs = []
        for probe in range(size.probes):
            job = make(policy(number, probe), content_text(size.tokens(60), 9000 + probe), 1)
            cost, outcomes = cpu_seconds(engine, [job])
            check_counts(engine.name, [job], outcomes)
            costs.append(cost)
        series.add(engine.name, statistics.median(costs))

    interleaved(engines, size.rounds, measure)
    return series
