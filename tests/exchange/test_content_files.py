from __future__ import annotations

import contextlib
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from studio.core.errors import InputError
from studio.core.policy import ContentKind
from studio.exchange.content_files import content_from_json, jsonl, parse_json, read_golden
from tests.exchange.telling import ToldError, told

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["content", "messages", "turns", "role", "text", "prompt", "response", "x"]), inner
        )
    ),
    max_leaves=12,
)


@given(json_values)
def test_any_json_is_a_content_or_a_clear_error(value: object) -> None:
    with contextlib.suppress(ToldError):
        content = told(lambda: content_from_json(value, "here"))
        assert content.kind in ContentKind


def test_the_known_shapes() -> None:
    turns = [{"role": "user", "content": "hi"}, {"speaker": "bob", "text": "yo"}]
    assert content_from_json("a", "x").text == "a"
    assert content_from_json({"messages": turns}, "x").turns[1].speaker == "bob"
    assert content_from_json(turns, "x").kind is ContentKind.CONVERSATION
    assert content_from_json({"prompt": "p", "response": "r"}, "x").response == "r"
    parts = [{"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]}]
    assert content_from_json(parts, "x").turns[0].text == "a\nb"


def test_a_picture_in_a_turn_is_refused_not_dropped() -> None:
    turns = [{"role": "user", "content": [{"type": "image_url", "image_url": "x"}]}]
    with pytest.raises(InputError, match="not text"):
        content_from_json(turns, "x")


def test_bad_json_names_line_and_column() -> None:
    with pytest.raises(InputError, match="line 2, column"):
        parse_json('{"a": 1,\n oops}', "f.json")


def test_a_line_separator_inside_a_string_does_not_break_the_line() -> None:
    rows = list(jsonl(json.dumps({"a": "x\u2028y\x85z"}, ensure_ascii=False) + "\r\n\n{}", "f"))
    assert [number for number, _, _ in rows] == [1, 3]
    assert rows[0][1]["a"] == "x\u2028y\x85z"


def test_unknown_stays_unknown(tmp_path: Path) -> None:
    path = tmp_path / "golden.jsonl"
    path.write_text('{"id": "a", "content": "x"}\n', encoding="utf-8")
    (example,) = read_golden(path, "p")
    assert example.expected is None
    assert example.source_row == '{"id": "a", "content": "x"}'


@pytest.mark.parametrize("line", ['{"content": "x", "expected": "INVALID"}', '["x"]', '{"content": 3}', "nope"])
def test_a_bad_row_is_refused_with_its_line(tmp_path: Path, line: str) -> None:
    path = tmp_path / "golden.jsonl"
    path.write_text('{"content": "fine"}\n' + line + "\n", encoding="utf-8")
    with pytest.raises(InputError, match="line 2"):
        read_golden(path, "p")
