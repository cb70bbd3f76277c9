"""What a plain-text policy says about itself: its title, its labels and what they decide, and the answer it asks for.

Nothing is invented: a label whose decision the text does not tell is left out and named in the notes, for a person to
settle. The text itself is never changed.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass

from studio.core.answers.normal import plain, unmarked
from studio.core.contract import carries_output
from studio.core.labels import Label, LabelDecision
from studio.core.policy import OutputForm, OutputPosition

_ID = r"(?:[A-Z]{1,2}-)?[A-Z]{1,4}-?\d{1,2}"
_DEFINED = re.compile(
    rf"^[^\w\n]*(?:\d{{1,2}}[.)]\s+)?(?:(?:label|category|code|level)\s+)?(?P<id>{_ID})(?P<rule>\.\w{{1,3}})?"
    r"(?=\s*(?:[:)|=(-]|$|\s[A-Z\"']))\s*(?P<rest>.*)$",
    re.IGNORECASE,
)
_NAMED = re.compile(
    rf"[(\[]#?(?P<first>{_ID})(?:\s*(?:-|to|\u2026|\.\.+)\s*(?P<last>{_ID}))?(?P<more>(?:\s*,\s*{_ID})*)(?=\s*[)\]:,-])"
)
_DIGITS = "0123456789"
# A table says in a cell of its own what a code decides.
_CELL_WORDS = 4
_CELL_REVIEW = re.compile(r"(?:manual |human )?review|escalate|escalation|hold", re.IGNORECASE)
_CAPITAL = r"[\"'`*]*[A-Z][A-Z_]{1,19}[\"'`*]*"
_WORDS_ASKED = re.compile(
    r"\b(?i:answer|respond|reply|return|output|print)\b[^\n.]{0,60}?[:\s]\s*"
    rf"(?P<words>{_CAPITAL}(?:\s*(?:,|/|\||\bor\b)\s*(?:or\s+)?{_CAPITAL}){{1,4}})"
)
_WORD_DECIDES = {
    **dict.fromkeys(("KEEP", "ALLOW", "ALLOWED", "APPROVE", "APPROVED", "PASS", "SAFE"), LabelDecision.ALLOW),
    **dict.fromkeys(
        ("REMOVE", "REMOVED", "BLOCK", "BLOCKED", "DELETE", "REJECT", "DENY", "BAN", "UNSAFE", "VIOLATES"),
        LabelDecision.VIOLATE,
    ),
    **dict.fromkeys(("HOLD", "REVIEW", "ESCALATE"), LabelDecision.REVIEW),
}
_UNDERLINE = re.compile(r"^\W{3,}$")
_SHEBANG = re.compile(r"^#{1,6}\s+(?P<title>.*?)[\s#]*$")
_OUTPUT_LINE = re.compile(
    r"^\W*(?:output|return|answer|decision|classification)\s*:\s*(?P<what>.{1,200})$", re.IGNORECASE
)
_ALLOW = re.compile(
    r"\b(?:not\s+(?:a\s+)?violat\w*|non-?\s?violat\w*|does\s+not\s+violate|no\s+violation|not\s+(?:spam|fraud|harmful|hate)|non-?\s?spam"
    r"|safe|allowed|allow|permitted|acceptable|valid|legitimate|benign|compliant|not\s+prohibited"
    r"|nicht\s+(?:verboten|unzulässig)|erlaubt|zulässig|autorisé\w*|permitid[oa]s?|consentit[oi])\b",
    re.IGNORECASE,
)
_VIOLATE = re.compile(
    r"\b(?:invalid|violat(?:es|ing|ions?|e)|unsafe|prohibited|disallowed|forbidden|not\s+(?:allowed|safe|permitted|acceptable|valid)"
    r"|unacceptable|blocked?|banned|removed?|verboten|unzulässig|nicht\s+(?:erlaubt|zulässig)|interdit\w*"
    r"|non\s+autorisé\w*|prohibid[oa]s?|proibid[oa]s?|n(?:o|ão)\s+permitid[oa]s?|vietat[oi]|non\s+consentit[oi])\b",
    re.IGNORECASE,
)
_REVIEW = re.compile(
    r"\b(?:needs?\s+review|manual\s+review|human\s+review|for\s+review|review\s+(?:queue|label|needed)|needs?\s+a\s+person"
    r"|(?:to|by)\s+a\s+person|a\s+person\s+decides|ambiguous|^escalate|escalation\s+label"
    r"|prüfung\s+durch|grauzone|zweifelsfälle|eskalation|vérification\s+humaine|revisión\s+humana|revisão\s+humana)\b",
    re.IGNORECASE,
)
_CAPITALS = re.compile(r"\b(?:IN)?VALID\b|\bESCALATE\b")
_PLAIN_NAME = re.compile(
    r"(?:safe|allowed|permitted|acceptable|benign|compliant|no violation|not a violation|non-?violat\w*"
    r"|not (?:spam|fraud|hate|harmful)|non-?spam|violat\w+|prohibited|disallowed|unsafe|needs? review|human review"
    r"|manual review|ambiguous)\b(?=\s*(?:$|content\b|posts?\b|messages?\b|material\b|use\b|[-,:;(/]))",
    re.IGNORECASE,
)
_NEGATED = re.compile(r"\b(?:not|non|nicht|no|não|pas)\b[\s-]*(?:a\s+)?$", re.IGNORECASE)
_VALID_INVALID = re.compile(r"\bVALID\b[^\n]{0,80}\bINVALID\b|\bINVALID\b[^\n]{0,80}\bVALID\b")
_ZERO_ONE = re.compile(
    r"(?:return|answer|respond|reply|output|print|character|digit|label)[^\n]{0,60}(?<![\w.])[\"'`]?[01][\"'`]?\s*(?:/|,|or)\s*[\"'`]?[01]\b"
    r"|\((?:0|1)\s*(?:/|or)\s*(?:0|1)\)\s*:",
    re.IGNORECASE,
)
_JSON = re.compile(
    r"\{[^{}]{0,40}?[\"'](?P<key>violation|violates|is_violation|policy_category|category|label)[\"']\s*:[^{}]{0,600}\}?",
    re.I,
)
_RATIONALE = re.compile(r"[\"'](?:rationale|reason|explanation|reasoning|justification)[\"']", re.IGNORECASE)
_LABEL_ASKED = re.compile(
    r"\b(?:return|answer|respond|reply|output|print)\b[^\n]{0,40}\b(?:the|one|a|exactly|only|single|matching|correct)\s+(?:\w+\s+){0,2}(?:label|code)s?\b"
    r"|\bantworte[nt]?\b[^\n.]{0,20}\bnur mit (?:dem|einem) (?:code|label)\b"
    r"|\br[ée]pond(?:s|ez|re)\b[^\n.]{0,20}\bpar (?:le|un) (?:seul )?(?:code|label|libellé)\b"
    r"|\bresponda?\b[^\n.]{0,20}\bcon (?:el|un) (?:código|etiqueta)\b"
    r"|\bresponda\b[^\n.]{0,20}\bcom (?:o|um) (?:código|rótulo)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Inferred:
    """What was found in a policy's text; ``notes`` are sentences for the person who confirms it."""

    title: str
    labels: tuple[Label, ...]
    form: OutputForm
    position: OutputPosition
    notes: tuple[str, ...]


