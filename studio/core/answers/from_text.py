"""Claims in a final that is prose: a bare word, a word behind an answer label, or a verdict line after an echo.

Echoed content must never become the verdict. So a line counts only where a verdict stands: the first line, the last
line when it is nothing but a verdict, and anything behind an answer label ("Answer (VALID or INVALID):"). What is
quoted is taken out first. Two claims that differ are a conflict, never a choice.
"""

from __future__ import annotations

import re
from itertools import takewhile

from studio.core.answers.claims import Claim
from studio.core.answers.expression import WORD, Expression, read_expression
from studio.core.answers.normal import OPTIONS, QUOTED, unmarked
from studio.core.answers.sentences import read_sentence, read_turn
from studio.core.answers.vocabulary import WORDS, Vocabulary
from studio.core.labels import Decision

_LABEL_WORDS = (
    r"(?:answer|classification|verdict|output|decision|conclusion|judge?ment|determination|result|label|response|ruling"
    r"|assessment|evaluation|outcome|classified|class|category|policy[ _]category|labels|codes?|rating)(?![A-Za-z])"
)
_BEFORE = (
    r"(?:(?:so|thus|therefore|hence|final|finally|overall|my|the|our|your|content|policy|moderation|safety|correct)"
    r"[ ,]+){0,4}"
)
_AFTER = r"(?:[ ](?:label|code|result|is|was|as|would[ ]be|should[ ]be|for[ ][^:\x00]{1,40})){0,2}"
_LABEL = _BEFORE + _LABEL_WORDS + _AFTER
_PREFIX = re.compile(
    rf"(?:{_LABEL}\s*(?P<options>\x00|\([^()\n]{{1,120}}\)(?=\s*[:=]))?|[^\x00.!?\n]{{0,60}}\x00)"
    r"(?P<mark>\s*\??\s*(?:[:=]|-{1,2}>?|\u2192|\||\bis\b))?\s*",
    re.IGNORECASE,
)
_INLINE_LABEL = re.compile(rf"(?<![\w\"'?&/-]){_LABEL}\s*\x00?\s*(?:[:=]|\u2192)\s*", re.IGNORECASE)
_INLINE_OPTIONS = re.compile(r"\x00\s*[:=-]?\s*")
_WRITTEN = re.compile(r"[\w\x00\x01]")
_MARK = re.compile(r"[:=\u2192]")
_OPTION_ITEM = rf"[\"'*`_]{{0,3}}(?:{WORD}|(?<![\w.])[01](?![\w.])|\b(?:yes|no)\b)[\"'*`_]{{0,3}}"
_OPTIONS = re.compile(
    rf"(?P<open>[(\[{{<])\s*(?:either\s+)?{_OPTION_ITEM}(?:\s*(?:,\s*or\b|,|/|\||\bor\b|\bvs\b\.?|\band\b)\s*{_OPTION_ITEM})+\s*[)\]}}>]"
    rf"|(?<![\w]){_OPTION_ITEM}(?:\s*(?:/|\||,?\s*\bor\b|\bvs\b\.?)\s*{_OPTION_ITEM})+",
    re.IGNORECASE,
)
_ANSWER_LABEL = re.compile(r"\A\s*\"\s*answer\s*\([^()\n]{1,60}\)\s*:(?=[^\"]*\"\s*\Z)", re.IGNORECASE)
_QUOTE = re.compile(r"\"[^\"\n]{1,4000}\"")
_BULLET = re.compile(r"(?:[-+\u2022\u25cf\u25aa#]+\s+|\(?\d{1,2}[.)]\s+(?=\S))+")
_FENCE = re.compile(r"^[ ]{0,3}(`{3,}|~{3,})[^\n]*$", re.MULTILINE)
# "Spam policy: INVALID", and at the end of a line "... here! - INVALID" or "... here! INVALID".
_NAMED = re.compile(r"(?:[\w'/&#()-]+ ){0,5}[\w'/&#()-]+:\s*(?P<verdict>(?:IN)?VALID\b.{0,60})\Z")
_DASH_END = re.compile(r"(?:\s-{1,2}\s|[.!?]\s|\s\|\s)\s*(?P<verdict>[(\[\"']?(?:IN)?VALID\b.{0,60})\Z")
_ARROW_END = re.compile(r"(?:\u2192|=>|->|\x01\s*[)\].]?\s*[:=|-]{0,2})\s*(?P<verdict>[^\u2192\x01]{1,80})\Z")
_FIELD = re.compile(
    r"[\"']?(?:is_)?(?:violation|violates)[\"']?\s*[:=]\s*[\"']?(?P<truth>0|1|true|false|yes|no)[\"']?[\s.,]*\Z",
    re.IGNORECASE,
)
_AXIS_FIELD = re.compile(r"[A-Za-z][A-Za-z ]{0,30}:\s*(?P<codes>[A-Za-z][-_][A-Za-z].{0,40})")
_ESCALATE_ALONE = re.compile(r"[\W_]*escalate[\W_]*", re.IGNORECASE)
_SUPPOSED = re.compile(r"\b(?:it|this|that|content|message|post|text) would be\b", re.IGNORECASE)
# "VALID (if opted in) / INVALID (if not)", "VALID; otherwise INVALID": the other answer of two, not a word in a reason.
_ELSE = re.compile(
    r"(?:/|[,;](?=\s*\w+\s*\()|\b(?:otherwise|or else),?)\s*(?P<verdict>(?:IN)?VALID|ESCALATE)(?=\s*(?:[(.,;:]|\Z))"
)
_REASON = re.compile(
    r"^\W*(?:reason(?:ing)?|rationale|explanation|justification|because)\b\W*:?\s*(?P<why>.*)",
    re.IGNORECASE | re.DOTALL,
)
# What stands below a verdict, and what above it is an echo and nothing else.
_REPORT = re.compile(
    r"\W*(?:reason(?:ing|s)?|rationale|explanation|justification|analysis|confidence|severity|category|rules?|policy|notes?"
    r"|evidence|details?|why)\b[^:\n]{0,20}:",
    re.IGNORECASE,
)
_ECHO_ONLY = re.compile(r"(?:\s*(?:[A-Za-z ]{1,30}:\s*)?\x01[\s.]*)+")
# What a line must hold to be worth a closer look.
_DECISIVE = re.compile(
    r"[\x00\d]|\b(?:yes|no|non|not|does|in)\b|valid|escalat|safe|allowed|compliant|violat|review", re.IGNORECASE
)
_SEVERAL = re.compile(r"[/|,]|\b(?:or|vs|and)\b", re.IGNORECASE)


