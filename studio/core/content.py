"""The thing that is judged, and the one way it is written into the user message.

A conversation goes into a single message as a transcript: sent as chat turns it is judged wrongly (FACTS 1). The
continuation lines of a turn are indented, so that a line that starts with ``[`` at the left edge is always ours and a
speaker cannot write another speaker's turn.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import asdict, dataclass

from studio.core.errors import InputError
from studio.core.policy import ContentKind

_INDENT = "    "
_SURROGATE = re.compile("[\ud800-\udfff]")
_BREAKS = ("\r\n", "\r", "\v", "\f", "\x1c", "\x1d", "\x1e", "\x85", "\u2028", "\u2029")


@dataclass(frozen=True, slots=True)
class Turn:
    """One turn of a conversation: who spoke, and what they said."""

    speaker: str
    text: str


@dataclass(frozen=True, slots=True)
class Content:
    """A piece of content: a message, a conversation, or a completion (a prompt and the response to be judged)."""

    kind: ContentKind
    text: str = ""
    turns: tuple[Turn, ...] = ()
    prompt: str = ""
    response: str = ""

    @classmethod
    def message(cls, text: str) -> Content:
        """A single post, comment, review or other text."""
        return cls(ContentKind.MESSAGE, text=clean(text))

    @classmethod
    def conversation(cls, turns: tuple[Turn, ...]) -> Content:
        """Several turns, oldest first. Raises InputError when there is none."""
        if not turns:
            raise InputError("The conversation has no turns.", hint="Give at least one turn with a speaker and a text.")
        return cls(ContentKind.CONVERSATION, turns=tuple(Turn(clean(turn.speaker), clean(turn.text)) for turn in turns))

    @classmethod
    def completion(cls, prompt: str, response: str) -> Content:
        """A prompt and the response that is judged in its light."""
        return cls(ContentKind.COMPLETION, prompt=clean(prompt), response=clean(response))

    @property
    def sha256(self) -> str:
        """Hex digest of the content, over all its fields."""
        canonical = json.dumps(asdict(self), sort_keys=True, separators=(",", ":"), ensure_ascii=True)
        return hashlib.sha256(canonical.encode("ascii")).hexdigest()

    @property
    def title(self) -> str:
        """One line of at most 80 characters, for lists."""
        text = self.text or self.response or " / ".join(turn.text for turn in self.turns)
        line = " ".join(text.split())
        return line if len(line) <= 80 else line[:79] + "…"


def clean(text: str) -> str:
    """The text as valid Unicode: lone surrogates (broken UTF-8 read leniently) become U+FFFD; all else is kept."""
    return text.encode("utf-8", "surrogatepass").decode("utf-8", "replace") if _has_surrogate(text) else text


def user_message(content: Content) -> str:
    """The content as the text of the user message. A message stands alone, byte for byte."""
    if content.kind is ContentKind.MESSAGE:
        return content.text
    if content.kind is ContentKind.COMPLETION:
        return (
            "Judge the response in the light of the prompt.\n\n"
            f"[prompt]: {_indented(content.prompt)}\n[response]: {_indented(content.response)}"
        )
    lines = [f"[{n}] {_speaker(turn.speaker)}: {_indented(turn.text)}" for n, turn in enumerate(content.turns, 1)]
    return "Judge this conversation as a whole.\n\n" + "\n".join(lines)


def _indented(text: str) -> str:
    for mark in _BREAKS:
        text = text.replace(mark, "\n")
    return text.replace("\n", "\n" + _INDENT)


def _speaker(name: str) -> str:
    one_line = " ".join(name.split())
    return one_line.replace(":", "").replace("[", "(").replace("]", ")")[:64] or "unknown"


def _has_surrogate(text: str) -> bool:
    return not text.isascii() and _SURROGATE.search(text) is not None