@dataclass(slots=True)
class _Found:
    """A label on its way: what named it and what the text said of it."""

    id: str
    name: str
    told: list[LabelDecision]
    hinted: list[LabelDecision]


def infer(text: str) -> Inferred:
    """Read ``text`` as a policy without front matter. Never raises."""
    notes: list[str] = []
    lines = plain(text).split("\n")
    form, told = _form(plain(text), notes)
    labels = _labels(lines, notes)
    if not labels and not told:
        labels = _words(plain(text), notes)
        if labels:
            form, told = OutputForm.LABEL, True
    asked = told or carries_output(text)
    if not asked:
        notes.append("The text does not say what to answer: the studio adds its own output instruction.")
    elif not told:
        notes.append(
            "The text has its own output instruction, of a form that was not recognised. Please choose the form."
        )
    position = OutputPosition.IN_TEXT if asked else OutputPosition.AUTO
    return Inferred(_title(lines), labels, form, position, tuple(notes))


def _title(lines: list[str]) -> str:
    """The first heading, else the first line."""
    for line in lines:
        heading = _SHEBANG.match(line.strip())
        if heading and heading["title"]:
            return _short(heading["title"])
        if line.strip() and not _UNDERLINE.match(line.strip()):
            return _short(line)
    return "Untitled policy"


