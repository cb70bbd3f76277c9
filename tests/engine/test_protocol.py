from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from studio.core.prompt import Control, Origin, Plain
from studio.core.run import Sampling
from studio.engine import protocol
from studio.engine.types import EngineSettings, Generation, TokenChoice, TokenInfo

SEGMENTS = ((True, "<|start|>"), (False, "text with <|end|> and \x00 and \u202e"))
REQUESTS: list[protocol.ToWorker] = [
    protocol.Load(1, "model.gguf", EngineSettings(n_ctx=4096, flash_attn="on"), "ab"),
    protocol.Tokenize(2, SEGMENTS),
    protocol.Generate(3, SEGMENTS, 1, Sampling(1.0, 0.9, 7), None, 0, 20),
    protocol.Generate(3, SEGMENTS, 1, Sampling(1.0, 0.9, 7), 50, 2, 0, False),
    protocol.Warm(4, SEGMENTS),
    protocol.CancelRequest(3),
    protocol.Shutdown(),
]
GENERATION = Generation(
    (("final", "VALID"),), "raw", "return", 1, 2, 3, 4, 0.5, 1.5, (TokenChoice("VALID", (("VALID", -0.1),)),), 7, 4096
)
REPLIES: list[protocol.FromWorker] = [
    protocol.Hello(protocol.PROTOCOL_VERSION, 1, "no interfaces"),
    protocol.Tokens.of(2, (TokenInfo(5, b"\xff\xc3", False, 1),)),
    protocol.Began(3, 10, 4),
    protocol.Chunk(3, "final", "é"),
    protocol.Finished(3, GENERATION),
    protocol.Warmed(4),
    protocol.Failed(5, "too_long", {"needed": 9}, ""),
    protocol.Heartbeat(),
]


@pytest.mark.parametrize("message", REQUESTS, ids=lambda message: type(message).__name__)
def test_requests_come_back_as_they_were(message: protocol.ToWorker) -> None:
    assert protocol.decode_request(protocol.encode(message)) == message


@pytest.mark.parametrize("message", REPLIES, ids=lambda message: type(message).__name__)
def test_replies_come_back_as_they_were(message: protocol.FromWorker) -> None:
    assert protocol.decode_reply(protocol.encode(message)) == message


def test_each_side_takes_only_what_is_meant_for_it() -> None:
    with pytest.raises(protocol.FrameError):
        protocol.decode_request(protocol.encode(protocol.Heartbeat()))
    with pytest.raises(protocol.FrameError):
        protocol.decode_reply(protocol.encode(protocol.Shutdown()))


@given(st.binary(max_size=200))
def test_noise_is_an_error_and_never_anything_else(frame: bytes) -> None:
    for decode in (protocol.decode_request, protocol.decode_reply):
        try:
            decode(frame)
        except protocol.FrameError:
            continue


@given(st.sampled_from([protocol.encode(message) for message in REPLIES]), st.data())
def test_damaged_frames_are_an_error_or_a_message(frame: bytes, data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(frame) - 1))
    damaged = frame[:place] + bytes([data.draw(st.integers(0, 255))]) + frame[place + 1 :]
    try:
        protocol.decode_reply(damaged)
    except protocol.FrameError:
        return


def test_fields_of_the_wrong_type_are_an_error() -> None:
    for fields in ({"type": "Failed", "id": "x", "code": 3}, {"type": "Delta", "id": 1}, {"type": "Nothing"}):
        with pytest.raises(protocol.FrameError):
            protocol.decode_reply(msgspec.msgpack.encode(fields))


def test_frames_have_a_largest_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "MAX_FRAME", 100)
    with pytest.raises(protocol.FrameError, match="at most 100"):
        protocol.encode(protocol.Tokenize(1, ((False, "x" * 200),)))
    with pytest.raises(protocol.FrameError, match="at most 100"):
        protocol.decode_request(b"x" * 101)


def test_segments_keep_what_is_control_and_what_is_text() -> None:
    segments = (Control("<|start|>"), Plain(((Origin.POLICY, "a"), (Origin.CONTRACT, "b"))))

    back = protocol.from_wire(protocol.to_wire(segments))

    assert back[0] == Control("<|start|>")
    assert isinstance(back[1], Plain)
    assert back[1].text == "ab"
