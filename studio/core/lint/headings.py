"""Headings of policies in the layouts that people use, and what each section is for."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache


class Role(StrEnum):
    """What a section is for; the guidance asks for instruction, definitions, criteria on both sides and examples."""

    INSTRUCTION = "instruction"
    DEFINITIONS = "definitions"
    CRITERIA = "criteria"
    EXAMPLES = "examples"
    OUTPUT = "output"
    PRECEDENCE = "precedence"
    OTHER = "other"


class Side(StrEnum):
    """Which way a rule or an example decides."""

    VIOLATES = "violates"
    SAFE = "safe"
    REVIEW = "review"


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading as written: ``level`` orders them (1 is the outermost), ``rest`` is where text follows on its line."""

    level: int
    title: str
    role: Role | None
    side: Side | None
    rest: int | None = None


_ROLES = (
    (
        Role.EXAMPLES,
        r"examples?|samples?|few-?shots?|illustrations?|test cases|beispiele?|exemples?|ejemplos?|exemplos?"
        r"|esempi|voorbeelden",
    ),
    (
        Role.OUTPUT,
        r"outputs?|(?:response|answer|return|reply) (?:format|form|schema|instructions?)|how to (?:answer|respond)"
        r"|^(?:your |the |model )?(?:answer|response|reply)s?$"
        r"|ausgabe(?:format)?|format de (?:sortie|réponse)|formato de (?:salida|respuesta|saída|resposta)",
    ),
    (
        Role.PRECEDENCE,
        r"precedence|priorit(?:y|ies)|conflicts?|conflicting|tie-?break(?:s|ers?|ing)?|order of (?:the )?rules"
        r"|rangfolge|vorrang|priorité|prioridad",
    ),
    (
        Role.DEFINITIONS,
        r"definitions?|defined terms|terms|terminology|glossary|key concepts?|vocabulary|definitionen|begriffe"
        r"|définitions?|definiciones|definições|definizioni|definities",
    ),
    (
        Role.INSTRUCTION,
        r"instructions?|tasks?|roles?|objectives?|goals?|purpose|overview|introduction|your (?:job|role|task)|scope"
        r"|summary|anweisung(?:en)?|aufgabe|consignes?|tâche|instrucci(?:ón|ones)|tarea|instruções|tarefa"
        r"|istruzioni|instructies?",
    ),
)
_CRITERIA = re.compile(
    r"\b(?:criteria|rules?|categor(?:y|ies)|labels?|levels?|taxonomy|severity|kriterien|regeln|critères|règles"
    r"|criterios"
    r"|reglas|critérios|regras|criteri|regole|standards?)\b"
)
_ROLE = tuple((role, re.compile(rf"(?<![\w-])(?:{words})(?!\w)")) for role, words in _ROLES)
# Phrases that turn a word around are read first and taken out, then the words themselves.
_NOT_BAD = re.compile(
    r"\b(?:(?:not|never) (?:an? )?(?:violat\w*|prohibited|disallowed|forbidden|banned|harmful|removed?)"
    r"|(?:do(?:es)? not|doesn't|don't) violate|non-?\s?violat\w*|no violations?|nicht (?:verboten|unzulässig))\b"
)
_NOT_GOOD = re.compile(
    r"\b(?:not (?:be )?(?:allow(?:ed)?|permit(?:ted)?|acceptable|ok(?:ay)?|welcome|safe|fine|valid)"
    r"|(?:isn|aren|don|won)'t (?:be )?(?:allow(?:ed)?|permit(?:ted)?|acceptable|ok|welcome)|(?:do not"
    r"|don't) (?:post|share|send)|nicht (?:erlaubt|zulässig)|n(?:o|ão) permitid[oa]s?|non autorisé\w*"
    r"|non consentit[oi])\b"
)
_GOOD = re.compile(
    r"\b(?:safe|allow(?:ed|s)?|permitted|acceptable|ok(?:ay)?|fine|compliant|benign|valid|exceptions?|exempt\w*"
    r"|exclusions?"
    r"|out of scope|legitimate|welcome|positive"
    r"|(?:that|which|may|can|what) (?:\w+ )?(?:stays?|remains?)|(?:is|are|be) kept"
    r"|erlaubt|zulässig|autorisé\w*|permitid[oa]s?|consentit[oi])\b"
)
_BAD = re.compile(
    r"\b(?:violat\w+|prohibit(?:ed|s|ions?)?|disallow(?:ed|s)?|forbid(?:den|s)?|unsafe|unacceptable|banned"
    r"|invalid|removed?"
    r"|verboten|unzulässig|interdit\w*|prohibid[oa]s?|proibid[oa]s?|vietat[oi])\b"
)
_REVIEW = re.compile(
    r"\b(?:(?:needs?|manual|human|for) (?:a )?(?:review|person)|review|escalat\w+|ambiguous|borderline|unclear"
    r"|gr[ea]y areas?|ask a person|doubtful|in doubt|uncertain|prüfung|eskalation|grauzone|zweifelsfälle"
    r"|cas ambigus|casos (?:dudosos|duvidosos|ambiguos|ambíguos)|(?:revisión|revisão) humana"
    r"|vérification humaine)\b"
)
_TITLE = re.compile(r"\b(?:polic(?:y|ies)|guidelines?|standards|richtlinie|politique|política)\b")
_KINDS_OF = re.compile(
    r"(?:some )?examples? of (?:\w+ ){0,3}(?:behaviou?rs?|conduct|activit(?:y|ies)|actions|things|standards)\b"
)
_MARKUP = re.compile(r"[*_`#]+")
_NUMBER = re.compile(
    r"^\s*(?:(?:section|part|step)\s+)?(?:\d{1,2}(?:\.\d{1,2})*|[IVX]{1,4}|[A-H])[.):]?\)?\s+(?=\S)", re.I
)
_CODE_TAIL = re.compile(r"\s*[(\[]#?[\w.-]{1,12}[)\]]\s*$")

