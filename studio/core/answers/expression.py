"""One verdict expression: a word, a digit or codes, with what may stand around them.

``INVALID``, ``(valid).``, ``INVALID (DE3 - system prompt)``, ``SP2, SP3``, ``D-SP2, R-SP0``, ``INVALID + ESCALATE``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from studio.core.answers.claims import Claim
from studio.core.answers.normal import OPTIONS
from studio.core.answers.vocabulary import CODE, CONTRACT_WORDS, WORDS, Code, Vocabulary, means
from studio.core.labels import Decision

_SPELLINGS = "|".join(re.escape(word).replace(r"\ ", r"[\s_-]+") for word in sorted(WORDS, key=len, reverse=True))
_SOURCE = rf"polic(?:y|ies)|rules?|sections?|categor(?:y|ies)|criteria|guidelines?|codes?|{CODE}"
WORD = rf"(?:{_SPELLINGS})(?![\w])(?!'[A-Za-z]|-\s?[A-Za-z]+(?![A-Za-z0-9.]*\d))"
"""Any verdict word, whole."""

_WORD = re.compile(WORD, re.IGNORECASE)
_OPEN = re.compile(r"[\s\"'(\[{<#>|=.,:;$\u2022\u2190-\u2bff\U0001f000-\U0001faff-]*")
_LIST = re.compile(r"\s*[,;]\s*")
_WORDED = re.compile(rf"(?P<name>[^()\[\]]+?)\s*[(\[]\s*(?P<word>{'|'.join(CONTRACT_WORDS)})")
_CODED = re.compile(rf"(?P<name>[^()\[\]]+?)\s*[(\[]\s*(?P<code>{CODE})")
_CLOSE = re.compile(r"[\s\"')\]}>|$\u2600-\u2bff\U0001f000-\U0001faff]*")
_END = re.compile(r"[\s\"')\]}>|.!;,:$\u2026\u2600-\u2bff\U0001f000-\U0001faff-]*\Z")
_SEPARATOR = re.compile(
    r"\s*(?:[:;,.(\[|\u2192]|-{1,3}>?(?=\s|[^\w-])|\s-{1,2})\s*|\s+(?=(?:because|since|due to|as the|as it)\b)"
    r"|\s+(?=(?:as per|under|per|for|as|according to|pursuant to|based on|by)\s+(?:(?:the|this|our)\s+)?"
    rf"(?:{_SOURCE})\b)",
    re.IGNORECASE,
)
_TWO_ANSWERS = re.compile(r"(?:because|since|as|due to|no violation|no violations|valid|invalid|escalate)\b", re.I)
# "VALID (DE3 does not apply)": a code that is ruled out is not the verdict's.
_RULED_OUT = re.compile(
    r"[\s,:(-]*(?:(?:is|are|was|do|does|did|has|have)?\s*(?:not|no longer)\b|(?:is|are|was|do|does|did)n't\b"
    r"|exceptions?\b|exempt|exclu(?:ded|sion)|ruled out|safe harbou?r|none\b|no\b|n/a)",
    re.IGNORECASE,
)
_ESCALATE = re.compile(
    r"\s*(?:[+&/,;]|\band\b|-)?\s*[(\[]?\s*(?:[+&]\s*|and\s+)?escalat(?:e|ed|ion)\b[^\n]{0,60}\Z", re.IGNORECASE
)
_CODES = re.compile(
    rf"\s*[-/:,;(\[|={{\"']*\s*(?:(?i:label|category|rule|level|code|policy|severity)s?\s*:?\s*)?(?=(?P<codes>{CODE}"
    rf"(?:(?:[\"']?\s*(?:,|;|/|\||\+|&|\band\b)\s*[\"']?|\s+(?=[A-Za-z]-)){CODE})*))(?P=codes)(?P<after>[\"')\]}}]*)",
)
_EACH = re.compile(CODE)
_WORD_ALONE = re.compile(rf"[\s)\]:|(\[\u2192-]*(?P<word>{'|'.join(CONTRACT_WORDS)})[\s)\].!|]*")
_CAPITALS = re.compile(r"[A-Z][A-Z_]{2,}(?![\w])")
_BOOLEAN = re.compile(r"(?:yes|no|true|false|0|1|none|n/?a|null)\s*(?:[.!,;)(]|\Z)|false\b", re.IGNORECASE)
_DIGIT = re.compile(r"([01])(?![\w.,%/]*\w)")
_YES_NO = re.compile(r"(yes|no)(?!\w)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Expression:
    """A verdict expression at the start of a text.

    ``word`` is as written, "" when only codes were. ``tail`` is what follows a separator ("" when nothing does).
    """

    claim: Claim
    word: str
    tail: str = ""

    @property
    def clean(self) -> bool:
        """Whether nothing but the verdict and its codes was written."""
        return not self.tail

    @property
    def is_contract_word(self) -> bool:
        """Whether one of the contract's own words was written, in capitals."""
        return self.word in CONTRACT_WORDS


