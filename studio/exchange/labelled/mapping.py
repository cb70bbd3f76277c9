"""The mapping: what of a file becomes what of a golden example. Seen, edited, saved and used again as JSON.

What a person still has to say is null in it: the meaning of a label, the threshold of a score, an answer to a question
about the file. Nothing is stored while such a null stands where the file needs it.
"""

from __future__ import annotations

from collections.abc import Mapping as Map
from dataclasses import dataclass, field
from typing import Any

from studio.core.errors import InputError
from studio.core.labels import Decision
from studio.core.policy import ContentKind
from studio.exchange.labelled.values import Meaning

FORMAT = 1
# The questions about a file as a whole; their answers stand in ``confirm``.
HUMAN, JUDGED, CONTENT, LABEL_COLUMN = "human_label", "judged", "content", "label_column"
TURN_LABELS = "turn_labels"
NO_LABEL = "none"
"""The answer to which column says what is right, when none does."""
UNNAMED, MACHINE_LABELS, HEADER, SHEET = "unnamed_columns", "machine_labels", "header", "sheet"
_HINT = "`--preview --save-mapping M.json` writes a mapping that fits the file; edit that one."
_WORDS = {**{str(item): Meaning(item) for item in Decision}, "unknown": Meaning(None), "skip": Meaning(None, skip=True)}


@dataclass(frozen=True, slots=True)
class Read:
    """How the file is read. Empty fields do not matter for its kind; ``header`` 0 means that no row has the names."""

    kind: str
    encoding: str = ""
    delimiter: str = ""
    quote: str = ""
    escape: str = ""
    header: int = 0
    sheet: str = ""


@dataclass(frozen=True, slots=True)
class Item:
    """One item of a row: the columns of its content, and the columns that say what is right.

    ``label`` holds one label or several; ``flags`` are yes-or-no columns, one per label; ``codes`` adds policy
    labels to a decision that ``label`` made.
    """

    kind: ContentKind = ContentKind.MESSAGE
    text: str = ""
    context: str = ""
    prompt: str = ""
    response: str = ""
    turns: str = ""
    label: str = ""
    flags: tuple[str, ...] = ()
    codes: str = ""
    constant: str = ""

    @property
    def columns(self) -> tuple[str, ...]:
        """All columns that it uses."""
        named = (self.text, self.context, self.prompt, self.response, self.turns, self.label, self.codes)
        return tuple(dict.fromkeys(name for name in (*named, *self.flags) if name))


@dataclass(frozen=True, slots=True)
class Group:
    """Rows that belong together: the ``turns`` of one conversation, or the ``voices`` of several people on one text."""

    kind: str
    by: str
    order: str = ""
    speaker: str = ""


