"""What form of answer a plain text asks for, and the words or digits that it offers as answers."""

from __future__ import annotations

import re

from studio.core.decided import decided
from studio.core.labels import Label, LabelDecision
from studio.core.policy import OutputForm

_CAPITAL = r"[\"'`*]*[A-Z][A-Z_]{1,29}[\"'`*]*(?:\s*\([^()\n]{1,60}\))?"
_WORDS_ASKED = re.compile(
    r"\b(?i:answer|respond|reply|return|output|print|one of|as either)\b[^\n.]{0,60}?[:\s]\s*"
    rf"(?P<words>{_CAPITAL}(?:\s*(?:,|/|\||\bor\b)\s*(?:or\s+)?{_CAPITAL}){{1,11}})"
)
_LIST_ASKED = re.compile(
    r"\b(?i:answer|respond|reply|return|output|print|classify|choose)\b[^\n]{0,80}:[ \t*]*\n\s*"
    r"(?P<list>(?:[ \t]*(?:[-*+•]|\d{1,2}[.)])?[ \t]*[\"'`*]*[A-Z][A-Z_]{2,29}\b[^\n]{0,200}(?:\n|$)){2,12})"
)
_LISTED = re.compile(
    r"^\W*(?:\d{1,2}[.)]\s*)?[\"'`*]*(?P<word>[A-Z][A-Z_]{2,29})\b[\"'`*]*(?P<rest>[^\n]*)$", re.MULTILINE
)
_SAID = re.compile(
    r"\b(?i:say|answer|respond|reply|return|output|print|write)\s+(?i:with\s+)?[\"'`]+(?P<word>[A-Za-z][A-Za-z_]{1,20})[\"'`]+"
    r"(?=,?\s*(?:if|when|for|otherwise|unless|in all other)\b)"
)
_QUOTED_ASKED = re.compile(
    r"\b(?i:answer|respond|reply|return|output|print)\b[^\n.]{0,40}?(?P<words>[\"'`]+[A-Za-z][A-Za-z_]{1,24}[\"'`]+"
    r"(?:\s*(?:,|/|\||\bor\b)\s*(?:or\s+)?[\"'`]+[A-Za-z][A-Za-z_]{1,24}[\"'`]+){1,7})"
)
_WORD = r"[A-Za-z][A-Za-z_]+"
_LEGEND = re.compile(r"(?<![\w.])[\"'`*]*(?P<digit>\d)[\"'`*]*\s*[=:]\s*(?P<means>[A-Za-z][^\n,;.]{1,60})")
_IN_DOUBT = re.compile(
    r"\b(?:in doubt|doubt(?:ful)?|unclear|unsure|uncertain|borderline|review|escalat\w+)\b", re.IGNORECASE
)
_WORD_DECIDES = {
    **dict.fromkeys(("KEEP", "ALLOW", "ALLOWED", "APPROVE", "APPROVED", "PASS", "SAFE"), LabelDecision.ALLOW),
    **dict.fromkeys(
        ("REMOVE", "REMOVED", "BLOCK", "BLOCKED", "DELETE", "REJECT", "DENY", "BAN", "UNSAFE", "VIOLATES"),
        LabelDecision.VIOLATE,
    ),
    **dict.fromkeys(("HOLD", "REVIEW", "ESCALATE"), LabelDecision.REVIEW),
}
_CONTRACT = {"VALID", "INVALID", "JSON", "POLICY"}
_VALID_INVALID = re.compile(
    r"\bVALID\b[^\n]{0,80}\bINVALID\b|\bINVALID\b[^\n]{0,80}\bVALID\b"
    r"|\b(?i:answer|respond|reply|return|output|print)\b[^\n]{0,80}:[ \t*]*(?:\n\W*(?:IN)?VALID\b[^\n]{0,120}){2}"
)
_ABOUT_A_FIELD = re.compile(
    r"^\W*(?:violat\w+|is_\w+|[a-z]+_[a-z_]+|\"\w+\")\W*(?:[:=]|is\b|must\b|should\b)|\bjson\b|\bfields?\b"
    r"|\bviolation\W+(?:is\b|to\b|[:=(]|0|1)",
    re.IGNORECASE,
)
_ZERO_ONE = re.compile(
    r"(?:return|answer|respond|reply|output|print|character|digit|label)[^\n]{0,60}(?<![\w.])[\"'`*]*[01][\"'`*]*\s*"
    r"(?:\([^)\n]{0,60}\)\s*)?(?:/|,|or)\s*[\"'`*]*[01]\b"
    r"|\((?:0|1)\s*(?:/|or)\s*(?:0|1)\)\s*:"
    r"|\b(?:antworte[nt]?|r[ée]pond(?:s|ez|re)|respond[ae]n?|rispond[aei]|antwoord)\b[^\n.]{0,30}\b[01]\b[^\w\n]*\w{1,4}\W+[01]\b"
    r"|(?<![\w.])1[\"'`*]*\s*(?:if|when|for|=)[^\n]{1,120}?(?<![\w.])[\"'`*]*0[\"'`*]*\s*(?:if|when|for|=|otherwise)"
    r"|(?<![\w.])0[\"'`*]*\s*(?:if|when|for|=)[^\n]{1,120}?(?<![\w.])[\"'`*]*1[\"'`*]*\s*(?:if|when|for|=|otherwise)",
    re.IGNORECASE,
)
_JSON = re.compile(
    r"\{[^{}]{0,40}?[\"'](?P<key>violation|violates|is_violation|policy_category|category|label)[\"']\s*:[^{}]{0,600}\}?",
    re.I,
)
_JSON_ASKED = re.compile(
    r"\b(?:return|answer|respond|reply|output|print)\b[^\n]{0,40}\bjson\b[^{}]{0,200}?"
    r"\b(?:violation|violates|is_violation|policy_category|category|label)\b[^{}]{0,300}",
    re.I,
)
_RATIONALE = re.compile(r"[\"'`](?:rationale|reason|explanation|reasoning|justification)[\"'`]", re.IGNORECASE)
_LABEL_ASKED = re.compile(
    r"\b(?:return|answer|respond|reply|output|print)\b[^\n]{0,40}\b(?:the|one|a|exactly|only|single|matching|correct)\s+(?:\w+\s+){0,2}(?:label|code)s?\b"
    r"|\bantworte[nt]?\b[^\n.]{0,20}\bnur mit (?:dem|einem) (?:code|label)\b"
    r"|\br[ée]pond(?:s|ez|re)\b[^\n.]{0,20}\bpar (?:le|un) (?:seul )?(?:code|label|libellé)\b"
    r"|\brespond[ae]n?\b[^\n.]{0,20}\bcon (?:el|un|una|la) (?:sola )?(?:código|etiqueta)\b"
    r"|\bresponda\b[^\n.]{0,20}\bcom (?:o|um) (?:código|rótulo)\b",
    re.IGNORECASE,
)


