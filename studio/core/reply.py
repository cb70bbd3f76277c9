"""From the model's channels to a verdict, or to a non-verdict with its reason. Never a guess.

Only the final channel is read; the reasoning is kept, never searched. Everything in the final that claims a verdict
(``core.answers``) must agree. The contract's form is what the model was asked for, but models print other forms too:
each is understood when it can mean only one thing under this policy, and nothing else is.
"""

from __future__ import annotations

import re

from studio.core.answers.claims import Reading, resolve
from studio.core.answers.from_json import is_object, json_claims
from studio.core.answers.from_text import starts_with_verdict, text_claims
from studio.core.answers.normal import plain
from studio.core.answers.vocabulary import Vocabulary, vocabulary
from studio.core.harmony import FINISHED_STOPS, Channels
from studio.core.policy import Policy
from studio.core.verdict import Status, Verdict, no_verdict

READ_AT_MOST = 60_000
"""A final longer than this many characters is read at both ends only."""

_REFUSAL = re.compile(
    r"(?:i'?m|i am|we'?re|we are|i|we)?\s*(?:very |really |so )?(?:sorry|afraid|apologi[sz]e)\b.{0,60}?"
    r"\b(?:can'?t|cannot|can not|won'?t|unable|not able|not going to|not comfortable|but i)\b"
    r"|(?:i|we)\s*(?:'m|'re|am|are)?\s*(?:can'?t|cannot|can not|won'?t|will not|unable to|not able to|must decline"
    r"|decline to|refuse to)\b"
    r"|sorry,? (?:but )?(?:i|this|that)\b|as an ai\b.{0,40}\b(?:can'?t|cannot|unable)",
    re.IGNORECASE | re.DOTALL,
)
_CLASSIFYING = re.compile(
    r"\b(?:polic(?:y|ies)|violat\w*|classif\w*|severity|risk|categor\w*|label\w*|verdict|compl(?:y|ies|iant)"
    r"|allowed|prohibited|assessment|escalat\w*)\b",
    re.IGNORECASE,
)
_ECHO = 12
"""Content of at most this many characters is not told from a verdict."""
_LONG = 30
"""An answer of more words than this that never speaks of classifying is off the task."""


def read_reply(channels: Channels, policy: Policy, *, stop: str = "return", content: str = "") -> Verdict:
    """The verdict in ``channels`` under ``policy``.

    ``stop`` says why the model stopped (``return`` when it had finished). ``content`` is the judged text where it is at
    hand: an echo of it is then taken out of the answer before reading. Confidence is not set here.
    """
    final, reasoning = channels.final, channels.analysis
    if stop == "cancelled":
        return no_verdict(Status.CANCELLED, "Stopped by hand.", reasoning=reasoning, raw_final=final or "")
    finished = channels.finished and stop in FINISHED_STOPS
    if final is None or not plain(final).strip():
        return _nothing(channels, finished)
    words = vocabulary(policy)
    reading = _read(_shortened(final), words, finished=finished, content=content)
    if reading.status is Status.OK:
        reading = _against_earlier(reading, channels, words)
    return Verdict(
        reading.status,
        reading.decision,
        labels=reading.labels if reading.decision else (),
        rule_ids=reading.rule_ids if reading.decision else (),
        rationale=reading.rationale,
        review_reason=reading.review_reason,
        reasoning=reasoning,
        raw_final=final,
        status_detail=reading.detail,
    )


def _nothing(channels: Channels, finished: bool) -> Verdict:
    """The non-verdict of an answer without any final text."""
    raw, reasoning = channels.final or "", channels.analysis
    if not finished:
        return no_verdict(
            Status.TRUNCATED, "The answer ended before a verdict was written.", reasoning=reasoning, raw_final=raw
        )
    if channels.final is None and (reasoning.strip() or channels.commentary.strip()):
        return no_verdict(Status.NO_FINAL, "The model thought, but wrote no answer.", reasoning=reasoning)
    return no_verdict(Status.EMPTY, "The answer is empty.", reasoning=reasoning, raw_final=raw)


def _read(final: str, words: Vocabulary, *, finished: bool = True, content: str = "") -> Reading:
    """The reading of one final.

    Where it echoes the content, what is left without the echo has to state the verdict by itself; and taking the echo
    out may make a verdict fall away or appear, but never turn one into another.
    """
    text = final if is_object(final) else plain(final)
    reading = _read_text(text, words, finished=finished)
    without = _without_echo(text, plain(content).strip())
    if without == text:
        return reading
    bare = _read_text(without, words, finished=finished)
    if reading.decision and bare.decision and reading.decision is not bare.decision:
        return Reading(Status.CONFLICTING, detail="The answer states two verdicts, one of them perhaps an echo.")
    return bare


def _read_text(text: str, words: Vocabulary, *, finished: bool) -> Reading:
    """The reading of a plain text."""
    found = json_claims(text, words)
    if found.cut:
        return Reading(Status.TRUNCATED, detail="The answer's JSON was never closed.")
    claims = [*found.claims, *text_claims(found.rest, words)]
    if not finished and (not claims or not _settled(text)):
        return Reading(Status.TRUNCATED, detail="The answer was cut off.")
    return resolve(claims, words) if claims else _without_claim(text)


def _settled(text: str) -> bool:
    """Whether a cut-off answer had already closed its verdict: more was written on a later line, or JSON was closed."""
    return text.rstrip(" ").endswith(("\n", "}", "```")) or "\n" in text.strip()


def _without_claim(text: str) -> Reading:
    """Which non-verdict an answer is that claims nothing."""
    start = text.strip()[:400].lstrip("\"'*{[(")
    if _REFUSAL.match(start) or (text.lstrip().startswith("{") and _REFUSAL.search(start)):
        return Reading(Status.REFUSED, detail="The model refused to answer.")
    if len(text.split()) > _LONG and not _CLASSIFYING.search(text):
        return Reading(Status.OFF_TASK, detail="The model wrote something else than a classification.")
    return Reading(Status.UNPARSED, detail="No verdict was found in the answer.")


def _against_earlier(reading: Reading, channels: Channels, words: Vocabulary) -> Reading:
    """The reading, unless an earlier final (or what may have been one) said otherwise."""
    for earlier in channels.earlier_finals:
        other = _read(_shortened(earlier), words)
        if other.status is Status.CONFLICTING or (other.decision and other.decision is not reading.decision):
            return Reading(Status.CONFLICTING, detail="The model wrote two answers that differ.")
    if channels.headless:
        claim = starts_with_verdict(plain(channels.analysis[:2000]), words)
        if claim is not None and resolve([claim], words).decision is not reading.decision:
            return Reading(Status.CONFLICTING, detail="The answer's start and its last part differ.")
    return reading


def _without_echo(text: str, content: str) -> str:
    """The answer without the judged content, where that stands on lines of its own and is no mere word.

    Only whole lines go: content that ends in the middle of what the model wrote could cut a verdict in two.
    """
    if len(content) <= _ECHO or content not in text:
        return text
    pattern = rf"^[ \t]*(?:[A-Za-z ]{{1,30}}:[ \t]*)?[\"'`]*{re.escape(content)}[\"'`]*[ \t]*$"
    return re.sub(pattern, " ", text, flags=re.MULTILINE)


def _shortened(final: str) -> str:
    if len(final) <= READ_AT_MOST:
        return final
    half = READ_AT_MOST // 2
    return f"{final[:half]}\n\n{final[-half:]}"