def read_expression(text: str, words: Vocabulary) -> Expression | None:
    """The verdict expression that ``text`` begins with, or None. ``text`` is plain and without emphasis."""
    opening = _OPEN.match(text)
    start = opening.end() if opening else 0
    body = text[start:]
    if not body or "-" in text[max(0, start - 1) : start] and body[0].isdigit():
        return None
    match = _WORD.match(body)
    if match is not None:
        worded = _after_word(match.group(), body[match.end() :], words)
        if match.group().upper() in CONTRACT_WORDS or words.word_decides:
            return worded or _whole_label(body, words)
        return _whole_label(body, words) or worded
    whole = _whole_label(body, words)
    if whole is not None:
        return whole
    return _digit(body, words) or _codes_first(body, words) or _label_first(body, words)


def _whole_label(body: str, words: Vocabulary) -> Expression | None:
    """The whole text is one label by id or name, several, or one with its word or id: "Likely spam (INVALID)"."""
    if not words.labels or len(body) > 100:
        return None
    end = _END.search(body)
    name = body[: end.start()] if end else body
    if label := words.label(name):
        return Expression(Claim(codes=(Code(name, label, known=True),)), "")
    worded = _WORDED.fullmatch(name)
    coded = _CODED.fullmatch(name)
    parts = [worded["name"]] if worded else [coded["name"], coded["code"]] if coded else _LIST.split(name)
    codes = tuple(Code(part, label, known=True) for part in parts if (label := words.label(part)))
    if len(codes) < len(parts):
        return None
    word = worded["word"] if worded else ""
    return Expression(Claim(CONTRACT_WORDS.get(word), codes), word)


def _after_word(word: str, rest: str, words: Vocabulary) -> Expression | None:
    decision = WORDS[re.sub(r"[\s_-]+", " ", word).upper()]
    label = words.label(word) if words.labels else None
    claim = Claim(decision)
    if label:
        # Where the labels are words, the word decides, whatever code stands beside it.
        said = label.decision.decision if words.word_decides else None
        decision, claim = label.decision.decision, Claim(said, (Code(word, label, known=True),))
    if rest.lstrip()[:1] == "?":
        return None
    rest = re.sub(rf"\A(?:[\s.,]+{re.escape(word)}(?!\w))+", "", rest)
    if _END.match(rest):
        return Expression(claim, word)
    if _ESCALATE.match(rest):
        if decision is Decision.ALLOWED:
            return Expression(claim, word, "ESCALATE")
        return Expression(claim, word)
    close = _CLOSE.match(rest)
    if close and close.group().strip():
        rest = (" " if close.group()[-1].isspace() else "") + rest[close.end() :]
    codes, rest = _read_codes(rest, words)
    claim = Claim(claim.decision, claim.codes + codes)
    if _END.match(rest) or _ESCALATE.match(rest):
        return Expression(claim, word)
    separator = _SEPARATOR.match(rest)
    if separator is None:
        # A code ends the verdict by itself: "INVALID SP2 cold promotion".
        return Expression(claim, word, rest.strip()) if codes else None
    tail = rest[separator.end() :].strip()
    if OPTIONS in tail[:3] or (separator.group().strip() == ":" and _BOOLEAN.match(tail)):
        return None
    if word not in CONTRACT_WORDS and not word.istitle() and word.upper() not in CONTRACT_WORDS:
        # "VIOLATION: none" is a field of a report, not a verdict.
        return Expression(claim, word, tail) if codes else None
    if word.upper() not in CONTRACT_WORDS and not codes:
        return None
    if word.islower() and separator.group().strip() in (",", ""):
        return None
    return Expression(claim, word, tail)


