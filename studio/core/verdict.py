"""What came of one judgement: a verdict, or a non-verdict with its reason. Never a guess."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from studio.core.labels import Decision


class Status(StrEnum):
    """Whether there is a verdict, and if not, why. Only ``ok`` carries a decision."""

    OK = "ok"
    UNPARSED = "unparsed"
    CONFLICTING = "conflicting"
    REFUSED = "refused"
    OFF_TASK = "off_task"
    EMPTY = "empty"
    TRUNCATED = "truncated"
    NO_FINAL = "no_final"
    UNKNOWN_LABEL = "unknown_label"
    TOO_LONG = "too_long"
    CANCELLED = "cancelled"
    ENGINE_FAILED = "engine_failed"


class ReviewReason(StrEnum):
    """Why a verdict asks for a person."""

    LABEL = "label"
    LOW_CONFIDENCE = "low_confidence"
    DISAGREEMENT = "disagreement"


@dataclass(frozen=True, slots=True)
class Verdict:
    """The outcome of one judgement.

    ``decision`` is set exactly when ``status`` is ``ok``. ``labels`` are ids of the policy; ``rule_ids`` are what the
    model cited, as written. ``confidence`` is a probability in [0, 1] from the model's token probabilities over the
    contract's answers, None when unknown; never the word the model wrote. ``alternatives`` are those probabilities by
    answer. ``status_detail`` says in words what was found instead of a verdict.
    """

    status: Status
    decision: Decision | None = None
    labels: tuple[str, ...] = ()
    rule_ids: tuple[str, ...] = ()
    rationale: str = ""
    confidence: float | None = None
    alternatives: tuple[tuple[str, float], ...] = ()
    review_reason: ReviewReason | None = None
    reasoning: str = ""
    raw_final: str = ""
    status_detail: str = ""

    def __post_init__(self) -> None:
        if (self.status is Status.OK) != (self.decision is not None):
            raise ValueError("a decision belongs to status ok, and to no other")

    @property
    def is_verdict(self) -> bool:
        """Whether this may be counted as a verdict."""
        return self.decision is not None

    def with_confidence(
        self, confidence: float | None, alternatives: tuple[tuple[str, float], ...], review_below: float | None
    ) -> Verdict:
        """This verdict with its confidence; sent to a person when that is under ``review_below``."""
        rated = replace(self, confidence=confidence, alternatives=alternatives)
        if not self.is_verdict or confidence is None or review_below is None or confidence >= review_below:
            return rated
        if self.decision is Decision.NEEDS_REVIEW:
            return rated
        return replace(rated, decision=Decision.NEEDS_REVIEW, review_reason=ReviewReason.LOW_CONFIDENCE)


def no_verdict(status: Status, detail: str = "", *, reasoning: str = "", raw_final: str = "") -> Verdict:
    """A non-verdict with its reason."""
    return Verdict(status, status_detail=detail, reasoning=reasoning, raw_final=raw_final)
