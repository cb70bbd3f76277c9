"""Choosing the next token, and what the model thought of the others.

Drawing is ours and not the library's: its chain sorts the whole vocabulary for every token of every sequence, 1.9 ms at
201,088 tokens. One pass over the row gives the same distribution, by inversion of its running sum (Devroye, Non-Uniform
Random Variate Generation, 1986, III.2), in a sixth of that. It is told in
records as :data:`studio.engine.types.SAMPLER`.
"""

from __future__ import annotations

import ctypes
import functools
import random
from typing import Any

import numpy as np
import numpy.typing as npt

from studio.core.run import Sampling
from studio.engine.llama.binding import lib

Logits = npt.NDArray[np.float32]

Candidates = npt.NDArray[np.void]
"""Tokens as llama.cpp's samplers take them: records of ``id``, ``logit`` and ``p``."""

_RECORD = np.dtype([("id", np.int32), ("logit", np.float32), ("p", np.float32)])

_SEEDS = 2**32

_COOLEST = 1e-6
"""The lowest temperature that is divided by: numbers of 32 bits hold all that comes out. It is greedy but for ties."""

_BLOCK = 512
"""Weights that are summed before the place is looked for among them one by one."""

_FLOORS = (1e-3, 1e-6, 0.0)
"""Shares of the best token's weight, above which the likely ones are looked for first."""


class Sampler:
    """Chooses tokens for one answer: the most probable one, or drawn with temperature, then top_p, and a seed."""

    def __init__(self, sampling: Sampling) -> None:
        self._sampling = sampling
        self.seed = 0 if sampling.greedy else sampling.seed % _SEEDS
        # Its random() is promised to give the same numbers for a seed in every Python.
        self._chances = random.Random(self.seed)

    def choose(self, best: int, logits: Logits) -> int:
        """The next token by ``logits`` (n_vocab,), of which that of ``best`` is the highest."""
        if self._sampling.greedy:
            return best
        weights = _room(len(logits))[: len(logits)]
        np.subtract(logits, logits[best], out=weights)
        if self._sampling.temperature != 1.0:
            np.divide(weights, max(self._sampling.temperature, _COOLEST), out=weights)
        np.exp(weights, out=weights)
        if self._sampling.top_p >= 1.0:
            return _drawn(_room(len(logits)), self._chances.random())
        likely = _nucleus(weights, self._sampling.top_p)
        return int(likely[_drawn(weights[likely], self._chances.random())])

    def choose_among(self, candidates: Candidates) -> int:
        """The next token of ``candidates``, some of which have a logit of minus infinity."""
        logits = np.ascontiguousarray(candidates["logit"])
        return int(candidates["id"][self.choose(int(logits.argmax()), logits)])


@functools.lru_cache(maxsize=2)
def _room(count: int) -> Logits:
    """Room for ``count`` weights, filled up with zeros to whole blocks.

    One thread samples, so all answers share it: memory taken anew for each token costs as much as the sums.
    """
    return np.zeros(-(-count // _BLOCK) * _BLOCK, np.float32)


def _nucleus(weights: Logits, top_p: float) -> npt.NDArray[np.intp]:
    """The fewest places that hold ``top_p`` of all weight (Holtzman et al. 2020), ascending; of ties the first ones.

    ``weights`` are shares of the best one's.
    """
    wanted = top_p * float(weights.sum(dtype=np.float64))
    for floor in _FLOORS:
        # All others are lighter, so when these hold enough, none of the others is among the fewest.
        heaviest = np.sort(weights[weights >= floor])[::-1]
        held = heaviest.cumsum(dtype=np.float64)
        if held[-1] >= wanted:
            break
    count = min(int(np.searchsorted(held, wanted)) + 1, len(held))
    likely = np.flatnonzero(weights >= heaviest[count - 1])
    ties = np.flatnonzero(weights[likely] == heaviest[count - 1])
    return np.delete(likely, ties[len(ties) - (len(likely) - count) :])


def _drawn(weights: Logits, chance: float) -> int:
    """The place where the running sum of ``weights`` passes the share ``chance`` (0 <= chance < 1) of their total."""
    if len(weights) % _BLOCK:
        return _passed(weights, chance * float(weights.sum(dtype=np.float64)))
    blocks = weights.reshape(-1, _BLOCK)
    sums = blocks.sum(axis=1)
    target = chance * float(sums.sum(dtype=np.float64))
    block = _passed(sums, target)
    return block * _BLOCK + _passed(blocks[block], target - float(sums[:block].sum(dtype=np.float64)))


def _passed(weights: Logits, target: float) -> int:
    """The first place where the running sum of ``weights`` is above ``target``; never one that weighs nothing."""
    place = int(np.searchsorted(weights.cumsum(dtype=np.float64), target, side="right"))
    # Sums made in another order may differ in the last digit, and leave the target above all of them.
    return place if place < len(weights) else int(np.flatnonzero(weights)[-1])


def as_candidates(logits: Logits) -> Candidates:
    """All tokens with their logits (n_vocab,)."""
    candidates = np.zeros(len(logits), _RECORD)
    candidates["id"] = np.arange(len(logits))
    candidates["logit"] = logits
    return candidates


def token_array(candidates: Candidates) -> Any:
    """The candidates as the library's own array; it points into them."""
    data = candidates.ctypes.data_as(ctypes.POINTER(lib.llama_token_data))
    return lib.llama_token_data_array(data=data, size=len(candidates), selected=-1, sorted=False)


def most_probable(logits: Logits) -> list[int | None]:
    """The best token of each row of (rows, n_vocab); None where a row holds numbers that are none."""
    best = logits.argmax(axis=1)
    sound = np.isfinite(logits[np.arange(len(best)), best])
    return [int(token) if good else None for token, good in zip(best, sound, strict=True)]


def best_candidates(logits: Logits, count: int) -> list[tuple[int, float]]:
    """The ``count`` most probable tokens as (id, natural log of the probability), best first."""
    count = min(count, logits.shape[0])
    if count <= 0:
        return []
    wide = logits.astype(np.float64)
    top = np.argpartition(wide, -count)[-count:]
    top = top[np.argsort(-wide[top], kind="stable")]
    highest = wide[top[0]]
    total = highest + np.log(np.exp(wide - highest).sum())
    return [(int(token), float(wide[token] - total)) for token in top]
