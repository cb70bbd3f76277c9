"""Policy packs: there and back, and everything that is not one."""

from __future__ import annotations

import hashlib
import io
import json
import struct
import zipfile
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from studio.core.content import Content, Turn
from studio.core.errors import InputError
from studio.core.golden import GoldenExample
from studio.core.labels import Decision, Label, LabelDecision
from studio.core.policy import Policy
from studio.exchange.policy_pack import Pack, read_pack, write_pack

POLICY = Policy(
    "spam",
    "Spam: “all” of it",
    "# Rules\r\n- SP2.a: bulk\u200b\n",
    (Label("SP0", LabelDecision.ALLOW), Label("SP2", LabelDecision.VIOLATE, "Bulk", 2, "Many")),
    tags=("forum",),
    jurisdictions=("EU",),
    targets=(("f1", 0.9),),
)
EXAMPLES = (
    GoldenExample("a", "spam", Content.message("Buy\u2028now"), Decision.VIOLATES, ("SP2",), "bulk", "Ana", ("near",)),
    GoldenExample("b", "spam", Content.conversation((Turn("A", "hi"),)), None, held_out=True, source_row='{"x": 1}'),
    GoldenExample(
        "c", "spam", Content.completion("p", "r"), Decision.ALLOWED, created_at=datetime(2026, 1, 2, tzinfo=UTC)
    ),
)
PACK = Pack(POLICY, EXAMPLES, "Version for spring.\n\nMore rules.", 7, "Spring", datetime(2026, 3, 1, tzinfo=UTC))
Files = dict[str, bytes]


def packed(tmp_path: Path, pack: Pack = PACK) -> Path:
    path = tmp_path / "spam.policypack"
    write_pack(pack, path, studio_version="1")
    return path


def files(path: Path) -> Files:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def zipped(path: Path, parts: Files) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in parts.items():
            archive.writestr(name, data, zipfile.ZIP_DEFLATED)
    return path


def manifest(parts: Files, **changes: object) -> Files:
    told = {**json.loads(parts["manifest.json"]), **changes}
    return {**parts, "manifest.json": json.dumps(told).encode()}


