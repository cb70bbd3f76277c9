"""Choosing the next token, and what the model thought of the others."""

from __future__ import annotations

import ctypes
from typing import Any

import numpy as np
import numpy.typing as npt

from studio.core.run import Sampling
from studio.engine.llama.binding import lib

Logits = npt.NDArray[np.float32]

Candidates = npt.NDArray[np.void]
"""Tokens as llama.cpp's samplers take them: records of ``id``, ``logit`` and ``p``."""

_RECORD = np.dtype([("id", np.int32), ("logit", np.float32), ("p", np.float32)])

_RANDOM_SEED = 0xFFFFFFFF
"""The seed that llama.cpp takes as "draw one yourself"; never passed on, so that every answer can be made again."""


class Sampler:
    """Chooses tokens for one answer: the most probable one, or drawn with temperature, then top_p, and a seed."""

    def __init__(self, sampling: Sampling) -> None:
        self._chain: Any = None
        self.seed = 0
        if sampling.greedy:
            return
        self.seed = (sampling.seed & 0xFFFFFFFF) % _RANDOM_SEED
        self._chain = lib.llama_sampler_chain_init(lib.llama_sampler_chain_default_params())
        lib.llama_sampler_chain_add(self._chain, lib.llama_sampler_init_temp(sampling.temperature))
        if sampling.top_p < 1.0:
            lib.llama_sampler_chain_add(self._chain, lib.llama_sampler_init_top_p(sampling.top_p, 1))
        lib.llama_sampler_chain_add(self._chain, lib.llama_sampler_init_dist(self.seed))

    def choose(self, context: Any, place: int, best: int) -> int:
        """The next token after the one at ``place`` in the last batch, whose most probable successor is ``best``."""
        if self._chain is None:
            return best
        return int(lib.llama_sampler_sample(self._chain, context, place))

    def choose_among(self, candidates: Candidates) -> int:
        """The next token of ``candidates``, some of which have a logit of minus infinity; their order is lost."""
        if self._chain is None:
            return int(candidates["id"][candidates["logit"].argmax()])
        array = token_array(candidates)
        lib.llama_sampler_apply(self._chain, ctypes.byref(array))
        # Samplers may put their own memory in the place of ours.
        return int(array.data[array.selected].id)

    def close(self) -> None:
        """Free the chain."""
        if self._chain is not None:
            lib.llama_sampler_free(self._chain)
            self._chain = None


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
