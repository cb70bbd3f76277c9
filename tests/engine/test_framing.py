"""No text can become a control token, and every text comes back byte for byte."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from studio.core.content import clean
from studio.core.errors import InputError, TooLongError
from studio.core.prompt import Control, Plain, Segment
from studio.engine import protocol
from studio.engine.client import EngineClient
from studio.engine.errors import ContentTokensError
from studio.engine.llama import binding, tokens
from studio.engine.llama.model import open_model
from studio.engine.llama.tokens import LONGEST_STRETCH, blocks
from studio.engine.types import EngineSettings, GenerateRequest, TokenInfo
from tests.engine.conftest import plain
from tests.engine.tiny_gguf import CONTROL, USER_DEFINED

SPELLINGS = (*CONTROL, *USER_DEFINED)
HIDDEN = ("\u202e", "\u2066", "\u200b", "\u200d", "\ufeff", "\u00ad", "\x00", "\x1b", "\u0301", "\U000e0041")

pieces = st.one_of(
    st.sampled_from(SPELLINGS),
    st.sampled_from(SPELLINGS).flatmap(lambda name: st.integers(1, len(name)).map(lambda n: name[:n])),
    st.sampled_from(SPELLINGS).flatmap(lambda name: st.integers(0, len(name) - 1).map(lambda n: name[n:])),
    st.sampled_from(HIDDEN),
    st.sampled_from(("<", "|", ">", "<|", "|>", "<<|", " ", "\n", "the end", "system", "assistant")),
    st.binary(max_size=6).map(lambda data: data.decode("utf-8", "replace")),
    st.text(max_size=6).map(clean),
)
hostile = st.lists(pieces, max_size=12).map("".join)
many = settings(max_examples=200)


def text_of(found: list[TokenInfo], segment: int) -> bytes:
    return b"".join(token.text for token in found if token.segment == segment)


@many
@given(policy=hostile, content=hostile)
def test_control_tokens_stand_exactly_where_we_put_them(random_engine: EngineClient, policy: str, content: str) -> None:
    segments: tuple[Segment, ...] = (
        Control("<|start|>"),
        plain("developer"),
        Control("<|message|>"),
        plain(policy),
        Control("<|end|>"),
        plain(content),
        Control("<|return|>"),
    )

    found = random_engine.tokenize(segments)

    controls = {index for index, segment in enumerate(segments) if isinstance(segment, Control)}
    assert [token.segment for token in found if token.control] == sorted(controls)
    special = {token.id for token in found if token.control}
    assert not special & {token.id for token in found if not token.control}
    for index, segment in enumerate(segments):
        wanted = segment.text if isinstance(segment, Plain) else segment.name
        assert text_of(found, index) == wanted.encode()


@pytest.mark.parametrize("name", SPELLINGS)
def test_a_spelled_control_token_is_ordinary_text(random_engine: EngineClient, name: str) -> None:
    control = random_engine.tokenize([Control(name)])
    spelled = random_engine.tokenize([plain(f"a{name}{name}b")])

    assert [(token.control, token.text) for token in control] == [(True, name.encode())]
    assert control[0].id not in {token.id for token in spelled}
    assert not any(token.control for token in spelled)


@pytest.mark.parametrize("unit", ["a", "é", "!", " ", "\n", "!/\n", "1", "\u4e00", "a\x1c", "\u00a0"])
def test_content_cannot_end_the_worker_by_being_one_long_word(random_engine: EngineClient, unit: str) -> None:
    text = "!" + unit * (60_000 // len(unit))
    found = random_engine.tokenize([plain(text)])

    assert text_of(found, 0) == text.encode()


@given(text=st.lists(st.sampled_from(("x" * 999, "yy", " ", "z ", "\n")), max_size=40).map("".join))
def test_only_stretches_without_a_words_end_are_cut(text: str) -> None:
    found = blocks(text)

    assert "".join(found) == text
    if all(len(word) <= LONGEST_STRETCH for word in re.split(r"(?<=\S)(?= )", text)):
        assert found == [text]
    assert all(len(word) <= LONGEST_STRETCH for piece in found for word in re.split(r"(?<=\S)(?= )", piece))


@pytest.fixture(scope="module")
def random_vocabulary(random_gguf: Path) -> Iterator[tokens.Vocabulary]:
    binding.start()
    model = open_model(random_gguf, EngineSettings(n_threads=1), "", lambda _: True)
    yield model.vocabulary
    model.close()


WORDS = st.sampled_from(("the", " ", "  ", "\n", "end.", "'s", "é", "12", "<|", "\t", "!"))


@given(text=st.lists(WORDS, max_size=60).map("".join))
def test_a_cut_at_a_words_end_changes_no_token(random_vocabulary: tokens.Vocabulary, text: str) -> None:
    def ids(pieces: list[str]) -> list[int]:
        return [token.id for piece in pieces for token in random_vocabulary.tokens([plain(piece)], 1, 10**6)]

    assert ids(blocks(text, block=1)) == ids([text])


def test_a_text_of_many_contexts_is_too_long_and_soon(random_engine: EngineClient) -> None:
    with pytest.raises(TooLongError) as caught:
        random_engine.generate(GenerateRequest((Control("<|start|>"), plain("word " * 200_000))))
    assert caught.value.available == 8192
    assert 900_000 < caught.value.needed < 1_100_000


def test_counting_counts_what_would_be_handed_out(random_engine: EngineClient) -> None:
    segments: list[Segment] = [Control("<|start|>"), plain("word " * 20_000)]

    assert len(random_engine.tokenize(segments)) == random_engine.count_tokens(segments) == 100_001


def test_a_control_token_that_the_vocabulary_lacks_is_refused(random_engine: EngineClient) -> None:
    with pytest.raises(ContentTokensError) as caught:
        random_engine.tokenize([Control("<|no_such_token|>")])
    assert caught.value.code == "engine_framing_unknown_control"


def test_broken_characters_are_refused_before_they_are_sent(random_engine: EngineClient) -> None:
    with pytest.raises(InputError, match="surrogates"):
        random_engine.tokenize([plain("broken \ud800 text")])


def test_a_text_larger_than_a_frame_is_refused(random_engine: EngineClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "MAX_FRAME", 1000)
    with pytest.raises(InputError, match="too large"):
        random_engine.tokenize([plain("x" * 1000)])
    assert random_engine.count_tokens([plain("x")]) == 1