def text_claims(text: str, words: Vocabulary) -> list[Claim]:
    """All claims in ``text``, which is plain (see ``normal.plain``) and has no JSON left in it."""
    lines = _lines(text, words)
    claims: list[Claim] = []
    for number, line in enumerate(lines):
        if not (_DECISIVE.search(line) or (words.labels and (len(line) <= 200 or number in (0, len(lines) - 1)))):
            continue
        claims += _line_claims(lines, number, words)
    if not claims and lines:
        claims = _sentence_claims(lines, words)
    return _with_rationale(claims, lines)


def starts_with_verdict(text: str, words: Vocabulary) -> Claim | None:
    """The claim that the first line of ``text`` makes, or None."""
    lines = _lines(text, words)[:1]
    found = _line_claims(lines, 0, words) if lines else []
    return found[0] if found else None


def _lines(text: str, words: Vocabulary) -> list[str]:
    """The lines that can hold a verdict: unmarked, options folded into one sign, quotations taken out."""
    whole = _whole(unmarked(_FENCE.sub("", text)), words)
    body = _FENCE.sub("", text) if whole else _without_fenced(text, words)
    lines = [line for line in body.split("\n") if line.strip()]
    quoted = [line.lstrip().startswith(">") for line in lines]
    kept: list[str] = []
    for line, is_quote in zip(lines, quoted, strict=True):
        plain = unmarked(line)
        if _SEVERAL.search(plain) and _DECISIVE.search(plain):
            plain = _OPTIONS.sub(_fold_options, plain)
        answered = bool(kept) and _is_bare_label(kept[-1]) and _pure(plain, words)
        if is_quote and not all(quoted) and not answered:
            plain = QUOTED
        if '"' in plain and not whole:
            plain = _QUOTE.sub(lambda match: match.group() if _pure(match.group(), words) else QUOTED, plain)
        if _WRITTEN.search(plain):
            kept.append(plain)
    return kept


