"""A mapping for a file of any shape, from its columns' names and what is in them. What is not certain is left open."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from studio.core.policy import ContentKind, Policy
from studio.exchange.labelled.mapping import CONTENT, HUMAN, JUDGED, LABEL_COLUMN, UNNAMED, Group, Item, Mapping
from studio.exchange.labelled.names import (
    Role,
    is_aim,
    is_late,
    is_sure_label,
    label_rank,
    may_be_label,
    normal,
    text_rank,
)
from studio.exchange.labelled.pairs import may_label, pairs
from studio.exchange.labelled.profile import Column, Profile
from studio.exchange.labelled.shapes import label_studio, promptfoo, spam_sections
from studio.exchange.labelled.shapes.known import known
from studio.exchange.labelled.tables import Table
from studio.exchange.labelled.values import meaning_of, suggested

_UNNAMED = re.compile(r"^column \d+$")
_SHARE_OF_WORDS = 0.8
_MOST_KINDS = 10
_KINDS = {"type", "kind", "status", "class", "group", "style"}
_CONTEXTS = ("context", "dialogue_context", "conversation_context", "dialogue_history", "previous_turn")
_PAIRED = "Each row holds two items: the prompt, and the response in the light of the prompt."
_ANSWERS = "Each row holds several items: each response in the light of the prompt."
_NO_TAGS = {"created_at", "updated_at", "timestamp", "date", "annotation_id", "lead_time", "agreement"}


@dataclass(slots=True)
class _Draft:
    """A mapping on its way; ``used`` are the columns that have found their place."""

    confirm: dict[str, str | None]
    thresholds: dict[str, float | None] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    used: set[str] = field(default_factory=set)


def propose(table: Table, profile: Profile, policy: Policy | None) -> Mapping:
    """The mapping for a table. Labels get their meaning later, when all of them have been counted."""
    if table.view == spam_sections.SHAPE:
        return _sections(table, profile)
    if not table.view:
        found = known(profile, table.read, policy)
        if found is not None:
            return found
    draft = _Draft(dict(table.confirm), notes=list(table.notes))
    group = _group(profile, draft)
    items = _items(profile, policy, draft, group)
    used = draft.used | {name for item in items for name in item.columns}
    why = next((c.name for c in profile.of(Role.REASON) if c.name not in used), "")
    own_id = _id(profile, used)
    used |= {why, own_id}
    people = group.speaker if group and group.kind == "voices" else label_studio.PEOPLE
    people = people if people in profile.columns else ""
    used |= {people}
    tags = tuple(c.name for c in profile.columns.values() if c.name not in used and _is_tag(c))
    _unnamed(table, profile, used, draft)
    pairs = len(items) > 1
    shape = table.view or (
        "two_items_a_row" if pairs else "conversations" if group and group.kind == "turns" else "generic"
    )
    return Mapping(
        shape,
        table.read,
        items,
        thresholds=draft.thresholds,
        confirm=draft.confirm,
        group=group,
        tags=tags,
        why=why,
        id=own_id,
        decided_by=people,
        unmapped=_unmapped(profile, used | set(tags)),
        notes=tuple(draft.notes),
    )


def _sections(table: Table, profile: Profile) -> Mapping:
    return Mapping(
        spam_sections.SHAPE,
        table.read,
        (Item(text=spam_sections.CONTENT, label=spam_sections.SECTION),),
        confirm=dict(table.confirm),
        unmapped={
            name: reason
            for name, reason in (
                (spam_sections.ANSWER, "what a model answered, not what people said"),
                (spam_sections.NUMBER, "counts anew in each section"),
            )
            if name in profile.columns
        },
        notes=("The label of an item is the heading of the section that it stands in.",),
    )


def _group(profile: Profile, draft: _Draft) -> Group | None:
    groups, orders = profile.of(Role.GROUP), profile.of(Role.ORDER)
    whole = any("list" in column.types for column in profile.of(Role.TURNS))
    if groups and orders and not whole:
        speaker = next((column.name for column in profile.of(Role.SPEAKER)), "")
        draft.used |= {groups[0].name, orders[0].name, speaker}
        return Group("turns", groups[0].name, orders[0].name, speaker)
    names = {normal(name): name for name in profile.columns}
    if {"annotator", "lead_time", "id"} <= names.keys():
        draft.notes.append("Rows with the same id are what several people said about one text.")
        draft.used |= {names["id"], names["annotator"]}
        return Group("voices", names["id"], speaker=names["annotator"])
    return None


def _items(profile: Profile, policy: Policy | None, draft: _Draft, group: Group | None) -> tuple[Item, ...]:
    turns = [c for c in profile.of(Role.TURNS) if "list" in c.types or c.mean_length > 40]
    prompts, responses = _texts(profile, Role.PROMPT), _texts(profile, Role.RESPONSE)
    texts = sorted(_texts(profile, Role.TEXT), key=lambda c: text_rank(c.name))
    if prompts or responses:
        texts = [c for c in texts if not is_aim(c.name)]
    if responses and not prompts:
        prompts = [c for c in profile.columns.values() if normal(c.name) in _CONTEXTS and "text" in c.types]
    if prompts and responses and not turns:
        paired = pairs(profile, prompts[0], responses)
        if paired:
            for item in paired:
                _score(profile.columns[item.label], draft)
            if len(paired) > 1:
                draft.notes.append(_PAIRED if paired[0].kind is ContentKind.MESSAGE else _ANSWERS)
            return paired
    if turns:
        content = Item(ContentKind.CONVERSATION, turns=turns[0].name)
    elif texts:
        content = Item(text=texts[0].name)
        last = "." + texts[0].name.rsplit(".", 1)[-1]
        if sum(name.endswith(last) for name in profile.columns) > 1:
            draft.confirm[CONTENT] = None  # such as prompt.text and continuation.text
    elif prompts and responses:
        content = Item(ContentKind.COMPLETION, prompt=prompts[0].name, response=responses[0].name)
        draft.confirm[JUDGED] = None
    elif prompts or responses:
        content = Item(text=(prompts or responses)[0].name)
        if not prompts and any(c.is_prose and c.role is Role.OTHER for c in profile.columns.values()):
            draft.confirm[CONTENT] = None  # an answer, to what stands in a column of another name
    else:
        content = Item(text=_longest(profile, policy, draft))
    used = {*content.columns, *draft.used}
    label, flags = _labels(profile, policy, draft, used)
    codes = next((c.name for c in profile.of(Role.CODES) if c.name not in (*used, label, *flags)), "")
    return (_with_labels(content, label, flags, codes),)


def _with_labels(content: Item, label: str, flags: tuple[str, ...], codes: str) -> Item:
    if not label and not flags and codes:
        label, codes = codes, ""
    return Item(
        content.kind,
        content.text,
        content.context,
        content.prompt,
        content.response,
        content.turns,
        label,
        flags,
        codes,
    )


def _texts(profile: Profile, role: Role) -> list[Column]:
    """Columns of a role that hold texts, and not numbers or yes and no."""
    return [c for c in profile.of(role) if not c.is_flag and not c.is_score and ("str" in c.types or "text" in c.types)]


def _longest(profile: Profile, policy: Policy | None, draft: _Draft) -> str:
    """The column with the longest texts, which a person has to confirm; the only one that is no label is certain."""
    columns = [c for c in profile.columns.values() if c.filled and "text" in c.types]
    if not columns:
        draft.notes.append("No column holds texts.")
        return ""
    labels = (Role.LABEL, Role.PROMPT_LABEL, Role.RESPONSE_LABEL)
    texts = [c for c in columns if c.role not in labels and not _says(c, policy) and not _comes_again(c)]
    if len(texts) != 1:
        draft.confirm[CONTENT] = None
    return max(texts or columns, key=lambda c: c.mean_length).name


def _comes_again(column: Column) -> bool:
    """Whether it has few values, each many times, as labels have and texts do not."""
    return not column.many and 3 * len(column.values) <= column.filled


def _labels(profile: Profile, policy: Policy | None, draft: _Draft, used: set[str]) -> tuple[str, tuple[str, ...]]:
    """The column that says what is right, or several yes-or-no columns; both empty when the file says nothing."""
    if promptfoo.EXPECTED in profile.columns and promptfoo.CHECKS not in used:
        expected = profile.columns[promptfoo.EXPECTED]
        if expected.role is Role.LABEL and expected.filled:
            return expected.name, ()
    roles = (Role.LABEL, Role.PROMPT_LABEL, Role.RESPONSE_LABEL)
    found = [c for c in profile.of(*roles) if c.name not in used and may_label(c)]
    known_words = [c for c in profile.columns.values() if c not in found and c.name not in used and _says(c, policy)]
    flags = [c for c in found if c.is_flag or c.is_score]
    outer = [c for c in found if "." not in c.name]
    single = outer if len(outer) == 1 else [c for c in found if c not in flags or is_sure_label(c.name)]
    if len(flags) > 1 and not single:
        for column in flags:
            _score(column, draft)
        return "", tuple(c.name for c in flags)
    candidates = sorted(single or found or known_words, key=lambda c: label_rank(c.name))
    if candidates and all(c.role is Role.RESPONSE for c in candidates):
        return _of_model(candidates[0], draft), ()
    if not candidates:
        return _model_answer(profile, draft, used) or _perhaps(profile, draft, used), ()
    best = candidates[0]
    rivals = [c.name for c in candidates if label_rank(c.name) == label_rank(best.name)]
    if len(rivals) == 1 and is_late(best.name):
        rivals += [c.name for c in profile.of(Role.OTHER) if c.name not in used and _is_kind(c)]
    if len(rivals) == 1 and not is_sure_label(best.name):
        rivals += [c.name for c in profile.of(Role.META) if c.is_score and may_be_label(c.name)]
    if len(rivals) > 1:
        draft.confirm[LABEL_COLUMN] = None
        draft.notes.append(f"Several columns may hold the label: {', '.join(rivals)}.")
    _score(best, draft)
    return best.name, ()


def _model_answer(profile: Profile, draft: _Draft, used: set[str]) -> str:
    """A column named after a model, when nothing else may be the label: a person has to say whose answer it is."""
    column = next((c for c in profile.of(Role.MODEL) if c.name not in used and may_label(c)), None)
    return "" if column is None else _of_model(column, draft)


def _of_model(column: Column, draft: _Draft) -> str:
    draft.confirm[HUMAN] = None
    draft.notes.append(f"The only column with labels, {column.name!r}, is named after a model.")
    return column.name


def _perhaps(profile: Profile, draft: _Draft, used: set[str]) -> str:
    """A column that may be the label, when none says so: a person has to name it, or say that there is none."""
    free = [c for c in profile.columns.values() if c.name not in used and c.role in (Role.META, Role.OTHER)]
    named = [c for c in free if may_be_label(c.name) and may_label(c)]
    few = [c for c in free if _is_kind(c) or (c.role is Role.OTHER and c.is_score)]
    crowded = [c for c in profile.of(Role.LABEL) if c.name not in used and is_sure_label(c.name) and not c.is_prose]
    draft.notes += [f"{c.name!r} holds too many different values to be taken for the label." for c in crowded]
    if not named and not few and not crowded:
        return ""
    draft.confirm[LABEL_COLUMN] = None
    if not named:
        return ""
    _score(named[0], draft)
    return named[0].name


def _is_kind(column: Column) -> bool:
    """Whether it has a few values that come again and a name that may stand for a label."""
    if column.role is not Role.OTHER and not _KINDS & set(normal(column.name).split("_")):
        return False
    return not column.many and 2 <= len(column.values) <= min(_MOST_KINDS, (column.filled + 1) // 2)


def _score(column: Column, draft: _Draft) -> None:
    if column.is_score:
        draft.thresholds[column.name] = None


def _says(column: Column, policy: Policy | None) -> bool:
    """Whether nearly all values are words that say what is right, whatever the column's name."""
    if column.role in (Role.MODEL, Role.ID, Role.GROUP, Role.ORDER) or column.many or not column.values:
        return False
    if column.is_flag or len(column.values) > max(3, column.filled // 2):
        return False
    sure = sum(n for value, n in column.values.items() if _has_a_side(value, policy))
    return sure >= _SHARE_OF_WORDS * sum(column.values.values())


def _has_a_side(value: str, policy: Policy | None) -> bool:
    meaning = meaning_of(value, policy)
    return bool(meaning and meaning.decision) or suggested(value, "", policy) is not None


def _id(profile: Profile, used: set[str]) -> str:
    columns = [
        c for c in profile.of(Role.ID) if c.name not in used and normal(c.name) not in ("", "index", "number", "no")
    ]
    return columns[0].name if columns else ""


def _is_tag(column: Column) -> bool:
    unwanted = (Role.MODEL, Role.TEXT, Role.PROMPT, Role.RESPONSE, Role.TURNS, Role.ID)
    if not column.filled or column.role in unwanted or normal(column.name) in _NO_TAGS:
        return False
    return (
        not column.many and not column.is_score and not _UNNAMED.match(column.name) and column.name != promptfoo.CHECKS
    )


def _unnamed(table: Table, profile: Profile, used: set[str], draft: _Draft) -> None:
    """Texts in columns without a name, right of the others: often the end of a text whose delimiter was not quoted."""
    if not table.read.header:
        return
    names = [*profile.columns]
    last = max((names.index(name) for name in used if name in names), default=0)
    spilt = [c for c in profile.columns.values() if _UNNAMED.match(c.name) and c.filled and names.index(c.name) > last]
    if spilt:
        draft.confirm[UNNAMED] = None
        draft.notes.append(f"Columns without a name hold something: {', '.join(c.name for c in spilt)}.")


def _unmapped(profile: Profile, used: set[str]) -> dict[str, str]:
    """Every column that is left out, and why."""
    reasons = {
        Role.MODEL: "what a model answered, not what people said",
        Role.ID: "numbers the rows",
        Role.LABEL: "another column says what is right",
        Role.META: "it tells about the row, not what is right",
    }
    found = {}
    for column in profile.columns.values():
        if column.name in used:
            continue
        if not column.filled:
            found[column.name] = "it is empty"
        elif column.role is Role.LABEL and column.is_prose:
            found[column.name] = "it holds sentences, not labels"
        elif column.role in reasons:
            found[column.name] = reasons[column.role]
        elif column.name == promptfoo.CHECKS:
            found[column.name] = "assertions that do not name the right answer"
        else:
            found[column.name] = "its role is not known, and its values are no tags"
    return found
