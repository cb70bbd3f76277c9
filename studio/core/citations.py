"""Rules that a text cites, and whether the policy has them: models also cite rules that do not exist."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from studio.core.policy import Policy

_ID = re.compile(
    r"(?<![\w.-])(?:[A-Z]{1,2}-)?[A-Z]{1,6}[-_]?\d{1,3}(?:\.[A-Za-z0-9]{1,3}(?![\w]))*[a-z]?(?![\w])(?!-\w)"
)
_SAID_TO_BE = re.compile(
    r"\b(?:rules?|sections?|labels?|polic(?:y|ies)|categor(?:y|ies)|criteri(?:on|a)|codes?)\W{0,3}\Z", re.I
)


@dataclass(frozen=True, slots=True)
class Citation:
    """One cited rule: ``text[start:end]`` is ``id``; ``known`` is False when the policy has no such rule."""

    start: int
    end: int
    id: str
    known: bool


def cited_rules(text: str, policy: Policy) -> tuple[Citation, ...]:
    """The rule ids in ``text``, in order.

    An id that the policy lacks counts as a citation only when it looks like one of the policy's own (``SP9`` where
    there is an ``SP2``), or is called a rule, label or the like: "MP3" and "COVID-19" are not.
    """
    known, families = _ids(policy)
    found = []
    for match in _ID.finditer(text):
        name = match.group()
        is_known = name.casefold() in known
        called = _SAID_TO_BE.search(text, max(0, match.start() - 24), match.start()) is not None
        if is_known or called or _family(name) in families:
            found.append(Citation(match.start(), match.end(), name, is_known))
    return tuple(found)


@lru_cache(maxsize=64)
def _ids(policy: Policy) -> tuple[frozenset[str], frozenset[str]]:
    """The ids that the policy's text or labels contain, and their families (``SP``)."""
    names = [*(match.group() for match in _ID.finditer(policy.text)), *(label.id for label in policy.labels)]
    families = {_family(name) for name in names if re.search(r"\d", name)}
    return frozenset(name.casefold() for name in names), frozenset(families)


def _family(name: str) -> str:
    return re.split(r"\d", name, maxsplit=1)[0].rstrip("-_").casefold()