def _short(line: str) -> str:
    title = re.sub(r"\s*\(#\w+\)\s*$", "", unmarked(line).strip(" #:="))
    return title if len(title) <= 80 else title[:79] + "\u2026"


def _form(text: str, notes: list[str]) -> tuple[OutputForm, bool]:
    """The form of answer that the text asks for, the one asked for last, and whether it asks for any."""
    places: dict[OutputForm, int] = {}
    objects = [match for match in _JSON.finditer(text)]
    if objects:
        rationale = any(_RATIONALE.search(match.group()) for match in objects)
        places[OutputForm.RATIONALE_JSON if rationale else OutputForm.CATEGORY_JSON] = objects[-1].start()
    for form, pattern in (
        (OutputForm.VALID_INVALID, _VALID_INVALID),
        (OutputForm.BINARY, _ZERO_ONE),
        (OutputForm.LABEL, _LABEL_ASKED),
    ):
        found = [match.start() for match in pattern.finditer(text)]
        if found:
            places[form] = found[-1]
    if not places:
        return OutputForm.RATIONALE_JSON, False
    if objects and OutputForm.LABEL in places:
        del places[OutputForm.LABEL]
    chosen = max(places, key=lambda form: places[form])
    if len(places) > 1:
        names = ", ".join(sorted(form.value for form in places))
        notes.append(f"The text asks for several forms of answer ({names}); taken: {chosen.value}.")
    return chosen, True


def _labels(lines: list[str], notes: list[str]) -> tuple[Label, ...]:
    """The labels whose decision the text tells, in its order."""
    found: dict[str, _Found] = {}
    section: LabelDecision | None = None
    current: list[_Found] = []
    for number, raw in enumerate(lines):
        line = unmarked(raw).strip()
        if not line or _UNDERLINE.match(line):
            continue
        output = _OUTPUT_LINE.match(line)
        if output is not None:
            told = _decided(output["what"])
            if told is not None:
                for label in current:
                    label.told.append(told)
            continue
        here = _on_line(line, found)
        heading = _is_heading(raw, lines, number)
        if heading and not (here and _DEFINED.match(line)):
            section = _decided(line)
        if here:
            current = here
            _weigh(line, here, section)
        elif heading:
            current = []
    return _settled(found, notes)


def _words(text: str, notes: list[str]) -> tuple[Label, ...]:
    """Words such as KEEP or REMOVE as labels, where the text asks for one of them and each has one plain meaning."""
    for asked in _WORDS_ASKED.finditer(text):
        words = list(dict.fromkeys(re.findall(r"[A-Z][A-Z_]+", asked["words"])))
        if len(words) > 1 and all(word in _WORD_DECIDES for word in words):
            labels = tuple(Label(word, _WORD_DECIDES[word], word.capitalize()) for word in words)
            told = ", ".join(f"{label.id} ({label.decision.value})" for label in labels)
            notes.append(f"Answers found in the text and taken as labels: {told}. Please confirm.")
            return labels
    return ()


def _on_line(line: str, found: dict[str, _Found]) -> list[_Found]:
    """The labels that the line defines or names in brackets, added to ``found`` where they are new."""
    match = _DEFINED.match(line)
    if match is not None and match["id"].isupper():
        if match["rule"]:
            parent = found.get(match["id"])
            return [parent] if parent else [_add(found, match["id"], "")]
        return [_add(found, match["id"], _name(match["rest"]))]
    named = []
    for mention in _NAMED.finditer(line):
        if mention["first"].isupper():
            named += [_add(found, label, "") for label in _range(mention)]
    return named


def _name(rest: str) -> str:
    """The label's name in what follows its id: without brackets, marks and the rest of a table row."""
    bare = re.sub(r"\([^)]*\)", "", rest).strip(" -:=|")
    return bare.split("|")[0].strip(" -:.=")


def _add(found: dict[str, _Found], label_id: str, name: str) -> _Found:
    label = found.setdefault(label_id, _Found(label_id, "", [], []))
    if name and not label.name and len(name) <= 60:
        label.name = name
    return label


