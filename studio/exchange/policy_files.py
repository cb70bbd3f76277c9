"""Policy files: Markdown with YAML front matter, or plain text whose labels are inferred and shown for confirmation."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeVar

import yaml

from studio.core.content import clean
from studio.core.errors import InputError, PolicyError
from studio.core.infer import infer
from studio.core.labels import Label, LabelDecision
from studio.core.policy import ContentKind, Effort, OutputForm, OutputPosition, Policy
from studio.core.targets import targets_from
from studio.exchange.files import read_text

_FRONT = re.compile(r"\A---[ \t]*\r?\n(?P<yaml>.*?)^(?:---|\.\.\.)[ \t]*(?:\r?\n|\Z)", re.DOTALL | re.MULTILINE)
_MAX_POLICY_BYTES = 4 * 1024 * 1024
_KNOWN = {
    "id", "title", "summary", "tags", "jurisdictions", "content_kinds", "labels", "output", "effort", "review_below",
    "language", "license", "source", "targets",
}  # fmt: skip
_Enum = TypeVar("_Enum", bound=StrEnum)


@dataclass(frozen=True, slots=True)
class ReadPolicy:
    """A policy as it was read. ``notes`` say what was inferred and wants a person's confirmation."""

    policy: Policy
    notes: tuple[str, ...] = ()


def read_policy(path: Path) -> ReadPolicy:
    """The policy in a file. Raises PolicyError or InputError saying what is wrong and where."""
    name = path.parent.name if path.name.casefold() == "policy.md" else path.stem
    return parse_policy(read_text(path, limit=_MAX_POLICY_BYTES), name, where=str(path))


def parse_policy(text: str, name: str, *, where: str = "the text") -> ReadPolicy:
    """The policy in ``text``; ``name`` gives the id when the text has none."""
    match = _FRONT.match(text)
    if match is None:
        return _plain(text, name)
    fields = _front_matter(match["yaml"], where)
    return _Reader(fields, where).policy(text[match.end() :], name)


def body_start(text: str) -> int:
    """Where the policy's own text begins in the text of its file: behind the front matter, if there is any."""
    match = _FRONT.match(text)
    return match.end() if match else 0


def policy_text(policy: Policy) -> str:
    """The policy as a file: front matter, then the body unchanged. Reading it again gives the same policy."""
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
    front = yaml.dump(fields, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=110)
    return f"---\n{front}---\n{policy.text}"


def slug(name: str) -> str:
    """A name as an id: lower case letters, digits and single hyphens, at most 60 characters."""
    folded = re.sub(r"[^a-z0-9]+", "-", name.casefold()).strip("-")
    return folded[:60].strip("-") or "policy"


class _Dumper(yaml.SafeDumper):
    """Writes text with control characters or rare line breaks quoted: unquoted, YAML would fold them away."""


def _quoted(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = '"' if text.splitlines() not in ([], [text]) or not text.isprintable() else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _quoted)


def _plain(text: str, name: str) -> ReadPolicy:
    if not text.strip():
        raise PolicyError("The policy is empty.", hint="Write what the policy forbids and allows.")
    found = infer(text)
    policy = Policy(
        id=slug(name),
        title=found.title or name,
        text=clean(text),
        labels=found.labels,
        form=found.form,
        position=found.position,
    )
    return ReadPolicy(policy, found.notes)


def _front_matter(source: str, where: str) -> Mapping[str, Any]:
    try:
        fields = yaml.safe_load(source)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        line = f" line {mark.line + 2}" if mark is not None else ""
        problem = getattr(error, "problem", None) or "it is not valid YAML"
        raise PolicyError(
            f"The front matter of {where}{line} cannot be read: {problem}.",
            hint="Mend the lines between the two --- lines.",
        ) from error
    if not isinstance(fields, dict):
        raise PolicyError(
            f"The front matter of {where} is not a list of named fields.", hint='Write fields such as "title: Spam".'
        )
    return fields


def _label_fields(label: Label) -> dict[str, Any]:
    fields: dict[str, Any] = {"id": label.id, "name": label.name, "decision": str(label.decision)}
    if label.severity is not None:
        fields["severity"] = label.severity
    if label.description:
        fields["description"] = label.description
    return fields


