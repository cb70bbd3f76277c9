"""Rules about label codes: used and not defined, defined and not used, nearly right, and steps that lead nowhere."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator

from studio.core.contract import writes_contract
from studio.core.labels import LabelDecision
from studio.core.lint.codes import RANGE, Codes, Use, read_codes
from studio.core.lint.document import CODE, Document
from studio.core.lint.examples import Example
from studio.core.lint.finding import Edit, Finding, Severity
from studio.core.lint.headings import Role
from studio.core.policy import OutputForm

_CALLED = re.compile(
    r"(?<![A-Za-z])(?:label|category|code|labels|categories|codes|as|return|answer)\b\W{0,4}\Z", re.IGNORECASE
)
_NEAR = 80
_LISTS = re.compile(
    r"\b(?:return|answer|respond|reply|output|print|choose|select|pick|assign|label|labels|one of|categories)\b",
    re.IGNORECASE,
)
_STEP = re.compile(
    r"\b(?P<verb>downgrade|upgrade|lower|raise|increase|decrease|reduce|drop|bump)(?:d|s"
    r"|ing)?\b[^.\n]{0,40}?\b(?:severity|level|label|tier|category)\b"
    r"[^.\n]{0,24}?\bby\s+(?P<by>\d|one|two|three)\b"
    r"|\b(?P<verb2>downgrade|upgrade|lower|raise|increase|decrease|reduce|drop|bump)(?:d|s"
    r"|ing)?\b[^.\n]{0,40}?\b(?:by\s+)?(?P<by2>\d|one|two|three)\s+(?:\w+\s+)?(?:level|step|severity|tier|label)s?\b",
)
_NUMBERS = {"one": 1, "two": 2, "three": 3}
_DOWN = {"downgrade", "lower", "decrease", "reduce", "drop"}
_LEVELS = re.compile(
    r"\b(?:severity|level|tier)[ -]?(?:level )?\d\b|\blow\b[^.\n]{0,30}\bmedium\b[^.\n]{0,30}\b(?:high|severe)\b"
    r"|\bminor\b[^.\n]{0,30}\b(?:moderate|major|severe)\b",
    re.IGNORECASE,
)


def label_rules(doc: Document, found: tuple[Example, ...]) -> Iterator[Finding]:
    """All findings of this family."""
    codes = read_codes(doc)
    yield from _undefined(doc, codes, [(one.answer_at, one.end) for one in found if one.answer_at])
    yield from _rules(doc, codes)
    yield from _unused(doc, codes)
    yield from _answers(doc, codes, found)
    yield from _steps(doc, codes)


def _undefined(doc: Document, codes: Codes, answers: list[tuple[int, int]]) -> Iterator[Finding]:
    """Codes that the text uses and nothing defines, with those that are nearly right told apart.

    ``answers`` are the places where examples are answered: a code there is meant as a label for sure.
    """
    told = set()
    for use in codes.uses:
        if (use.label in codes.labels and use.family in codes.families) or use.family in codes.templates:
            continue
        name = doc.text[use.start : use.end]
        answered = any(start <= use.start < end for start, end in answers)
        near = _near(use, codes, 1 if answered else 2)
        if near:
            yield _near_miss(doc, codes, use, near)
        elif use.label in codes.labels:
            continue
        elif use.family in codes.families and use.label not in told:
            told.add(use.label)
            yield doc.finding(
                "label-undefined", Severity.ERROR, (use.start, use.end), f"{name} is used and nothing defines it.",
                reason="The model can answer with a label whose meaning it has to guess.",
                advice="Define the label or use one that is defined.",
            )  # fmt: skip
        elif use.family not in codes.families and use.label not in told and (answered or _answers_with(doc, use)):
            told.add(use.label)
            yield doc.finding(
                "label-undefined", Severity.ERROR, (use.start, use.end), f"{name} is named as a label and "
                    f"nothing defines it.",
                reason="The model can answer with a label whose meaning it has to guess.", advice="Define the label.",
            )  # fmt: skip


def _answers_with(doc: Document, use: Use) -> bool:
    """Whether a code of no known family is clearly meant as a label."""
    line = doc.line_at(use.start)
    before = doc.text[max(line.start, use.start - _NEAR) : use.start]
    if use.strong or use.weak:
        return False
    arrow = re.search(r"(?:->|\u2192|=>)\s*[*`_]*\Z", before) is not None
    return arrow or (
        _CALLED.search(before) is not None
        and re.search(r"(?<![A-Za-z])(?:label|category|code)\b", before, re.I) is not None
    )


def _near(use: Use, codes: Codes, least: int) -> str:
    """The defined family that this one is a slip of: same letters with other joints, or one letter more or less.

    A family of fewer than ``least`` letters is none: "A4" is a size of paper.
    """
    if use.family in codes.families:
        return ""
    bare = re.sub(r"[-_]", "", use.family)
    for family in sorted(codes.families):
        other = re.sub(r"[-_]", "", family)
        known = family in codes.templates or f"{family}{use.number}" in codes.labels
        if not known or min(len(bare), len(other)) < least:
            continue
        longer, shorter = (bare, other) if len(bare) > len(other) else (other, bare)
        dropped = len(longer) == len(shorter) + 1 and any(
            longer[:i] + longer[i + 1 :] == shorter for i in range(len(longer))
        )
        swapped = len(bare) == len(other) and bare != other and sorted(bare) == sorted(other)
        if bare == other or dropped or swapped:
            return family
    return ""


def _near_miss(doc: Document, codes: Codes, use: Use, family: str) -> Finding:
    name = doc.text[use.start : use.end]
    right = f"{family}{name[len(use.family) :]}"
    defined = f"{family}#" if family in codes.templates else f"{family}{use.number}"
    return doc.finding(
        "label-near-miss", Severity.ERROR, (use.start, use.end), f"{name} is not defined; {defined} is.",
        reason="Two spellings of one label: the model copies the one that it saw last, and answers no longer "
            "match the labels.",
        advice=f"Write {right}.", fix=(Edit(use.start, use.end, right),),
    )  # fmt: skip


def _rules(doc: Document, codes: Codes) -> Iterator[Finding]:
    """Rules such as SP2.c that are cited and do not exist, where the label's other rules do."""
    defined: dict[str, set[str]] = defaultdict(set)
    for use in codes.uses:
        if use.rule and use.strong:
            defined[use.label].add(use.rule.casefold())
    told = set()
    for use in codes.uses:
        key = (use.label, use.rule.casefold())
        if (
            use.rule
            and not use.strong
            and defined.get(use.label)
            and key[1] not in defined[use.label]
            and key not in told
        ):
            told.add(key)
            yield doc.finding(
                "rule-undefined", Severity.ERROR, (use.start, use.end), f"There is no rule "
                    f"{doc.text[use.start : use.end]}.",
                reason=f"{use.label} has the rules {', '.join(sorted(defined[use.label]))}.",
                advice="Cite a rule that exists, or write this one.",
            )  # fmt: skip


