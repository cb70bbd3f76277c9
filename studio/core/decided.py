"""What words say that a label or an answer decides; in English, German, French, Spanish, Portuguese and Italian."""

from __future__ import annotations

import re

from studio.core.labels import LabelDecision

_ALLOW = re.compile(
    r"\b(?:not\s+(?:a\s+)?violat\w*|non-?\s?violat\w*|does\s+not\s+violate|no\s+violation|not\s+(?:spam|fraud|harmful|hate)|non-?\s?spam"
    r"|safe|allowed|allow|permitted|acceptable|valid|legitimate|benign|compliant|not\s+prohibited"
    r"|kein\w*\s+verst(?:oß|öße|össe)\w*|sin\s+infracci\w+|no\s+infringe|aucune\s+infraction|nessuna\s+violazione"
    r"|nicht\s+(?:verboten|unzulässig)|erlaubt|zulässig|autorisé\w*|permitid[oa]s?|consentit[oi])\b",
    re.IGNORECASE,
)
_VIOLATE = re.compile(
    r"\b(?:invalid|violat(?:es|ing|ions?|e)|unsafe|prohibited|disallowed|forbidden|not\s+(?:allowed|safe|permitted|acceptable|valid)"
    r"|verst(?:oß|öße|össe)\w*|infracci(?:ón|ones)|infractions?|infraç(?:ão|ões)|violazion[ei]|rechtswidrig\w*"
    r"|unacceptable|blocked?|banned|removed?|verboten|unzulässig|nicht\s+(?:erlaubt|zulässig)|interdit\w*"
    r"|non\s+autorisé\w*|prohibid[oa]s?|proibid[oa]s?|n(?:o|ão)\s+permitid[oa]s?|vietat[oi]|non\s+consentit[oi])\b",
    re.IGNORECASE,
)
_REVIEW = re.compile(
    r"\b(?:needs?\s+review|manual\s+review|human\s+review|for\s+review|review\s+(?:queue|label|needed)|needs?\s+a\s+person"
    r"|(?:to|by)\s+a\s+person|a\s+person\s+decides|ambiguous|^escalate|escalation\s+label"
    r"|casos\s+(?:dudosos|duvidosos|ambiguos|ambíguos)|cas\s+ambigus|decide\s+una\s+persona"
    r"|prüfung\s+durch|grauzone|zweifelsfälle|eskalation|vérification\s+humaine|revisión\s+humana|revisão\s+humana)\b",
    re.IGNORECASE,
)
_NEGATED = re.compile(r"\b(?:not|non|nicht|no|não|pas|kein\w*|sin|aucune?|nessuna)\b[\s-]*(?:a\s+)?$", re.IGNORECASE)


def decided(text: str) -> LabelDecision | None:
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