_ITEM = re.compile(r"^\s*(?:[-*+•–]|\(?(?:\d{1,2}|[a-z])[.)])\s+\S")
_MARKDOWN = re.compile(r"^ {0,3}(#{1,6})[ \t]*(?P<title>\S.*?)?[ \t#]*$")
_BOLD = re.compile(r"^\s*(?:[-*+]\s+)?(?:\*\*|__)(?P<title>[^*_\n]{2,80}?)[:.]?(?:\*\*|__)\s*:?\s*$")
_BOLD_INLINE = re.compile(
    r"^\s*(?:[-+]\s+)?(?:\*\*|__)(?P<title>[^*_\n]{2,40}?)(?:[:.](?:\*\*|__)|(?:\*\*|__)\s*:)\s*(?=\S)"
)
_NUMBERED = re.compile(
    r"^\s{0,3}(?:(?:section|part|step)\s+)?(?:(?:\d{1,2}(?:\.\d{1,2})*|[IVX]{1,4}"
    r"|[A-H])[.):]\)?|\d{1,2}(?:\.\d{1,2})+)\s+(?P<title>\S[^\n]{1,60})$",
    re.I,
)
_COLON = re.compile(r"^\s{0,3}(?P<title>[^\W\d][^:\n|\"]{1,100}):\s*$")
_COLON_ITEM = re.compile(r"^\s*[-*+•]\s+(?P<title>[^\W\d][^:\n|\"]{1,50}):\s*$")
_INLINE = re.compile(r"^\s{0,3}(?P<title>[^\W\d][^:\n|\"]{1,34}):[ \t]+(?=\S)")
_BARE_ROLES = re.compile("|".join(words for _, words in _ROLES), re.I)
_BARE_SIDES = re.compile(
    r"(?:not )?(?:allowed|permitted|acceptable|prohibited)(?: content| uses?)?|violat(?:es|ions?)"
    r"|(?:un)?safe(?: content)?|disallowed(?: content)?|forbidden|exceptions?|escalation|edge cases"
    r"|borderline(?: cases)?|(?:key )?terms|criteria|rules|labels|categories|severity(?: levels)?|levels",
    re.I,
)
_TAG = re.compile(r"^\s*<(?P<title>[a-z_ -]{3,30})>\s*$", re.I)
_BOXED = re.compile(r"^\s*(?:\[(?P<square>[^\]\n]{3,50})\]|[=~—-]{2,}\s*(?P<lined>[^=~\n]{3,60}?)\s*[=~—-]{2,})\s*$")
_LEFT_OPEN = re.compile(r"\s*\[\s*(?:insert|add|your|list|describe|fill|replace|specify|missing)\b", re.I)
_CAPITALS = re.compile(r"^\s{0,3}[A-Z][A-Z0-9 &/,'’()–—:.-]{2,70}$")


