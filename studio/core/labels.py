"""Labels: the codes a policy sorts content into, and what each one decides."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Decision(StrEnum):
    """What a verdict decides about a piece of content."""

    ALLOWED = "allowed"
    VIOLATES = "violates"
    NEEDS_REVIEW = "needs_review"


class LabelDecision(StrEnum):
    """What a policy says a label means; the spelling used in policy files."""

    ALLOW = "allow"
    VIOLATE = "violate"
    REVIEW = "review"

    @property
    def decision(self) -> Decision:
        """The verdict's decision that this label stands for."""
        return _DECISIONS[self]


_DECISIONS = {
    LabelDecision.ALLOW: Decision.ALLOWED,
    LabelDecision.VIOLATE: Decision.VIOLATES,
    LabelDecision.REVIEW: Decision.NEEDS_REVIEW,
}


@dataclass(frozen=True, slots=True)
class Label:
    """One label of a policy.

    ``id`` is the code the model answers with (``SP2``); ``severity`` is 0 (none) to 4 (worst), None when not graded.
    """

    id: str
    decision: LabelDecision
    name: str = ""
    severity: int | None = None
    description: str = ""


def with_decision(labels: Iterable[Label], decision: LabelDecision) -> tuple[Label, ...]:
    """The labels that decide ``decision``, in the policy's order."""
    return tuple(label for label in labels if label.decision is decision)
