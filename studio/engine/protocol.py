"""The wire between the studio and its worker process: typed MessagePack structs, one per frame.

Frames travel over a ``multiprocessing`` pipe with ``send_bytes`` and ``recv_bytes``, which frame by length. Nothing is
ever unpickled: a frame that is not exactly one of these structs is an error. Every request carries an ``id``; every
answer names the ``id`` it belongs to.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import msgspec

from studio.core.progress import Progress
from studio.core.prompt import Control, Origin, Plain, Segment
from studio.core.run import Sampling
from studio.engine.types import EngineSettings, Generation, ModelInfo, Placement, Survey, TokenInfo

PROTOCOL_VERSION = 4
"""Counts up with every change of a struct; the worker says its own first of all."""

MAX_FRAME = 64 * 1024 * 1024
"""Bytes of the largest frame that either side sends or takes."""

MAX_STATE = MAX_FRAME - (1 << 20)
"""Bytes of the largest decoded work that travels; the rest of a frame is for the text that it was decoded from."""

WireSegment = tuple[bool, str]
"""(whether this is a control token, its name or the plain text)."""


class FrameError(Exception):
    """A frame is too large, or is not one of the protocol's structs."""


class Load(msgspec.Struct, tag=True, frozen=True):
    """Open a model file. ``sha256`` is the known hash of the file, "" when it must be computed."""

    id: int
    path: str
    settings: EngineSettings
    sha256: str


class Tokenize(msgspec.Struct, tag=True, frozen=True):
    """Turn segments into tokens; with ``count_only`` only the number comes back."""

    id: int
    segments: tuple[WireSegment, ...]
    count_only: bool = False


class Generate(msgspec.Struct, tag=True, frozen=True):
    """Answer a prompt; see :class:`studio.engine.types.GenerateRequest`. Without ``stream`` there are no deltas."""

    id: int
    segments: tuple[WireSegment, ...]
    prefix: int
    sampling: Sampling
    max_output_tokens: int | None
    priority: int
    top_candidates: int
    stream: bool = True
    grammar: str = ""
    answers: tuple[tuple[WireSegment, ...], ...] = ()
    thinking_budget: int | None = None


class Warm(msgspec.Struct, tag=True, frozen=True):
    """Decode these segments, so that a request that begins with them starts quickly.

    ``state``: what an earlier worker had of them, to be taken in its place. With ``keep`` the work comes back, unless
    it was that.
    """

    id: int
    segments: tuple[WireSegment, ...]
    state: bytes = b""
    keep: bool = False


class LookAround(msgspec.Struct, tag=True, frozen=True):
    """Say what there is to compute on; no model needs to be loaded."""

    id: int


class CancelRequest(msgspec.Struct, tag="Cancel", frozen=True):
    """Stop the request ``id``; unknown ids are ignored, as the request may just have ended."""

    id: int


class Shutdown(msgspec.Struct, tag=True, frozen=True):
    """Leave, at once and without an answer."""


class Hello(msgspec.Struct, tag=True, frozen=True):
    """The worker's first frame: its protocol version, and what it has given up (see ``ModelInfo``)."""

    version: int
    pid: int
    network: str


class LoadProgress(msgspec.Struct, tag=True, frozen=True):
    """How far loading is."""

    id: int
    progress: Progress


class Planned(msgspec.Struct, tag=True, frozen=True):
    """Where the model will be put: said before that is tried, as the attempt may end the worker."""

    id: int
    sha256: str
    placement: Placement


class Loaded(msgspec.Struct, tag=True, frozen=True):
    """The model is ready."""

    id: int
    info: ModelInfo


class Tokens(msgspec.Struct, tag=True, frozen=True):
    """The tokens that were asked for, column by column (see ``TokenInfo``); no columns when only counted."""

    id: int
    count: int
    ids: list[int] = []
    texts: list[bytes] = []
    control: list[bool] = []
    segment: list[int] = []

    @classmethod
    def of(cls, request: int, tokens: Sequence[TokenInfo]) -> Tokens:
        """The reply that carries ``tokens``."""
        return cls(
            request,
            len(tokens),
            [token.id for token in tokens],
            [token.text for token in tokens],
            [token.control for token in tokens],
            [token.segment for token in tokens],
        )

    def rows(self) -> list[TokenInfo]:
        """The tokens, one by one."""
        columns = zip(self.ids, self.texts, self.control, self.segment, strict=True)
        return [TokenInfo(*row) for row in columns]