def _whole(text: str, words: Vocabulary) -> bool:
    """Whether ``text`` is nothing but a verdict, perhaps behind an answer label and in quotation marks."""
    return _pure(text, words) or (len(text) <= 200 and _pure(_ANSWER_LABEL.sub("", text, count=1), words))


def _without_fenced(text: str, words: Vocabulary) -> str:
    """The text without fenced blocks, unless a block is a verdict and nothing else."""
    marks = list(_FENCE.finditer(text))
    parts, at = [], 0
    for opening, closing in zip(marks[::2], marks[1::2], strict=False):
        block = text[opening.end() : closing.start()]
        parts.append(text[at : opening.start()])
        parts.append(block if _pure(unmarked(block), words) else QUOTED)
        at = closing.end()
    parts.append(_FENCE.sub("", text[at:]))
    outside = "".join(part for part in parts if part != QUOTED)
    return "\n".join(parts) if outside.strip() else _FENCE.sub("", text)


def _pure(text: str, words: Vocabulary) -> bool:
    """Whether ``text`` is a verdict expression and nothing else."""
    if len(text) > 200:
        return False
    expression = read_expression(text.strip(), words)
    return expression is not None and expression.clean


def _fold_options(match: re.Match[str]) -> str:
    """A list of possible answers becomes one sign; "INVALID / ESCALATE" is not such a list, but an answer."""
    items = re.findall(_OPTION_ITEM, match.group(), re.IGNORECASE)
    found = {_meaning(item) for item in items}
    # A row such as "| 1 | VALID |" mixes a number with an answer.
    alike = len({any(digit in item for digit in "01") for item in items}) == 1
    return f" {OPTIONS} " if alike and Decision.ALLOWED in found and len(found) > 1 else match.group()


def _meaning(item: str) -> Decision | None:
    item = re.sub(r"[\s_-]+", " ", item.strip("\"'*`_ ")).upper()
    if item in ("0", "NO"):
        return Decision.ALLOWED
    return Decision.VIOLATES if item in ("1", "YES") else WORDS.get(item)


def _line_claims(lines: list[str], number: int, words: Vocabulary) -> list[Claim]:
    line = lines[number]
    if number and _ESCALATE_ALONE.fullmatch(line) and _pure_violation(lines[number - 1], words):
        # "INVALID + ESCALATE" on two lines.
        return []
    bare = _BULLET.sub("", line, count=1) if _BULLET.match(line) else line
    behind = _behind_label(bare, words)
    if behind is not None:
        return _claims_of(behind, words)
    field = _FIELD.match(bare) if "1" in words.short_words else None
    if field is not None:
        return [Claim(Decision.VIOLATES if field["truth"].lower() in ("1", "true", "yes") else Decision.ALLOWED)]
    turned = read_turn(bare, words) or _axis_field(bare, words)
    if turned is not None:
        return [turned]
    expression = read_expression(bare, words)
    if expression is not None and _stands(expression, lines, number, words):
        return _claims_of(expression, words)
    last = number == len(lines) - 1
    found = _inline(bare, words, last=last)
    if last and found and _ARROW_END.search(bare[-100:]):
        # Below other lines like it, it is one of a list: examples, or several contents.
        found += [claim for line in lines[:number] if _ARROW_END.search(line[-100:]) for claim in _at_end(line, words)]
    return found


