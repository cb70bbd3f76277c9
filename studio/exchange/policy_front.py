"""Front matter of policy files: the studio's own fields, and what other tools keep there, which is never lost."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeVar

import yaml

from studio.core.content import clean
from studio.core.errors import InputError, PolicyError
from studio.core.infer import infer
from studio.core.labels import Label, LabelDecision
from studio.core.policy import ContentKind, Effort, OutputForm, OutputPosition, Policy
from studio.core.targets import targets_from

_YAML = re.compile(r"\A---[ \t]*\r?\n(?P<fields>.*?)^(?:---|\.\.\.)[ \t]*(?:\r?\n|\Z)", re.DOTALL | re.MULTILINE)
_TOML = re.compile(r"\A\+\+\+[ \t]*\r?\n(?P<fields>.*?)^\+\+\+[ \t]*(?:\r?\n|\Z)", re.DOTALL | re.MULTILINE)
# A line across the page at the top of a text, and another one further down, are no front matter.
_FIELD = re.compile(r"""(?:[ \t]*(?:\#[^\n]*)?\r?\n)*(?:["']?[\w.-]+["']?[ \t]*:(?:\s|\Z)|[-?][ \t]|[\[{])""")
_KNOWN = {
    "id", "title", "summary", "tags", "jurisdictions", "content_kinds", "labels", "output", "effort", "review_below",
    "language", "license", "source", "targets",
}  # fmt: skip
_Enum = TypeVar("_Enum", bound=StrEnum)
_Value = TypeVar("_Value")


@dataclass(frozen=True, slots=True)
class Front:
    """The front matter of a text: ``source`` is its fields as written, and the text's body begins at ``end``."""

    source: str
    end: int
    toml: bool = False

    def fields(self, where: str) -> Mapping[str, Any]:
        """Its fields by name. Raises PolicyError naming the line."""
        return _toml_fields(self.source, where) if self.toml else _yaml_fields(self.source, where)


def find_front(text: str) -> Front | None:
    """The front matter that a text begins with, YAML or TOML; None when it has none."""
    match = _YAML.match(text)
    if match is not None:
        blank = not match["fields"].strip()
        return Front(match["fields"], match.end()) if blank or _FIELD.match(match["fields"]) else None
    match = _TOML.match(text)
    return None if match is None else Front(match["fields"], match.end(), toml=True)


def other_fields(front: Front) -> dict[str, Any]:
    """The fields that are not the studio's. Raises PolicyError when they cannot be read."""
    return {str(key): value for key, value in front.fields("the file").items() if key not in _KNOWN}


def _yaml_fields(source: str, where: str) -> Mapping[str, Any]:
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
    if fields is None:
        return {}
    if not isinstance(fields, dict):
        raise PolicyError(
            f"The front matter of {where} is not a list of named fields.", hint='Write fields such as "title: Spam".'
        )
    return fields


def _toml_fields(source: str, where: str) -> Mapping[str, Any]:
    try:
        return tomllib.loads(source)
    except (ValueError, RecursionError) as error:
        raise PolicyError(
            f"The front matter of {where} cannot be read: {error}.", hint="Mend the lines between the two +++ lines."
        ) from error


class FrontReader:
    """Reads a policy out of front matter and body; every error names the field and the file.

    Front matter that another tool wrote may use our names for things of its own (``output: html_document``). There, a
    field that cannot be read is passed over and told in ``notes``; in our own it is an error.
    """

    def __init__(self, fields: Mapping[str, Any], where: str) -> None:
        self._fields = fields
        self._where = where
        self._others = sorted(str(key) for key in fields if key not in _KNOWN)
        labels = fields.get("labels")
        labelled = isinstance(labels, list) and any(isinstance(entry, dict) for entry in labels)
        self._foreign = not labelled and (bool(self._others) or isinstance(fields.get("output"), str))
        self._passed: list[str] = []

    def policy(self, body: str, name: str) -> tuple[Policy, tuple[str, ...]]:
        """The policy, and notes on what was inferred or not used. ``name`` gives the id where no field does."""
        found = infer(body)
        no_output: Mapping[str, Any] = {}
        output = self._try("output", self._output, no_output)
        labels = self._try("labels", self._labels, None) if "labels" in self._fields else None
        read = self._try
        policy = Policy(
            id=slug(read("id", lambda: self._text("id"), "") or name),
            title=read("title", lambda: self._text("title"), "") or found.title or name,
            text=clean(body),
            labels=found.labels if labels is None else labels,
            form=self._enum(output.get("form"), OutputForm, "output.form", found.form),
            position=self._enum(output.get("position"), OutputPosition, "output.position", found.position),
            effort=read(
                "effort", lambda: self._enum(self._fields.get("effort"), Effort, "effort", Effort.LOW), Effort.LOW
            ),
            review_below=read("review_below", lambda: self._probability("review_below"), None),
            summary=read("summary", lambda: self._text("summary"), ""),
            tags=read("tags", lambda: self._texts("tags"), ()),
            jurisdictions=read("jurisdictions", lambda: self._texts("jurisdictions"), ()),
            content_kinds=read("content_kinds", self._kinds, (ContentKind.MESSAGE,)),
            language=read("language", lambda: self._text("language"), "") or "en",
            license=read("license", lambda: self._text("license"), ""),
            source=read("source", lambda: self._text("source"), ""),
            targets=read("targets", self._targets, ()),
        )
        notes = [*found.notes] if labels is None else []
        unused = [*self._others, *self._passed]
        if unused:
            notes.append(
                f"These fields of the front matter are not the studio's; they stay in the file, unused: "
                f"{', '.join(unused)}."
            )
        return policy, tuple(notes)

    def _try(self, field: str, read: Callable[[], _Value], otherwise: _Value) -> _Value:
        try:
            return read()
        except PolicyError:
            if not self._foreign:
                raise
            self._passed.append(field)
            return otherwise

    def _output(self) -> Mapping[str, Any]:
        output = self._fields.get("output") or {}
        if not isinstance(output, dict):
            raise self._error("output", "must have the fields form and position")
        return output

    def _kinds(self) -> tuple[ContentKind, ...]:
        return tuple(
            self._enum(kind, ContentKind, "content_kinds", ContentKind.MESSAGE)
            for kind in self._texts("content_kinds") or (ContentKind.MESSAGE,)
        )

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


def slug(name: str) -> str:
    """A name as an id: lower case letters, digits and single hyphens, at most 60 characters."""
    folded = re.sub(r"[^a-z0-9]+", "-", name.casefold()).strip("-")
    return folded[:60].strip("-") or "policy"
