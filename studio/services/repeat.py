"""Repeats: one content judged several times with sampling, to see whether its verdict holds."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, replace

from studio.core.labels import Decision
from studio.core.progress import Cancel
from studio.core.run import SAMPLED, Run
from studio.core.verdict import Status
from studio.services.judge import JudgeService

TIMES = 5
_SEEDS = 2**31


@dataclass(frozen=True, slots=True)
class Repeats:
    """What came of the repeats. Those without a verdict are counted apart and never as a decision."""

    runs: tuple[Run, ...]

    @property
    def decisions(self) -> tuple[Decision | None, ...]:
        """The decision of each repeat, None for no verdict."""
        return tuple(run.verdict.decision if run.verdict else None for run in self.runs)

    @property
    def verdicts(self) -> int:
        """How many repeats gave a verdict."""
        return sum(decision is not None for decision in self.decisions)

    @property
    def majority(self) -> Decision | None:
        """What more than half of the verdicts decide; None when there is no such decision."""
        counted = Counter(decision for decision in self.decisions if decision is not None).most_common(1)
        return counted[0][0] if counted and 2 * counted[0][1] > self.verdicts else None

    @property
    def agreement(self) -> float | None:
        """The largest share of the verdicts that decide the same, in (0, 1]; None without verdicts."""
        counted = Counter(decision for decision in self.decisions if decision is not None).most_common(1)
        return counted[0][1] / self.verdicts if counted else None

    def flips(self, decision: Decision) -> int:
        """How many verdicts decide otherwise than ``decision``."""
        return sum(other not in (decision, None) for other in self.decisions)

    def flip_rate(self, decision: Decision) -> float | None:
        """The share of verdicts that decide otherwise than ``decision``; None without verdicts."""
        return self.flips(decision) / self.verdicts if self.verdicts else None


def repeat(
    judge: JudgeService,
    run: Run,
    *,
    session_id: str,
    times: int = TIMES,
    seed: int | None = None,
    on_run: Callable[[Run], None] | None = None,
    cancel: Cancel | None = None,
) -> Repeats:
    """Judge the policy, content and effort of ``run`` again ``times`` times, with temperature 1.0 and top p 1.0.

    Each repeat has a seed of its own, counted on from ``seed`` (drawn when None) and kept in its provenance. ``on_run``
    is called as each ends, in any order; a stop gives those that ended before it. Raises StoreError.
    """
    first = random.randrange(_SEEDS) if seed is None else seed
    effort = run.provenance.effort if run.provenance else None
    stop = Cancel()
    if cancel is not None:
        cancel.on_request(stop.request)

    def judged(number: int) -> Run | None:
        # Each has a cancel of its own: a judgement that has ended no longer stands for the others.
        own = Cancel()
        stop.on_request(own.request)
        if stop.requested:
            return None
        sampling = replace(SAMPLED, seed=(first + number) % _SEEDS)
        done = judge.judge(
            run.policy, run.content, session_id=session_id, effort=effort, sampling=sampling, batch=True, cancel=own
        )
        stopped = done.verdict is not None and done.verdict.status is Status.CANCELLED
        return None if stopped else done

    pool = ThreadPoolExecutor(max(1, min(judge.width(stop), times)), "repeat")
    try:
        futures = [pool.submit(judged, number) for number in range(times)]
        for future in as_completed(futures):
            ended = future.result()
            if ended is not None and on_run is not None:
                on_run(ended)
    finally:
        # After an error too: nobody waits for the rest any more.
        stop.request()
        pool.shutdown(cancel_futures=True)
    return Repeats(tuple(ended for future in futures if (ended := future.result()) is not None))
