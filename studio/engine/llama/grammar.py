"""Holding an answer to a grammar, with the grammar sampler of llama.cpp.

Two things about that sampler decide how it is used here. It ends the process when it is told of a token that does not
fit, or of an end before the grammar's end: so it is told only of tokens that it allowed. And it takes the name of a
control token for text: so no control token ever gets that far, except the one that ends an answer.

Asking it about one token costs microseconds, about the whole vocabulary of the real model some 25 ms. So a token is
chosen first, then checked, and only when it does not fit all others are masked and it is chosen again: what llama.cpp's
own programs do, and without top_p the same distribution as masking first.
"""

from __future__ import annotations

import codecs
import ctypes
from collections import OrderedDict
from collections.abc import Sequence
from typing import Any

import numpy as np

from studio.engine.llama.binding import lib
from studio.engine.llama.failure import WorkerFailure
from studio.engine.llama.sampling import Candidates, Logits, Sampler, as_candidates, token_array
from studio.engine.llama.tokens import Vocabulary

END = "<|return|>"
"""The one control token that a grammar can end with."""

_KEPT = 16


class Grammars:
    """Grammars as llama.cpp read them; each is read once and copied for every answer."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._vocabulary = vocabulary
        self._known: OrderedDict[str, Any] = OrderedDict()

    def constraint(self, gbnf: str) -> Constraint:
        """A constraint at the beginning of ``gbnf``, whose root is ``root``. Raises ``grammar`` when it is none."""
        sampler = self._known.pop(gbnf, None) or self._read(gbnf)
        self._known[gbnf] = sampler
        if len(self._known) > _KEPT:
            lib.llama_sampler_free(self._known.popitem(last=False)[1])
        return Constraint(lib.llama_sampler_clone(sampler), self._vocabulary)

    def close(self) -> None:
        """Free them all; constraints that were handed out live on."""
        while self._known:
            lib.llama_sampler_free(self._known.popitem()[1])

    def _read(self, gbnf: str) -> Any:
        sampler = None
        if gbnf and "\0" not in gbnf:
            sampler = lib.llama_sampler_init_grammar(self._vocabulary.handle, gbnf.encode(), b"root")
        if not sampler:
            raise WorkerFailure("grammar", detail=gbnf[:200])
        return sampler


class Constraint:
    """How far one answer is in its grammar."""

    def __init__(self, sampler: Any, vocabulary: Vocabulary) -> None:
        self._sampler = sampler
        self._vocabulary = vocabulary
        self._barred = np.array([t for t in vocabulary.special if vocabulary.control_name(t) != END], np.int64)
        self._decoder = codecs.getincrementaldecoder("utf-8")()

    def choose(self, sampler: Sampler, first: int, logits: Logits) -> int:
        """``first``, which ``sampler`` chose, where it fits; otherwise one that it chooses among those that do.

        Raises ``grammar_end`` when the vocabulary has no token that fits.
        """
        token, misfits = first, list[int]()
        while not self.allows(token):
            misfits.append(token)
            token = sampler.choose_among(self._fitting(logits, misfits))
        return token

    def allows(self, token: int) -> bool:
        """Whether the answer may go on with ``token``."""
        if self._vocabulary.is_special(token):
            if self._vocabulary.control_name(token) != END:
                return False
        elif not self._is_text(token):
            return False
        one = as_candidates(np.zeros(1, np.float32))
        one["id"] = token
        self._apply(one)
        return bool(np.isfinite(one["logit"][0]))

    def take(self, token: int) -> None:
        """Go on with a token that is allowed."""
        if self._vocabulary.control_name(token) != END:
            self._decoder.decode(self._vocabulary.piece(token))
            lib.llama_sampler_accept(self._sampler, token)

    def close(self) -> None:
        """Free the sampler."""
        if self._sampler is not None:
            lib.llama_sampler_free(self._sampler)
            self._sampler = None

    def _fitting(self, logits: Logits, misfits: Sequence[int]) -> Candidates:
        """All tokens, those that do not fit at minus infinity."""
        candidates = as_candidates(logits)
        candidates["logit"][self._barred] = -np.inf
        self._apply(candidates)
        candidates["logit"][misfits] = -np.inf
        if not np.isfinite(candidates["logit"]).any():
            raise WorkerFailure("grammar_end")
        return candidates

    def _is_text(self, token: int) -> bool:
        """Whether its bytes go on from those before as UTF-8: some that do not would end the process when accepted."""
        state = self._decoder.getstate()
        try:
            self._decoder.decode(self._vocabulary.piece(token))
        except UnicodeDecodeError:
            return False
        finally:
            self._decoder.setstate(state)
        return True

    def _apply(self, candidates: Candidates) -> None:
        lib.llama_sampler_apply(self._sampler, ctypes.byref(token_array(candidates)))
