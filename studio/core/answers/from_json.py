"""Claims in a final that is JSON, alone or with text around it, fenced or not, strict or slightly broken."""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import dataclass
from typing import Any

from studio.core.answers.claims import Claim
from studio.core.answers.expression import read_expression
from studio.core.answers.normal import plain
from studio.core.answers.vocabulary import CODE, Code, Vocabulary
from studio.core.labels import Decision

_VIOLATION = frozenset({
    "violation", "violations", "violates", "violated", "violating", "is_violation", "isviolation", "has_violation",
    "violates_policy", "policy_violation", "violation_detected", "is_violating", "flagged", "is_flagged", "unsafe",
    "is_unsafe", "violation_found", "contains_violation", "is_policy_violation", "policy_violated",
})  # fmt: skip
_SAFETY = frozenset({"safe", "is_safe", "allowed", "is_allowed", "valid", "is_valid", "compliant", "is_compliant"})
_VERDICT = frozenset({
    "verdict", "answer", "classification", "decision", "result", "output", "final_answer", "final_verdict", "outcome",
    "class", "final", "final_classification", "final_decision", "response", "judgment", "judgement", "assessment",
    "determination",
})  # fmt: skip
_CATEGORY = frozenset({
    "policy_category", "category", "categories", "policy_categories", "label", "labels", "policy_label", "code",
    "codes", "policy_labels", "policy_code", "category_code", "policycategory",
})  # fmt: skip
# Fields that may hold a label, but may as well hold the policy's name or a grade.
_PERHAPS_CATEGORY = frozenset({
    "policy_number", "policy_id", "violated_policy", "violated_policies", "level", "severity", "depiction", "request",
})  # fmt: skip
_RULES = frozenset({
    "rule_ids", "rules", "rule", "rule_id", "ruleids", "violated_rules", "rules_violated", "cited_rules",
})  # fmt: skip
_REASON = ("rationale", "reason", "explanation", "reasoning", "justification", "analysis")
_KNOWN = _VIOLATION | _SAFETY | _VERDICT | _CATEGORY | _PERHAPS_CATEGORY
_TRUE = frozenset({"1", "true", "yes"})
_FALSE = frozenset({"0", "false", "no"})
_ABSENT = frozenset({"", "null", "n/a", "na", "-", "[]", "{}"})
_NOTHING = frozenset(
    {"none", "no violation", "no_violation", "safe", "allowed", "valid", "not applicable", "no category"}
)
# No string begins behind a backslash and no comment within one: else each of many open ones is followed to the end.
_TOKEN = re.compile(
    r"(?<!\\)\"(?:\\.|[^\"\\])*\"|(?P<single>(?<!\\)'(?:\\.|[^'\\\n])*'(?=\s*[:,}\]]))|(?P<comma>,(?=\s*[}\]]))"
    r"|(?P<word>\b(?:True|False|None|TRUE|FALSE|NULL)\b)|(?P<key>(?<=[{,\s])[A-Za-z_]\w*(?=\s*:))"
    r"|(?P<bare>(?<=[:\s\[,])[A-Za-z][\w.-]*(?=\s*[,}\]\n]))|(?P<remark>//[^\n]*|/\*(?:(?!/\*).)*?\*/|\#[^\n]*)|[^\"',TFNA-Za-z_/#]+|.",
    re.DOTALL,
)
# A string that is never closed ends with the text, also where that ends on a backslash.
_BRACES = re.compile(r"\"(?:\\.|[^\"\\])*(?:\"|\\?\Z)|[{}]", re.DOTALL)
_NO_COMMA = re.compile(r"(?<=[\w\"\]}])(?P<gap>\s+)(?=\"[\w -]{1,40}\"\s*:)")
_SIMPLE = r"(?:\"[^\"\\{}\[\]]*\"|-?\d[\d.]*|true|false|null|\[[^\[\]{}]*\])"
_PAIR = re.compile(
    rf"[{{,]\s*\"(?P<key>[\w -]{{1,40}})\"\s*:\s*(?P<value>{_SIMPLE})(?=\s*(?:,\s*\"[\w -]{{1,40}}\"\s*:|}}\s*\Z))"
)
_PYTHON = {"TRUE": "true", "FALSE": "false", "NONE": "null", "NULL": "null"}
_KEY_HINT = re.compile(r"violat|categor|verdict|classif|label|decision|flagged|safe|valid", re.IGNORECASE)
_VERDICT_KEY = re.compile(r"(?:violat|categor|verdict|classif|label|decision|safe|valid)\w*[\"']?\s*:", re.IGNORECASE)
_DOUBLED = re.compile(r"\{\s*(\{.*\})\s*\}", re.DOTALL)
_DEPTH = 30
_OBJECTS = 40
_UNCLOSED = 6


