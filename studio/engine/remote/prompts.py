"""Prompts for a server: token ids where it takes them, so that no text becomes a control token; else text, escaped.

For ids each plain text is cut inside everything that is spelled like a control token of harmony, and the pieces are
tokenized apart (ENGINE.md, trap 1: some tokenizers find control tokens in any text). Only our own control segments
become control ids, and that is checked on the ids.
"""

from __future__ import annotations

import re
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from studio.core.prompt import CONTROL_TOKENS, Control, Segment
from studio.engine.errors import ContentTokensError
from studio.engine.types import TokenInfo

MOST_PIECES = 500
"""Of one prompt: a server may have to be asked once for each."""

_SPELLED = re.compile(r"<(?=\|[A-Za-z0-9_]{1,64}\|>)")
_KEPT = 256


@dataclass(frozen=True, slots=True)
class Piece:
    """One token of a text: its id, and its bytes as far as the server says them."""

    id: int
    text: bytes


Tokenizer = Callable[[str], list[Piece]]
"""Tokens of a text that holds no whole spelling of a control token, without any at its start."""


class IdPrompts:
    """Turns segments into ids. ``controls``: the id of each control token by its name."""

    def __init__(self, tokenizer: Tokenizer, controls: dict[str, int]) -> None:
        self._tokenizer, self.controls = tokenizer, controls
        self._forbidden = frozenset(controls.values())
        self._lock = threading.Lock()
        self._known: OrderedDict[str, list[Piece]] = OrderedDict()

    def tokens(self, segments: Sequence[Segment]) -> list[TokenInfo]:
        """The tokens of a prompt. Raises ContentTokensError when they would not be safe, RemoteError."""
        found: list[TokenInfo] = []
        for number, segment in enumerate(segments):
            if isinstance(segment, Control):
                if segment.name not in self.controls:
                    raise ContentTokensError(f"The server's model has no control token {segment.name}.")
                found.append(TokenInfo(self.controls[segment.name], segment.name.encode(), True, number))
                continue
            for piece in self._plain(segment.text):
                found.append(TokenInfo(piece.id, piece.text, False, number))
        return found

    def _plain(self, text: str) -> list[Piece]:
        with self._lock:
            known = self._known.pop(text, None)
        if known is None:
            pieces = cut(text)
            if len(pieces) > MOST_PIECES:
                raise ContentTokensError(
                    f"The text spells control tokens {len(pieces) - 1:,} times; at most {MOST_PIECES - 1} are sent.",
                    hint="Judge it on this machine.",
                )
            known = [token for piece in pieces for token in self._tokenizer(piece)]
            if any(token.id in self._forbidden for token in known):
                raise ContentTokensError("The server made a control token of plain text. Nothing was judged.")
        with self._lock:
            self._known[text] = known
            if len(self._known) > _KEPT:
                self._known.popitem(last=False)
        return known


def cut(text: str) -> list[str]:
    """The text in pieces that hold no whole spelling of a control token; joined, they are the text again."""
    edges = [0, *(match.end() for match in _SPELLED.finditer(text)), len(text)]
    return [text[a:b] for a, b in zip(edges, edges[1:], strict=False) if a < b]


def escaped(segments: Sequence[Segment]) -> str:
    """The prompt as one text. In everything that is not ours to control a blank parts each ``<|``.

    The server's tokenizer finds no control token there by harmony's spelling; other spellings it may know are not ours
    to know, so this is weaker than ids, and the model sees another text than was written.
    """
    return "".join(s.name if isinstance(s, Control) else s.text.replace("<|", "< |") for s in segments)


def harmony_ids(one: Callable[[str], list[Piece]]) -> dict[str, int] | None:
    """The ids of harmony's control tokens by their names; None when they are not one token each."""
    found = {name: one(name) for name in CONTROL_TOKENS}
    ids = {name: tokens[0].id for name, tokens in found.items() if len(tokens) == 1}
    return ids if len(set(ids.values())) == len(CONTROL_TOKENS) else None
