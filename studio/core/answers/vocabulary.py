"""What a policy lets a model answer: the verdict words, the digits, and the codes of labels and rules.

The words of the contract (VALID, INVALID, ESCALATE) are always understood. Digits, and YES and NO, are understood only
where the contract or the policy's text gives them a meaning. A code means what the policy's label says.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache

from studio.core.answers.normal import plain
from studio.core.labels import Decision, Label
from studio.core.policy import OutputForm, OutputPosition, Policy

CONTRACT_WORDS = {
    "VALID": Decision.ALLOWED,
    "INVALID": Decision.VIOLATES,
    "ESCALATE": Decision.NEEDS_REVIEW,
}
OTHER_WORDS = {
    "SAFE": Decision.ALLOWED,
    "ALLOWED": Decision.ALLOWED,
    "COMPLIANT": Decision.ALLOWED,
    "NO VIOLATION": Decision.ALLOWED,
    "NO VIOLATIONS": Decision.ALLOWED,
    "NO VIOLATION FOUND": Decision.ALLOWED,
    "NO VIOLATION DETECTED": Decision.ALLOWED,
    "NO POLICY VIOLATION": Decision.ALLOWED,
    "NOT VIOLATING": Decision.ALLOWED,
    "NOT A VIOLATION": Decision.ALLOWED,
    "NOT IN VIOLATION": Decision.ALLOWED,
    "NOT UNSAFE": Decision.ALLOWED,
    "NON VIOLATING": Decision.ALLOWED,
    "NON VIOLATION": Decision.ALLOWED,
    "DOES NOT VIOLATE": Decision.ALLOWED,
    "UNSAFE": Decision.VIOLATES,
    "NOT SAFE": Decision.VIOLATES,
    "NOT VALID": Decision.VIOLATES,
    "NOT ALLOWED": Decision.VIOLATES,
    "DISALLOWED": Decision.VIOLATES,
    "NON COMPLIANT": Decision.VIOLATES,
    "NOT COMPLIANT": Decision.VIOLATES,
    "VIOLATES": Decision.VIOLATES,
    "VIOLATES POLICY": Decision.VIOLATES,
    "VIOLATION": Decision.VIOLATES,
    "POLICY VIOLATION": Decision.VIOLATES,
    "VIOLATING": Decision.VIOLATES,
    "IN VIOLATION": Decision.VIOLATES,
    "ESCALATED": Decision.NEEDS_REVIEW,
    "NEEDS REVIEW": Decision.NEEDS_REVIEW,
    "NEEDS HUMAN REVIEW": Decision.NEEDS_REVIEW,
    "HUMAN REVIEW": Decision.NEEDS_REVIEW,
    "MANUAL REVIEW": Decision.NEEDS_REVIEW,
}
WORDS = CONTRACT_WORDS | OTHER_WORDS

CODE = r"[A-Za-z]{1,6}(?:[-_][A-Za-z]{1,6})?[-_]?\d{1,3}(?:\.[A-Za-z0-9]{1,3}){0,4}[a-z]?(?![\w])"
"""A rule-looking code: letters, a number, and rules under it (``SP2``, ``D-SP2``, ``H2.f``)."""

_CODE = re.compile(CODE)
_CODE_IN_TEXT = re.compile(r"(?<!\w)" + CODE)
_LETTERS = re.compile(r"[A-Za-z]+(?=[-_]?\d)")
_AXIS = re.compile(r"(?<!\w)[A-Za-z][-_](?=[A-Za-z])")
_RULE_PART = re.compile(
    r"(?:[.\-_/](?![A-Za-z]+\d)[A-Za-z0-9]{1,4}(?:\.[A-Za-z0-9]{1,3}){0,3}|\([A-Za-z0-9]{1,4}\)|[a-z])\Z"
)
_NEGATED = re.compile(
    r"\b(?:not|n't|never)\b.{0,12}\b(?:violat|harm|break|unsafe|invalid)|\bno\s+(?:\w+\s+)?violation|\bnon[- ]?violat",
    re.I,
)
_BAD = re.compile(
    r"\bunsafe|\bnot\s+(?:safe|allowed|permitted|valid|compliant|acceptable)|violat|prohibit|disallow|forbidden|\bharmful"
    r"|\binvalid|\bunacceptable|\bbreaks\b|\bflag",
    re.I,
)
_GOOD = re.compile(
    r"\bsafe\b|\ballow|\bpermit|\bvalid\b|\bcompl(?:y|ies|iant)|\bbenign|\bacceptable|\blegitimate", re.I
)
_ZERO_ONE = re.compile(
    r"(?<![\w.])[01](?:\s*(?:/|\||,)\s*|\s+or\s+)[01](?![\w.])|[\"'`][01][\"'`]\s+or\s+[\"'`][01][\"'`]"
)


_WORD_FORMS = (OutputForm.VALID_INVALID, OutputForm.BINARY)


@dataclass(frozen=True, slots=True)
class Code:
    """A code as the model wrote it; ``label`` is the policy's label behind it, ``known`` whether the policy has it."""

    written: str
    label: Label | None
    known: bool

    @property
    def axis(self) -> str:
        """The axis of a dual set (``D`` of ``D-SP2``), or nothing."""
        match = _AXIS.match(self.written)
        return self.written[0].upper() if match else ""

    @property
    def is_rule(self) -> bool:
        """Whether more (or other) than the label's own id or name was written."""
        return self.label is None or fold(self.written) not in (fold(self.label.id), fold(self.label.name))


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The answers that one policy understands.

    ``own_text`` is the folded text of a policy with its own answer form, "" under the studio's contract, which lists
    the labels one by one. ``word_decides``: the contract asks for a word or a digit, and a code beside it only cites.
    """

    labels: tuple[Label, ...]
    short_words: dict[str, Decision]
    text_codes: frozenset[str]
    own_text: str
    by_fold: dict[str, Label | None] = field(default_factory=dict)
    word_decides: bool = False

    def mentions(self, name: str) -> bool:
        """Whether a policy that writes its own answer form has this name for a category somewhere in its text."""
        return fold(name) in self.text_codes or (len(name) > 2 and fold(name) in self.own_text)

    def is_sibling(self, written: str) -> bool:
        """Whether a code has the letters of one of the labels: it is of their kind, and not a rule's number."""
        letters = _LETTERS.match(_AXIS.sub("", written, count=1))
        families = {
            found[0].casefold() for label in self.labels if (found := _LETTERS.match(_AXIS.sub("", label.id, count=1)))
        }
        return letters is not None and letters[0].casefold() in families

    def code(self, written: str) -> Code | None:
        """The code behind ``written``, or None when it does not look like one and is no label either."""
        label = self.label(written)
        if label is not None:
            return Code(written, label, known=True)
        if not _CODE.fullmatch(written):
            return None
        return Code(written, None, known=fold(written) in self.text_codes)

    def label(self, written: str) -> Label | None:
        """The label named by ``written``: by its id, its name, a rule under it, or behind an axis (``D-SP2``)."""
        folded = fold(written)
        if folded in self.by_fold:
            return self.by_fold[folded]
        parents = [label for label in self.labels if _under(written, label.id)]
        if parents:
            return max(parents, key=lambda label: len(label.id))
        axis = _AXIS.match(written)
        behind = written[axis.end() :] if axis else ""
        return self.label(behind) if behind and not _AXIS.match(behind) else None


