"""How sure the model was: the probability mass over the possible answers at the token that decided.

The deciding token is the first one at which the possible answers part ways: "IN" against "VALID", the digit behind
"violation", or the number of a label whose letters all labels share.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence

from studio.core.answers.vocabulary import CONTRACT_WORDS, vocabulary
from studio.core.labels import Decision
from studio.core.policy import Policy
from studio.core.verdict import Verdict

Token = tuple[str, Sequence[tuple[str, float]]]
"""A token of the final channel: its text, and the most probable (text, natural log of probability) at its place."""

_SHELL = " \t\n*_`\"'([{<"
_OPTIONS = re.compile(
    r"[(\[]\s*[\"'*`]{0,3}\w+[\"'*`]{0,3}(?:\s*(?:,\s*or\b|,|/|\||\bor\b)\s*[\"'*`]{0,3}\w+[\"'*`]{0,3})+\s*[)\]]", re.I
)
_VIOLATION = re.compile(r"[\"']?(?:is_)?violat\w*[\"']?\s*[:=]\s*", re.I)
_CATEGORY = re.compile(r"[\"']?(?:policy_)?(?:category|label)[\"']?\s*[:=]\s*", re.I)


def confidence(
    final_tokens: Sequence[Token], policy: Policy, verdict: Verdict
) -> tuple[float | None, tuple[tuple[str, float], ...]]:
    """The probability of the verdict's decision, and of each possible answer, most probable first.

    Both are normalised over the answers that the policy allows. None and nothing when the deciding token is not found.
    """
    if verdict.decision is None or not final_tokens:
        return None, ()
    text = "".join(token for token, _ in final_tokens)
    for start, answers in _places(text, policy, verdict):
        masses = _masses(final_tokens, start, answers)
        total = sum(masses.values())
        sure = sum(mass for answer, mass in masses.items() if answers[answer] is verdict.decision)
        if total > 0.0 and sure > 0.0:
            ranked = sorted(((answer, mass / total) for answer, mass in masses.items()), key=lambda pair: -pair[1])
            return min(1.0, sure / total), tuple(ranked)
    return None, ()


def _places(text: str, policy: Policy, verdict: Verdict) -> list[tuple[int, dict[str, Decision]]]:
    """Where in ``text`` the deciding answer may begin, best first, each with the answers that could stand there."""
    labels = {label.id: label.decision.decision for label in policy.labels}
    if "{" in text:
        flags = {"0": Decision.ALLOWED, "1": Decision.VIOLATES, "false": Decision.ALLOWED, "true": Decision.VIOLATES}
        category = [(match.end(), labels) for match in _CATEGORY.finditer(text)][-1:]
        flag = [(match.end(), flags) for match in _VIOLATION.finditer(text)][-1:]
        # A review label decides over the flag beside it.
        return category + flag if verdict.decision is Decision.NEEDS_REVIEW else flag + category
    answers: dict[str, Decision] = {**CONTRACT_WORDS, **vocabulary(policy).short_words, **labels}
    masked = _OPTIONS.sub(lambda match: "\x00" * len(match.group()), text)
    return [(start, answers) for start in _answers(masked, answers, verdict)]


def _answers(text: str, answers: Mapping[str, Decision], verdict: Verdict) -> list[int]:
    """Where an answer with the verdict's decision begins: the start of the text, else the last place."""
    names = [answer for answer, decision in answers.items() if decision is verdict.decision]
    if not names:
        return []
    names.sort(key=len, reverse=True)
    pattern = re.compile(rf"(?<!\w)(?:{'|'.join(re.escape(name) for name in names)})(?![A-Za-z0-9])", re.I)
    starts = [match.start() for match in pattern.finditer(text)]
    if starts and not text[: starts[0]].strip(_SHELL):
        return [starts[0]]
    return starts[-1:]


def _masses(tokens: Sequence[Token], start: int, answers: Mapping[str, Decision]) -> dict[str, float]:
    """The probability mass of each answer at the token where they part; empty when no token does."""
    at, begun = 0, ""
    live = list(answers)
    for text, alternatives in tokens:
        end = at + len(text)
        if end <= start:
            at = end
            continue
        inside = max(0, start - at)
        lead = text[:inside]
        chosen = begun + text[inside:]
        # White space, quotes and emphasis before the answer are no part of it.
        chosen = chosen.lstrip(_SHELL) if not begun else chosen
        if chosen:
            after = [answer for answer in live if _fits(chosen, answer)]
            if not after:
                return {}
            if len(after) < len(live):
                return _sum(alternatives, begun, lead, live)
            live, begun = after, chosen
        at = end
    return {}


def _sum(alternatives: Sequence[tuple[str, float]], begun: str, lead: str, live: Sequence[str]) -> dict[str, float]:
    """Each alternative's probability, given to the one answer that it begins or completes."""
    masses: dict[str, float] = {}
    for text, logprob in alternatives:
        if math.isnan(logprob) or logprob == -math.inf:
            continue
        if lead.strip() and not text.startswith(lead):
            continue
        word = text[len(lead) :] if lead.strip() else text
        word = begun + word if begun else word.lstrip(_SHELL)
        fitting = [answer for answer in live if word.strip() and _fits(word, answer)]
        exact = [answer for answer in fitting if answer.casefold() == _core(word)]
        if len(fitting) == 1 or exact:
            answer = (exact or fitting)[0]
            masses[answer] = masses.get(answer, 0.0) + math.exp(min(0.0, logprob))
    return masses


def _fits(written: str, answer: str) -> bool:
    """Whether ``written`` begins the answer, or is the answer with something behind it."""
    word, answer = written.casefold(), answer.casefold()
    core = _core(written)
    if not core:
        return False
    return (
        answer.startswith(word.strip())
        or core == answer
        or re.match(rf"{re.escape(answer)}[^a-z0-9]", word) is not None
    )


def _core(written: str) -> str:
    return written.casefold().strip(_SHELL + ".,;:!?)]}>")