@dataclass(frozen=True, slots=True)
class JsonReading:
    """``rest`` is the text without its objects; ``cut`` marks an object that was never closed."""

    claims: tuple[Claim, ...]
    rest: str
    cut: bool = False


@dataclass(frozen=True, slots=True)
class _Repeated:
    """The values of a key that an object has more than once."""

    values: tuple[Any, ...]


def is_object(text: str) -> bool:
    """Whether the text is one JSON object, exactly as it stands.

    Then it is read as it stands: made plain first, a quotation inside one of its strings would end that string.
    """
    stripped = text.strip()
    if not (stripped.startswith("{") and stripped.endswith("}")) or _deep(stripped):
        return False
    try:
        json.loads(stripped, strict=False)
    except (ValueError, RecursionError):
        return False
    return True


def json_claims(text: str, words: Vocabulary) -> JsonReading:
    """What the objects in ``text`` claim."""
    text = _unwrapped(text)
    if "{" not in text:
        return JsonReading((), text)
    claims: list[Claim] = []
    rest, at = [], 0
    spans, cut = _spans(text)
    if cut is not None and text.rstrip(" \n`").endswith("}"):
        # It ends as an object does: a lone quotation mark inside one of its strings hides that.
        spans.append((cut, text.rindex("}") + 1))
    for start, end in spans:
        value = _load(text[start:end])
        claim = _claims(value, words)
        # Other data, and what cannot be read but has a field that states a verdict, are no prose either.
        broken = value is None and start != cut and _VERDICT_KEY.search(text, start, end) is not None
        if claim is not None or isinstance(value, dict) or broken:
            claims += claim or []
            rest.append(text[at:start])
            at = end
    tail = text[at:]
    if cut is not None and cut >= at and (_KEY_HINT.search(text, cut) or re.match(r"\{\s*[\"']|\{\s*\Z", text[cut:])):
        rest.append(text[at:cut])
        return JsonReading(tuple(claims), "".join(rest), cut=True)
    rest.append(tail)
    return JsonReading(tuple(claims), "".join(rest))


def _unwrapped(text: str) -> str:
    """The text inside a JSON string that itself holds JSON, as some tools store it."""
    stripped = text.strip()
    if stripped.startswith('{\\"'):
        stripped = f'"{stripped}"'
    if not (stripped.startswith('"') and stripped.endswith('"') and '\\"' in stripped):
        return text
    try:
        inner = json.loads(stripped)
    except (ValueError, RecursionError):
        return text
    return inner if isinstance(inner, str) else text


def _spans(text: str) -> tuple[list[tuple[int, int]], int | None]:
    """The outermost balanced objects, and where an object begins that never ends."""
    spans: list[tuple[int, int]] = []
    at, unclosed, failed = 0, None, 0
    while len(spans) < _OBJECTS and failed < _UNCLOSED:
        start = text.find("{", at)
        if start < 0:
            break
        end = _closing(text, start)
        if end is None:
            unclosed = start if unclosed is None else unclosed
            at, failed = start + 1, failed + 1
            continue
        spans.append((start, end))
        at, unclosed = end, None
    return spans, unclosed


def _closing(text: str, start: int) -> int | None:
    depth = 0
    for match in _BRACES.finditer(text, start):
        if match.group() == "{":
            depth += 1
        elif match.group() == "}":
            depth -= 1
            if depth == 0:
                return match.end()
    return None


