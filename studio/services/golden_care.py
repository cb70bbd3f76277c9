"""Looking after a golden set: its balance, the part that is held out, and what stands in it twice."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from studio.core.content import user_message
from studio.core.errors import InputError
from studio.core.golden import GoldenCount
from studio.core.labels import Decision
from studio.core.progress import Cancel, Progress
from studio.store.workspace import Workspace

MOST_TAGS = 40


@dataclass(frozen=True, slots=True)
class Balance:
    """What a golden set is made of. ``tags`` are the most frequent ones."""

    counts: tuple[GoldenCount, ...]
    tags: tuple[tuple[str, int], ...]

    @property
    def total(self) -> int:
        """All examples."""
        return sum(item.count for item in self.counts)

    @property
    def held_out(self) -> int:
        """The examples that are held out."""
        return sum(item.count for item in self.counts if item.held_out)

    @property
    def undecided(self) -> int:
        """Examples whose decision nobody knows."""
        return sum(item.count for item in self.counts if item.expected is None)

    def decisions(self) -> dict[Decision | None, int]:
        """Examples per decision; None is unknown."""
        found: defaultdict[Decision | None, int] = defaultdict(int)
        for item in self.counts:
            found[item.expected] += item.count
        return dict(found)

    def labels(self) -> dict[str, int]:
        """Examples per label; one with several labels counts under each."""
        found: defaultdict[str, int] = defaultdict(int)
        for item in self.counts:
            for label in item.labels:
                found[label] += item.count
        return dict(found)


@dataclass(frozen=True, slots=True)
class Duplicates:
    """Groups of ids. ``exact`` have the same content, ``near`` almost the same.

    ``contradicting`` are the groups of either kind whose examples expect different decisions.
    """

    exact: tuple[tuple[str, ...], ...]
    near: tuple[tuple[str, ...], ...]
    contradicting: tuple[tuple[str, ...], ...]


class GoldenCare:
    """What keeps the golden sets of a workspace in order."""

    def __init__(self, workspace: Workspace) -> None:
        self._golden = workspace.golden

    def balance(self, policy_id: str) -> Balance:
        """What the policy's set is made of."""
        return Balance(tuple(self._golden.tally(policy_id)), tuple(self._golden.tags(policy_id, MOST_TAGS)))

    def hold_out(self, policy_id: str, share: float, seed: int = 0) -> int:
        """Hold out that share of the set, the same share of each decision and labels; how many it is.

        The same seed holds out the same examples again. Examples with the same content stay on one side, as a test
        that was seen is none. A share of 0 holds nothing out. Raises InputError for a share under 0 or over 0.9.
        """
        if not 0 <= share <= 0.9:
            raise InputError(f"A share of {share:g} cannot be held out.", hint="Give a share between 0 and 0.9.")
        kinds = (
            (key, digest, f"{expected} {sorted(labels)}")
            for key, digest, expected, labels in self._golden.digests(policy_id)
        )
        held = split(kinds, share, seed)
        self._golden.hold_out(policy_id, held)
        return len(held)

    def duplicates(
        self,
        policy_id: str,
        *,
        on_progress: Callable[[Progress], None] | None = None,
        cancel: Cancel | None = None,
    ) -> Duplicates:
        """What stands in the set twice or almost twice. A stop gives what was found so far."""
        from studio.analysis.near import near_duplicates  # numpy: not at the start of window and commands

        known = self._golden.digests(policy_id)
        expected = {key: decision for key, _, decision, _ in known}
        same: defaultdict[str, list[str]] = defaultdict(list)
        for key, digest, _, _ in known:
            same[digest].append(key)

        def tell(done: int) -> bool:
            if on_progress is not None:
                on_progress(Progress(done, len(same), "Looking for near-duplicates"))
            return cancel is None or not cancel.requested

        exact = tuple(tuple(group) for group in same.values() if len(group) > 1)
        groups = near_duplicates(self._texts(policy_id, {group[0] for group in same.values()}), tell=tell)
        copies = {group[0]: group for group in same.values()}
        near = tuple(tuple(key for first in group for key in copies[first]) for group in groups)
        apart = tuple(group for group in (*exact, *near) if _differ([expected[key] for key in group]))
        return Duplicates(exact, near, apart)

    def _texts(self, policy_id: str, wanted: set[str]) -> Iterator[tuple[str, str]]:
        for example in self._golden.each(policy_id):
            if example.id in wanted:
                yield example.id, user_message(example.content)


def split(examples: Iterator[tuple[str, str, str]], share: float, seed: int) -> list[str]:
    """The ids of a stratified share. ``examples`` are triples of id, digest of the content, and stratum.

    In each stratum contents are taken in the order of a seeded hash, until the share of its examples is reached; what
    the strata lose by rounding is made up from one to the next, so that the whole share fits too.
    """
    strata: defaultdict[str, defaultdict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    homes: dict[str, str] = {}
    for key, digest, stratum in examples:
        # A content that stands in two strata goes with the first, on one side with its copies.
        strata[homes.setdefault(digest, stratum)][digest].append(key)
    held: list[str] = []
    wanted = 0.0
    for name in sorted(strata):
        contents = strata[name]
        wanted += share * sum(map(len, contents.values()))
        for digest in sorted(contents, key=lambda digest: _rank(seed, digest)):
            if len(held) + len(contents[digest]) > wanted + 0.5:
                break
            held += contents[digest]
    return held


def _rank(seed: int, digest: str) -> str:
    return hashlib.sha256(f"{seed} {digest}".encode()).hexdigest()


def _differ(decisions: Sequence[Decision | None]) -> bool:
    return len({decision for decision in decisions if decision is not None}) > 1