def fold(text: str) -> str:
    """Without case, and with spaces, hyphens and underscores alike."""
    return re.sub(r"[\s_-]+", "-", text.strip().casefold())


@lru_cache(maxsize=64)
def vocabulary(policy: Policy) -> Vocabulary:
    """The vocabulary of ``policy``."""
    text = plain(policy.text)
    by_fold: dict[str, Label | None] = {}
    ids = {fold(label.id) for label in policy.labels}
    for label in policy.labels:
        # An id is found as it is and as it reads in an answer that was made plain.
        for spelling in dict.fromkeys((fold(label.id), fold(plain(label.id)))):
            by_fold[spelling] = label if by_fold.get(spelling, label) is label else None
    for label in policy.labels:
        name = fold(label.name)
        if name and name not in ids and name.upper().replace("-", " ") not in WORDS:
            # A name that two labels share names neither.
            by_fold[name] = label if by_fold.get(name, label) is label else None
    found = [match.group() for match in _CODE_IN_TEXT.finditer(text)]
    codes = frozenset(fold(code) for code in (*found, *(_AXIS.sub("", code) for code in found)))
    own_text = fold(text) if policy.position is OutputPosition.IN_TEXT else ""
    # Labels that are verdict words themselves (VALID and INVALID, SAFE and UNSAFE) make it a contract of words.
    words = [label.id.upper() in WORDS for label in policy.labels]
    word_decides = (
        policy.form in _WORD_FORMS or all(words or [False]) or any(fold(word) in by_fold for word in CONTRACT_WORDS)
    )
    return Vocabulary(policy.labels, _digits(policy, text) | _yes_no(text), codes, own_text, by_fold, word_decides)