def _unused(doc: Document, codes: Codes) -> Iterator[Finding]:
    """Declared labels that the text never names, and defined ones that the list of answers leaves out."""
    folded = doc.text.casefold()
    coded = {use.label.casefold() for use in codes.uses}
    missing = [
        label for label in doc.policy.labels
        if label.id.casefold() not in coded and not re.search(rf"(?<!\w){re.escape(label.id.casefold())}(?!\w)", folded)
    ]  # fmt: skip
    in_text = {use.family for use in codes.uses} | codes.templates
    for label in missing:
        if any(re.sub(r"\d+$", "", label.id) == family for family in codes.templates) or (
            not in_text and not label.name
        ):
            continue
        if doc.policy.form in (OutputForm.VALID_INVALID, OutputForm.BINARY) and not coded:
            continue
        yield doc.finding(
            "label-unused", Severity.WARNING, doc.top, f"The label {label.id} is defined and the text never "
                f"mentions it.",
            reason="The model is offered the label and told no rule for "
                "it.", advice="Write its rules, or delete the label.",
        )  # fmt: skip
    yield from _unlisted(doc, codes)
    if not doc.policy.labels and writes_contract(doc.policy):
        yield from _none(doc)


def _none(doc: Document) -> Iterator[Finding]:
    """A policy without labels, whose answer the studio asks for."""
    advice = "Define at least one label that allows and one that violates, in the text or under Labels and answer."
    if doc.policy.form is OutputForm.LABEL:
        yield doc.finding(
            "labels-missing", Severity.ERROR, doc.top, "The policy defines no labels, so no answer can be asked for.",
            reason="The answer names a label, and there is none.", advice=advice,
        )  # fmt: skip
    elif doc.policy.form in (OutputForm.CATEGORY_JSON, OutputForm.RATIONALE_JSON):
        yield doc.finding(
            "labels-missing", Severity.WARNING, doc.top, "The policy defines no labels.",
            reason="Answers say only whether the policy is violated, and not by what; nothing can be sent to a person.",
            advice=advice,
        )  # fmt: skip


