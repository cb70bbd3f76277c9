"""Verdicts in plain speech: "The content is INVALID", "Therefore: VALID", "It asks for secrets, so it is INVALID".

Only a statement counts: not a doubt, a negation, a condition, or what somebody said.
"""

from __future__ import annotations

import re

from studio.core.answers.claims import Claim
from studio.core.answers.expression import Expression, read_expression
from studio.core.answers.vocabulary import CODE, CONTRACT_WORDS, Vocabulary

_LEAD = (
    r"(?:(?:(?:i'm )?(?:so )?sorry,? but|yes|therefore|thus|so|hence|overall|(?:in )?conclusion|accordingly"
    r"|as a result)\b"
    r"|(?:based on|under|per|as per|according to|given|following|pursuant to) [^,:\n]{1,60}(?=[,:]))[,:]?\s*"
)
_SENTENCE = re.compile(
    rf"(?:{_LEAD})?(?:(?:it|that|this)'s\s+(?:classified as\s+)?"
    r"|(?:\x01|(?:the|this|that|it|given|content"
    r"|i(?:'d)?(?: would| will| have| must)? (?:classif|label|mark|rate|judge)\w*)\b)"
    r"[^.!?\x00]{0,120}?\b(?:is|be|as|considered|deemed|labell?ed|marked|falls under|label is)\s+)"
    rf"[\"'(\[<{{\s\u2190-\u2bff\U0001f000-\U0001faff]*(?P<verdict>(?:IN)?VALID\b|ESCALATE\b|{CODE}|(?-i:[A-Z][A-Z_]{{2,}})\b)",
    re.IGNORECASE,
)
# "The message "..." asks for it, so it is INVALID": what comes before the "so" is the reason.
_SO = re.compile(r"[,;:]\s*(?:and\s+)?(?:so|therefore|thus|hence)\b")
_ITS_TEXT = re.compile(r"(?<!\S)\x01[ ,]*(?=(?:is|was|should|must|can|would)\b)", re.IGNORECASE)
_SUPPOSITION = re.compile(r"\b(?:if|whether|unless|could|may|might|cannot)\b", re.IGNORECASE)
_OF_CONTENT = re.compile(
    rf"(?:{_LEAD})?(?:the|this)\s+(?:(?:given|user|provided|above)(?:'s)?\s+)?"
    r"(?:content|message|input|text|post|request|prompt|query|question|comment|conversation|classification|answer)\b",
    re.IGNORECASE,
)
_TURN = re.compile(
    r"(?:(?:actually|wait|no|yes|correction|sorry|rather|instead|so|thus|hence|therefore|overall|finally"
    r"|in conclusion)\b"
    r"|(?:based on|under|as per|per|according to|following|pursuant to) (?:[\w'-]+ ){0,4}?"
    rf"(?:polic(?:y|ies)|rules?|sections?|criteria|guidelines?|{CODE})\b[^,:\n]{{0,20}}[,:])[\s,:;.-]*",
    re.IGNORECASE,
)
_DOUBT = re.compile(
    r"\b(?:not|if|whether|never|unless|could|may|might|says?|said|claims?|cannot)\b|n't|[\"\x01]", re.IGNORECASE
)
_CONDITION = re.compile(
    r"[\"')\],]*\s*(?:only\s+|but\s+only\s+)?(?:if|unless|when|had|were|provided|as long as)\b", re.IGNORECASE
)


def read_turn(line: str, words: Vocabulary) -> Claim | None:
    """A verdict behind a turn of speech: "Actually, INVALID", "So: VALID"."""
    match = _TURN.match(line)
    expression = read_expression(line[match.end() :], words) if match else None
    return expression.claim if expression is not None and expression.clean and expression.is_contract_word else None


def read_sentence(text: str, words: Vocabulary, *, of_content: bool = False) -> Expression | None:
    """A plain statement without doubt or negation, of a word in capitals or a label: "The content is INVALID".

    ``of_content``: only what begins with "the content", "this message" and the like.
    """
    text = text.strip()
    match = _SENTENCE.match(text)
    if match is None or (of_content and not _OF_CONTENT.match(text)) or _CONDITION.match(text, match.end()):
        return None
    said = text[: match.start("verdict")].rstrip("\"'([<{ ")
    if _SUPPOSITION.search(said) or _DOUBT.search(_ITS_TEXT.sub("", _SO.split(said)[-1])):
        return None
    if match["verdict"] in CONTRACT_WORDS:
        after = text[match.end() :].strip(" .\"')")
        return Expression(Claim(CONTRACT_WORDS[match["verdict"]]), match["verdict"], after)
    stated = read_expression(text[match.start("verdict") :], words)
    codes = stated.claim.codes if stated is not None else ()
    return stated if codes and all(code.label for code in codes) else None
