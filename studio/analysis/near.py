"""Near-duplicates: texts that are almost the same, found without comparing each with each.

A text becomes the set of its runs of five characters (shingles), after case, spacing, punctuation and the variants of
letters are made alike. How alike two sets are is their Jaccard similarity: what they share of all they have. MinHash
estimates it from short signatures, and signatures that agree in one of several bands are held against each other
exactly. (Broder, "On the resemblance and containment of documents", 1997; Leskovec, Rajaraman and Ullman, "Mining of
Massive Datasets", chapter 3.)
"""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterable

import numpy as np
import numpy.typing as npt

Shingles = npt.NDArray[np.uint64]

ALIKE = 0.8
"""Two texts are near-duplicates from this Jaccard similarity on."""

_LENGTH = 5
_BANDS, _ROWS = 16, 4
# A pair at 0.8 shares a band with 1 - (1 - 0.8 ** 4) ** 16 = 0.9998.
_PRIME = np.uint64(0x9E3779B97F4A7C15)  # 2 ** 64 over the golden ratio: Knuth's multiplicative hashing
_SEED = 20_240_817
_TELL = 1_000


def near_duplicates(
    texts: Iterable[tuple[str, str]], *, tell: Callable[[int], bool] = lambda _done: True
) -> tuple[tuple[str, ...], ...]:
    """Groups of ids whose texts are alike, in the order they came; texts that are alone are in none.

    ``texts`` are pairs of id and text. ``tell`` hears from time to time how many were read, and stops it with False:
    then what was found so far is returned.
    """
    factors, summands = _hashes()
    # One text stands for each bucket: a hundred thousand copies cost as many comparisons, and not their square.
    buckets: dict[bytes, int] = {}
    shingles: list[Shingles] = []
    ids: list[str] = []
    groups = _Groups()
    for number, (key, text) in enumerate(texts):
        if number % _TELL == 0 and not tell(number):
            break
        own = shingles_of(text)
        ids.append(key)
        shingles.append(own)
        if not own.size:
            continue
        signature = ((own[:, None] * factors + summands) >> np.uint64(32)).min(axis=0)
        for band in range(_BANDS):
            part = bytes([band]) + signature[band * _ROWS : (band + 1) * _ROWS].tobytes()
            first = buckets.setdefault(part, number)
            if first != number and not groups.together(first, number) and similarity(shingles[first], own) >= ALIKE:
                groups.join(first, number)
    return tuple(tuple(ids[number] for number in group) for group in groups.found())


def shingles_of(text: str) -> Shingles:
    """The hashes of the text's shingles, sorted, each once; a text shorter than one shingle is one itself."""
    plain = normal(text)
    letters = np.frombuffer(plain.encode("utf-32-le", "replace"), dtype=np.uint32).astype(np.uint64)
    if not letters.size:
        return letters
    width = max(1, letters.size - _LENGTH + 1)
    found = np.zeros(width, dtype=np.uint64)
    for step in range(min(_LENGTH, letters.size)):
        found = found * _PRIME + letters[step : step + width]
    return np.unique(found ^ (found >> np.uint64(29)))


def normal(text: str) -> str:
    """The text without what does not make it another one: case, spacing, punctuation, variants of letters."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return " ".join("".join(char if char.isalnum() else " " for char in folded).split())


def similarity(first: Shingles, second: Shingles) -> float:
    """The Jaccard similarity of two sets of shingles, from 0 to 1."""
    shared = np.intersect1d(first, second, assume_unique=True).size
    return float(shared / (first.size + second.size - shared))


def _hashes() -> tuple[Shingles, Shingles]:
    """Odd factors and summands, the same each time: multiply-shift hashing (Dietzfelbinger and others, 1997)."""
    random = np.random.default_rng(_SEED)
    factors, summands = random.integers(0, 2**63, size=(2, _BANDS * _ROWS), dtype=np.uint64)
    return factors * np.uint64(2) + np.uint64(1), summands


class _Groups:
    """Numbers that belong together (union-find with halved paths)."""

    def __init__(self) -> None:
        self._above: dict[int, int] = {}

    def top(self, number: int) -> int:
        above = self._above
        while (higher := above.get(number, number)) != number:
            above[number] = above.get(higher, higher)
            number = above[number]
        return number

    def together(self, first: int, second: int) -> bool:
        return self.top(first) == self.top(second)

    def join(self, first: int, second: int) -> None:
        low, high = sorted((self.top(first), self.top(second)))
        self._above[high] = low
        self._above.setdefault(low, low)

    def found(self) -> list[list[int]]:
        groups: defaultdict[int, list[int]] = defaultdict(list)
        for number in sorted(self._above):
            groups[self.top(number)].append(number)
        return [group for group in groups.values() if len(group) > 1]