@dataclass(frozen=True, slots=True)
class Mapping:
    """See the module. ``shape`` is the recognised kind of set, ``generic`` for any other."""

    shape: str
    read: Read
    items: tuple[Item, ...]
    values: Map[str, Meaning | None] = field(default_factory=dict)
    thresholds: Map[str, float | None] = field(default_factory=dict)
    confirm: Map[str, str | None] = field(default_factory=dict)
    group: Group | None = None
    tags: tuple[str, ...] = ()
    why: str = ""
    id: str = ""
    decided_by: str = ""
    unmapped: Map[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def meaning(self, label: str) -> Meaning | None:
        """What the original label means here; None when nobody has said."""
        return self.values.get(label)


def to_json(mapping: Mapping) -> dict[str, Any]:
    """The mapping as a JSON object that :func:`from_json` reads back."""
    return {
        "format": FORMAT,
        "shape": mapping.shape,
        "read": _fields(mapping.read, Read),
        "items": [_fields(item, Item) for item in mapping.items],
        "group": None if mapping.group is None else _fields(mapping.group, Group),
        "values": {label: _meaning_json(meaning) for label, meaning in mapping.values.items()},
        "thresholds": dict(mapping.thresholds),
        "confirm": dict(mapping.confirm),
        "tags": list(mapping.tags),
        "why": mapping.why,
        "id": mapping.id,
        "decided_by": mapping.decided_by,
        "unmapped": dict(mapping.unmapped),
        "notes": list(mapping.notes),
    }


def from_json(value: Any, where: str) -> Mapping:
    """The mapping of a JSON object. Raises InputError naming the field that is wrong."""
    reader = _Reader(where)
    fields = reader.object(value, "the mapping")
    if fields.get("format") != FORMAT:
        raise reader.error("format", f"is {fields.get('format')!r}; this version of the studio reads {FORMAT}")
    items = fields.get("items")
    if not isinstance(items, list) or not items:
        raise reader.error("items", "must be a list with at least one item")
    group = fields.get("group")
    values = reader.object(fields.get("values") or {}, "values")
    return Mapping(
        shape=reader.text(fields, "shape"),
        read=reader.read(reader.object(fields.get("read"), "read")),
        items=tuple(reader.item(reader.object(item, f"items[{n}]"), f"items[{n}]") for n, item in enumerate(items)),
        values={str(label): reader.meaning(meaning, f"values[{label!r}]") for label, meaning in values.items()},
        thresholds={
            str(name): reader.number(number, f"thresholds[{name!r}]")
            for name, number in reader.object(fields.get("thresholds") or {}, "thresholds").items()
        },
        confirm={
            str(name): None if answer is None else str(answer)
            for name, answer in reader.object(fields.get("confirm") or {}, "confirm").items()
        },
        group=None if group is None else reader.group(reader.object(group, "group")),
        tags=reader.texts(fields, "tags"),
        why=reader.text(fields, "why"),
        id=reader.text(fields, "id"),
        decided_by=reader.text(fields, "decided_by"),
        unmapped={str(k): str(v) for k, v in reader.object(fields.get("unmapped") or {}, "unmapped").items()},
        notes=reader.texts(fields, "notes"),
    )


def _fields(value: Read | Item | Group, kind: type[Read] | type[Item] | type[Group]) -> dict[str, Any]:
    """The fields that say something, so that a person sees only what matters."""
    found = {name: getattr(value, name) for name in kind.__dataclass_fields__}
    return {
        name: list(part) if isinstance(part, tuple) else part
        for name, part in found.items()
        if part not in ("", ()) or name == "header"
    }


def _meaning_json(meaning: Meaning | None) -> Any:
    if meaning is None:
        return None
    word = "skip" if meaning.skip else "unknown" if meaning.decision is None else str(meaning.decision)
    return {"decision": word, "labels": list(meaning.labels)} if meaning.labels else word


class _Reader:
    """Reads typed fields; every error names the field and the file."""

    def __init__(self, where: str) -> None:
        self._where = where

    def error(self, field_name: str, problem: str) -> InputError:
        return InputError(f"In {self._where}, {field_name} {problem}.", hint=_HINT)

    def object(self, value: Any, field_name: str) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise self.error(field_name, "must be an object with named fields")
        return value

    def text(self, fields: Map[str, Any], name: str) -> str:
        value = fields.get(name, "")
        if not isinstance(value, str):
            raise self.error(name, "must be a text")
        return value

    def texts(self, fields: Map[str, Any], name: str) -> tuple[str, ...]:
        value = fields.get(name, [])
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise self.error(name, "must be a list of texts")
        return tuple(value)

    def number(self, value: Any, name: str) -> float | None:
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self.error(name, "must be a number, or null while it is open")
        return float(value)

    def read(self, fields: Map[str, Any]) -> Read:
        header = fields.get("header", 0)
        if isinstance(header, bool) or not isinstance(header, int) or header < 0:
            raise self.error("read.header", "must be the number of a row, or 0")
        names = ("kind", "encoding", "delimiter", "quote", "escape", "sheet")
        read = Read(header=header, **{name: self.text(fields, name) for name in names})
        if any(len(mark) > 1 for mark in (read.delimiter, read.quote, read.escape)):
            raise self.error("read", "has a delimiter, quote or escape of more than one character")
        return read

    def item(self, fields: Map[str, Any], name: str) -> Item:
        known = {key: fields[key] for key in Item.__dataclass_fields__ if key in fields}
        unknown = sorted(set(fields) - set(known))
        if unknown:
            raise self.error(f"{name}.{unknown[0]}", "is not a field of an item")
        kind = known.pop("kind", "message")
        if kind not in tuple(ContentKind):
            raise self.error(f"{name}.kind", f"must be one of {', '.join(ContentKind)}")
        flags = self.texts(known, "flags")
        known.pop("flags", None)
        return Item(kind=ContentKind(kind), flags=flags, **{key: self.text(known, key) for key in known})

    def group(self, fields: Map[str, Any]) -> Group:
        group = Group(**{name: self.text(fields, name) for name in ("kind", "by", "order", "speaker")})
        if group.kind not in ("turns", "voices") or not group.by:
            raise self.error("group", 'must have a kind ("turns" or "voices") and the column "by"')
        return group

    def meaning(self, value: Any, name: str) -> Meaning | None:
        if value is None:
            return None
        if isinstance(value, str) and value in _WORDS:
            return _WORDS[value]
        if isinstance(value, dict) and value.get("decision") in _WORDS:
            return Meaning(_WORDS[value["decision"]].decision, self.texts(value, "labels"), value["decision"] == "skip")
        raise self.error(name, f"must be one of {', '.join(_WORDS)}, or null while it is open")
