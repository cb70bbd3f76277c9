"""Golden examples: content with the decision that people agreed on. What is unknown stays unknown."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from studio.core.content import Content
from studio.core.labels import Decision


@dataclass(frozen=True, slots=True)
class GoldenExample:
    """One golden example of a policy.

    ``expected`` is None when nobody has decided yet. ``source`` is where it came from (a file and row, or a run);
    ``source_row`` is the row as it was found, kept whole, ``source_sha256`` the hex digest of the file it was in, and
    ``original`` the label as that file wrote it (several joined by " | "), empty when it gave none. ``held_out``
    examples are kept from those who write the policy, so that a policy is not fitted to its test.
    """

    id: str
    policy_id: str
    content: Content
    expected: Decision | None
    labels: tuple[str, ...] = ()
    why: str = ""
    decided_by: str = ""
    tags: tuple[str, ...] = ()
    source: str = ""
    source_row: str = ""
    original: str = ""
    source_sha256: str = ""
    created_at: datetime | None = None
    held_out: bool = False


@dataclass(frozen=True, slots=True)
class GoldenQuery:
    """Which examples of a policy are wanted; what is empty wants all.

    ``words`` must each stand in the content, the reason, the source or the original label, in any case. None among
    ``decisions``: nobody has decided yet. ``held_out`` None wants both parts of the set.
    """

    words: str = ""
    decisions: frozenset[Decision | None] = frozenset()
    label: str = ""
    tag: str = ""
    held_out: bool | None = None


@dataclass(frozen=True, slots=True)
class GoldenCount:
    """How many examples of a policy expect the same decision and labels, in one part of the set."""

    expected: Decision | None
    labels: tuple[str, ...]
    held_out: bool
    count: int
