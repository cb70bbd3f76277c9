"""The linter: what is wrong or weak in a policy's text, each with its place, its reason and what to do.

One module a family of rules; they all read the text through :class:`~studio.core.lint.document.Document`.
"""

from __future__ import annotations

from collections import Counter
from itertools import chain

from studio.core.lint.answers import answer_rules
from studio.core.lint.characters import characters
from studio.core.lint.criteria import criteria
from studio.core.lint.document import Document
from studio.core.lint.examples import example_rules, read_examples
from studio.core.lint.finding import Edit, Finding, Severity, apply_edits
from studio.core.lint.labels import label_rules
from studio.core.lint.sections import sections
from studio.core.lint.wording import wording
from studio.core.policy import Policy

__all__ = ["MOST_OF_A_RULE", "Edit", "Finding", "Severity", "apply_edits", "lint"]

MOST_OF_A_RULE = 200
"""At most so many findings of one rule are told: a text of 100,000 hidden characters is one problem."""


def lint(policy: Policy, *, tokens: int | None = None, alone: bool = False) -> tuple[Finding, ...]:
    """All findings about a policy, in the order of their places.

    ``tokens`` is the length of its text as a model's tokenizer counts it; estimated when it is not given. ``alone``:
    its file is the text alone, which other tools send as it is.
    """
    doc = Document(policy, tokens)
    if not policy.text.strip():
        return (
            doc.finding(
                "policy-empty", Severity.ERROR, doc.top, "The policy is empty.",
                reason="There is nothing to judge by.", advice="Write what the policy forbids and allows.",
            ),
        )  # fmt: skip
    shown = read_examples(doc)
    families = chain(
        sections(doc, shown), answer_rules(doc, shown, alone=alone), label_rules(doc, shown), criteria(doc, shown),
        example_rules(doc, shown), wording(doc), characters(doc),
    )  # fmt: skip
    told: Counter[str] = Counter()
    kept = []
    for finding in families:
        told[finding.rule] += 1
        if told[finding.rule] <= MOST_OF_A_RULE:
            kept.append(finding)
    return tuple(sorted(kept, key=lambda finding: (finding.start, finding.end, finding.rule)))
