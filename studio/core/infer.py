"""What a plain-text policy says about itself: its title, its labels and what they decide, and the answer it asks for.

Nothing is invented: a label whose decision the text does not tell is left out and named in the notes, for a person to
settle. The text itself is never changed.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass

from studio.core.answers.normal import plain, unmarked
from studio.core.asked import FORM_WORDS, asked_form, asked_words
from studio.core.contract import carries_output, shortened
from studio.core.decided import decided
from studio.core.labels import Label, LabelDecision
from studio.core.policy import OutputForm, OutputPosition

_ID = r"(?:[A-Z]{1,2}-)?[A-Z]{1,4}-?\d{1,2}"
_DEFINED = re.compile(
    rf"^[^\w\n]*(?:\d{{1,2}}[.)]\s+)?(?:(?:label|category|code|level)\s+)?(?P<id>{_ID})(?P<rule>\.\w{{1,3}})?"
    r"(?=\s*(?:[:)|=(-]|$|\s(?-i:[A-Z\"'])))\s*(?P<rest>.*)$",
    re.IGNORECASE,
)
_NAMED = re.compile(
    rf"[(\[]#?(?P<first>{_ID})(?:\s*(?:-|to|\u2026|\.\.+)\s*(?P<last>{_ID}))?(?P<more>(?:\s*,\s*{_ID})*)(?=\s*[)\]:,-])"
)
_DIGITS = "0123456789"
# A table says in a cell of its own what a code decides.
_CELL_WORDS = 4
_NAME_WORDS = 5
_TITLE_LENGTH = 80
_HEADING_LENGTH = 160
_CELL_REVIEW = re.compile(r"(?:manual |human )?review|escalate|escalation|hold", re.IGNORECASE)
_UNSURE = re.compile(r"\b(?:uncertain|unclear|ambiguous|borderline|doubtful|gr[ae]y area)\b", re.IGNORECASE)
# "If any criterion under PI2 or PI3 is met: violation = 1."
_FLAGGED = re.compile(r"\bviolation\b[^\w\n]{0,6}(?:(?:is|to|be)\b[^\w\n]{0,4})?1\b", re.IGNORECASE)
_OTHERWISE = re.compile(r"\b(?:otherwise|else)\b", re.IGNORECASE)
_UNDERLINE = re.compile(r"^\W{3,}$")
_SHEBANG = re.compile(r"^#{1,6}\s+(?P<title>.*?)[\s#]*$")
_OUTPUT_LINE = re.compile(
    r"^\W*(?:output|return|answer|decision|classification)\s*:\s*(?P<what>.{1,200})$", re.IGNORECASE
)
_CAPITALS = re.compile(r"\b(?:IN)?VALID\b|\bESCALATE\b")
_PLAIN_NAME = re.compile(
    r"(?:safe|allowed|permitted|acceptable|benign|compliant|no violation|not a violation|non-?violat\w*"
    r"|not (?:spam|fraud|hate|harmful)|non-?spam|violat\w+|prohibited|disallowed|unsafe|needs? review|human review"
    r"|manual review|ambiguous)\b(?=\s*(?:$|content\b|posts?\b|messages?\b|material\b|use\b|[-,:;(/]))",
    re.IGNORECASE,
)


_SECTION = re.compile(
    r"(?:\d+[.)]?\s+)?(?:instructions?|tasks?|roles?|purpose|overview|introduction|scope|goals?|objectives?"
    r"|(?:policy |key )?(?:definitions?|terms)|summary|how to use this policy|anweisung|aufgabe|consigne|instrucciones"
    r"|instrucción|tarefa)(?: and scope)?",
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
    read = shortened(plain(text))
    lines = read.split("\n")
    form, told = asked_form(read, notes)
    competing = bool(notes)
    labels = _labels(lines, notes)
    if not labels and form not in (OutputForm.VALID_INVALID, OutputForm.BINARY):
        labels = asked_words(read, notes)
        if labels and not told:
            form, told = OutputForm.LABEL, True
    asked = told or carries_output(text)
    if told and not competing:
        notes.append(f"The text asks for {FORM_WORDS[form]} as the answer. Please confirm.")
    if not asked:
        notes.append("The text does not say what to answer: the studio adds its own output instruction.")
    elif not told:
        notes.append(
            "The text has its own output instruction, of a form that was not recognised. Please choose the form."
        )
    position = OutputPosition.IN_TEXT if asked else OutputPosition.AUTO
    return Inferred(_title(lines), labels, form, position, tuple(notes))


def _title(lines: list[str]) -> str:
    """The first heading, else the first line; empty where that is a section's name, a tag or a paragraph."""
    for line in lines:
        heading = _SHEBANG.match(line.strip())
        if heading and heading["title"]:
            title = _short(heading["title"])
            return "" if _SECTION.fullmatch(title) else title
        if line.strip() and not _UNDERLINE.match(line.strip()):
            # A tag names a part, and not the policy.
            return "" if line.lstrip().startswith("<") or len(line) > _TITLE_LENGTH else _short(line)
    return "Untitled policy"


