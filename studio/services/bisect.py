"""Bisecting: which version of a policy, and which change inside it, made the verdict of one content another one.

The versions are halved as in a binary search. Inside the version that is found each change is tried alone; where none
does it alone, changes are left out one after the other for as long as the verdict stays flipped, and those that remain
do it together. All of it is judged by the model, greedily, and kept as runs.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from studio.core.content import Content
from studio.core.diff import Hunk, apply, diff
from studio.core.errors import InputError
from studio.core.labels import Decision
from studio.core.policy import Policy, PolicyVersion
from studio.core.progress import Cancel, Progress
from studio.core.run import Run
from studio.services.ask import Question, ask
from studio.services.evaluation import Settings
from studio.services.studio import Studio

SESSION = "Bisecting: {}"
_SETTINGS = ("labels", "form", "position", "effort", "review_below")


@dataclass(frozen=True, slots=True)
class Suspect:
    """One change between two versions: a hunk of the text, or, where that is None, all of what is not text.

    ``run`` is the judgement of the older version with this change alone.
    """

    hunk: Hunk | None
    run: Run
    flips: bool


@dataclass(frozen=True, slots=True)
class Bisection:
    """``after`` is the first version with another decision than ``before``, the one just before it.

    ``tried`` are the versions that were judged, by number. ``unclear`` are versions between the two that gave no
    verdict: the flip lies among them. ``suspects`` are the changes between the two; ``culprits`` those that do it,
    alone or, where there are several, together.
    """

    before: PolicyVersion
    after: PolicyVersion
    tried: tuple[tuple[int, Run], ...]
    unclear: tuple[int, ...]
    suspects: tuple[Suspect, ...]
    culprits: tuple[Hunk | None, ...]

    def run_of(self, number: int) -> Run:
        """The judgement under a version that was tried."""
        return dict(self.tried)[number]


class _Stopped(Exception):
    """Somebody asked to stop."""


def bisect(
    studio: Studio,
    policy_id: str,
    content: Content,
    first: int,
    last: int,
    settings: Settings | None = None,
    *,
    on_progress: Callable[[Progress], None] | None = None,
    cancel: Cancel | None = None,
) -> Bisection | None:
    """Find the version from ``first`` to ``last``, and the change in it, that flipped the content; None when stopped.

    Raises InputError when the decision is the same at both ends, or one of them gives no verdict; NotFoundError,
    ModelFileError, EngineError and StoreError.
    """
    if first >= last:
        raise InputError(f"Version {first} is not older than version {last}.", hint="Name the older version first.")
    ends = [studio.policies.get(policy_id, number) for number in (first, last)]
    versions = [one for one in studio.policies.versions(policy_id) if first <= one.number <= last][::-1]
    search = _Search(studio, content, settings or Settings(), ends[1].policy.title, on_progress, cancel)
    try:
        return search.find(versions)
    except _Stopped:
        return None


class _Search:
    """One bisection: judges what is asked, and counts it."""

    def __init__(
        self,
        studio: Studio,
        content: Content,
        settings: Settings,
        title: str,
        on_progress: Callable[[Progress], None] | None,
        cancel: Cancel | None,
    ) -> None:
        self._studio, self._content, self._settings = studio, content, settings
        self._title, self._on_progress, self._cancel = title, on_progress, cancel
        self._begun, self._done, self._expected = time.monotonic(), 0, 0

    def find(self, versions: Sequence[PolicyVersion]) -> Bisection:
        self._expected = 2 + math.ceil(math.log2(len(versions)))
        tried: dict[int, Run] = {}

        def decision(at: int) -> Decision | None:
            (run,) = self._judge([versions[at].policy])
            tried[versions[at].number] = run
            return _decision(run)

        old, new = decision(0), decision(len(versions) - 1)
        _check(versions, old, new, self._content)
        low, high, unclear = 0, len(versions) - 1, set[int]()
        while True:
            middle = _nearest((low + high) // 2, set(range(low + 1, high)) - unclear)
            if middle is None:
                break
            found = decision(middle)
            if found is None:
                unclear.add(middle)
            elif found is old:
                low = middle
            else:
                high = middle
        suspects, culprits = self._inside(versions[low].policy, versions[high].policy, old)
        return Bisection(
            versions[low],
            versions[high],
            tuple(sorted(tried.items())),
            tuple(versions[at].number for at in sorted(unclear) if low < at < high),
            suspects,
            culprits,
        )

    def _inside(
        self, before: Policy, after: Policy, old: Decision | None
    ) -> tuple[tuple[Suspect, ...], tuple[Hunk | None, ...]]:
        changes: list[Hunk | None] = [*diff(before.text, after.text)]
        if any(getattr(before, name) != getattr(after, name) for name in _SETTINGS):
            changes.append(None)
        self._expected = self._done + len(changes)
        runs = self._judge([_made(before, after, [change]) for change in changes])
        suspects = tuple(
            Suspect(change, run, _decision(run) not in (old, None)) for change, run in zip(changes, runs, strict=True)
        )
        alone = tuple(suspect.hunk for suspect in suspects if suspect.flips)
        if alone or len(changes) == 1:
            return suspects, alone or tuple(changes)
        self._expected = self._done + len(changes)
        together = changes
        for change in changes:
            fewer = [one for one in together if one is not change]
            if fewer and _decision(self._judge([_made(before, after, fewer)])[0]) not in (old, None):
                together = fewer
        return suspects, tuple(together)

    def _judge(self, policies: Sequence[Policy]) -> list[Run]:
        def answered(_question: Question, _run: Run) -> None:
            self._done += 1
            self._tell()

        runs = ask(
            self._studio,
            [Question(policy, self._content) for policy in policies],
            self._settings,
            session=SESSION.format(self._title),
            on_answer=answered,
            cancel=self._cancel,
        )
        whole = [run for run in runs if run is not None]
        if len(whole) < len(runs):
            raise _Stopped
        return whole

    def _tell(self) -> None:
        if self._on_progress is not None:
            total = max(self._expected, self._done)
            left = (time.monotonic() - self._begun) * (total - self._done) / self._done
            self._on_progress(Progress(self._done, total, self._title, left))


def _check(versions: Sequence[PolicyVersion], old: Decision | None, new: Decision | None, content: Content) -> None:
    for version, decision in ((versions[0], old), (versions[-1], new)):
        if decision is None:
            raise InputError(
                f"Version {version.number} gives no verdict on {content.title!r}.", hint="Choose another version."
            )
    if old is new:
        raise InputError(
            f"Both version {versions[0].number} and version {versions[-1].number} decide {old} on {content.title!r}.",
            hint="Choose an example that flipped between the two.",
        )


def _made(before: Policy, after: Policy, changes: Sequence[Hunk | None]) -> Policy:
    """The older policy with some of the changes made."""
    made = replace(before, text=apply(before.text, [change for change in changes if change is not None]))
    if None in changes:
        made = replace(
            made,
            labels=after.labels,
            form=after.form,
            position=after.position,
            effort=after.effort,
            review_below=after.review_below,
        )
    return made


def _nearest(wanted: int, left: set[int]) -> int | None:
    return min(left, key=lambda at: (abs(at - wanted), at), default=None)


def _decision(run: Run) -> Decision | None:
    return run.verdict.decision if run.verdict else None
