"""What a GGUF file tells about itself, and that a hostile one gets words and nothing else."""

from __future__ import annotations

import ctypes
import random
import shutil
import tracemalloc
from pathlib import Path
from typing import Any

import llama_cpp
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from studio.hub.gguf_facts import read_facts
from studio.hub.gguf_reader import GgufError, read_head
from studio.hub.gguf_types import TYPES, in_words
from studio.hub.kinds import Kind
from tests.hub.gguf_maker import ARRAY, F64, STRING, U32, Maker, Raw, gpt_oss

MXFP4, F32, Q4_K = 39, 0, 12


def test_the_demo_model_is_told_as_it_is(demo_gguf: Path) -> None:
    facts = read_facts(demo_gguf)
    assert (facts.architecture, facts.layers, facts.experts, facts.experts_used) == ("gpt-oss", 5, 2, 2)
    assert (facts.context, facts.heads, facts.sliding_window) == (8192, 5, 128)
    assert facts.size_bytes == demo_gguf.stat().st_size
    assert facts.tensors == sum(share.tensors for share in facts.shares)
    assert 0 < facts.size_bytes - sum(share.bytes for share in facts.shares) < 500_000
    assert (facts.tokenizer.model, facts.tokenizer.size) == ("gpt2", 4008)
    assert facts.chat_template
    assert facts.missing_harmony == ()
    assert facts.assessment.usable
    assert facts.assessment.kind is Kind.GPT_OSS


def test_the_sizes_of_types_are_those_of_the_library() -> None:
    path = next(Path(llama_cpp.__file__).parent.glob("lib/libggml-base.so"), None)
    if path is None:
        pytest.skip("the library lies elsewhere on this system")
    library = ctypes.CDLL(str(path))
    library.ggml_type_name.restype = ctypes.c_char_p
    library.ggml_type_size.restype = ctypes.c_size_t
    library.ggml_blck_size.restype = ctypes.c_int64
    for number, known in TYPES.items():
        assert library.ggml_type_name(number).decode().upper() == known.name.upper()
        assert (library.ggml_blck_size(number), library.ggml_type_size(number)) == (known.block, known.size)


@pytest.mark.parametrize("version", [1, 2, 3])
@pytest.mark.parametrize("order", ["<", ">"])
def test_every_version_and_byte_order_is_read_and_told(tmp_path: Path, version: int, order: str) -> None:
    facts = read_facts(Maker(gpt_oss(), version=version, order=order).write(tmp_path / "m.gguf"))
    assert (facts.gguf_version, facts.big_endian) == (version, order == ">")
    assert (facts.layers, facts.context, facts.tokenizer.size) == (2, 4096, 7)
    assert facts.assessment.usable == (version > 1 and order == "<")
    if version == 1:
        assert "version 1" in facts.assessment.words
    elif order == ">":
        assert "big-endian" in facts.assessment.words


def test_the_storage_is_counted_and_put_in_words(tmp_path: Path) -> None:
    tensors = [("experts", (32, 1024), MXFP4, 1024 * 17), ("norm", (32,), F32, 128), ("norm2", (32,), F32, 128)]
    facts = read_facts(Maker(gpt_oss(), tensors).write(tmp_path / "m.gguf"))
    assert [(share.type, share.tensors, share.bytes) for share in facts.shares] == [
        ("MXFP4", 1, 17408),
        ("F32", 2, 256),
    ]
    assert facts.weights == 32 * 1024 + 64
    assert facts.quant == "original 4-bit (MXFP4), 4.3 bits a weight on average"
    assert in_words("Q4_K") == "4-bit (Q4_K)"
    assert in_words("type 99") == "type 99"


def test_an_unknown_type_is_told_and_stops_nothing(tmp_path: Path) -> None:
    facts = read_facts(Maker(gpt_oss(), [("new", (32,), 99, 128)]).write(tmp_path / "m.gguf"))
    assert [(share.type, share.bytes) for share in facts.shares] == [("type 99", 0)]


def split(folder: Path, *, count: int = 2, total: int = 2, second: int = 1) -> list[Path]:
    parts = []
    for number in range(count):
        head = {"split.no": number and second, "split.count": count, "split.tensors.count": total}
        maker = Maker({**(gpt_oss() if number == 0 else {}), **head}, [(f"t{number}", (32,), F32, 128)])
        parts.append(maker.write(folder / f"big-{number + 1:05}-of-{count:05}.gguf"))
    return parts


def test_a_split_model_is_one_whichever_part_is_named(tmp_path: Path) -> None:
    parts = split(tmp_path)
    facts = [read_facts(part) for part in parts]
    assert facts[0] == facts[1]
    assert facts[0].files == tuple(parts)
    assert facts[0].tensors == 2
    assert facts[0].size_bytes == sum(part.stat().st_size for part in parts)
    assert facts[0].assessment.usable