def _short(line: str) -> str:
    title = re.sub(r"\s*\(#\w+\)\s*$", "", unmarked(line).strip(" #:="))
    title = re.sub(r"^(?:policy(?: name| title)?|title)\s*:\s*(?=\S)", "", title, flags=re.IGNORECASE)
    return title if len(title) <= _TITLE_LENGTH else title[: _TITLE_LENGTH - 1] + "\u2026"


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
            told = decided(output["what"])
            if told is not None:
                for label in current:
                    label.told.append(told)
            continue
        here = _on_line(line, found)
        heading = _is_heading(raw, lines, number)
        if heading and not (here and _DEFINED.match(line)):
            section = decided(line) or (LabelDecision.REVIEW if _UNSURE.search(line) else None)
        flagged = _OTHERWISE.split(line)[0]
        if "{" not in line and _FLAGGED.search(flagged):
            for label_id in re.findall(rf"(?<![\w-]){_ID}(?!\w)", flagged):
                _add(found, label_id, "").told.append(LabelDecision.VIOLATE)
        if here:
            current = here
            _weigh(line, here, section)
        elif heading:
            current = []
    return _settled(found, notes)


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
            ids = _range(mention)
            name = _headed(line, mention) if len(ids) == 1 and len(line) <= _HEADING_LENGTH else ""
            named += [_add(found, label, name) for label in ids]
    return list({label.id: label for label in named}.values())


def _headed(line: str, mention: re.Match[str]) -> str:
    """The name that a short heading gives to the code in its brackets: "Likely spam (SP2)", "Violates (H2: Hate)"."""
    inside, _, after = line[mention.end() :].partition(")")
    before = re.sub(r"^[\W\d_]+", "", line[: mention.start()]).strip(" -:")
    if after.strip(" :.") or re.search(r"[=\u2192:]|->", before) or len(before.split()) > _NAME_WORDS:
        return ""
    told = inside.strip(" -:")
    return told if told and decided(before) is not None and _PLAIN_NAME.fullmatch(before) else before


def _name(rest: str) -> str:
    """The label's name in what follows its id: without brackets, marks and the rest of a table row."""
    bare = re.sub(r"\([^()]{0,200}\)", "", rest).strip(" -:=|")
    return bare.split("|")[0].split(". ")[0].strip(" -:.=")


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
    whole = decided(line) if capitals else _in_a_cell(line) or _in_brackets(line)
    for label in here:
        told = whole if capitals else _plainly(label.name) or whole
        if told is not None:
            label.told.append(told)
        elif section is not None:
            label.hinted.append(section)


def _plainly(name: str) -> LabelDecision | None:
    """What a label's name says when the name is (or begins with) the decision itself, such as "Safe content"."""
    match = _PLAIN_NAME.match(name)
    return decided(match.group()) if match else None


def _in_brackets(line: str) -> LabelDecision | None:
    """What a line that begins with a code says behind it in brackets: "VG1 Threat (violation)"; None for two things."""
    if not _DEFINED.match(line):
        return None
    short = [words for words in re.findall(r"\(([^()]{2,40})\)", line) if len(words.split()) <= _CELL_WORDS]
    told = {decided(words) for words in short} - {None}
    return told.pop() if len(told) == 1 else None


def _in_a_cell(line: str) -> LabelDecision | None:
    """What a row of a table says in a short cell behind the code; None where cells say two things."""
    cells = [cell.strip() for cell in line.split("|")][2:]
    short = [cell for cell in cells if 0 < len(cell.split()) <= _CELL_WORDS]
    told = {LabelDecision.REVIEW if _CELL_REVIEW.fullmatch(cell) else decided(cell) for cell in short} - {None}
    return told.pop() if len(told) == 1 else None


def _is_heading(raw: str, lines: list[str], number: int) -> bool:
    """Whether a line heads a section: Markdown, all capitals, bold alone, or underlined."""
    stripped = raw.strip()
    if stripped.startswith("#") or (stripped.startswith("**") and stripped.rstrip(":").endswith("**")):
        return True
    following = lines[number + 1].strip() if number + 1 < len(lines) else ""
    words = re.sub(r"\([^()]{0,200}\)", "", stripped)
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
