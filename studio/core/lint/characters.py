"""Rules about characters: hidden ones, look-alikes in words and codes, and the control tokens of the prompt."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from studio.core.lint.document import Document
from studio.core.lint.finding import Edit, Finding, Severity

_HIDDEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f"
    "\u3164\ufeff\uffa0\ufff9-\ufffb\U000e0000-\U000e0fff]+"
)
_BIDI = re.compile("[\u202a-\u202e\u2066-\u2069]")
_TAGS = re.compile("[\U000e0000-\U000e007f]")
_JOINERS = "\u200c\u200d"
_MARKS = "\u200e\u200f\u061c"
_GAP = "[\\s\u00ad\u200b-\u200f\u2060\ufeff]{0,3}"
_BAR = "[|\uff5c\u2502\u01c0\u00a6]"
_CONTROL = re.compile(
    rf"[<\uff1c\u2039\u27e8]{_GAP}{_BAR}{_GAP}[A-Za-z][A-Za-z_ 0-9\u200b-\u200f\u2060\ufeff-]{{0,40}}?"
    rf"{_GAP}{_BAR}{_GAP}[>\uff1e\u203a\u27e9]"
)
_WIDE = {"\uff1c": "<", "\uff1e": ">", "\uff5c": "|"}

# Letters of other scripts that look like Latin ones in common fonts (from Unicode's confusables, the plain cases).
_CYRILLIC = dict(zip("АВЕЅЗІЈКМНОРСТУХԌаеѕіјорсухԁһ", "ABES3IJKMHOPCTYXGaesijopcyxdh", strict=True))
_GREEK = dict(zip("ΑΒΕΖΗΙΚΜΝΟΡΤΥΧονρ", "ABEZHIKMNOPTYXovp", strict=True))
_ALIKE = _CYRILLIC | _GREEK
_MIXED = re.compile(r"[A-Za-z\u0370-\u03ff\u0400-\u052f][A-Za-z0-9_\u0370-\u03ff\u0400-\u052f-]*")
_CODE_LIKE = re.compile(r"(?:[A-Z]{1,3}-)?[A-Z]{1,5}[-_]?\d{1,3}\Z")


def characters(doc: Document) -> Iterator[Finding]:
    """All findings of this family."""
    if not doc.text.isascii():
        yield from _hidden(doc)
        yield from _alike(doc)
    elif not doc.text.isprintable():
        yield from _hidden(doc)
    yield from _control(doc)


def _hidden(doc: Document) -> Iterator[Finding]:
    for match in _HIDDEN.finditer(doc.text):
        run, start = match.group(), match.start()
        if start == 0 and run == "\ufeff":
            continue
        if len(set(run)) == 1 and _belongs(doc.text, start, match.end()) or _is_flag(doc.text, start, run):
            continue
        severe = _BIDI.search(run) or _TAGS.search(run)
        what = (
            "characters that turn the direction of writing"
            if _BIDI.search(run)
            else "tag characters"
            if _TAGS.search(run)
            else "hidden characters"
        )
        names = ", ".join(dict.fromkeys(_name(char) for char in run[:4]))
        yield doc.finding(
            "hidden-characters", Severity.ERROR if severe else Severity.WARNING, match.span(),
            f"{len(run)} "
            f"{what if len(run) > 1 else what.replace('characters', 'character').replace('turn ', 'turns ')}: {names}.",
            reason="The model reads what people do not see: it splits words, hides text, or shows it in another order.",
            advice="Delete it.", fix=(Edit(*match.span()),),
        )  # fmt: skip


def _belongs(text: str, start: int, end: int) -> bool:
    """Whether a joiner or direction mark does its honest work: in an emoji, or in a script that needs it."""
    char, before, after = text[start], text[start - 1 : start], text[end : end + 1]
    if end - start > 1 or not (before or after):
        return False
    if char == "\u200d" and before and after and (ord(before) > 0x2100 or ord(after) > 0x2100):
        return True
    if char in _JOINERS:
        return bool(before) and 0x0590 <= ord(before) < 0x1900
    if char == "\u200b":
        # Thai, Lao, Burmese and Khmer write no spaces; this one tells where a line may break.
        return bool(before) and 0x0E00 <= ord(before) < 0x1900
    if char in _MARKS:
        return any(unicodedata.bidirectional(c) in ("R", "AL") for c in text[max(0, start - 12) : end + 12])
    return False


def _is_flag(text: str, start: int, run: str) -> bool:
    """Flags of regions are a black flag with tag letters behind it and the closing tag."""
    return start > 0 and text[start - 1] == "\U0001f3f4" and run.endswith("\U000e007f") and len(run) <= 8


def _name(char: str) -> str:
    name = unicodedata.name(char, "").lower()
    return f"U+{ord(char):04X}" + (f" {name}" if name else "")


def _alike(doc: Document) -> Iterator[Finding]:
    """Words that mix Latin letters with look-alikes of another script, and codes made of look-alikes."""
    known = {label.id for label in doc.policy.labels}
    in_quotes = doc.unquoted
    for match in _MIXED.finditer(doc.text):
        word = match.group()
        if word.isascii():
            continue
        latin = "".join(_ALIKE.get(char, char) for char in word)
        if not latin.isascii():
            continue
        code = latin in known or _CODE_LIKE.match(latin) is not None
        mixed = any(char.isascii() and char.isalpha() for char in word)
        if not code and (not mixed or in_quotes[match.start()].isspace()):
            continue
        yield doc.finding(
            "look-alike", Severity.ERROR if code else Severity.WARNING, match.span(),
            f"{word!r} mixes letters of two scripts that look "
            f"alike." if mixed else f"{word!r} is written with letters that only look like {latin!r}.",
            reason="It is not the word that it seems to be: searches, answers and labels do not match it.",
            advice=f"Write {latin!r}.", fix=(Edit(match.start(), match.end(), latin),),
        )  # fmt: skip


def _control(doc: Document) -> Iterator[Finding]:
    text, shown = doc.text, doc.unquoted
    for match in _CONTROL.finditer(text):
        quoted = shown[match.start() : match.start() + 1].isspace()
        yield doc.finding(
            "control-token", Severity.NOTE if quoted else Severity.ERROR, match.span(),
            f"{_readable(match.group())} looks like a control token of the prompt.",
            reason="The studio sends it as plain text; most other tools turn it into a real control token, "
                "which ends the policy.",
            advice="Take it out. To speak about it, describe it in words.",
        )  # fmt: skip


def _readable(token: str) -> str:
    return "".join(_WIDE.get(char, char) for char in _HIDDEN.sub("", token))
