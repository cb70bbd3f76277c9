"""Making policies out of policies: several merged into one, one split by its labels, and one laid out from a guideline.

Nothing is invented and nothing is lost without being told: what the texts do not say is marked as missing, and what a
step costs stands in its notes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain

from studio.core.errors import PolicyError
from studio.core.labels import Label, LabelDecision, with_decision
from studio.core.lint.document import Document, Line
from studio.core.lint.examples import read_examples
from studio.core.lint.headings import Role, Side, heading
from studio.core.policy import Effort, Policy

MERGE_COST = (
    "Several policies in one prompt cost accuracy: with all of them asked at once, the published exact match "
    "was 43.6 % "
    "for the 20b model and 46.3 % for the 120b. One call for each policy is the default for that reason."
)
_EFFORTS = list(Effort)
_HASHES = re.compile(r"^( {0,3})(#{1,6})(?=[ \t])")
_SENTENCE = re.compile(r"(?<=[.!?])[\"'”’)]*\s+(?=[\"'“‘(]?[A-Z0-9])")
_MARK = re.compile(r"^\s*(?:[-*+•–]|\(?\d{1,2}[.)])\s+")
_FORBIDS = re.compile(
    r"\b(?:no(?!t only\b|body\b|w\b) \w+|not (?:be )?(?:allowed|permitted|tolerated|accepted|acceptable|welcome)"
    r"|never|must not|mustn't|may not"
    r"|(?:do|does|should|can)(?:n't| not)|cannot|won't tolerate|prohibit\w*|forbid\w*|banned|(?:is|are|gets?"
    r"|will be|may be) removed"
    r"|we (?:will )?(?:remove|delete|ban)|violat\w+|avoid|refrain)\b",
    re.IGNORECASE,
)
_ALLOWS = re.compile(
    r"\b(?:(?:is|are) (?!not\b)(?:\w+ )?(?:allowed|permitted|fine|ok|okay|welcome|acceptable|encouraged)"
    r"|you (?:may|can)"
    r"|feel free|we (?:allow|welcome))\b",
    re.IGNORECASE,
)
_DEFINES = re.compile(r"\b(?:means|refers to|is defined as|we define|by \S+ we mean)\b", re.IGNORECASE)
_APPEALS = re.compile(r"\bappeals?\b|\bgot (?:it|this) wrong\b|\bmistake\b|\bdisagree with\b", re.IGNORECASE)
_ESCALATES = re.compile(
    r"\b(?:report|contact|ask|write to|appeal)\b.*\b(?:moderators?|admins?|team"
    r"|us)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Composed:
    """A policy that was made out of others. ``notes`` say what it costs and what a person has to look at."""

    policy: Policy
    notes: tuple[str, ...]


def merge(policies: Sequence[Policy], *, policy_id: str, title: str) -> Composed:
    """Several policies as one: each text under a heading with its title, its own headings one level deeper.

    Raises PolicyError when there are fewer than two, when two define one label differently, or when they ask for
    different forms of answer.
    """
    if len(policies) < 2:
        raise PolicyError("There is nothing to merge.", hint="Name at least two policies.")
    first = policies[0]
    for other in policies[1:]:
        if (other.form, other.position) != (first.form, first.position):
            raise PolicyError(
                f"{first.title!r} asks for the answer {first.form.value} ({first.position.value}) and "
                f"{other.title!r} for {other.form.value} ({other.position.value}).",
                hint="Give them one form of answer first: with two the model mixes them.",
            )
    text = "\n\n".join(f"# {policy.title}\n\n{_deeper(policy.text).strip()}" for policy in policies) + "\n"
    below = [policy.review_below for policy in policies if policy.review_below is not None]
    merged = replace(
        first,
        id=policy_id,
        title=title,
        text=text,
        labels=_labels(policies),
        effort=max((policy.effort for policy in policies), key=_EFFORTS.index),
        review_below=max(below, default=None),
        summary="",
        tags=tuple(dict.fromkeys(chain.from_iterable(policy.tags for policy in policies))),
        jurisdictions=tuple(dict.fromkeys(chain.from_iterable(policy.jurisdictions for policy in policies))),
        content_kinds=tuple(dict.fromkeys(chain.from_iterable(policy.content_kinds for policy in policies))),
        license="; ".join(dict.fromkeys(policy.license for policy in policies if policy.license)),
        source="; ".join(dict.fromkeys(policy.source for policy in policies if policy.source)),
    )
    notes = [MERGE_COST, "Nothing says yet which policy wins where several apply: write it at the top."]
    allowing = [label.id for label in with_decision(merged.labels, LabelDecision.ALLOW)]
    if len(allowing) > 1:
        notes.append(
            f"There are several labels for what is allowed ({', '.join(allowing)}): say which one is answered."
        )
    if len({policy.language for policy in policies}) > 1:
        notes.append(f"The policies are in different languages; the merged one is marked {first.language}.")
    return Composed(merged, tuple(notes))


def split_by_label(policy: Policy) -> tuple[Composed, ...]:
    """One policy for each violating label: the blocks and examples of the other violating labels are left out.

    Everything else stays as it is. Raises PolicyError when there are fewer than two violating labels, or when one of
    them has no lines of its own.
    """
    violating = with_decision(policy.labels, LabelDecision.VIOLATE)
    if len(violating) < 2:
        raise PolicyError(
            f"{policy.title!r} has {'one violating label' if violating else 'no violating labels'}: nothing to split.",
            hint="Only a policy with several violating labels can be split by them.",
        )
    doc = Document(policy)
    return tuple(_only(doc, label, violating) for label in violating)


def from_guideline(text: str, *, policy_id: str, title: str) -> Composed:
    """A guideline's own sentences laid out in the four sections, each where its words put it, with the gaps marked.

    Raises PolicyError when the text is empty.
    """
    if not text.strip():
        raise PolicyError("The guideline is empty.", hint="Paste its text.")
    placed: dict[str, list[str]] = {"definitions": [], "violates": [], "allowed": [], "review": [], "rest": []}
    for unit, side in _units(text):
        placed[_place(unit, side)].append(unit)
    gaps = ["the instruction", "the precedence", "the examples"]
    named = {"definitions": "the definitions", "violates": "what violates", "allowed": "what is allowed"}
    gaps += [name for key, name in named.items() if not placed[key]]
    labels = [
        Label("V0", LabelDecision.ALLOW, "No violation", 0),
        Label("V1", LabelDecision.VIOLATE, "Violation", 2),
    ]
    if placed["review"]:
        labels.append(Label("V9", LabelDecision.REVIEW, "Needs review", 1))
    notes = [f"Missing in the guideline and marked so: {', '.join(gaps)}."]
    if placed["rest"]:
        notes.append(f"{len(placed['rest'])} sentences are neither a rule nor a definition; they stand at the end.")
    notes.append('The sides were read from words such as "no" and "welcome". Please check every rule.')
    return Composed(Policy(policy_id, title, _laid_out(placed), tuple(labels)), tuple(notes))


def _deeper(text: str) -> str:
    """The text with its Markdown headings one level deeper, but not those inside fenced blocks."""
    fenced, lines = False, []
    for line in text.split("\n"):
        if line.lstrip().startswith(("```", "~~~")):
            fenced = not fenced
        match = None if fenced else _HASHES.match(line)
        lines.append(f"{match[1]}#{line[len(match[1]) :]}" if match and len(match[2]) < 6 else line)
    return "\n".join(lines)


def _labels(policies: Sequence[Policy]) -> tuple[Label, ...]:
    """All labels once. Raises PolicyError where one id means two things."""
    found: dict[str, tuple[Label, Policy]] = {}
    for policy in policies:
        for label in policy.labels:
            known, owner = found.setdefault(label.id.casefold(), (label, policy))
            if known != label:
                raise PolicyError(
                    f"{owner.title!r} and {policy.title!r} both define the label {label.id}, each in its own way.",
                    hint="Rename it in one of them, in its text too.",
                )
    return tuple(label for label, _ in found.values())


def _only(doc: Document, kept: Label, violating: Sequence[Label]) -> Composed:
    """The policy for one of its violating labels."""
    policy = doc.policy
    others = {label.id.casefold() for label in violating if label.id != kept.id}
    if not any(line.label.casefold() == kept.id.casefold() for line in doc.lines):
        raise PolicyError(
            f"The text of {policy.title!r} has no lines of its own for the label {kept.id}.",
            hint="Begin its rules with its code, such as SP2 or SP2.a.",
        )
    gone = {line.number for line in doc.lines if line.role is not Role.EXAMPLES and line.label.casefold() in others}
    dropped = 0
    for example in read_examples(doc):
        if example.answer in others:
            dropped += 1
            gone |= set(
                range(doc.line_at(example.start).number, doc.line_at(max(example.start, example.end - 1)).number + 1)
            )
    text = "".join(doc.text[line.start : _next(doc, line)] for line in doc.lines if line.number not in gone)
    labels = tuple(
        label for label in policy.labels if label.id == kept.id or label.decision is not LabelDecision.VIOLATE
    )
    left = [line.number + 1 for line in Document(replace(policy, text=text)).lines if _names(line, others)]
    notes = [
        f"One of {len(violating)} policies: a content is now judged {len(violating)} times, each time by a "
        f"shorter policy, "
        "which published measurements favour. Which verdict wins is then decided outside the policies.",
    ]
    if dropped:
        told = "One example of another label was" if dropped == 1 else f"{dropped} examples of other labels were"
        notes.append(f"{told} left out: what is right under {kept.id} alone, nobody has said.")
    if left:
        notes.append(f"These lines still name labels of the other policies: {', '.join(map(str, left))}.")
    made = replace(
        policy,
        id=f"{policy.id}-{_slug(kept.id)}",
        title=f"{policy.title}: {kept.name or kept.id}",
        text=text,
        labels=labels,
    )
    return Composed(made, tuple(notes))


def _next(doc: Document, line: Line) -> int:
    return doc.lines[line.number + 1].start if line.number + 1 < len(doc.lines) else len(doc.text)


def _names(line: Line, ids: set[str]) -> bool:
    return any(re.search(rf"(?<![\w-]){re.escape(one)}(?![\w-])", line.text, re.IGNORECASE) for one in ids)


def _slug(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", name.casefold()).strip("-") or "label"


def _units(text: str) -> Iterator[tuple[str, Side | None]]:
    """The guideline's sentences and list items, with what the heading over them says."""
    side: Side | None = None
    lines = text.replace("\r\n", "\n").split("\n")
    for number, line in enumerate(lines):
        found = heading(line, lines[number + 1] if number + 1 < len(lines) else "")
        if found is not None and found.rest is None:
            side = found.side
            if found.title:
                yield f"## {found.title}", None
            continue
        if not any(char.isalnum() for char in line):
            continue
        bare = _MARK.sub("", line).strip()
        for unit in [bare] if _MARK.match(line) else _SENTENCE.split(bare):
            yield unit.strip(), side


