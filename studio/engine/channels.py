"""The harmony channels of an answer, read while it is written, from token ids and not from text.

A control token is told by its id, so that an answer that merely spells ``<|end|>`` in ordinary tokens opens and closes
nothing. Characters are never split: bytes wait until their character is whole.
"""

from __future__ import annotations

import codecs
from dataclasses import dataclass
from enum import Enum, auto

from studio.engine.types import FINAL_CHANNEL

_CLOSERS = ("<|end|>", "<|return|>", "<|call|>", "<|endoftext|>")


class _Place(Enum):
    BARE = auto()
    """Before any markup: text here is an answer without a channel."""
    ROLE = auto()
    """After ``<|start|>``: a role follows."""
    CHANNEL = auto()
    """After ``<|channel|>``: the channel's name follows, maybe with a recipient or a constraint."""
    BODY = auto()
    CLOSED = auto()
    """After ``<|end|>``."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What one token did: text that became whole, its channel, and whether the answer ends before this token."""

    channel: str = ""
    text: str = ""
    ends: bool = False


class ChannelReader:
    """Reads one answer, which begins right after ``<|start|>assistant``."""

    def __init__(self) -> None:
        self._place = _Place.BARE
        self._header: list[bytes] = []
        self._channel = ""
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._text: list[str] = []
        self._messages: list[tuple[str, str]] = []
        self._raw = bytearray()
        self._final_closed = False
        self.thinking_tokens = 0

    @property
    def in_final(self) -> bool:
        """Whether the next plain token is text of the final channel."""
        return self._place is _Place.BODY and self._channel == FINAL_CHANNEL

    @property
    def in_thinking(self) -> bool:
        """Whether a message is open that belongs to another channel than the final one."""
        return self._place is _Place.BODY and self._channel != FINAL_CHANNEL

    def feed_text(self, piece: bytes, count: int = 1) -> Reading:
        """Take the bytes of an ordinary token, or of ``count`` of them in a row."""
        self._raw += piece
        if self._place in (_Place.ROLE, _Place.CHANNEL):
            self._header.append(piece)
            return Reading()
        if self._place is _Place.CLOSED:
            # Text between messages belongs to no channel.
            self._place, self._channel = _Place.BARE, ""
        if not self.in_final:
            self.thinking_tokens += count
        text = self._decoder.decode(piece)
        self._text.append(text)
        return Reading(self._channel, text)

    def feed_control(self, name: str) -> Reading:
        """Take a control token by its name."""
        if name == "<|start|>" and self._final_closed:
            return Reading(ends=True)
        self._raw += name.encode()
        if name == "<|start|>":
            reading = self._close()
            self._place, self._header, self._channel = _Place.ROLE, [], ""
        elif name == "<|channel|>":
            reading = self._close()
            self._place, self._header, self._channel = _Place.CHANNEL, [], ""
        elif name == "<|message|>":
            reading = self._close()
            words = b"".join(self._header).decode("utf-8", "replace").split()
            self._channel = words[0] if self._place is _Place.CHANNEL and words else ""
            self._place = _Place.BODY
        elif name == "<|constrain|>" and self._place is _Place.CHANNEL:
            self._header.append(b" ")
            reading = Reading()
        elif name in _CLOSERS:
            closed_final = self.in_final
            reading = self._close()
            self._final_closed = self._final_closed or closed_final
            self._place, self._channel = _Place.CLOSED, ""
        else:
            reading = Reading()
        return reading

    def finish(self) -> Reading:
        """The end of the answer; bytes that never became a character come out as replacement characters."""
        return self._close()

    @property
    def messages(self) -> tuple[tuple[str, str], ...]:
        """(channel, text) of all messages that are closed."""
        return tuple(self._messages)

    @property
    def raw(self) -> str:
        """The whole answer so far, control tokens spelled out."""
        return self._raw.decode("utf-8", "replace")

    def _close(self) -> Reading:
        if self._place not in (_Place.BARE, _Place.BODY):
            return Reading()
        rest = self._decoder.decode(b"", True)
        self._decoder.reset()
        text = "".join(self._text) + rest
        self._text = []
        if text or self._place is _Place.BODY:
            self._messages.append((self._channel, text))
        self._place, channel = _Place.CLOSED, self._channel
        return Reading(channel, rest)
