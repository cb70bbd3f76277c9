"""Repeats: one content judged several times with sampling, to see whether its verdict holds."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace

from studio.core.labels import Decision
from studio.core.progress import Cancel
from studio.core.run import SAMPLED, Run
from studio.core.verdict import Status
from studio.services.judge import JudgeService
from studio.services.many import judge_many

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

    def judged(number: int, own: Cancel) -> Run:
        sampling = replace(SAMPLED, seed=(first + number) % _SEEDS)
        return judge.judge(
            run.policy, run.content, session_id=session_id, effort=effort, sampling=sampling, batch=True, cancel=own
        )

    def tell(_: int, ended: Run) -> None:
        if on_run is not None and not _stopped(ended):
            on_run(ended)

    ended = judge_many(range(times), judged, width=judge.width(cancel), on_done=tell, cancel=cancel)
    return Repeats(tuple(one for one in ended if one is not None and not _stopped(one)))


def _stopped(run: Run) -> bool:
    return run.verdict is not None and run.verdict.status is Status.CANCELLED
