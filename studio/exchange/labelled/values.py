"""What the words of a label column mean, where that is certain; everything else is asked.

Certain are words that say of themselves whether content breaks a policy (``VALID``, ``unsafe``) and the codes that the
policy itself defines. A bare 0 or 1, yes or no, true or false has no side, and words such as ``spam`` have one only
under a policy that is about spam.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from studio.core.labels import Decision
from studio.core.policy import Policy
from studio.exchange.labelled.names import normal

_CODE = re.compile(r"(?<![A-Za-z0-9])((?:[A-Z]{1,2}-)?[A-Z]{1,4}\d{1,2})(?:\.\w{1,3})?(?![A-Za-z0-9])")
_WORDS: dict[Decision | None, str] = {
    Decision.ALLOWED: "safe|allowed|allow|allows|valid|benign|acceptable|not violating|non violating|nonviolating|"
    "not violation|no violation|not a violation|does not violate|compliant|harmless|unharmful|not harmful|non harmful|"
    "legitimate|permitted|not violative|non violative|nonviolative|not unsafe",
    Decision.VIOLATES: "unsafe|violates|violate|violating|violation|violative|invalid|harmful|disallowed|prohibited|"
    "not allowed|unacceptable|not safe|not valid|non compliant|not compliant|forbidden",
    Decision.NEEDS_REVIEW: "needs review|review|escalate|manual review|human review|escalation",
    None: "unknown|unlabelled|unlabeled|n a|na|nan|null|not labelled|not labeled|tbd|undecided",
}
_CERTAIN = {word: decision for decision, words in _WORDS.items() for word in words.split("|")}
_TOPICS = {
    "spam": ("spam", {"spam": True, "ham": False, "not spam": False, "non spam": False, "no spam": False}),
    "toxic": ("toxi", {"toxic": True, "non toxic": False, "nontoxic": False, "not toxic": False}),
    "offensive": ("offens", {"offensive": True, "non offensive": False, "not offensive": False}),
    "hate": (
        "hate",
        {"hate": True, "hateful": True, "hate speech": True, "hatespeech": True}
        | dict.fromkeys(("not hate", "non hate", "nonhate", "not hateful", "non hateful", "nonhateful"), False),
    ),
}
# What moderators did, which is not always what was right.
_ACTIONS = dict.fromkeys(["approve", "approved", "keep", "kept", "publish", "published"], False) | dict.fromkeys(
    ["remove", "removed", "delete", "deleted", "reject", "rejected", "block", "blocked", "ban", "banned", "hidden"],
    True,
)
_LEADING = re.compile(
    r"^\W*(?:(?:classification|label|answer|decision|verdict)\s*:\s*)?\W*"
    r"(?P<word>invalid|valid|unsafe|safe|violating|violates|violation|allowed|harmful|benign)\b(?P<rest>.*)$",
    re.IGNORECASE | re.DOTALL,
)
_TRUE, _FALSE = {"1", "true", "yes", "y", "t", "1.0"}, {"0", "false", "no", "n", "f", "0.0"}
_GOOD_NAMES = frozenset(["safe", "ok", "allowed", "acceptable", "valid", "compliant", "benign", "ham", "clean"])


@dataclass(frozen=True, slots=True)
class Meaning:
    """What an original label stands for. ``decision`` None is unknown; ``skip`` leaves the item out."""

    decision: Decision | None
    labels: tuple[str, ...] = ()
    skip: bool = False


def is_true(text: str) -> bool | None:
    """Whether a flag's value says yes or no; None when it says neither."""
    folded = text.strip().casefold()
    return True if folded in _TRUE else False if folded in _FALSE else None


def codes_in(text: str) -> list[str]:
    """The label codes in a text, such as SP2 or D-SP2, without the rule's letter; each once."""
    return list(dict.fromkeys(match[1] for match in _CODE.finditer(text)))


def is_code(text: str) -> bool:
    """Whether the text is a code and nothing else."""
    match = _CODE.fullmatch(text.strip())
    return match is not None


def meaning_of(label: str, policy: Policy | None) -> Meaning | None:
    """What the label certainly means under the policy, None when a person has to say."""
    text = label.strip()
    if policy is not None:
        own = _of_policy(text, policy)
        if own is not None:
            return own
    folded = _plain(text)
    if folded in _CERTAIN:
        return Meaning(_CERTAIN[folded])
    about = _topic(folded, policy)
    if about is not None:
        return Meaning(about)
    return _composed(text, policy)


def suggested(label: str, column: str, policy: Policy | None) -> Decision | None:
    """What the label probably means, to be shown beside the question and never taken unasked."""
    text = label.rsplit("=", 1)[-1].strip()
    truth = is_true(text)
    if truth is not None:
        good = bool(_GOOD_NAMES & set(normal(column).split("_")))
        return Decision.ALLOWED if truth is good else Decision.VIOLATES
    codes = codes_in(text)
    if codes:
        digit = int(re.sub(r"\D", "", codes[0]) or 0)
        known = policy.label(codes[0]) if policy is not None else None
        if known is not None:
            return known.decision.decision
        return Decision.ALLOWED if digit == 0 else Decision.VIOLATES if digit >= 2 else None
    folded = _plain(text)
    for words in (*(words for _, words in _TOPICS.values()), _ACTIONS):
        if folded in words:
            return Decision.VIOLATES if words[folded] else Decision.ALLOWED
    return None


def _plain(text: str) -> str:
    return " ".join(re.sub(r"[^\w]+|_", " ", text.casefold()).split())


def _of_policy(text: str, policy: Policy) -> Meaning | None:
    for label in policy.labels:
        names = {label.id.casefold(), label.name.casefold()} - {""}
        if text.casefold() in names:
            return Meaning(label.decision.decision, (label.id,))
    return None


def _topic(folded: str, policy: Policy | None) -> Decision | None:
    """Words such as spam and ham, under a policy whose title names the topic."""
    if policy is None:
        return None
    title = f"{policy.id} {policy.title}".casefold()
    for stem, words in _TOPICS.values():
        if folded in words and stem in title:
            return Decision.VIOLATES if words[folded] else Decision.ALLOWED
    return None


def _composed(text: str, policy: Policy | None) -> Meaning | None:
    """A word with a code, ``INVALID (DE3)``, or codes of the policy, ``SP2.b - promotion``; None when they disagree."""
    match = _LEADING.match(text)
    codes = codes_in(match["rest"] if match else text)
    if match is None and not (codes and re.match(r"^\W*" + re.escape(codes[0]), text)):
        return None
    if match and not codes and match["rest"].strip(" \t\n.*_)\"'"):
        return None  # more words, which may say the opposite
    decision = _CERTAIN[match["word"].casefold()] if match else None
    known = [] if policy is None else [label for label in map(policy.label, codes) if label is not None]
    decisions = {label.decision.decision for label in known} | ({decision} if match else set())
    if len(decisions) != 1 or (match is None and len(known) != len(codes)):
        return None
    return Meaning(decisions.pop(), tuple(label.id for label in known))
