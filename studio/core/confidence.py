"""How sure the model was: the probability of each answer that the contract allows, normalised over all of them.

Two ways lead there. Where the final begins with an answer of the contract, the engine has followed every answer of it
to its end (:func:`rated`): the product of the model's own probabilities of its tokens, which is exact. Elsewhere, in
the free form that other policies ask for, the deciding tokens are looked up in what was written (:func:`confidence`):
those at which the possible answers part, "IN" against "VALID", the digit behind "violation", or the letters and then
the number of a label. An answer counts there with its share where it parts from the written one; several that part
with the same token are told as one ("SP0 or SP2"), which counts against the decision unless all of them decide so: what
is not known never makes a verdict look surer.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence

from studio.core.answers.vocabulary import CONTRACT_WORDS, vocabulary
from studio.core.grammar import ContractAnswer
from studio.core.labels import Decision
from studio.core.policy import OutputForm, Policy
from studio.core.verdict import Verdict

Token = tuple[str, Sequence[tuple[str, float]]]
"""A token of the final channel: its text, and the most probable (text, natural log of probability) at its place."""

_SHELL = " \t\n*_`\"'([{<"
_OPTIONS = re.compile(
    r"[(\[]\s*[\"'*`]{0,3}\w+[\"'*`]{0,3}(?:\s*(?:,\s*or\b|,|/|\||\bor\b)\s*[\"'*`]{0,3}\w+[\"'*`]{0,3})+\s*[)\]]", re.I
)
_VIOLATION = re.compile(r"[\"']?(?:is_)?violat\w*[\"']?\s*[:=]\s*", re.I)
_CATEGORY = re.compile(r"[\"']?(?:policy_)?(?:category|label)[\"']?\s*[:=]\s*", re.I)


def rated(
    answers: Sequence[ContractAnswer], logprobs: Sequence[float], verdict: Verdict
) -> tuple[float | None, tuple[tuple[str, float], ...]]:
    """The probability of the verdict's decision, and of each label, word or digit, most probable first.

    ``logprobs`` are the natural logs of the probability that the final begins with each answer. None and nothing when
    they are not there, or when the final begins with no answer of the contract.
    """
    if (
        not logprobs
        or len(logprobs) != len(answers)
        or not any(verdict.raw_final.startswith(answer.text) for answer in answers)
    ):
        return None, ()
    highest = max(logprobs)
    if verdict.decision is None or not math.isfinite(highest):
        return None, ()
    masses: dict[str, float] = {}
    sure = 0.0
    for answer, logprob in zip(answers, logprobs, strict=True):
        mass = math.exp(logprob - highest)
        masses[answer.name] = masses.get(answer.name, 0.0) + mass
        if answer.decision is verdict.decision:
            sure += mass
    total = sum(masses.values())
    ranked = sorted(((name, mass / total) for name, mass in masses.items()), key=_by_share)
    return min(1.0, sure / total), tuple(ranked)


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
        sure = sum(mass for group, mass in masses.items() if {answers[name] for name in group} == {verdict.decision})
        if total > 0.0 and sure > 0.0:
            ranked = sorted(((" or ".join(group), mass / total) for group, mass in masses.items()), key=_by_share)
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
    words = {**CONTRACT_WORDS, **vocabulary(policy).short_words}
    kinds = [labels, words] if policy.form is OutputForm.LABEL else [words, labels]
    masked = _OPTIONS.sub(lambda match: "\x00" * len(match.group()), text)
    return [(start, answers) for answers in kinds for start in _answers(masked, answers, verdict)]


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


def _by_share(pair: tuple[str, float]) -> float:
    return -pair[1]


def _masses(tokens: Sequence[Token], start: int, answers: Mapping[str, Decision]) -> dict[tuple[str, ...], float]:
    """The probability mass of each answer, from where the answer begins until it is the only one left.

    An answer that parts from the written one at a token gets the mass of what was written so far, times its own share.
    """
    masses: dict[tuple[str, ...], float] = {}
    live, begun, so_far, at = list(answers), "", 1.0, 0
    for text, alternatives in tokens:
        end = at + len(text)
        lead = text[: max(0, start - at)]
        chosen = _continued(begun, text, lead)
        at = end
        if end <= start or not chosen:
            continue
        after = [answer for answer in live if _fits(chosen, answer)]
        if not after:
            return {}
        if len(after) < len(live) or len(live) == 1:
            shares = _shares(alternatives, begun, lead, live, after)
            for group, share in shares.items():
                if group:
                    masses[group] = masses.get(group, 0.0) + so_far * share
            so_far *= shares.get((), 0.0)
        live, begun = after, chosen
        exact = [answer for answer in live if answer.casefold() == _core(chosen)]
        if len(live) == 1 or exact:
            group = ((exact or live)[0],)
            masses[group] = masses.get(group, 0.0) + so_far
            return masses
    return {}


def _continued(begun: str, text: str, lead: str) -> str:
    """What was written of the answer, with this token; white space, quotes and emphasis before it are no part of it."""
    inside = text[len(lead) :]
    return begun + inside if begun else inside.lstrip(_SHELL)


def _shares(
    alternatives: Sequence[tuple[str, float]], begun: str, lead: str, live: Sequence[str], after: Sequence[str]
) -> dict[tuple[str, ...], float]:
    """The probability of each other answer, or several, at this token; under () what goes on as it was written."""
    shares: dict[tuple[str, ...], float] = {}
    for text, logprob in alternatives:
        if math.isnan(logprob) or logprob == -math.inf or (lead.strip() and not text.startswith(lead)):
            continue
        word = _continued(begun, text, lead if lead.strip() else "")
        fitting = tuple(answer for answer in live if _fits(word, answer))
        if not fitting:
            continue
        key = () if fitting == tuple(after) else fitting
        shares[key] = shares.get(key, 0.0) + math.exp(min(0.0, logprob))
    return shares


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
