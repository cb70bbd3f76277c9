"""Comparing short texts by their words: which of many rules or examples say nearly the same."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache

_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)?")
_COMMON = frozenset(
    re.split(
        r"\s+",
        "a an the of to in on at for from by with and or as is are be been being was were that this these "
        "those it its their his her they he she who whom which what any all such also other others into about "
        "than then so if when where there has have had do does did will would can could may might must should "
        "we you your our i me my content post posts message messages user users someone somebody person "
        "people The words of a text, in lower case. \u2019 '",
    )
)


def words(text: str) -> list[str]:
    """The words of a text, in lower case."""
    return _WORD.findall(text.casefold().replace("\u2019", "'").replace("n't", " not"))


@lru_cache(maxsize=16384)
def stem(word: str) -> str:
    """An English word without its commonest endings: enough to match ``selling`` with ``sells``."""
    if word.endswith("ves") and len(word) > 5:
        return word[:-3] + "f"
    for ending in ("ings", "ing", "ies", "ied", "ers", "er", "ed", "es", "s", "e"):
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            return word[: -len(ending)]
    return word


def telling(text: str) -> frozenset[str]:
    """The stems of the words that tell texts apart; "not", "no" and "without" are among them."""
    return frozenset(stem(word) for word in words(text) if word not in _COMMON)


class Bits:
    """Sets of words as whole numbers, so that comparing thousands of pairs costs milliseconds."""

    def __init__(self) -> None:
        self._places: dict[str, int] = {}

    def of(self, stems: Iterable[str]) -> int:
        """The number that stands for a set."""
        number = 0
        for one in stems:
            number |= 1 << self._places.setdefault(one, len(self._places))
        return number


def near_pairs(sets: list[frozenset[str]], least: float, smallest: int) -> Iterator[tuple[int, int]]:
    """Pairs (by index, the earlier first) that share at least the part ``least`` of all their words (Jaccard).

    Sets of fewer than ``smallest`` words are passed over: too little to tell.
    """
    bits = Bits()
    rows = sorted(
        ((len(one), at, bits.of(one)) for at, one in enumerate(sets) if len(one) >= smallest), key=lambda row: row[:2]
    )
    for place, (size, at, number) in enumerate(rows):
        for other_size, other_at, other in rows[place + 1 :]:
            if size < least * other_size:
                break
            both = (number & other).bit_count()
            if both >= least * (size + other_size - both):
                yield (at, other_at) if at < other_at else (other_at, at)