def _range(mention: re.Match[str]) -> list[str]:
    """The ids of ``(SP2)``, ``(SP2-SP4)`` and ``(SP2, SP3)``."""
    first, last = mention["first"], mention["last"]
    ids = [first]
    if last:
        letters, other = first.rstrip(_DIGITS), last.rstrip(_DIGITS)
        low, high = int(first[len(letters) :]), int(last[len(other) :])
        if letters == other and low < high <= low + 20:
            ids = [f"{letters}{number}" for number in range(low, high + 1)]
        else:
            ids.append(last)
    return ids + [part.strip() for part in mention["more"].split(",") if part.strip()]


def _weigh(line: str, here: list[_Found], section: LabelDecision | None) -> None:
    """Give the labels of a line what the line and its section say of them."""
    capitals = bool(_CAPITALS.search(line))
    told = _decided(line) if capitals else None
    for label in here:
        if not capitals:
            told = _plainly(label.name) or _in_a_cell(line)
        if told is not None:
            label.told.append(told)
        elif section is not None:
            label.hinted.append(section)


def _plainly(name: str) -> LabelDecision | None:
    """What a label's name says when the name is (or begins with) the decision itself, such as "Safe content"."""
    match = _PLAIN_NAME.match(name)
    return _decided(match.group()) if match else None


def _in_a_cell(line: str) -> LabelDecision | None:
    """What a row of a table says in a short cell behind the code; None where cells say two things."""
    cells = [cell.strip() for cell in line.split("|")][2:]
    short = [cell for cell in cells if 0 < len(cell.split()) <= _CELL_WORDS]
    told = {LabelDecision.REVIEW if _CELL_REVIEW.fullmatch(cell) else _decided(cell) for cell in short} - {None}
    return told.pop() if len(told) == 1 else None


def _decided(text: str) -> LabelDecision | None:
    """What a line says: VALID and INVALID in capitals first, then plain words; None when it says two things."""
    capitals = set(re.findall(r"\b(?:IN)?VALID\b", text))
    if len(capitals) == 1:
        return LabelDecision.ALLOW if capitals == {"VALID"} else LabelDecision.VIOLATE
    if capitals:
        return None
    bad = [m for m in _VIOLATE.finditer(text) if not _NEGATED.search(text, 0, m.start())]
    good = _ALLOW.search(re.sub(_VIOLATE, lambda m: m.group() if _NEGATED.search(text, 0, m.start()) else " ", text))
    if bad and good:
        return None
    if bad:
        return LabelDecision.VIOLATE
    if good:
        return LabelDecision.ALLOW
    return LabelDecision.REVIEW if _REVIEW.search(text) or re.search(r"\bESCALATE\b", text) else None


def _is_heading(raw: str, lines: list[str], number: int) -> bool:
    """Whether a line heads a section: Markdown, all capitals, bold alone, or underlined."""
    stripped = raw.strip()
    if stripped.startswith("#") or (stripped.startswith("**") and stripped.rstrip(":").endswith("**")):
        return True
    following = lines[number + 1].strip() if number + 1 < len(lines) else ""
    words = re.sub(r"\([^)]*\)", "", stripped)
    capitals = len(words) > 3 and words.upper() == words and re.search(r"[A-Z]{3}", words) is not None
    return (capitals and not stripped.startswith(("-", "|", "*"))) or bool(re.match(r"^[=-]{3,}$", following))


def _settled(found: dict[str, _Found], notes: list[str]) -> tuple[Label, ...]:
    """The labels with a decision; the others are named in the notes."""
    labels, open_ids = [], []
    families = Counter(re.sub(r"\d+$", "", label_id) for label_id in found)
    for label in found.values():
        evidence = label.told or label.hinted
        kinds = set(evidence)
        decision = kinds.pop() if len(kinds) == 1 else None
        family = re.sub(r"\d+$", "", label.id)
        if decision is None and not evidence and label.id[len(family) :].strip("0") == "" and families[family] > 1:
            # By the field's habit a code that ends in 0 is the one for content that is fine.
            decision = LabelDecision.ALLOW
            notes.append(f"{label.id} is read as allowed because its number is 0. Please confirm.")
        if decision is None:
            open_ids.append(label.id)
        else:
            labels.append(Label(label.id, decision, label.name))
    if labels:
        notes.append(
            f"Labels found in the text: {', '.join(f'{x.id} ({x.decision.value})' for x in labels)}. Please confirm."
        )
    if open_ids:
        notes.append(f"The text does not say what these codes decide, so they are left out: {', '.join(open_ids)}.")
    return tuple(labels)
