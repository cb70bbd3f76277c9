"""Policy files: Markdown with front matter, or plain text whose labels are inferred and shown for confirmation.

A file that was opened and not changed is written back byte for byte: the policy carries its encoding and, where that is
not what the studio itself would write, its front matter.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

from studio.core.content import clean
from studio.core.errors import InputError, PolicyError
from studio.core.infer import infer
from studio.core.labels import Label
from studio.core.policy import Policy
from studio.exchange.files import BOMS, decode_as, encode, read_bytes
from studio.exchange.labelled.encoding import of_bytes
from studio.exchange.policy_front import FrontReader, find_front, other_fields, slug

__all__ = [
    "ReadPolicy",
    "body_start",
    "parse_policy",
    "plain_file",
    "policy_file",
    "policy_from_bytes",
    "policy_text",
    "read_policy",
    "slug",
    "text_of",
]

_MAX_POLICY_BYTES = 4 * 1024 * 1024
_CONTROL = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f]")
_NUMBERED = re.compile(r"-\d+\Z")


@dataclass(frozen=True, slots=True)
class ReadPolicy:
    """A policy as it was read. ``notes`` say what was inferred and wants a person's confirmation."""

    policy: Policy
    notes: tuple[str, ...] = ()


def read_policy(path: Path) -> ReadPolicy:
    """The policy in a file. Raises PolicyError or InputError saying what is wrong and where."""
    name = path.parent.name if path.name.casefold() == "policy.md" else path.stem
    return policy_from_bytes(read_bytes(path, limit=_MAX_POLICY_BYTES), name, where=str(path))


def policy_from_bytes(data: bytes, name: str, *, where: str) -> ReadPolicy:
    """The policy in the bytes of a file; ``name`` as in :func:`parse_policy`. Raises PolicyError or InputError."""
    text, encoding, notes = _decode(data, where)
    # Every second byte of UTF-16 without its mark is a zero, and as UTF-8 that is valid text.
    if text.count("\0") * 4 > len(text) > 1:
        raise InputError(
            f"{where} is not UTF-8 text: it is full of zero bytes, as UTF-16 without its byte order mark is.",
            hint="Save the file as UTF-8 and try again.",
        )
    read = parse_policy(text, name, where=where)
    return ReadPolicy(replace(read.policy, encoding=encoding), notes + read.notes)


def text_of(data: bytes, where: str) -> str:
    """The text of a policy's file. Raises InputError."""
    return _decode(data, where)[0]


def _decode(data: bytes, where: str) -> tuple[str, str, tuple[str, ...]]:
    """The text, its encoding and what to say of it. What is not Unicode is read as the encoding that its bytes show."""
    try:
        text, encoding = decode_as(data, where)
    except InputError:
        older = "" if data.startswith(BOMS) or _is_no_text(data) else of_bytes(data)
        try:
            text = data.decode(older) if older else ""
        except UnicodeDecodeError:
            text = ""
        if not text or text.encode(older) != data:
            raise
        return text, older, (f"The file is not UTF-8; it was read as {older}. Please look at its accented letters.",)
    return text, encoding, ()


def parse_policy(text: str, name: str, *, where: str = "the text") -> ReadPolicy:
    """The policy in ``text``; ``name`` gives the id when the text has none."""
    front = find_front(text)
    if front is None:
        return _plain(text, name)
    policy, notes = FrontReader(front.fields(where), where).policy(text[front.end :], name)
    written = clean(text[: front.end])
    return ReadPolicy(policy if written == _own_front(policy) else replace(policy, front=written), notes)


def body_start(text: str) -> int:
    """Where the policy's own text begins in the text of its file: behind the front matter, if there is any."""
    front = find_front(text)
    return front.end if front is not None else 0


def policy_text(policy: Policy) -> str:
    """The policy as a file: front matter, then the body unchanged. Reading it again gives the same policy.

    The front matter is the one that it was read with for as long as that is still true of it.
    """
    return (policy.front if _still_true(policy) else _own_front(policy)) + policy.text


def policy_file(policy: Policy) -> bytes:
    """:func:`policy_text` in the encoding of the policy's file."""
    return encode(policy_text(policy), policy.encoding)


def plain_file(policy: Policy) -> bytes:
    """The policy's text alone, in the encoding of its file."""
    return encode(policy.text, policy.encoding)


def _is_no_text(data: bytes) -> bool:
    """Whether bytes cannot be prose in any older encoding: control characters, or hardly a space or stop."""
    return _CONTROL.search(data) is not None or sum(byte < 0x80 for byte in data) * 10 < len(data)


def _still_true(policy: Policy) -> bool:
    """Whether the front matter that the policy was read with, and its text as it is now, read as this policy."""
    if not policy.front:
        return False
    try:
        read = parse_policy(policy.front + policy.text, policy.id).policy
    except PolicyError:
        return False
    # Where its id was taken in the workspace, a policy got a number behind it: no reason to change its file.
    known = read.id == policy.id or read.id == _NUMBERED.sub("", policy.id)
    return known and replace(read, id=policy.id, encoding=policy.encoding, front=policy.front) == policy


def _own_front(policy: Policy) -> str:
    """Front matter as the studio writes it, with the fields of other tools behind its own."""
    fields: dict[str, Any] = {
        "id": policy.id,
        "title": policy.title,
        "summary": policy.summary,
        "tags": list(policy.tags),
        "jurisdictions": list(policy.jurisdictions),
        "content_kinds": [str(kind) for kind in policy.content_kinds],
        "labels": [_label_fields(label) for label in policy.labels],
        "output": {"form": str(policy.form), "position": str(policy.position)},
        "effort": str(policy.effort),
        "language": policy.language,
        "license": policy.license,
        "source": policy.source,
    }
    if policy.review_below is not None:
        fields["review_below"] = policy.review_below
    if policy.targets:
        fields["targets"] = dict(policy.targets)
    front = find_front(policy.front)
    if front is not None:
        fields |= other_fields(front)
    written = yaml.dump(fields, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=110)
    return f"---\n{written}---\n"


class _Dumper(yaml.SafeDumper):
    """Writes text with control characters or rare line breaks quoted: unquoted, YAML would fold them away."""


def _quoted(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = '"' if text.splitlines() not in ([], [text]) or not text.isprintable() else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _quoted)
# TOML has values that YAML has not, such as a time of day: they go over as their text.
_Dumper.add_multi_representer(object, lambda dumper, value: _quoted(dumper, str(value)))


def _plain(text: str, name: str) -> ReadPolicy:
    if not text.strip():
        raise PolicyError("The policy is empty.", hint="Write what the policy forbids and allows.")
    found = infer(text)
    policy = Policy(
        id=slug(name),
        title=found.title or " ".join(re.split(r"[\s_-]+", name)).strip() or name,
        text=clean(text),
        labels=found.labels,
        form=found.form,
        position=found.position,
    )
    return ReadPolicy(policy, found.notes)


def _label_fields(label: Label) -> dict[str, Any]:
    fields: dict[str, Any] = {"id": label.id, "name": label.name, "decision": str(label.decision)}
    if label.severity is not None:
        fields["severity"] = label.severity
    if label.description:
        fields["description"] = label.description
    return fields