def test_split_models_that_do_not_fit_together_are_told(tmp_path: Path) -> None:
    for says, make in {
        "cut off|says that all parts have 3": {"total": 3},
        "says inside that it is part 6 of 2": {"second": 5},
    }.items():
        parts = split(tmp_path, **make)
        with pytest.raises(GgufError, match=says):
            read_facts(parts[0])
    split(tmp_path)[1].unlink()
    with pytest.raises(GgufError, match="big-00002-of-00002.gguf is missing"):
        read_facts(parts[0])
    renamed = shutil.copy(parts[0], tmp_path / "renamed.gguf")
    with pytest.raises(GgufError, match="by its name it is part 1 of 1"):
        read_facts(Path(renamed))
    odd = shutil.copy(parts[0], tmp_path / "x-00003-of-00002.gguf")
    with pytest.raises(GgufError, match="cannot be"):
        read_facts(Path(odd))


@pytest.mark.parametrize(
    ("metadata", "kind", "says"),
    [
        (gpt_oss(**{"tokenizer.ggml.tokens": ["a"]}), Kind.GPT_OSS, "lacks the harmony tokens <|start|>"),
        ({"general.architecture": "gpt-oss"}, Kind.GPT_OSS, "lacks its vocabulary"),
        ({"general.architecture": "gptoss"}, Kind.GPT_OSS, "Add Ollama as a server"),
        ({"general.architecture": "llama", "general.name": "Llama Guard 3 8B"}, Kind.OTHER_MODERATION, "Llama Guard"),
        ({"general.architecture": "gemma2", "general.name": "cope-a-9b"}, Kind.OTHER_MODERATION, "CoPE"),
        ({"general.architecture": "gemma2", "general.name": "Shieldgemma 9b"}, Kind.OTHER_MODERATION, "ShieldGemma"),
        ({"general.architecture": "granite", "general.name": "granite-guardian-3.2"}, Kind.OTHER_MODERATION, "Granite"),
        ({"general.architecture": "llama", "general.name": "Nemotron Safety Guard"}, Kind.OTHER_MODERATION, "Nemotron"),
        ({"general.architecture": "llama", "general.name": "Telescope 7b"}, Kind.OTHER_TEXT, "'llama'"),
        ({"general.architecture": "nomic-bert"}, Kind.NOT_TEXT, "writes no text"),
        ({"general.architecture": "clip", "general.type": "mmproj"}, Kind.NOT_TEXT, "the eyes of another model"),
        ({"general.architecture": "llama", "general.type": "adapter"}, Kind.NOT_TEXT, "an adapter"),
        ({}, Kind.NOT_TEXT, "without an architecture"),
    ],
)
def test_what_is_not_ours_is_told_apart(tmp_path: Path, metadata: dict[str, Any], kind: Kind, says: str) -> None:
    if "tokenizer.ggml.tokens" not in metadata and metadata.get("general.architecture") not in ("gpt-oss", None):
        metadata = {**metadata, "tokenizer.ggml.tokens": ["a", "b"]}
    assessment = read_facts(Maker(metadata).write(tmp_path / "m.gguf")).assessment
    assert assessment.kind is kind
    assert not assessment.usable
    assert says in assessment.words


def test_a_file_cut_anywhere_is_told_where(tmp_path: Path) -> None:
    whole = Maker(gpt_oss()).bytes()
    path = tmp_path / "m.gguf"
    for end in range(0, len(whole), 7):
        path.write_bytes(whole[:end])
        with pytest.raises(GgufError, match="cut off|not a GGUF") as caught:
            read_facts(path)
        assert caught.value.hint
    path.write_bytes(whole)
    read_facts(path)


def deep(levels: int) -> Raw:
    inner = b"".join(Maker({}).number("I", ARRAY) + Maker({}).count(1) for _ in range(levels))
    return Raw(ARRAY, inner + Maker({}).number("I", U32) + Maker({}).count(0))


HUGE = 2**63
MANY = 2**20


