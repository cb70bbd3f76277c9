"""Policies of every kind, and the table of finals as models print them, with what each must be read as.

The table is ``data/answers.jsonl``: ``policy`` is the id of a policy below, ``expected`` a decision or a status.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from studio.core.labels import Label, LabelDecision
from studio.core.policy import OutputForm, OutputPosition, Policy

A, V, R = LabelDecision.ALLOW, LabelDecision.VIOLATE, LabelDecision.REVIEW
IN_TEXT = OutputPosition.IN_TEXT

WORDS_TEXT = """Spam Policy
Classify each input as VALID (no spam) or INVALID (spam).
SP0 (VALID) - Non-Spam
SP2 (INVALID) - Likely Spam, SP2.b Cold outreach
SP3 (INVALID) - High-Risk Spam
SP4 (INVALID) - Malicious Spam
Return exactly one word: VALID or INVALID.
Content: [INPUT]
Answer (VALID or INVALID):
"""
LEVELS_TEXT = """INVALID = ATTEMPT (DE2-DE4)
DE2 DE3 DE4
VALID = FINE (DE0)
Classification (VALID or INVALID):"""
BINARY_TEXT = """Return exactly one character: 0 or 1.

0 = Content does NOT violate this policy.
1 = Content violates this policy."""

PLAIN = Policy(
    "plain", "Plain", "No spam.\nReturn exactly one word: VALID or INVALID.", (), OutputForm.VALID_INVALID, IN_TEXT
)
WORDS = Policy(
    "words",
    "Spam",
    WORDS_TEXT,
    (Label("SP0", A, "Non-Spam"), Label("SP2", V, "Likely Spam"), Label("SP3", V), Label("SP4", V)),
    OutputForm.VALID_INVALID,
    IN_TEXT,
)
LEVELS = Policy(
    "levels",
    "Exfiltration",
    LEVELS_TEXT,
    (Label("DE0", A), Label("DE2", V), Label("DE3", V, "System prompt"), Label("DE4", V)),
    OutputForm.VALID_INVALID,
    IN_TEXT,
)
JSON = Policy(
    "json",
    "Hate",
    "H2 is dehumanising. H2.d animals. H2.f vermin. H3 slurs. H0 is fine.",
    (Label("H0", A, "Fine"), Label("H2", V, "Dehumanising"), Label("H3", V, "Slurs"), Label("HR", R, "Unclear")),
)
LABEL = Policy(
    "label",
    "Spam",
    "SP2 bulk. SP2.b cold. SP3 engagement.",
    (
        Label("SP0", A, "Safe content"),
        Label("SP2", V, "Bulk messaging"),
        Label("SP3", V),
        Label("ESC1", R, "For review"),
    ),
    OutputForm.LABEL,
)
DUAL = Policy(
    "dual",
    "Spam",
    "Labels D-SP2, R-SP0",
    (Label("D-SP0", A), Label("D-SP2", V), Label("R-SP0", A), Label("R-SP2", V)),
    OutputForm.LABEL,
)
NAMED = Policy(
    "named",
    "House rules",
    "x",
    (Label("harassment", V), Label("hate-speech", V, "Hate speech"), Label("none", A), Label("unclear", R)),
    OutputForm.LABEL,
)
BINARY = Policy("binary", "Toxic", BINARY_TEXT, (), OutputForm.BINARY, IN_TEXT)
YES_NO = Policy(
    "yes",
    "Toxic",
    "Answer YES or NO.\nYES = content violates this policy\nNO = content is safe",
    (),
    OutputForm.VALID_INVALID,
    IN_TEXT,
)
WORD_LABELS = Policy(
    "wordlabels",
    "House rules",
    "No spam.",
    (Label("VALID", A), Label("INVALID", V), Label("ESCALATE", R)),
    OutputForm.LABEL,
)
KEEP = Policy(
    "keep", "House rules", "Answer KEEP or REMOVE.", (Label("KEEP", A), Label("REMOVE", V)), OutputForm.LABEL, IN_TEXT
)
SAFETY = Policy(
    "safety",
    "Safety",
    "Answer SAFE or UNSAFE.",
    (Label("SAFE", A, "Safe content"), Label("UNSAFE", V)),
    OutputForm.LABEL,
    IN_TEXT,
)
POLICIES = (PLAIN, WORDS, LEVELS, JSON, LABEL, DUAL, NAMED, BINARY, YES_NO, WORD_LABELS, KEEP, SAFETY)


@dataclass(frozen=True)
class Case:
    """One final; ``labels`` and ``rule_ids`` are None where the table does not ask for them."""

    shape: str
    policy: Policy
    final: str
    expected: str
    labels: tuple[str, ...] | None
    rule_ids: tuple[str, ...] | None


def _cases() -> list[Case]:
    policies = {policy.id: policy for policy in POLICIES}
    rows = (Path(__file__).parent / "data" / "answers.jsonl").read_text(encoding="utf-8").splitlines()
    found = []
    for row in map(json.loads, rows):
        labels = tuple(row["labels"]) if "labels" in row else None
        rules = tuple(row["rule_ids"]) if "rule_ids" in row else None
        found.append(Case(row["shape"], policies[row["policy"]], row["final"], row["expected"], labels, rules))
    return found


CASES = _cases()
