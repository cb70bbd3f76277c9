"""Claims: the places in a final that state a verdict; and what several of them come to together."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from studio.core.answers.vocabulary import Code, Vocabulary
from studio.core.labels import Decision, LabelDecision
from studio.core.verdict import ReviewReason, Status


@dataclass(frozen=True, slots=True)
class Claim:
    """One place that states a verdict, by a word (``decision``), by codes, or by both.

    ``rule_ids`` are citations that decide nothing; ``rationale`` is what was said beside the verdict.
    ``unknown`` is a category that the policy does not have.
    """

    decision: Decision | None = None
    codes: tuple[Code, ...] = ()
    rule_ids: tuple[str, ...] = ()
    rationale: str = ""
    unknown: str = ""


@dataclass(frozen=True, slots=True)
class Reading:
    """What a final was read as. ``decision`` is set exactly when ``status`` is ok."""

    status: Status
    decision: Decision | None = None
    labels: tuple[str, ...] = ()
    rule_ids: tuple[str, ...] = ()
    rationale: str = ""
    review_reason: ReviewReason | None = None
    detail: str = ""


def resolve(claims: Iterable[Claim], words: Vocabulary) -> Reading:
    """The one reading that all claims agree on, or the non-verdict that they come to.

    Word and label must agree, except that a review label may stand beside either word: it sends the content to a
    person. Among several labels violate outweighs review. An allow label beside another kind is a contradiction, unless
    the codes are of different axes (``D-SP2, R-SP0``), which are judged apart: then the most severe counts. A code that
    is written with a word, as in ``INVALID (DE3)``, cites: where the policy does not have it, the word stands; so it
    does beside any code where the contract asks for a word. ESCALATE beside a violating label says what to look at.
    """
    claims = tuple(claims)
    said = {claim.decision for claim in claims} - {None}
    codes = _unique(code for claim in claims for code in claim.codes)
    rationale = next((claim.rationale for claim in claims if claim.rationale), "")
    if len(said) > 1:
        return _conflict(f"The answer states {_list(said)}.", rationale)
    unknown = [claim.unknown for claim in claims if claim.unknown]
    if words.labels:
        unknown += [code.written for claim in claims if not claim.decision for code in claim.codes if not code.known]
    if unknown and not (said and words.word_decides):
        names = ", ".join(dict.fromkeys(unknown))
        detail = f"The policy has no label {names}."
        return Reading(Status.UNKNOWN_LABEL, rationale=rationale, detail=detail)
    word = next(iter(said), None)
    labelled, contradiction = _by_labels(codes)
    if contradiction:
        return _conflict("The labels contradict each other.", rationale)
    undecided = [code.written for code in codes if code.label is None and words.is_sibling(code.written)]
    if undecided and not word and labelled is not Decision.VIOLATES:
        detail = f"The answer names {', '.join(undecided)}, and the policy does not say what that decides."
        return Reading(Status.UNKNOWN_LABEL, rationale=rationale, detail=detail)
    reviewed = Decision.NEEDS_REVIEW
    escalated = labelled is reviewed or (word is reviewed and labelled is Decision.VIOLATES)
    if word and labelled and word is not labelled and not escalated:
        return _conflict(f"The answer states {word.value}, its label means {labelled.value}.", rationale)
    decision = reviewed if escalated else word or labelled
    if decision is None:
        if not codes:
            return Reading(Status.UNPARSED, rationale=rationale, detail="No verdict was found in the answer.")
        named = ", ".join(code.written for code in codes)
        status = Status.UNKNOWN_LABEL if words.labels else Status.UNPARSED
        return Reading(status, rationale=rationale, detail=f"The answer names {named} and no verdict.")
    labels = tuple(dict.fromkeys(code.label.id for code in codes if code.label))
    cited = [code.written for code in codes if code.is_rule]
    rules = tuple(dict.fromkeys([*cited, *(rule for claim in claims for rule in claim.rule_ids)]))
    reason = ReviewReason.LABEL if decision is reviewed else None
    return Reading(Status.OK, decision, labels, rules, rationale, reason)


def _by_labels(codes: tuple[Code, ...]) -> tuple[Decision | None, bool]:
    """What the labels decide together, and whether they contradict each other."""
    labels = [(code.axis, code.label.decision) for code in codes if code.label]
    kinds = {decision for _, decision in labels}
    if not kinds:
        return None, False
    if len(kinds) > 1 and LabelDecision.ALLOW in kinds:
        axes = [axis for axis, _ in labels]
        if not all(axes):
            return None, True
        for axis in set(axes):
            on_axis = {decision for a, decision in labels if a == axis}
            if len(on_axis) > 1 and LabelDecision.ALLOW in on_axis:
                return None, True
    for decision in (LabelDecision.VIOLATE, LabelDecision.REVIEW, LabelDecision.ALLOW):
        if decision in kinds:
            return decision.decision, False
    return None, False


def _conflict(detail: str, rationale: str) -> Reading:
    return Reading(Status.CONFLICTING, rationale=rationale, detail=detail)


def _list(decisions: Iterable[Decision | None]) -> str:
    return " and ".join(sorted(decision.value for decision in decisions if decision))


def _unique(codes: Iterable[Code]) -> tuple[Code, ...]:
    return tuple({code.written.casefold(): code for code in codes}.values())