class Began(msgspec.Struct, tag="Started", frozen=True):
    """The turn of a request has come."""

    id: int
    prompt_tokens: int
    cached_tokens: int


class Chunk(msgspec.Struct, tag="Delta", frozen=True):
    """More text of an answer."""

    id: int
    channel: str
    text: str


class Finished(msgspec.Struct, tag=True, frozen=True):
    """An answer is complete, also when it was cut or cancelled."""

    id: int
    generation: Generation


class Warmed(msgspec.Struct, tag=True, frozen=True):
    """The prefix is decoded. ``state`` is that work as bytes, where it was asked for and can be had."""

    id: int
    state: bytes = b""


class Surveyed(msgspec.Struct, tag=True, frozen=True):
    """What there is to compute on."""

    id: int
    survey: Survey


class Failed(msgspec.Struct, tag=True, frozen=True):
    """A request failed: a code that the studio has words for, its numbers, and the library's own words if any."""

    id: int
    code: str
    numbers: dict[str, int] = {}
    detail: str = ""


class Heartbeat(msgspec.Struct, tag=True, frozen=True):
    """The worker is busy and alive."""


ToWorker = Load | Tokenize | Generate | Warm | LookAround | CancelRequest | Shutdown
FromWorker = (
    Hello | LoadProgress | Planned | Loaded | Tokens | Began | Chunk | Finished | Warmed | Surveyed | Failed | Heartbeat
)

_encoder = msgspec.msgpack.Encoder()
_to_worker: msgspec.msgpack.Decoder[Any] = msgspec.msgpack.Decoder(ToWorker)
_from_worker: msgspec.msgpack.Decoder[Any] = msgspec.msgpack.Decoder(FromWorker)


class Pipe(Protocol):
    """The part of a multiprocessing connection that the wire needs."""

    def send_bytes(self, buf: bytes, /) -> None:
        """Send one frame."""

    def recv_bytes(self, maxlength: int | None = None, /) -> bytes:
        """Receive one frame."""


def encode(message: ToWorker | FromWorker) -> bytes:
    """One frame. Raises :class:`FrameError` when it is too large or holds text that is not Unicode."""
    try:
        frame = _encoder.encode(message)
    except (UnicodeEncodeError, OverflowError) as error:
        raise FrameError(str(error)) from error
    if len(frame) > MAX_FRAME:
        raise FrameError(f"a frame of {len(frame)} bytes; at most {MAX_FRAME} are sent")
    return frame


def decode_request(frame: bytes) -> ToWorker:
    """The request in a frame, on the worker's side."""
    return _decode(_to_worker, frame)  # type: ignore[no-any-return]


def decode_reply(frame: bytes) -> FromWorker:
    """The reply in a frame, on the studio's side."""
    return _decode(_from_worker, frame)  # type: ignore[no-any-return]


def _decode(decoder: msgspec.msgpack.Decoder[Any], frame: bytes) -> Any:
    if len(frame) > MAX_FRAME:
        raise FrameError(f"a frame of {len(frame)} bytes; at most {MAX_FRAME} are taken")
    try:
        return decoder.decode(frame)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise FrameError(str(error)) from error


def to_wire(segments: Sequence[Segment]) -> tuple[WireSegment, ...]:
    """Segments as they travel: whose text it is matters to the window only."""
    return tuple((True, s.name) if isinstance(s, Control) else (False, s.text) for s in segments)


def from_wire(segments: Sequence[WireSegment]) -> tuple[Segment, ...]:
    """Segments as the worker uses them."""
    return tuple(Control(text) if control else Plain(((Origin.SCAFFOLD, text),)) for control, text in segments)