class _Reader:
    """Reads typed fields out of front matter; every error names the field and the file."""

    def __init__(self, fields: Mapping[str, Any], where: str) -> None:
        self._fields = fields
        self._where = where

    def policy(self, body: str, name: str) -> ReadPolicy:
        output = self._fields.get("output") or {}
        if not isinstance(output, dict):
            raise self._error("output", "must have the fields form and position")
        found = infer(body)
        has_labels = "labels" in self._fields
        labels = self._labels() if has_labels else found.labels
        form = self._enum(output.get("form"), OutputForm, "output.form", found.form)
        position = self._enum(output.get("position"), OutputPosition, "output.position", found.position)
        policy = Policy(
            id=slug(self._text("id") or name),
            title=self._text("title") or found.title or name,
            text=clean(body),
            labels=labels,
            form=form,
            position=position,
            effort=self._enum(self._fields.get("effort"), Effort, "effort", Effort.LOW),
            review_below=self._probability("review_below"),
            summary=self._text("summary"),
            tags=self._texts("tags"),
            jurisdictions=self._texts("jurisdictions"),
            content_kinds=tuple(
                self._enum(kind, ContentKind, "content_kinds", ContentKind.MESSAGE)
                for kind in self._texts("content_kinds") or (ContentKind.MESSAGE,)
            ),
            language=self._text("language") or "en",
            license=self._text("license"),
            source=self._text("source"),
            targets=self._targets(),
        )
        unknown = sorted(str(key) for key in self._fields if key not in _KNOWN)
        notes = [] if has_labels else list(found.notes)
        if unknown:
            notes.append(f"These fields of the front matter are not known and were left out: {', '.join(unknown)}.")
        return ReadPolicy(policy, tuple(notes))

    def _targets(self) -> tuple[tuple[str, float], ...]:
        value = self._fields.get("targets") or {}
        if not isinstance(value, dict):
            raise self._error("targets", "must name figures with their bounds, such as f1: 0.9")
        try:
            return tuple((target.key, target.bound) for target in targets_from(value))
        except InputError as error:
            raise self._error("targets", f"cannot be used: {error}") from error

    def _labels(self) -> tuple[Label, ...]:
        entries = self._fields["labels"] or []
        if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
            raise self._error("labels", "must be a list of labels, each with an id and a decision")
        return tuple(self._label(entry, n) for n, entry in enumerate(entries, 1))

    def _label(self, entry: Mapping[str, Any], number: int) -> Label:
        place = f"labels[{number}]"
        label_id = entry.get("id")
        if label_id is None or isinstance(label_id, dict | list | bool) or not str(label_id).strip():
            raise self._error(place, "has no id")
        if entry.get("decision") is None:
            raise self._error(f"{place}.decision", "is missing; it is one of allow, violate, review")
        severity = entry.get("severity")
        if severity is not None and (isinstance(severity, bool) or not isinstance(severity, int)):
            raise self._error(f"{place}.severity", "must be a whole number")
        return Label(
            id=clean(str(label_id).strip()),
            decision=self._enum(entry["decision"], LabelDecision, f"{place}.decision", LabelDecision.REVIEW),
            name=clean(str(entry.get("name") or "")),
            severity=severity,
            description=clean(str(entry.get("description") or "")),
        )

    def _text(self, field: str) -> str:
        value = self._fields.get(field)
        if value is None:
            return ""
        if isinstance(value, dict | list):
            raise self._error(field, "must be one line of text")
        return clean(str(value).strip())

    def _texts(self, field: str) -> tuple[str, ...]:
        value = self._fields.get(field)
        if value is None:
            return ()
        if isinstance(value, str):
            value = [value]
        if not isinstance(value, list) or any(isinstance(item, dict | list) for item in value):
            raise self._error(field, "must be a list of words")
        return tuple(clean(str(item).strip()) for item in value)

    def _enum(self, value: object, kind: type[_Enum], field: str, default: _Enum) -> _Enum:
        if value is None:
            return default
        try:
            return kind(str(value).strip().casefold())
        except ValueError:
            raise self._error(field, f"is {value!r}; it must be one of {', '.join(kind)}") from None

    def _probability(self, field: str) -> float | None:
        value = self._fields.get(field)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
            raise self._error(field, f"is {value!r}; it must be a number from 0 to 1")
        return float(value)

    def _error(self, field: str, problem: str) -> PolicyError:
        return PolicyError(
            f"In the front matter of {self._where}, {field} {problem}.", hint="Mend that field and open the file again."
        )