def _load(text: str) -> Any:
    """The object in ``text``: as JSON, or with the usual slips, such as single quotes, comments and stray commas."""
    if _deep(text):
        return None
    for mend in (
        str,
        _without_slips,
        lambda slipped: _NO_COMMA.sub(r",\g<gap>", _without_slips(slipped)),
        _sound_pairs,
    ):
        try:
            return json.loads(mend(text), object_pairs_hook=_pairs, strict=False)
        except (ValueError, RecursionError):
            continue
    return None


def _without_slips(text: str) -> str:
    """Twice, since a comma may be seen to be stray only once the comment behind it is gone; one pair of braces."""
    doubled = _DOUBLED.fullmatch(text)
    return _TOKEN.sub(_mended, _TOKEN.sub(_mended, doubled[1] if doubled else text))


def _sound_pairs(text: str) -> str:
    """The fields that can be read for certain in an object with a broken string, such as quotes in a rationale.

    A field counts where a comma and another field, or the end, follow. One that is there twice says both. Where a field
    that states the verdict cannot be read, nothing is.
    """
    pairs = list(_PAIR.finditer(text))
    read = Counter(pair["key"] for pair in pairs)
    there = Counter(match[1] for match in re.finditer(r"\"([\w -]{1,40})\"\s*:", text))
    if not pairs or any(_folded(key) in _KNOWN for key in there - read):
        return ""
    return "{" + ",".join(f'"{pair["key"]}": {pair["value"]}' for pair in pairs) + "}"


def _deep(text: str) -> bool:
    return text.count("{") + text.count("[") > 2000 or "{" * _DEPTH in text.replace(" ", "") or "[" * _DEPTH in text


def _mended(match: re.Match[str]) -> str:
    token = match.group()
    if match["single"]:
        return json.dumps(token[1:-1].replace("\\'", "'"))
    if match["comma"] or match["remark"]:
        return ""
    if match["word"]:
        return _PYTHON[token.upper()]
    bare = match["bare"] and token not in ("true", "false", "null")
    return json.dumps(token) if match["key"] or bare else token


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object with folded keys; what a repeated key said is kept, all of it."""
    found: dict[str, list[Any]] = {}
    for key, value in pairs:
        found.setdefault(_folded(key), []).append(value)
    return {
        key: values[0] if all(_same(values[0], value) for value in values) else _Repeated(tuple(values))
        for key, values in found.items()
    }


def _folded(key: str) -> str:
    """A key in one spelling: "Policy Category" and "policyCategory" are "policy_category"."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])|[\s-]+", "_", plain(key).strip()).lower()


def _same(a: Any, b: Any) -> bool:
    return bool(a == b) and isinstance(a, bool) == isinstance(b, bool)


def _claims(value: Any, words: Vocabulary, depth: int = 0) -> list[Claim] | None:
    """The claims of one object; None when it has no key of any contract."""
    if not isinstance(value, dict) or depth > 3:
        return None
    if not _KNOWN & value.keys():
        inner = [item for child in value.values() for item in (child if isinstance(child, list) else [child])]
        found = [claims for item in inner[:50] if (claims := _claims(item, words, depth + 1))]
        return [claim for claims in found for claim in claims] or None
    nested = [v for k, v in value.items() if k in _VERDICT | _VIOLATION and isinstance(v, dict)]
    if nested and not any(k in _VIOLATION | _SAFETY and not isinstance(v, dict) for k, v in value.items()):
        found = [claims for item in nested if (claims := _claims(item, words, depth + 1))]
        if found:
            return [claim for claims in found for claim in claims]
    return _fields(value, words)


def _fields(value: dict[str, Any], words: Vocabulary) -> list[Claim]:
    """The claims of an object's fields, the first with its rationale and cited rules."""
    claims: list[Claim] = []
    bad: list[str] = []
    for key, content in value.items():
        for item in content.values if isinstance(content, _Repeated) else (content,):
            if key in _VIOLATION or key in _SAFETY:
                claims += _boolean(key, item, words, bad)
            elif key in _VERDICT:
                claims += _verdict(item, words, bad)
            elif key in _CATEGORY:
                claims += _category(item, words)
            elif key in _PERHAPS_CATEGORY:
                claims += [claim for claim in _category(item, words) if claim.codes or claim.decision]
    rationale = next((str(value[key]) for key in _REASON if isinstance(value.get(key), str)), "")
    rules = tuple(
        text for key in _RULES if key in value for text in _texts(value[key]) if text.lower() not in _ABSENT | _NOTHING
    )
    if bad:
        return []
    if not claims:
        return []
    first = claims[0]
    return [Claim(first.decision, first.codes, rules, rationale, first.unknown), *claims[1:]]