def _read_codes(rest: str, words: Vocabulary) -> tuple[tuple[Code, ...], str]:
    """Codes right behind a word, and what follows them. Prose that only begins like a code is left alone."""
    match = _CODES.match(rest)
    if match is None:
        return (), rest
    after = rest[match.end() :]
    if _RULED_OUT.match(after):
        return (), rest
    codes = _codes(match["codes"], words)
    # "INVALID (AR-15 sales)" names a thing, not a code: an unknown code has to stand alone, or be a rule such as DE3.a.
    ends = match["after"] or _END.match(after) or re.match(r"\s*[-:;,.)\]|(]", after)
    alone = ends or re.search(r"\.[A-Za-z]", match["codes"])
    if not alone and not all(code.known for code in codes):
        return (), rest
    return codes, after


def _codes(text: str, words: Vocabulary) -> tuple[Code, ...]:
    return tuple(code for m in _EACH.finditer(text) if (code := words.code(m.group())) is not None)


def _digit(body: str, words: Vocabulary) -> Expression | None:
    """A digit, or YES and NO, where the policy gives them a meaning."""
    if not words.short_words:
        return None
    match = _DIGIT.match(body) or _YES_NO.match(body)
    if match is None or match[1].upper() not in words.short_words:
        return None
    rest = body[match.end() :]
    claim = Claim(words.short_words[match[1].upper()])
    if _END.match(rest):
        return Expression(claim, match[1])
    codes, rest = _read_codes(rest, words)
    claim = Claim(claim.decision, codes)
    if _END.match(rest):
        return Expression(claim, match[1])
    separator = _SEPARATOR.match(rest)
    if separator is None:
        return None
    tail = rest[separator.end() :].strip()
    agrees = not match[1].isdigit() and means(tail) is claim.decision
    if separator.group().strip() in (".", ",", ";") and not _TWO_ANSWERS.match(tail) and not agrees:
        # "1, 2, 3 go" and "No, thanks" are no verdicts; "1, INVALID" and "No, it does not violate the policy" are.
        return None
    return Expression(claim, match[1], tail)


def _label_first(body: str, words: Vocabulary) -> Expression | None:
    """A label that is a word in capitals, with what was said of it: "REMOVE - spam link"."""
    match = _CAPITALS.match(body)
    label = words.label(match.group()) if match else None
    if match is None or label is None:
        return None
    codes, rest = _read_codes(body[match.end() :], words)
    separator = _SEPARATOR.match(rest)
    if separator is None and not codes:
        return None
    tail = rest[separator.end() if separator else 0 :]
    claim = Claim(label.decision.decision, (Code(match.group(), label, known=True), *codes))
    return Expression(claim, "", "" if _END.match(tail) else tail.strip())


def _codes_first(body: str, words: Vocabulary) -> Expression | None:
    """Codes that stand first: ``SP2.b``, ``D-SP2, R-SP0``, ``DE3 (INVALID)``, ``SP2 - Likely spam``."""
    match = _CODES.match(body)
    if match is None:
        return None
    codes = _codes(match["codes"], words)
    rest = body[match.end() :]
    if not codes or not all(code.label or code.known for code in codes):
        # An unknown code is an answer only when nothing else was written, or a word of the contract and nothing else.
        if codes and (worded := _WORD_ALONE.fullmatch(rest)):
            return Expression(Claim(CONTRACT_WORDS[worded["word"]], codes), worded["word"])
        return Expression(Claim(codes=codes), "") if codes and _END.match(rest) else None
    if _END.match(rest):
        return Expression(Claim(codes=codes), "")
    separator = _SEPARATOR.match(rest)
    if separator is None and not rest.startswith(" "):
        return None
    tail = rest[separator.end() :].strip() if separator else rest.strip()
    inner = _WORD.match(_OPEN.sub("", tail, count=1))
    if inner is not None:
        decision = WORDS[re.sub(r"[\s_-]+", " ", inner.group()).upper()]
        follow = _OPEN.sub("", tail, count=1)[inner.end() :]
        if _END.match(follow) or _SEPARATOR.match(_CLOSE.sub("", follow, count=1)) or follow[:1] in ")]":
            return Expression(Claim(decision, codes), inner.group(), _CLOSE.sub("", follow, count=1).strip(" -:;,."))
    return Expression(Claim(codes=codes), "", tail) if separator else None