def _behind_label(line: str, words: Vocabulary) -> Expression | None:
    """The expression behind one or more answer labels at the start of the line."""
    rest, labelled = line, False
    for _ in range(3):
        match = _PREFIX.match(rest.lstrip("\"'([{<|.: "))
        if match is None or not match.group():
            break
        text = rest.lstrip("\"'([{<|.: ")
        options = match["options"]
        if options and options != OPTIONS and "," not in options:
            # "Classification (DE3): INVALID" carries a code, "Answer (INVALID):" the verdict itself.
            inner = read_expression(options, words)
            after = read_expression(text[match.end() :], words)
            if inner is not None and (after is None or inner.word):
                return inner if after is None else Expression(_joined(inner, after), after.word, after.tail)
        said = match.group().rstrip().casefold()
        begun = match["mark"] is not None or OPTIONS in said or said.endswith((" is", " as", " be", " was"))
        rest = text[match.end() :]
        if not begun and not re.match(r"[\"'(\[<]|(?:IN)?VALID\b|ESCALATE\b", rest):
            return None
        labelled = True
    if not labelled:
        return None
    expression = read_expression(rest, words)
    return expression or read_sentence(rest, words)


def _joined(first: Expression, second: Expression) -> Claim:
    """Two expressions of one line as one claim; differing words stay visible as a contradiction of codes."""
    a, b = first.claim, second.claim
    return Claim(b.decision or a.decision, a.codes + b.codes, rationale=b.rationale)


def _stands(expression: Expression, lines: list[str], number: int, words: Vocabulary) -> bool:
    """Whether a verdict may stand on this line without an answer label before it."""
    if number > 0 and _is_bare_label(lines[number - 1]):
        return True
    if number == 0:
        if not expression.clean and len(lines) > 1 and not expression.is_contract_word and not expression.claim.codes:
            return expression.word.istitle() and expression.word.upper() in ("VALID", "INVALID")
        return True
    if number == len(lines) - 1:
        # "INVALID (asks for the prompt)" below an echo, not "Valid until Friday".
        return expression.is_contract_word or (expression.clean and not expression.word.islower())
    if expression.is_contract_word and (
        expression.claim.codes or _ECHO_ONLY.fullmatch(" ".join(lines[:number])) or _REPORT.match(lines[number + 1])
    ):
        return True
    # Else only codes may stand in the middle, beside other codes: "D-SP2" and "R-SP0" on two lines.
    return expression.clean and not expression.word and read_expression(lines[0], words) is not None


def _axis_field(line: str, words: Vocabulary) -> Claim | None:
    """A label on one axis of a dual set behind the axis' name: "Depiction: D-SP2"."""
    match = _AXIS_FIELD.fullmatch(line)
    expression = read_expression(match["codes"], words) if match else None
    if expression is None or not expression.clean or expression.word:
        return None
    return expression.claim if all(code.label and code.axis for code in expression.claim.codes) else None


def _pure_violation(line: str, words: Vocabulary) -> bool:
    expression = read_expression(line, words)
    return expression is not None and expression.clean and expression.claim.decision is Decision.VIOLATES


def _is_field(line: str) -> bool:
    """Whether a line begins with an answer label, so that it is no part of the reason above it."""
    match = _PREFIX.match(line)
    return match is not None and match["mark"] is not None


def _is_bare_label(line: str) -> bool:
    line = _BULLET.sub("", line, count=1)
    match = _PREFIX.match(line)
    return match is not None and bool(match.group()) and not line[match.end() :].strip(" :.-")


def _claims_of(expression: Expression, words: Vocabulary) -> list[Claim]:
    """The expression's claim, and any further verdict stated in its tail ("VALID. Actually INVALID")."""
    claim = expression.claim
    if not expression.tail:
        return [claim]
    more = _inline(expression.tail, words, last=True)
    again = read_expression(expression.tail, words)
    if again is not None and again.clean:
        more.append(again.claim)
    more += [Claim(WORDS[match["verdict"]]) for match in _ELSE.finditer(expression.tail)]
    for sentence in re.split(r"[.!;]\s+", expression.tail)[:20]:
        # What would be so under other facts is part of the reason: "INVALID. With consent this would be VALID."
        stated = None if _SUPPOSED.search(sentence) else read_sentence(sentence, words)
        claim_again = stated.claim if stated else read_turn(sentence, words)
        begun = read_expression(sentence, words)
        if claim_again is None and begun is not None and begun.is_contract_word:
            claim_again = begun.claim
        if claim_again is not None:
            more.append(claim_again)
    why = expression.tail.strip().rstrip(")]").strip() if not more else ""
    match = _REASON.match(why)
    return [Claim(claim.decision, claim.codes, claim.rule_ids, match["why"] if match else why), *more]