def _boolean(key: str, item: Any, words: Vocabulary, bad: list[str]) -> list[Claim]:
    """What a yes-or-no field says. A value that is neither spoils the whole object: it is not guessed at."""
    text = _scalar(item)
    if item is None or text in _ABSENT:
        return []
    if key in _SAFETY and isinstance(item, dict | list):
        return []
    truth = True if text in _TRUE else False if text in _FALSE else None
    if truth is None and key in _VIOLATION and text == "none":
        truth = False
    if truth is None and key in _VIOLATION and isinstance(item, str) and words.label(item):
        return _category(item, words)
    if truth is None:
        bad.append(key)
        return []
    return [Claim(Decision.VIOLATES if truth is (key in _VIOLATION) else Decision.ALLOWED)]


def _verdict(item: Any, words: Vocabulary, bad: list[str]) -> list[Claim]:
    """What a field such as "verdict" or "classification" says: a word, a code, or a list of codes."""
    if item is None or _scalar(item) in _ABSENT or isinstance(item, dict):
        return []
    if isinstance(item, list):
        return _category(item, words)
    if isinstance(item, bool):
        bad.append("bool")
        return []
    expression = read_expression(plain(str(item)), words)
    if expression is None:
        # A sentence in such a field says nothing that can be relied on.
        return []
    return [expression.claim]


def _category(item: Any, words: Vocabulary) -> list[Claim]:
    """What a category field says: one label, several, none, or something that the policy does not have."""
    claims: list[Claim] = []
    for text in _texts(item):
        lowered = text.lower()
        if lowered in _ABSENT:
            continue
        label = words.label(text) if words.labels else None
        if label is not None:
            claims.append(Claim(codes=(Code(text, label, known=True),)))
            continue
        if lowered in _NOTHING:
            claims.append(Claim(Decision.ALLOWED))
            continue
        expression = read_expression(text, words)
        codes = _known_codes(text, words)
        if expression is not None:
            claims.append(expression.claim)
        elif codes:
            claims.append(Claim(codes=codes))
        elif words.labels and not words.mentions(text):
            claims.append(Claim(unknown=text[:80]))
        else:
            claims.append(Claim(rule_ids=(text,)))
    return claims


def _known_codes(text: str, words: Vocabulary) -> tuple[Code, ...]:
    """The policy's codes that a category names among other words ("SP2 Unwanted promotion"), if it names only those."""
    if re.search(r"\b(?:not|no|non)\b", text, re.IGNORECASE):
        return ()
    written = [match.group() for match in re.finditer(rf"(?<![\w]){CODE}", text)]
    codes = tuple(code for name in written if (code := words.code(name)) is not None)
    return codes if all(code.label for code in codes) else ()


def _texts(item: Any) -> list[str]:
    """The texts of a field that holds one, a list of them, or objects with an id."""
    if isinstance(item, _Repeated):
        return [text for value in item.values for text in _texts(value)]
    if isinstance(item, list):
        return [text for value in item[:50] for text in _texts(value)]
    if isinstance(item, dict):
        named = next((item[key] for key in ("id", "code", "label", "category", "rule_id", "name") if key in item), None)
        return _texts(named) if not isinstance(named, dict) else []
    return [] if item is None else [plain(str(item)).strip()]


def _scalar(item: Any) -> str:
    """A value as a lower-case word: True, 1, 1.0, "1" and "true" are alike in a yes-or-no field."""
    if isinstance(item, float) and item in (0.0, 1.0):
        item = int(item)
    return re.sub(r"\A([01])\.0+\Z", r"\1", plain(str(item)).strip().lower())
