"""One sequence of tokens in a llama.cpp context, whose decoded head is used again when it is exactly the same work.

Exactly: a prompt is always decoded in the same steps (:func:`steps`), and only whole steps are kept, so an answer after
a reused head is bit for bit the answer of a fresh context; splitting a prompt elsewhere would change the rounding.
"""

from __future__ import annotations

from collections.abc import Sequence as Tokens
from typing import Any

import numpy as np

from studio.engine.llama import binding
from studio.engine.llama.binding import lib
from studio.engine.llama.failure import WorkerFailure
from studio.engine.llama.model import Model
from studio.engine.llama.sampling import Logits

_SMALLEST_CONTEXT = 4096
_SEQ = 0


def steps(length: int, prefix: int, batch: int) -> tuple[int, ...]:
    """Where each prefill step of a prompt ends: every ``batch`` tokens, and at the end of its shared ``prefix``."""
    ends = [*range(batch, prefix, batch), prefix] if 0 < prefix < length else []
    start = ends[-1] if ends else 0
    return (*ends, *range(start + batch, length, batch), length)


def context_size(needed: int, limit: int) -> int:
    """The context to make for ``needed`` tokens: in strides, so that it is seldom made anew, and within ``limit``."""
    size = _SMALLEST_CONTEXT
    while size < needed:
        size += min(size, 2 * _SMALLEST_CONTEXT)
    return min(size, limit)


class Sequence:
    """The context of one model, holding one sequence. Grows when asked to; then nothing is reused once."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self._context: Any = None
        self._memory: Any = None
        self._batch = lib.llama_batch_init(model.info.n_batch, 0, 1)
        self._tokens: list[int] = []
        self._ends: tuple[int, ...] = ()
        self._length = 0
        self.n_ctx = 0

    @property
    def context(self) -> Any:
        """The llama context, for sampling."""
        return self._context

    def make_room(self, needed: int) -> None:
        """Make the context hold ``needed`` tokens. Raises ``out_of_memory`` with the size that was tried."""
        if needed <= self.n_ctx:
            return
        self._free_context()
        size = context_size(needed, self._model.info.n_ctx_limit)
        info = self._model.info
        params = lib.llama_context_default_params()
        params.n_ctx = size
        params.n_batch = params.n_ubatch = info.n_batch
        params.n_seq_max = params.n_outputs_max = 1
        params.n_threads = params.n_threads_batch = info.n_threads
        params.flash_attn_type = lib.LLAMA_FLASH_ATTN_TYPE_ENABLED if info.flash_attn else 0
        # Sliding-window layers keep all positions: without it a reused head is silently wrong after a long answer.
        params.swa_full = True
        params.no_perf = True
        binding.clear_log()
        context = lib.llama_init_from_model(self._model.handle, params)
        if not context:
            raise WorkerFailure("out_of_memory", {"n_ctx": size}, detail=" ".join(binding.log_lines()[-3:])[:300])
        self._context, self._memory, self.n_ctx = context, lib.llama_get_memory(context), size

    def begin(self, tokens: Tokens[int], ends: tuple[int, ...]) -> int:
        """Start a prompt that is decoded in steps that end at ``ends``; returns how many tokens need no decoding."""
        kept = self._reusable(tokens, ends)
        if kept and not self._window_holds(kept):
            kept = 0
        if kept == 0:
            lib.llama_memory_clear(self._memory, False)
        elif not lib.llama_memory_seq_rm(self._memory, _SEQ, kept, -1):
            lib.llama_memory_clear(self._memory, False)
            kept = 0
        self._tokens = list(tokens[:kept])
        self._ends = tuple(end for end in ends if end <= kept)
        self._length = kept
        return kept

    def prefill(self, tokens: Tokens[int]) -> None:
        """Decode one step of the prompt."""
        self._decode(tokens)
        self._tokens.extend(tokens)
        self._ends = (*self._ends, self._length)

    def append(self, token: int) -> None:
        """Decode one token of the answer."""
        self._decode((token,))

    def logits(self) -> Logits:
        """(n_vocab,) of the last decoded token; valid until the next decode."""
        pointer = lib.llama_get_logits_ith(self._context, -1)
        return np.ctypeslib.as_array(pointer, shape=(self._model.vocabulary.size,))

    def close(self) -> None:
        """Free the context."""
        self._free_context()
        lib.llama_batch_free(self._batch)

    def _reusable(self, tokens: Tokens[int], ends: tuple[int, ...]) -> int:
        common = 0
        for mine, other in zip(self._tokens, tokens, strict=False):
            if mine != other:
                break
            common += 1
        kept = 0
        for mine, other in zip(self._ends, ends, strict=False):
            # The last token must be decoded, or there is nothing to sample from.
            if mine != other or mine > common or mine >= len(tokens):
                break
            kept = mine
        return kept

    def _window_holds(self, position: int) -> bool:
        """Whether the memory still has all that a token at ``position`` looks back on (ENGINE.md, trap 2)."""
        lowest = int(lib.llama_memory_seq_pos_min(self._memory, _SEQ))
        highest = int(lib.llama_memory_seq_pos_max(self._memory, _SEQ))
        return 0 <= lowest <= max(0, position - max(self._model.n_swa - 1, 0)) and highest >= position - 1

    def _decode(self, tokens: Tokens[int]) -> None:
        batch, count = self._batch, len(tokens)
        batch.n_tokens = count
        for index, token in enumerate(tokens):
            batch.token[index] = token
            batch.pos[index] = self._length + index
            batch.n_seq_id[index] = 1
            batch.seq_id[index][0] = _SEQ
            batch.logits[index] = 0
        batch.logits[count - 1] = 1
        status = int(lib.llama_decode(self._context, batch))
        if status != 0:
            self._forget()
            raise WorkerFailure("decode", {"status": status}, detail=" ".join(binding.log_lines()[-3:])[:300])
        self._length += count

    def _forget(self) -> None:
        lib.llama_memory_clear(self._memory, False)
        self._tokens, self._ends, self._length = [], (), 0

    def _free_context(self) -> None:
        if self._context is not None:
            lib.llama_free(self._context)
        self._context = self._memory = None
        self._tokens, self._ends, self._length, self.n_ctx = [], (), 0, 0
