"""Public sets that are known by their columns: what each column is, and the trap in it.

- OpenAI moderation 2022: a key that is absent is unknown, which is not 0.
- ToxicChat: ``human_annotation`` says who labelled, not what; what is judged is the user's input, not the answer.
- HarmBench: no label, as all its behaviours are harmful; some need their context.
- The studio's own export: everything as it was.
"""

from __future__ import annotations

from collections.abc import Callable

from studio.core.labels import Decision
from studio.core.policy import ContentKind, Policy
from studio.exchange.labelled.mapping import MACHINE_LABELS, Item, Mapping, Read
from studio.exchange.labelled.names import normal
from studio.exchange.labelled.own import COLUMNS, LATER, STUDIO
from studio.exchange.labelled.profile import Profile
from studio.exchange.labelled.values import Meaning, meaning_of

_MODERATION = ("S", "H", "V", "HR", "SH", "S3", "H2", "V2")
_VIOLATES, _ALLOWED = Meaning(Decision.VIOLATES), Meaning(Decision.ALLOWED)


def known(profile: Profile, read: Read, policy: Policy | None) -> Mapping | None:
    """The mapping of a known set, None when the columns are none of theirs."""
    names = {normal(name): name for name in profile.columns}
    makers: tuple[Callable[[Profile, dict[str, str], Read, Policy | None], Mapping | None], ...] = (
        _studio,
        _moderation,
        _toxic_chat,
        _harmbench,
    )
    return next((found for maker in makers if (found := maker(profile, names, read, policy)) is not None), None)


def _studio(profile: Profile, names: dict[str, str], read: Read, policy: Policy | None) -> Mapping | None:
    if not set(COLUMNS) - set(LATER) <= profile.columns.keys():
        return None
    return Mapping(STUDIO, read, (Item(label="expected", codes="labels"),), notes=("An export of this studio.",))


def _moderation(profile: Profile, names: dict[str, str], read: Read, policy: Policy | None) -> Mapping | None:
    present = tuple(key for key in _MODERATION if key in profile.columns)
    text = next((names[name] for name in ("prompt", "text") if name in names), "")
    if (
        len(present) < 3
        or not text
        or not all(profile.columns[key].is_flag for key in present if profile.columns[key].filled)
    ):
        return None
    values: dict[str, Meaning | None] = {}
    for key in _MODERATION:
        own = meaning_of(key, policy)
        labelled = own is not None and own.decision is Decision.VIOLATES
        values[f"{key}=1"] = own if labelled else _VIOLATES
        values[f"{key}=0"] = _ALLOWED
    rest = {name: "not part of the set as published" for name in profile.columns if name not in (*present, text)}
    return Mapping(
        "openai_moderation_2022",
        read,
        (Item(text=text, flags=_MODERATION),),
        values,
        unmapped=rest,
        notes=(
            "An absent key is unknown: an item violates when one of its keys is 1, is allowed when all eight are 0, "
            "and is unknown otherwise.",
        ),
    )


def _toxic_chat(profile: Profile, names: dict[str, str], read: Read, policy: Policy | None) -> Mapping | None:
    if not {"user_input", "toxicity"} <= names.keys() or not profile.columns[names["toxicity"]].is_flag:
        return None
    text, label = names["user_input"], names["toxicity"]
    tags = tuple(names[name] for name in ("jailbreaking", "human_annotation") if name in names)
    own = meaning_of("toxicity", policy)
    people = profile.columns[names["human_annotation"]] if "human_annotation" in names else None
    by_machine = people is not None and any(value.casefold() in ("false", "0") for value in people.values)
    reasons = {
        "model_output": "the answer of a chat model; the label is about the user's input",
        "openai_moderation": "the scores of a classifier, not what people said",
        "conv_id": "kept as the id",
    }
    return Mapping(
        "toxic_chat",
        read,
        (Item(text=text, label=label),),
        {"1": own if own is not None and own.decision is Decision.VIOLATES else _VIOLATES, "0": _ALLOWED},
        confirm={MACHINE_LABELS: None} if by_machine else {},
        tags=tags,
        id=names.get("conv_id", ""),
        unmapped={
            name: reasons.get(normal(name), "not part of the label")
            for name in profile.columns
            if name not in (text, label, *tags)
        },
        notes=("human_annotation says whether a person set the label; it is not the label.",),
    )


def _harmbench(profile: Profile, names: dict[str, str], read: Read, policy: Policy | None) -> Mapping | None:
    if "behavior" not in names or not names.keys() & {"context_string", "behavior_id"} or "image_file_name" in names:
        return None
    text, context = names["behavior"], names.get("context_string", "")
    tags = tuple(names[name] for name in ("functional_category", "semantic_category", "tags") if name in names)
    return Mapping(
        "harmbench",
        read,
        (Item(ContentKind.MESSAGE, text=text, context=context, constant="harmful"),),
        {"harmful": _VIOLATES},
        tags=tags,
        id=names.get("behavior_id", ""),
        unmapped={
            name: "not part of the set as published"
            for name in profile.columns
            if name not in (text, context, names.get("behavior_id", ""), *tags)
        },
        notes=("The set has no label: all behaviours in it are harmful, as its authors publish it.",),
    )