def _unlisted(doc: Document, codes: Codes) -> Iterator[Finding]:
    """Labels with a definition of their own that the one list of possible answers leaves out."""
    listed: dict[str, set[str]] = {}
    places: dict[str, tuple[int, int]] = {}
    by_line: dict[int, list[Use]] = defaultdict(list)
    for use in codes.uses:
        by_line[doc.line_at(use.start).number].append(use)
    for number, uses in by_line.items():
        line = doc.lines[number]
        same = {use.label for use in uses if not use.rule and not use.strong}
        if (
            line.role is Role.EXAMPLES
            or len(same) < 2
            or not _LISTS.search(line.text)
            or not re.search(r"\bone of\b|[:{(\[]", line.text)
        ):
            continue
        if any(RANGE.fullmatch(doc.text, a.end, b.start) for a, b in zip(uses, uses[1:], strict=False)):
            return
        if re.search(r"\b(?:if|when|unless|over|overrides?|precedence|then|wins?)\b", line.text, re.IGNORECASE):
            continue
        for use in uses:
            listed.setdefault(use.family, set()).add(use.label)
            places.setdefault(use.family, (line.body, line.end))
    own = {use.label: use for use in codes.uses if use.strong and not use.rule}
    for label, use in own.items():
        if use.family in listed and label not in listed[use.family] and label in codes.labels:
            yield doc.finding(
                "label-unlisted", Severity.WARNING, places[use.family], f"{label} is defined, and this list of "
                    f"answers leaves it out.",
                reason="The model is told rules for a label that it may not answer with.",
                advice=f"Add {label} to the list, or delete it.",
            )  # fmt: skip


def _answers(doc: Document, codes: Codes, found: tuple[Example, ...]) -> Iterator[Finding]:
    """Examples answered with a word in capitals that the text offers nowhere."""
    said = doc.prose
    for one in found:
        bare = re.match(r"[A-Z][A-Z_]{3,20}\b", one.raw_answer)
        if bare is None or not one.answer_at or doc.policy.label(bare.group()) is not None:
            continue
        if one.side is None and not re.search(rf"(?<!\w){re.escape(bare.group())}(?!\w)", said, re.IGNORECASE):
            yield doc.finding(
                "label-undefined", Severity.ERROR, (one.answer_at, one.answer_at + len(bare.group())),
                f"The example is answered with {bare.group()}, and nothing in the policy offers that answer.",
                reason="Examples are followed before rules: the model will answer so too.",
                advice="Define that answer or use one that is defined.",
            )  # fmt: skip


def _steps(doc: Document, codes: Codes) -> Iterator[Finding]:
    """Steps of severity ("downgrade by 1") that lead from a defined label to none."""
    for match in _STEP.finditer(doc.folded_prose):
        verb, by = match["verb"] or match["verb2"], match["by"] or match["by2"]
        step = _NUMBERS.get(by.casefold()) or (int(by) if by.isdigit() else 0)
        down = verb.casefold() in _DOWN
        bad = _nowhere(doc, codes, -step if down else step)
        if bad:
            yield doc.finding(
                "severity-step", Severity.ERROR, match.span(), f"This step leads to no label: {bad}.",
                reason="The model will answer with a label that does not exist, or choose one by itself.",
                advice="Name the label that the step leads to, for each label it starts from.",
            )  # fmt: skip


def _nowhere(doc: Document, codes: Codes, step: int) -> str:
    """Where the step goes wrong, in words; empty when every step leads to a label."""
    aside = {label.id for label in doc.policy.labels if label.decision is LabelDecision.REVIEW}
    graded = [label.severity for label in doc.policy.labels if label.severity is not None and label.id not in aside]
    if len(set(graded)) > 1:
        low, high = min(graded), max(graded)
        for value in sorted(set(graded)):
            if low <= value + step <= high and value + step not in graded:
                return f"from severity {value} to {value + step}, which no label has"
        return ""
    families: dict[str, set[int]] = defaultdict(set)
    for label_id in codes.labels:
        match = CODE.fullmatch(label_id)
        if match and label_id not in aside:
            families[match["family"]].add(int(match["number"]))
    for family, numbers in sorted(families.items()):
        for number in sorted(numbers):
            target = number + step
            if step > 0 and number == 0:
                # What is fine has no severity to raise.
                continue
            if target not in numbers and min(numbers) <= target <= max(numbers):
                return f"from {family}{number} to {family}{target}"
    if not families and not codes.templates and not _LEVELS.search(doc.text):
        return "the policy defines no levels of severity"
    return ""
