from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from studio.core.prompt import CONTROL_TOKENS
from studio.engine.channels import ChannelReader

_CONTROL = re.compile("(" + "|".join(re.escape(name) for name in CONTROL_TOKENS) + ")")


def read(text: str) -> tuple[ChannelReader, str, bool]:
    """(the reader, all streamed text by channel, whether it ended early) of an answer fed byte by byte."""
    reader, streamed = ChannelReader(), []
    for part in _CONTROL.split(text):
        if part in CONTROL_TOKENS:
            readings = [reader.feed_control(part)]
        else:
            readings = [reader.feed_text(bytes([byte])) for byte in part.encode()]
        streamed += [f"[{reading.channel}]{reading.text}" for reading in readings if reading.text]
        if any(reading.ends for reading in readings):
            return reader, "".join(streamed), True
    rest = reader.finish()
    return reader, "".join(streamed) + rest.text, False


@pytest.mark.parametrize(
    ("text", "messages"),
    [
        (
            "<|channel|>analysis<|message|>so<|end|><|start|>assistant<|channel|>final<|message|>VALID<|return|>",
            [("analysis", "so"), ("final", "VALID")],
        ),
        ("<|channel|>final <|constrain|>json<|message|>{}<|return|>", [("final", "{}")]),
        ("<|channel|>commentary to=tool<|message|>x<|call|>", [("commentary", "x")]),
        ("bare answer<|return|>", [("", "bare answer")]),
        ("<|message|>no channel<|return|>", [("", "no channel")]),
        ("<|channel|>analysis<|message|>cut of", [("analysis", "cut of")]),
        ("<|channel|>analysis<|message|>a<|channel|>final<|message|>b", [("analysis", "a"), ("final", "b")]),
        ("<|channel|>final<|message|><|return|>", [("final", "")]),
        ("<|channel|>analysis<|message|>a<|end|>between<|return|>", [("analysis", "a"), ("", "between")]),
        ("<|channel|>final", []),
        ("", []),
    ],
)
def test_messages(text: str, messages: list[tuple[str, str]]) -> None:
    reader, _, _ = read(text)

    assert list(reader.messages) == messages
    assert reader.raw == text


def test_a_second_turn_after_the_final_message_ends_the_answer() -> None:
    reader, _, ended = read("<|channel|>final<|message|>VALID<|end|><|start|>user<|message|>again")

    assert ended
    assert reader.messages == (("final", "VALID"),)
    assert reader.raw == "<|channel|>final<|message|>VALID<|end|>"


def test_a_turn_after_thinking_does_not_end_it() -> None:
    assert not read("<|channel|>analysis<|message|>a<|end|><|start|>assistant<|channel|>final<|message|>b")[2]


def test_only_thinking_is_counted_as_thinking() -> None:
    assert read("<|channel|>analysis<|message|>abc<|end|><|start|>assistant")[0].thinking_tokens == 3
    assert read("<|channel|>final<|message|>abc<|return|>")[0].thinking_tokens == 0


def test_other_control_tokens_in_a_text_close_nothing() -> None:
    reader = ChannelReader()
    for name in ("<|channel|>", "<|message|>"):
        reader.feed_control(name)
    reader.feed_text(b"a")
    reader.feed_control("<|reserved_200000|>")
    reader.feed_text(b"b")
    reader.finish()

    assert reader.messages == (("", "ab"),)


@given(st.lists(st.one_of(st.binary(max_size=4), st.sampled_from(CONTROL_TOKENS)), max_size=30))
def test_any_answer_can_be_read_and_streams_what_it_says(parts: list[bytes | str]) -> None:
    reader, streamed = ChannelReader(), []
    for part in parts:
        reading = reader.feed_control(part) if isinstance(part, str) else reader.feed_text(part)
        if reading.ends:
            break
        streamed.append(reading.text)
    streamed.append(reader.finish().text)

    assert "".join(streamed) == "".join(text for _, text in reader.messages)


@given(st.text(max_size=20).filter(lambda text: not _CONTROL.search(text)))
def test_a_character_is_never_split(text: str) -> None:
    clean = text.encode("utf-8", "replace").decode()
    reader, streamed, _ = read("<|channel|>final<|message|>" + clean)

    assert streamed.replace("[final]", "") == clean.replace("[final]", "")
    assert reader.messages == (("final", clean),)