FORM_WORDS = {
    OutputForm.RATIONALE_JSON: "a JSON object with a rationale",
    OutputForm.CATEGORY_JSON: "a JSON object",
    OutputForm.LABEL: "one label",
    OutputForm.VALID_INVALID: "VALID or INVALID",
    OutputForm.BINARY: "0 or 1",
}
"""The forms in words for people."""


def asked_form(text: str, notes: list[str]) -> tuple[OutputForm, bool]:
    """The form of answer that the text asks for, the one asked for last, and whether it asks for any."""
    places: dict[OutputForm, int] = {}
    objects = list(_JSON.finditer(text)) or list(_JSON_ASKED.finditer(text))
    if objects:
        rationale = any(_RATIONALE.search(match.group()) for match in objects)
        places[OutputForm.RATIONALE_JSON if rationale else OutputForm.CATEGORY_JSON] = objects[-1].start()
    for form, pattern in (
        (OutputForm.VALID_INVALID, _VALID_INVALID),
        (OutputForm.BINARY, _ZERO_ONE),
        (OutputForm.LABEL, _LABEL_ASKED),
    ):
        found = [match.start() for match in pattern.finditer(text)]
        if objects and form is OutputForm.BINARY:
            # What a field of the object may hold is no form of its own.
            found = [at for at in found if not _ABOUT_A_FIELD.search(_line(text, at))]
        if found:
            places[form] = found[-1]
    legend = {} if objects else _legend(text)
    if len(legend) > 2:
        # A third digit is an answer of its own, which 0 or 1 has no room for.
        places.pop(OutputForm.BINARY, None)
        places.setdefault(OutputForm.LABEL, 0)
    elif legend:
        places.setdefault(OutputForm.BINARY, 0)
    if not places:
        return OutputForm.RATIONALE_JSON, False
    if objects and OutputForm.LABEL in places:
        del places[OutputForm.LABEL]
    chosen = max(places, key=lambda form: places[form])
    if len(places) > 1:
        names = "; ".join(sorted(FORM_WORDS[form] for form in places))
        notes.append(f"The text asks for several forms of answer ({names}). The last one is taken. Please confirm.")
    return chosen, True


