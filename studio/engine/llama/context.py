"""One llama.cpp context: a memory of cells that numbered sequences share, and one batch decoded at a time.

All sequences live in one unified memory, so a head that several of them begin with is kept once. The sliding-window
layers keep every position too (``swa_full``): only then can a sequence be cut or shared anywhere without a word of its
window missing, and only then is a resumed head bit for bit a fresh one. Saved alone, a sequence keeps no more of those
layers than the window before its end all the same; saved with the whole context it keeps everything.
"""

from __future__ import annotations

import ctypes
from typing import Any

import numpy as np
import numpy.typing as npt

from studio.engine.llama import binding
from studio.engine.llama.binding import lib
from studio.engine.llama.failure import WorkerFailure
from studio.engine.llama.model import Model
from studio.engine.llama.sampling import Logits

Ids = npt.NDArray[np.int32]
"""Token ids, one after the other."""

State = npt.NDArray[np.uint8]
"""The decoded work of one sequence as bytes."""


_KV_TYPES = {"f16": lib.GGML_TYPE_F16, "q8_0": lib.GGML_TYPE_Q8_0}


class NoRoom(Exception):
    """A batch found no free cells; nothing was decoded."""


class Context:
    """Memory of ``n_cells`` tokens for ``n_seq`` sequences; a batch has at most ``n_rows`` tokens, ``n_outputs`` asked.

    Raises ``out_of_memory`` with the size that was tried.
    """

    def __init__(self, model: Model, *, n_cells: int, n_seq: int, n_rows: int, n_outputs: int) -> None:
        info = model.info
        params = lib.llama_context_default_params()
        params.n_ctx = n_cells
        params.n_batch = params.n_ubatch = n_rows
        params.n_seq_max = n_seq
        params.n_outputs_max = n_outputs
        params.n_threads = params.n_threads_batch = info.n_threads
        params.flash_attn_type = lib.LLAMA_FLASH_ATTN_TYPE_ENABLED if info.flash_attn else 0
        params.type_k = params.type_v = _KV_TYPES[info.kv_type]
        params.swa_full = params.kv_unified = params.no_perf = True
        binding.clear_log()
        handle = lib.llama_init_from_model(model.handle, params)
        if not handle:
            raise WorkerFailure("out_of_memory", {"n_ctx": n_cells}, detail=" ".join(binding.log_lines()[-3:])[:300])
        self.handle = handle
        self.n_cells = n_cells
        self._memory = lib.llama_get_memory(handle)
        self._n_vocab = model.vocabulary.size
        self._n_swa = int(lib.llama_model_n_swa(model.handle))
        self.n_rows = n_rows
        self.n_outputs = n_outputs
        self._rows = self._asked = 0
        self._make_batch(n_rows)

    def _make_batch(self, n_rows: int) -> None:
        """A batch over arrays of our own, which whole stretches of tokens are written into at once."""
        self._token, self._pos, self._seq = (np.zeros(n_rows, np.int32) for _ in range(3))
        self._output = np.zeros(n_rows, np.int8)
        self._one_each = np.ones(n_rows, np.int32)
        self._seq_at = (self._seq.ctypes.data + 4 * np.arange(n_rows)).astype(np.uintp)
        batch = lib.llama_batch()
        fields = dict(batch._fields_)
        for name, array in (
            ("token", self._token),
            ("pos", self._pos),
            ("n_seq_id", self._one_each),
            ("seq_id", self._seq_at),
            ("logits", self._output),
        ):
            setattr(batch, name, ctypes.cast(array.ctypes.data, fields[name]))
        self._batch = batch

    @property
    def rows(self) -> int:
        """Tokens in the batch that is being put together."""
        return self._rows

    def add(self, seq: int, tokens: Ids | list[int], position: int, *, output: bool) -> None:
        """Put tokens of a sequence, which begin at ``position`` in it, into the batch; ``output`` asks for the last."""
        start, end = self._rows, self._rows + len(tokens)
        self._token[start:end] = tokens
        self._pos[start:end] = np.arange(position, position + len(tokens))
        self._seq[start:end] = seq
        self._output[start:end] = 0
        self._output[end - 1] = output
        self._asked += output
        self._rows = end

    def decode(self) -> Logits:
        """Decode the batch; returns (outputs asked for, n_vocab) in the order of the batch, valid until the next one.

        Raises :class:`NoRoom`, or ``decode`` after which nothing of the memory can be relied on.
        """
        self._batch.n_tokens = self._rows
        asked, self._rows, self._asked = self._asked, 0, 0
        status = int(lib.llama_decode(self.handle, self._batch))
        if status == 1:
            raise NoRoom
        if status != 0:
            raise WorkerFailure("decode", {"status": status}, detail=" ".join(binding.log_lines()[-3:])[:300])
        if not asked:
            return np.empty((0, self._n_vocab), np.float32)
        return np.ctypeslib.as_array(lib.llama_get_logits(self.handle), shape=(asked, self._n_vocab))

    def share(self, source: int, target: int, length: int) -> None:
        """Let ``target``, which is empty, begin with the first ``length`` tokens of ``source``; nothing is copied."""
        lib.llama_memory_seq_cp(self._memory, source, target, 0, length)

    def cut(self, seq: int, length: int = 0) -> None:
        """Forget all of a sequence behind its first ``length`` tokens; cells that no other sequence owns are free."""
        if not lib.llama_memory_seq_rm(self._memory, seq, length, -1):
            raise WorkerFailure("decode", {"status": -1}, detail="a sequence could not be cut")

    def span(self, seq: int) -> tuple[int, int]:
        """(first, last) position that the memory holds of a sequence; (-1, -1) when it is empty."""
        return int(lib.llama_memory_seq_pos_min(self._memory, seq)), int(
            lib.llama_memory_seq_pos_max(self._memory, seq)
        )

    def holds(self, seq: int, position: int) -> bool:
        """Whether all is there that a token at ``position`` of a sequence looks back on, and nothing cut away."""
        first, last = self.span(seq)
        return 0 <= first <= max(0, position - max(self._n_swa - 1, 0)) and last >= position - 1

    def save(self, seq: int, most: int) -> State | None:
        """The decoded work of a sequence for :meth:`restore`; it can be resumed at its end only.

        None when it is larger than ``most`` bytes.
        """
        size = int(lib.llama_state_seq_get_size(self.handle, seq))
        if size > most:
            return None
        state = np.empty(size, np.uint8)
        count = int(lib.llama_state_seq_get_data(self.handle, _bytes_of(state), size, seq))
        return state[:count]

    def restore(self, seq: int, state: State) -> bool:
        """Fill an empty sequence from a state; False when there was no room for it."""
        return bool(lib.llama_state_seq_set_data(self.handle, _bytes_of(state), state.nbytes, seq))

    def save_all(self, most: int) -> State | None:
        """All that the memory holds, each number in its cell, for :meth:`restore_all`; None beyond ``most`` bytes."""
        size = int(lib.llama_state_get_size(self.handle))
        if size > most:
            return None
        state = np.empty(size, np.uint8)
        count = int(lib.llama_state_get_data(self.handle, _bytes_of(state), size))
        return state[:count]

    def restore_all(self, state: State) -> bool:
        """Put back what the memory held, in place of what it holds; False when there was no room for it."""
        return bool(lib.llama_state_set_data(self.handle, _bytes_of(state), state.nbytes))

    def clear(self) -> None:
        """Forget all sequences, and the batch that was being put together."""
        lib.llama_memory_clear(self._memory, False)
        self._rows = self._asked = 0

    def close(self) -> None:
        """Free the memory."""
        lib.llama_free(self.handle)


def _bytes_of(state: State) -> Any:
    return state.ctypes.data_as(ctypes.POINTER(ctypes.c_uint8))
