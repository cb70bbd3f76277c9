"""Whether a policy's own sentences are English, told by the small words that every sentence needs."""

from __future__ import annotations

import re


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


_ENGLISH = _set(
    "the of and to is are that or not for with it this be when which if by from any must should does an you we they"
)
# German, French, Spanish, Portuguese, Italian, Dutch and Scandinavian ones that are no English words.
_OTHERS = _set(
    "der das und ist nicht oder ein eine einen wenn auf dem den zu wird werden"
    " le la les et est une que qui pour ou dans ne pas sont du au el los del con por una se su como"
    " não uma os com em ao são il che di è per non sono het een van niet voor zijn"
    " och att det som är inte og på ikke"
)
_FEW_WORDS = 25
"""Fewer words than these tell nothing: the text is then taken as English."""
_PLENTY, _RARE = 0.2, 0.03
"""About a third of English prose is such words; a terse list still has one in ten."""
_FOREIGN_LETTERS = 0.02
_LATIN_END = "\u024f"
_LETTER = re.compile(r"[^\W\d_]")


def is_english(prose: str) -> bool:
    """Whether ``prose`` (no examples, no quotations) is English; True also where there is too little to tell.

    A text in another script has no such words at all; one in a language that is not listed is told by its letters.
    """
    words = prose.casefold().split()
    english = sum(word in _ENGLISH for word in words)
    if len(words) >= _FEW_WORDS and english > _PLENTY * len(words):
        return True
    if not prose.isascii():
        letters = len(_LETTER.findall(prose))
        if letters and sum(char > _LATIN_END and char.isalpha() for char in prose) * 2 > letters:
            return False
    if len(words) < _FEW_WORDS:
        return True
    if sum(word in _OTHERS for word in words) > english:
        return False
    if english >= _RARE * len(words) or prose.isascii():
        return True
    accented = sum(char > "\x7f" and char.isalpha() for char in prose)
    return accented < _FOREIGN_LETTERS * len(prose)