def means(definition: str) -> Decision | None:
    """What a defining phrase says, such as "content does not violate this policy"; None when it does not say."""
    if _NEGATED.search(definition):
        return Decision.ALLOWED
    if _BAD.search(definition):
        return Decision.VIOLATES
    return Decision.ALLOWED if _GOOD.search(definition) else None


def _under(written: str, label_id: str) -> bool:
    """Whether ``written`` is a rule under the label: ``SP2.b`` is under ``SP2``, ``SP20`` is not."""
    size = len(label_id)
    if len(written) <= size or written[:size].casefold() != label_id.casefold():
        return False
    return label_id[-1:].isdigit() and _RULE_PART.match(written, size) is not None


def _defined(text: str, token: str) -> Decision | None:
    """What ``text`` says that ``token`` means; None when it does not say, or says both."""
    found = {
        means(match[1])
        for match in re.finditer(
            rf"(?m)^[^\w\n]{{0,8}}(?:output\s+|return\s+|answer\s+)?[\"'(`*]*{token}[\"')`*]*\s*(?:=|:|->|\u2192|-|if\b|when\b|means\b)"
            r"\s*([^\n]{3,120})",
            text,
            re.IGNORECASE,
        )
    } - {None}
    return found.pop() if len(found) == 1 else None


def _pair(text: str, no: str, yes: str, default: bool) -> dict[str, Decision]:
    """The meanings of a pair of opposite answers."""
    meant_no, meant_yes = _defined(text, no), _defined(text, yes)
    if meant_no is None and meant_yes is None:
        return {no: Decision.ALLOWED, yes: Decision.VIOLATES} if default else {}
    if meant_no in (None, Decision.ALLOWED) and meant_yes in (None, Decision.VIOLATES):
        return {no: Decision.ALLOWED, yes: Decision.VIOLATES}
    if (meant_no, meant_yes) == (Decision.VIOLATES, Decision.ALLOWED):
        return {no: Decision.VIOLATES, yes: Decision.ALLOWED}
    return {}


def _digits(policy: Policy, text: str) -> dict[str, Decision]:
    asked = policy.form in (OutputForm.BINARY, OutputForm.CATEGORY_JSON, OutputForm.RATIONALE_JSON)
    if not asked and not _ZERO_ONE.search(text):
        return {}
    return _pair(text, "0", "1", default=True)


def _yes_no(text: str) -> dict[str, Decision]:
    if not re.search(r"\byes\b.{0,200}\bno\b|\bno\b.{0,200}\byes\b", text, re.IGNORECASE | re.DOTALL):
        return {}
    return _pair(text, "NO", "YES", default=False)