@lru_cache(maxsize=8192)
def heading(line: str, following: str) -> Heading | None:
    """The heading that ``line`` is, or None; ``following`` is the next line, which may underline it.

    Remembered, because the linter runs while somebody types and nearly all lines stay as they were.
    """
    if not line.strip() or line.lstrip().startswith("|"):
        return None
    match = _MARKDOWN.match(line)
    if match:
        return _of(len(match[1]), match["title"] or "")
    under = following.strip()
    if (
        len(under) > 2
        and not under.strip(under[0])
        and under[0] in "=-~"
        and not line.lstrip().startswith(("-", "*", "+"))
    ):
        return _of(1 if under[0] == "=" else 2, line)
    for level, pattern in ((8, _TAG), (9, _BOLD)):
        match = pattern.match(line)
        if match:
            return _of(level, match["title"])
    match = _BOXED.match(line)
    if match and not _LEFT_OPEN.match(line):
        found = _of(7, match["square"] or match["lined"])
        return found if match["lined"] or found.role or found.side else None
    return _of_plain(line) or _over_list(line, following) or _bare(line, following)


def _bare(line: str, following: str) -> Heading | None:
    """A section's plain name alone on its line, with text right under it: "Definitions"."""
    name = line.strip()
    if not name[0].isupper() or name.isupper() or len(name) > 40 or not following.strip():
        return None
    return _of(10, line) if _BARE_ROLES.fullmatch(name) or _BARE_SIDES.fullmatch(name) else None


def _over_list(line: str, following: str) -> Heading | None:
    """A few plain words right over a list, when they name a section or a side."""
    if not _ITEM.match(following) or _ITEM.match(line) or re.search(r":|[.,;!?]\s*$", line) or len(line.split()) > 6:
        return None
    found = _of(10, line)
    return found if found.role or found.side else None


def _of_plain(line: str) -> Heading | None:
    """Headings told by capitals, numbers and colons: where that could be a rule, only with a known title."""
    if _CAPITALS.match(line) and len(re.findall(r"[A-Z]", line)) > 3 and not line.rstrip().endswith("."):
        bare = _NUMBER.sub("", line)
        if re.search(r"[A-Z]{3}", bare):
            return _of(7, bare)
    match = _NUMBERED.match(line)
    if match and not match["title"].rstrip().endswith((".", ";", ",")) and len(match["title"].split()) <= 6:
        found = _of(8, match["title"])
        if found.role is not None or (found.side is not None and len(match["title"].split()) <= 3):
            return found
    match = _COLON.match(line)
    if match and len(match["title"].split()) <= 12:
        return _of(10, match["title"])
    match = _COLON_ITEM.match(line)
    if match:
        found = _of(11, match["title"])
        return found if found.role or found.side else None
    match = _BOLD_INLINE.match(line) or _INLINE.match(line)
    if match and len(match["title"].split()) <= 4:
        found = _of(11, match["title"])
        if (found.role not in (None, Role.CRITERIA) and _only(found)) or (
            found.side and len(match["title"].split()) <= 2
        ):
            return Heading(found.level, found.title, found.role, found.side, rest=match.end())
    return None


def _only(found: Heading) -> bool:
    """Whether the title is the section's name and little more, so that "Task force:" is none."""
    return len(found.title.split()) <= 2


def _of(level: int, raw: str) -> Heading:
    """Read a title: its role and its side."""
    title = _CODE_TAIL.sub("", _MARKUP.sub("", _NUMBER.sub("", raw.strip()))).strip(" :=-–—~")
    plain = title.replace("_", " ").replace("’", "'").casefold()
    if len(plain.split()) > 12:
        return Heading(level, title, None, None)
    # "Examples of unacceptable behaviour" heads rules; examples of content are cases.
    listed = _KINDS_OF.match(plain) is not None
    role = Role.CRITERIA if listed else next((role for role, words in _ROLE if words.search(plain)), None)
    side = _side(plain)
    if role is None and (side is not None or _CRITERIA.search(plain)):
        role = Role.CRITERIA
    if _TITLE.search(plain) and role in (None, Role.CRITERIA, Role.INSTRUCTION):
        role, side = None, None
    return Heading(level, title, role, side)


def _side(plain: str) -> Side | None:
    """What a title says of the rules under it; None when it says both or nothing."""
    without_good = _NOT_BAD.sub(" ", plain)
    bare = _NOT_GOOD.sub(" ", without_good)
    safe = without_good != plain or _GOOD.search(bare) is not None
    violates = bare != without_good or _BAD.search(bare) is not None
    if safe and violates:
        return None
    if violates:
        return Side.VIOLATES
    if safe:
        return Side.SAFE
    return Side.REVIEW if _REVIEW.search(plain) else None