@pytest.mark.parametrize(
    ("maker", "says"),
    [
        (Maker({}, lie_tensors=HUGE), "number of tensors"),
        (Maker({}, lie_entries=HUGE), "number of metadata entries"),
        (Maker({}, lie_tensors=2), "cut off|dimensions|number|shape|lie upon|same name"),
        (Maker({"a": Raw(STRING, Maker({}).count(HUGE))}), "length of the metadata 'a'"),
        (Maker({"a": Raw(ARRAY, Maker({}).number("I", STRING) + Maker({}).count(HUGE))}), "number of items"),
        (Maker({"a": Raw(ARRAY, Maker({}).number("I", F64) + Maker({}).count(2**24))}), "cut off"),
        (Maker({"a": deep(4)}), "arrays in arrays"),
        (Maker({"a": Raw(ARRAY, Maker({}).number("I", ARRAY) + Maker({}).count(MANY))}), "arrays within arrays"),
        (Maker({"a": Raw(77, b"")}), "type 77"),
        (Maker({"a": Raw(7, b"\2")}), "true or false"),
        (Maker({"general.alignment": 0}), "alignment"),
        (Maker({"general.alignment": 48}), "alignment"),
        (Maker({"general.alignment": 2**31}), "alignment"),
        (Maker({"general.alignment": "32"}), "alignment"),
        (Maker({}, [("t", (1,) * 5, F32, 4)]), "5 dimensions"),
        (Maker({}, [("t", (0, 4), F32, 4)]), "shape 0 x 4"),
        (Maker({}, [("t", (HUGE, HUGE), F32, 4)]), "cannot be"),
        (Maker({}, [("t", (100,), Q4_K, 144)]), "rows of 100"),
        (Maker({}, [("t", (), Q4_K, 144)]), "rows of 1,"),
        (Maker({}, [("t", (32,), F32, 128)], lie_offset={"t": HUGE}), "cut off"),
        (Maker({}, [("t", (32,), F32, 128)], lie_offset={"t": 4}), "not on 32 bytes"),
        (Maker({}, [("a", (32,), F32, 128), ("b", (32,), F32, 128)], lie_offset={"b": 96}), "upon each other"),
        (Maker({}, [("a", (32,), F32, 128), ("a", (32,), F32, 128)]), "same name"),
        (Maker({}, [("n" * 65, (32,), F32, 128)]), "length of the name"),
        (Maker({}, cut=1), "cut off: the tensor 'w'"),
        (Maker({}, version=4), "version 4"),
    ],
)
def test_a_lie_is_told_and_costs_no_memory(tmp_path: Path, maker: Maker, says: str) -> None:
    path = maker.write(tmp_path / "m.gguf")
    tracemalloc.start()
    try:
        with pytest.raises(GgufError, match=says) as caught:
            read_facts(path)
        assert tracemalloc.get_traced_memory()[1] < 8_000_000
    finally:
        tracemalloc.stop()
    assert str(path) in caught.value.message
    assert caught.value.hint


def test_long_names_in_a_file_do_not_become_long_messages(tmp_path: Path) -> None:
    path = Maker({"k" * 60_000: Raw(77, b"")}).write(tmp_path / "m.gguf")
    with pytest.raises(GgufError, match="…' is of type 77") as caught:
        read_facts(path)
    assert len(caught.value.message) < 500
    facts = read_facts(Maker({"general.architecture": "a" * 10**6}).write(path))
    assert len(facts.assessment.words) < 500


def test_the_same_key_twice_is_told(tmp_path: Path) -> None:
    path = Maker({"key1": 1, "key2": 2}).write(tmp_path / "m.gguf")
    path.write_bytes(path.read_bytes().replace(b"key2", b"key1"))
    with pytest.raises(GgufError, match="'key1' twice"):
        read_head(path)


def facts_or_words(path: Path) -> bool:
    """True for facts; False for a message in words. Anything else fails the test."""
    try:
        read_facts(path)
    except GgufError as error:
        return not (error.message and error.hint) and pytest.fail(f"no words: {error!r}")
    return True


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_change_of_a_file_gives_facts_or_words(tmp_path: Path, data: st.DataObject) -> None:
    body = bytearray(Maker(gpt_oss()).bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(4, len(body) - 1))
        piece = data.draw(st.binary(min_size=1, max_size=9))
        body[at : at + data.draw(st.integers(0, 9))] = piece
    path = tmp_path / "m.gguf"
    path.write_bytes(body)
    facts_or_words(path)


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rest=st.binary(max_size=200), version=st.integers(0, 4))
def test_any_bytes_give_facts_or_words(tmp_path: Path, rest: bytes, version: int) -> None:
    path = tmp_path / "m.gguf"
    path.write_bytes(b"GGUF" + version.to_bytes(4, "little") + rest)
    facts_or_words(path)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("count", [100, pytest.param(1000, marks=pytest.mark.slow)])
def test_mutated_copies_of_the_demo_model_give_facts_or_words(tmp_path: Path, demo_gguf: Path, count: int) -> None:
    head = read_head(demo_gguf)
    start = demo_gguf.read_bytes()[: head.data_start]
    chance = random.Random(4)
    path = tmp_path / "m.gguf"
    outcomes = []
    for _ in range(count):
        body = bytearray(start)
        for _ in range(chance.randint(1, 8)):
            # Most of the head is vocabulary: half of the changes go to the entries before it and to the tensors.
            low, high = chance.choice([(0, len(body)), (4, 2_000), (len(body) - 7_000, len(body))])
            body[chance.randrange(low, high)] = chance.randrange(256)
        cut = chance.random() < 0.2
        with path.open("wb") as file:
            file.write(body[: chance.randrange(len(body))] if cut else body)
            if not cut:
                file.truncate(head.file_size)
        outcomes.append(facts_or_words(path))
    assert {True, False} == set(outcomes)
