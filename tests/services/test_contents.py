"""Contents from the bytes that people and programs hand over."""

from __future__ import annotations

import io

import pytest

from studio.core.content import Content
from studio.core.errors import InputError
from studio.services.contents import read_content


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ("grüße 🙂".encode(), "grüße 🙂"),
        ("grüße 🙂".encode("utf-16"), "grüße 🙂"),
        (b"\xfe\xff" + "grüße".encode("utf-16-be"), "grüße"),
        (b"half \xf0\x9f", "half \ufffd"),
        ("\ufeffkept".encode(), "\ufeffkept"),
        (b"a\r\nb\x00", "a\r\nb\x00"),
    ],
)
def test_a_message_is_what_its_bytes_say(data: bytes, text: str) -> None:
    assert read_content(io.BytesIO(data), "it", as_json=False) == Content.message(text)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_json_may_begin_with_a_byte_order_mark(encoding: str) -> None:
    data = '{"prompt": "Wer?", "response": "Jürgen"}'.encode(encoding)
    assert read_content(io.BytesIO(data), "it", as_json=True) == Content.completion("Wer?", "Jürgen")


def test_a_source_that_fails_is_said() -> None:
    class Torn(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            raise OSError(5, "Input/output error")

    with pytest.raises(InputError, match="the stick could not be read"):
        read_content(Torn(), "the stick", as_json=False)