def relisted(parts: Files, name: str, data: bytes) -> Files:
    """The parts with another file, and a manifest that says so."""
    listed = json.loads(parts["manifest.json"])["files"]
    listed[name] = {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
    return {**manifest(parts, files=listed), name: data}


def test_a_pack_comes_back_as_it_went(tmp_path: Path) -> None:
    path = packed(tmp_path)

    assert read_pack(path) == PACK
    assert sorted(files(path)) == ["golden.jsonl", "manifest.json", "policy.md", "release-note.md"]
    first = path.read_bytes()
    assert packed(tmp_path).read_bytes() == first


def test_a_policy_alone_is_a_pack_too(tmp_path: Path) -> None:
    bare = Pack(replace(POLICY, targets=()))

    assert read_pack(packed(tmp_path, bare)) == bare


@given(text=st.text(max_size=60), note=st.text(max_size=20), content=st.text(max_size=30))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
def test_any_text_comes_back(tmp_path: Path, text: str, note: str, content: str) -> None:
    pack = Pack(
        replace(POLICY, text=f"# Rules\n{text}"),
        (GoldenExample("a", "spam", Content.message(content), Decision.ALLOWED, why=note.strip()),),
        note,
    )

    assert read_pack(packed(tmp_path, pack)) == pack


SPOILT: dict[str, tuple[Callable[[Files], Files], str]] = {
    "a file that climbs out": (lambda parts: {**parts, "../../evil.md": b"x"}, "no part of a pack"),
    "an absolute path": (lambda parts: {**parts, "/evil": b"x"}, "no part of a pack"),
    "a folder": (lambda parts: {**parts, "golden.jsonl/": b""}, "no part of a pack"),
    "no manifest": (lambda parts: {"policy.md": parts["policy.md"]}, "no manifest"),
    "no policy": (lambda parts: {name: data for name, data in parts.items() if name != "policy.md"}, "list just"),
    "another policy": (lambda parts: {**parts, "policy.md": parts["policy.md"] + b"more"}, "sha256"),
    "another golden set": (lambda parts: {**parts, "golden.jsonl": b""}, "sha256"),
    "a file that is not listed": (
        lambda parts: manifest(parts, files={"policy.md": json.loads(parts["manifest.json"])["files"]["policy.md"]}),
        "list just",
    ),
    "a hash that is none": (
        lambda parts: manifest(parts, files={name: {"sha256": None} for name in parts if name != "manifest.json"}),
        "sha256",
    ),
    "a later version": (lambda parts: manifest(parts, version=2), "version 2"),
    "a version that is none": (lambda parts: manifest(parts, version=True), "version True"),
    "another format": (lambda parts: manifest(parts, format="recipes"), "not that of a policy pack"),
    "no list of files": (lambda parts: manifest(parts, files=[]), "not complete"),
    "a wrong count": (lambda parts: manifest(parts, examples=2), "its manifest says 2"),
    "a date that is none": (lambda parts: manifest(parts, created_at=5), "date"),
    "a policy that judges otherwise": (
        lambda parts: relisted(parts, "policy.md", parts["policy.md"].replace(b"bulk", b"nothing")),
        "judges otherwise",
    ),
    "an example of no decision": (
        lambda parts: relisted(parts, "golden.jsonl", b'{"kind": "message", "content": "x", "expected": "maybe"}'),
        "line 1",
    ),
    "a golden set that is no JSON": (lambda parts: relisted(parts, "golden.jsonl", b"{"), "not JSON"),
    "text that is none": (lambda parts: relisted(parts, "release-note.md", b"\xff\xfe\xff"), "UTF-16"),
    "a manifest that is no JSON": (lambda parts: {**parts, "manifest.json": b"{"}, "not JSON"),
    "a manifest too deep": (lambda parts: {**parts, "manifest.json": b"[" * 60_000}, "nested too deeply"),
    "a manifest too long": (lambda parts: {**parts, "manifest.json": b" " * 70_000}, "bytes long"),
}


@pytest.mark.parametrize("spoilt", SPOILT)
def test_what_is_spoilt_is_refused_in_words(tmp_path: Path, spoilt: str) -> None:
    change, words = SPOILT[spoilt]
    path = zipped(tmp_path / "bad.policypack", change(files(packed(tmp_path))))

    with pytest.raises(InputError) as caught:
        read_pack(path)

    assert words in caught.value.message
    assert "bad.policypack" in caught.value.message
    assert caught.value.hint


def test_a_size_bomb_is_refused_before_it_is_read(tmp_path: Path) -> None:
    parts = files(packed(tmp_path))
    path = zipped(tmp_path / "bomb.policypack", {**parts, "golden.jsonl": b" " * (65 * 1024 * 1024)})
    assert path.stat().st_size < 100_000

    with pytest.raises(InputError, match="golden.jsonl is 68,157,440 bytes long"):
        read_pack(path)


def test_a_size_bomb_that_lies_about_its_size_is_refused_too(tmp_path: Path) -> None:
    parts = files(packed(tmp_path))
    path = zipped(tmp_path / "bomb.policypack", {**parts, "release-note.md": b" " * (2 * 1024 * 1024)})
    data = bytearray(path.read_bytes())
    for at in range(len(data) - 4):
        if data[at : at + 4] == struct.pack("<I", 2 * 1024 * 1024):
            data[at : at + 4] = struct.pack("<I", 100)
    path.write_bytes(bytes(data))

    with pytest.raises(InputError):
        read_pack(path)


def test_one_name_twice_is_refused(tmp_path: Path) -> None:
    parts = files(packed(tmp_path))
    path = tmp_path / "twice.policypack"
    with zipfile.ZipFile(path, "w") as archive:
        for name in parts:
            archive.writestr(name, parts[name])
        with pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr("policy.md", b"another")

    with pytest.raises(InputError, match=r"policy\.md twice"):
        read_pack(path)


def outcome(path: Path) -> str:
    """``whole`` where only a byte was changed that nobody reads; any other error than an InputError ends the test."""
    try:
        return "whole" if read_pack(path) == PACK else "changed"
    except InputError as error:
        return "refused" if path.name in error.message else error.message


def test_every_broken_file_is_an_input_error(tmp_path: Path) -> None:
    whole = packed(tmp_path).read_bytes()
    path = tmp_path / "broken.policypack"
    for at in range(0, len(whole), 7):
        for data in (whole[:at], whole[:at] + bytes([whole[at] ^ 0xFF]) + whole[at + 1 :]):
            path.write_bytes(data)
            assert outcome(path) in ("whole", "refused")


def test_what_cannot_be_read_or_written_says_so(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="could not be read"):
        read_pack(tmp_path / "missing.policypack")
    with pytest.raises(InputError, match="could not be written"):
        write_pack(PACK, tmp_path / "missing" / "x.policypack", studio_version="1")
    with pytest.raises(InputError, match="at most 1,048,576"):
        write_pack(replace(PACK, note="x" * (1024 * 1024 + 1)), tmp_path / "x.policypack", studio_version="1")
    assert not (tmp_path / "x.policypack").exists()
    (tmp_path / "text.policypack").write_bytes(io.BytesIO(b"not a zip").getvalue())
    with pytest.raises(InputError, match="no whole zip"):
        read_pack(tmp_path / "text.policypack")