def _place(unit: str, side: Side | None) -> str:
    """Which section a sentence goes to: by its own words, else by the heading over it."""
    if unit.startswith("## "):
        return "rest"
    if _DEFINES.search(unit):
        return "definitions"
    forbids, allows = _FORBIDS.search(unit) is not None, _ALLOWS.search(unit) is not None
    if forbids and not allows:
        return "violates"
    if allows and not forbids:
        return "allowed"
    if _ESCALATES.search(unit) and not _APPEALS.search(unit):
        return "review"
    return {Side.VIOLATES: "violates", Side.SAFE: "allowed", Side.REVIEW: "review", None: "rest"}[side]


def _laid_out(placed: dict[str, list[str]]) -> str:
    """The sections with their sentences as numbered rules."""
    parts = [
        "# Instruction\n[Missing: say what the model is to decide about what, and which rule wins when several apply]",
        "# Definitions\n"
        + ("\n".join(f"- {unit}" for unit in placed["definitions"]) or "[Missing: define the terms that decide]"),
        "# Criteria\n## Violates\n" + (_rules("V1", placed["violates"]) or "[Missing: say what violates]"),
        "## Allowed\n" + (_rules("V0", placed["allowed"]) or "[Missing: say what looks similar and is allowed]"),
    ]
    if placed["review"]:
        parts.append("## Needs review\n" + _rules("V9", placed["review"]))
    parts.append("# Examples\n[Missing: 4 to 6 short examples near the boundary, of both kinds, each with its label]")
    if placed["rest"]:
        rest = "\n".join(unit[3:] if unit.startswith("## ") else unit for unit in placed["rest"])
        parts.append(f"# From the guideline, not yet placed\n{rest}")
    return "\n\n".join(parts) + "\n"


def _rules(label: str, units: list[str]) -> str:
    return "\n".join(f"- {label}.{_letters(number)}: {unit}" for number, unit in enumerate(units))


def _letters(number: int) -> str:
    """The letters that number a rule: a to z, then aa and on, for 0 and on."""
    name = ""
    number += 1
    while number:
        number, rest = divmod(number - 1, 26)
        name = chr(ord("a") + rest) + name
    return name