def asked_words(text: str, notes: list[str]) -> tuple[Label, ...]:
    """Words such as KEEP or REMOVE, or digits, as labels, where the text asks for one and tells what each means.

    Where one of them is not told, none is taken and a note names those that are open.
    """
    meanings: dict[str, LabelDecision | None] = dict(_legend(text))
    if len(meanings) < 3:
        meanings = _words(text)
    open_words = [word for word, meaning in meanings.items() if meaning is None]
    if open_words:
        notes.append(
            f"The text asks for one of {', '.join(meanings)}, and does not say what these decide: "
            f"{', '.join(open_words)}. Please add them under Labels and answer."
        )
        return ()
    labels = tuple(Label(word, meaning, _shown(word)) for word, meaning in meanings.items() if meaning is not None)
    if labels:
        told = ", ".join(f"{label.id} ({label.decision.value})" for label in labels)
        notes.append(f"Answers found in the text and taken as labels: {told}. Please confirm.")
    return labels


def _shown(word: str) -> str:
    """A word in capitals as a name; a digit has none."""
    return "" if word.isdigit() else word.replace("_", " ").capitalize()


def _words(text: str) -> dict[str, LabelDecision | None]:
    """The words in capitals that the text asks for, each with what it decides where that is told."""
    for asked in _LIST_ASKED.finditer(text):
        found = {match["word"]: _means(match["word"], match["rest"]) for match in _LISTED.finditer(asked["list"])}
        if len(found) > 1 and not found.keys() & _CONTRACT:
            return found
    for asked in _WORDS_ASKED.finditer(text):
        offered = re.sub(r"\([^()\n]*\)", "", asked["words"])
        words = list(dict.fromkeys(re.findall(r"[A-Z][A-Z_]+", offered)))
        if len(words) > 1 and not set(words) & _CONTRACT:
            return {word: _means(word, "") for word in words}
    quoted = [re.findall(_WORD, match["words"].replace(" or ", " ")) for match in _QUOTED_ASKED.finditer(text)]
    said = list(dict.fromkeys(quoted[0] if quoted else (match["word"] for match in _SAID.finditer(text))))
    if len(said) > 1 and not {word.upper() for word in said} & _CONTRACT:
        return {word: _means(word.upper(), "") for word in said}
    return {}


def _means(word: str, description: str) -> LabelDecision | None:
    """What an answer word decides, by itself or by the text behind it; None where it is not told, or told both ways."""
    by_itself = _WORD_DECIDES.get(word) or decided(word.replace("_", " ").casefold())
    described = decided(description)
    return by_itself if described in (None, by_itself) else described if by_itself is None else None


def _legend(text: str) -> dict[str, LabelDecision]:
    """Digits with what each means, such as "0 = permitted, 1 = prohibited, 2 = in doubt"; nothing where one is open."""
    told: dict[str, LabelDecision] = {}
    for match in _LEGEND.finditer(text):
        meaning = decided(match["means"])
        if meaning is None and _IN_DOUBT.search(match["means"]):
            meaning = LabelDecision.REVIEW
        if meaning is None or told.get(match["digit"], meaning) is not meaning:
            return {}
        told[match["digit"]] = meaning
    return told if {"0", "1"} <= told.keys() else {}


def _line(text: str, at: int) -> str:
    """The line that holds a place."""
    end = text.find("\n", at)
    return text[text.rfind("\n", 0, at) + 1 : len(text) if end < 0 else end]
