"""The vocabulary of a loaded model: segments to tokens and back, such that no text can become a control token."""

from __future__ import annotations

import ctypes
import re
from collections.abc import Sequence
from typing import Any

from studio.core.prompt import CONTROL_TOKENS, Control, Segment, safe_pieces
from studio.engine.llama.binding import lib
from studio.engine.llama.failure import WorkerFailure
from studio.engine.types import TokenInfo

LONGEST_STRETCH = 1000
"""Characters that llama.cpp is given without a place where a word surely ends. Its splitter recurses once per character
of a word, and some 30,000 letters in a row overflow the stack: content must not be able to end the worker."""

BLOCK = 65536
"""Characters after which a text is cut at the next end of a word, so that a far too long one is noticed early."""

# In every splitter of this family a space after something else begins a new word, so a cut there changes no token.
_WORD_END = re.compile(r"\S(?= )")


def blocks(text: str, *, stretch: int = LONGEST_STRETCH, block: int = BLOCK) -> list[str]:
    """``text`` in blocks of whole words of some ``block`` characters, and no word longer than ``stretch``."""
    cuts, start = [0], 0
    if len(text) > min(stretch, block):
        for end in (*(match.end() for match in _WORD_END.finditer(text)), len(text)):
            cuts.extend(range(start + stretch, end, stretch))
            start = end
            if end - cuts[-1] >= block and end < len(text):
                cuts.append(end)
    return [text[a:b] for a, b in zip(cuts, [*cuts[1:], len(text)], strict=True)]


class Vocabulary:
    """Tokens of one model. Token ids come from the vocabulary by name, never from a constant."""

    def __init__(self, model: Any) -> None:
        self.handle = lib.llama_model_get_vocab(model)
        self.size = int(lib.llama_vocab_n_tokens(self.handle))
        special = lib.LLAMA_TOKEN_ATTR_CONTROL | lib.LLAMA_TOKEN_ATTR_USER_DEFINED | lib.LLAMA_TOKEN_ATTR_UNKNOWN
        self._names: dict[int, str] = {}
        self._eog: set[int] = set()
        for token in range(self.size):
            if lib.llama_vocab_get_attr(self.handle, token) & special:
                self._names[token] = lib.llama_vocab_get_text(self.handle, token).decode("utf-8", "replace")
            if lib.llama_vocab_is_eog(self.handle, token):
                self._eog.add(token)
        self._ids = {name: token for token, name in reversed(self._names.items())}
        self._spellings = tuple(self._ids)
        self._pieces: dict[int, bytes] = {}

    @property
    def missing_harmony(self) -> tuple[str, ...]:
        """Control tokens of harmony that this vocabulary does not have."""
        return tuple(name for name in CONTROL_TOKENS if name not in self._ids)

    def control_name(self, token: int) -> str | None:
        """The name of a control or user-defined token, None for an ordinary one."""
        return self._names.get(token)

    @property
    def special(self) -> tuple[int, ...]:
        """All tokens that are no text: control and user-defined ones, and those at which generation ends."""
        return tuple({*self._names, *self._eog})

    def is_special(self, token: int) -> bool:
        """Whether a token is one of :attr:`special`."""
        return token in self._names or token in self._eog

    def is_eog(self, token: int) -> bool:
        """Whether generation ends at this token."""
        return token in self._eog

    def piece(self, token: int) -> bytes:
        """The bytes of a token; of a control token its name."""
        known = self._pieces.get(token)
        if known is None:
            known = self._pieces[token] = self._read_piece(token)
        return known

    def tokens(self, segments: Sequence[Segment], available: int, most: int) -> list[TokenInfo]:
        """The tokens of a prompt. Raises :class:`WorkerFailure` before anything unsafe could be sent.

        With more than ``most`` tokens it gives up early: ``too_long``, with an estimate of the number needed against
        the ``available`` ones of the context.
        """
        found: list[TokenInfo] = []
        total = sum(1 if isinstance(segment, Control) else len(segment.text) for segment in segments)
        seen = 0
        for index, segment in enumerate(segments):
            if isinstance(segment, Control):
                token = self._ids.get(segment.name)
                if token is None:
                    raise WorkerFailure("framing_unknown_control", detail=segment.name)
                found.append(TokenInfo(token, segment.name.encode(), True, index))
                seen += 1
                continue
            for safe in safe_pieces(segment.text, self._spellings):
                for block in blocks(safe):
                    found.extend(TokenInfo(token, self.piece(token), False, index) for token in self._plain(block))
                    seen += len(block)
                    if len(found) > most:
                        raise WorkerFailure("too_long", {"needed": len(found) * total // seen, "available": available})
        return found

    def _plain(self, text: str) -> list[int]:
        data = text.encode("utf-8")
        ids = self._tokenize(data)
        # The cutting by our callers is the cure; these two are the proof, made anew for every text that is sent.
        for token in ids:
            if token in self._names or token in self._eog:
                raise WorkerFailure("framing_control", detail=self.piece(token).decode("utf-8", "replace"))
        if b"".join(self.piece(token) for token in ids) != data:
            raise WorkerFailure("framing_round_trip")
        return ids

    def _tokenize(self, data: bytes) -> list[int]:
        room = len(data) + 1
        buffer = (lib.llama_token * room)()
        count = int(lib.llama_tokenize(self.handle, data, len(data), buffer, room, False, False))
        if count < 0:
            raise WorkerFailure("framing_round_trip")
        return list(buffer[:count])

    def _read_piece(self, token: int) -> bytes:
        size = 256
        while True:
            buffer = ctypes.create_string_buffer(size)
            count = int(lib.llama_token_to_piece(self.handle, token, buffer, size, 0, True))
            if count >= 0:
                return buffer.raw[:count]
            size = -count