def _inline(line: str, words: Vocabulary, *, last: bool) -> list[Claim]:
    """Claims inside a line: behind an answer label, or at the end of the last line behind an arrow or a quotation."""
    claims = []
    marks = list(_INLINE_LABEL.finditer(line))[:8] if _MARK.search(line) else []
    for match in [*marks, *list(_INLINE_OPTIONS.finditer(line))[:8]]:
        expression = read_expression(line[match.end() :], words)
        if expression is None or not (expression.is_contract_word or OPTIONS in match.group()):
            continue
        if not _closes_a_quote(line, match.end()):
            claims.append(expression.claim)
    named = None if claims else _NAMED.match(line)
    if named is not None:
        expression = read_expression(named["verdict"], words)
        if expression is not None and expression.clean and expression.is_contract_word:
            claims.append(expression.claim)
    row = line.startswith("|") and line.endswith("|")
    if row and not claims:
        # The first cell of a row names what the row is about, unless it is the only row.
        cells = [cell for cell in line.strip("|").split("|") if cell.strip()]
        read = [read_expression(cell, words) for cell in (cells if last and len(cells) < 2 else cells[1:])]
        claims = [cell.claim for cell in read if cell is not None and cell.clean and cell.is_contract_word]
    return claims if claims or row or not last else _at_end(line, words)


def _at_end(line: str, words: Vocabulary) -> list[Claim]:
    """The verdict that a line ends on, behind a dash, an arrow or a quotation."""
    end = _DASH_END.search(line[-100:]) or _ARROW_END.search(line[-100:])
    expression = read_expression(end["verdict"], words) if end else None
    if expression is not None and expression.clean and (expression.is_contract_word or expression.claim.codes):
        return [expression.claim]
    return []


def _closes_a_quote(line: str, at: int) -> bool:
    """Whether the place lies inside a quotation that was opened before it."""
    return line.count('"', 0, at) % 2 == 1 and '"' in line[at:]


def _sentence_claims(lines: list[str], words: Vocabulary) -> list[Claim]:
    """What sentences state, read only when nothing else claims a verdict.

    The first and the last line count, and between them what is said of the content by name.
    """
    found = []
    for line in dict.fromkeys((lines[0], lines[-1])):
        for sentence in re.split(r"(?<=[.!])\s+", line)[-3:] if line is lines[-1] else [line]:
            stated = read_sentence(sentence, words)
            claim = stated.claim if stated else read_turn(sentence, words)
            behind = _behind_label(sentence, words) if claim is None else None
            if behind is not None and behind.clean and behind.is_contract_word:
                claim = behind.claim
            if claim is not None:
                found.append(claim)
    between = [read_sentence(line, words, of_content=True) for line in lines[1:-1]]
    return found + [stated.claim for stated in between if stated is not None]


def _with_rationale(claims: list[Claim], lines: list[str]) -> list[Claim]:
    """The claims with the text of a "Reason:" line, where the claim itself gave none."""
    if not claims or any(claim.rationale for claim in claims):
        return claims
    for number, line in enumerate(lines):
        match = _REASON.match(line)
        if match is not None:
            more = takewhile(lambda later: not _is_field(later), lines[number + 1 :])
            why = " ".join([match["why"], *more]).replace(QUOTED, "\u2026").replace(OPTIONS, "").strip()
            first = claims[0]
            return [Claim(first.decision, first.codes, first.rule_ids, why), *claims[1:]]
    return claims
