"""Whole policies in the layouts that people publish: exactly these findings, at these places, and no other."""

from __future__ import annotations

from pathlib import Path

import pytest

from studio import paths
from studio.core.lint import lint
from studio.exchange.policy_files import read_policy

POLICIES = Path(__file__).parent / "policies"
SHIPPED = sorted(paths.resource("policies").glob("*/policy.md"))

EXPECTED: dict[str, list[tuple[str, int, str]]] = {
    "bold_sections": [("vague-word", 10, "usually")],
    "bold_codes": [],
    "caps_colons": [
        ("rule-contradiction", 14, 'The author says "our kitchen", "my restaurant".'),
        ("example-two-labels", 19, 'INVALID: "We waited an hour and the soup was cold."'),
    ],
    "clauses": [],
    "clean_long": [],
    "conduct": [
        ("labels-missing", 1, "# House rules of the Nimbus maker space"),
        ("length-short", 1, "# House rules of the Nimbus maker space"),
        ("section-definitions", 1, "# House rules of the Nimbus maker space"),
        ("section-examples", 1, "# House rules of the Nimbus maker space"),
        ("section-instruction", 1, "# House rules of the Nimbus maker space"),
        ("vague-word", 14, "reasonably"),
        ("vague-word", 14, "inappropriate"),
    ],
    "german": [("language-unchecked", 1, "# Aufgabe")],
    "guideline": [
        ("escalation-missing", 1, "Welcome to our gardening forum"),
        ("labels-missing", 1, "Welcome to our gardening forum"),
        ("length-short", 1, "Welcome to our gardening forum"),
        ("section-definitions", 1, "Welcome to our gardening forum"),
        ("section-examples", 1, "Welcome to our gardening forum"),
        ("section-instruction", 1, "Welcome to our gardening forum"),
        ("vague-word", 7, "Generally"),
        ("vague-word", 7, "etc."),
        ("vague-word", 8, "Inappropriate"),
        ("vague-word", 8, "may be removed"),
    ],
    "injection": [
        ("control-token", 7, "<|start|>"),
    ],
    "json_categories": [],
    "json_priority": [("control-token", 16, "<|system|>")],
    "json_rules": [],
    "json_table": [("effort-in-text", 5, "Reasoning: high"), ("label-undefined", 33, "W5")],
    "numbered_markdown": [],
    "one_sided": [
        ("control-token", 3, "<|start|>"),
        ("examples-one-sided", 19, '- "Come to the lake after school, don\'t tell mum" -> 1'),
        ("example-duplicate", 22, '- "You can trust me, nobody has to know that we write!" -> 1'),
    ],
    "prompt_response_pairs": [],
    "severity_table": [("section-definitions", 1, "# Sexual Content Policy — v3.2 (updated 2026-02-11)")],
    "transcript_binary": [
        (
            "escalation-missing",
            1,
            "You are a Trust & Safety analyst. Analyze the given conversation and decide whether the assistant's "
            "reply leaks personal data.",
        )
    ],
    "severity_blocks": [
        (
            "examples-few",
            31,
            'Content: "Buy 100 followers now for $5"\nAnswer: INVALID (SP2)',
        ),
    ],
    "standards": [
        ("labels-missing", 1, "Community Standards"),
        ("length-short", 1, "Community Standards"),
        ("section-definitions", 1, "Community Standards"),
        ("section-examples", 1, "Community Standards"),
        ("section-instruction", 1, "Community Standards"),
    ],
    "template_left": [
        ("escalation-missing", 1, "# [INSERT POLICY NAME]"),
        ("length-short", 1, "# [INSERT POLICY NAME]"),
        ("precedence-missing", 1, "# [INSERT POLICY NAME]"),
        ("placeholder", 1, "[INSERT POLICY NAME]"),
        ("placeholder", 5, "TBD"),
        ("section-empty", 7, "Definitions"),
        ("placeholder", 12, "???"),
        ("vague-word", 14, "reasonable"),
        ("placeholder", 21, "{{content}}"),
    ],
    "three_forms": [
        ("output-competing", 20, "Answer with VALID or INVALID."),
        (
            "output-competing",
            27,
            'Respond only with JSON: {"violation": 0, "policy_category": "HM1"}',
        ),
        ("label-undefined", 27, "HM1"),
    ],
    "two_families": [("label-near-miss", 12, "D-S2")],
    "underlined_rules": [
        (
            "label-unlisted",
            6,
            "Judge whether a chat line harasses another player. Return one of: HC0, HC1, HC2, HC4.",
        ),
        ("label-undefined", 6, "HC4"),
        ("rule-undefined", 15, "HC2.c"),
    ],
    "valid_invalid_levels": [
        ("severity-step", 20, "downgrade severity by 1"),
        ("examples-few", 24, 'Content: "Do not try the salt trick, my cousin lost skin"\nAnswer: VALID'),
        ("placeholder", 29, "[INPUT]"),
    ],
    "german_forum": [("language-unchecked", 1, "# Richtlinie für Kommentare im Vereinsforum")],
    "long_guideline": [
        ("escalation-missing", 1, "# Riverside Gardeners Forum: Community Guidelines"),
        ("labels-missing", 1, "# Riverside Gardeners Forum: Community Guidelines"),
        ("section-examples", 1, "# Riverside Gardeners Forum: Community Guidelines"),
        ("section-instruction", 1, "# Riverside Gardeners Forum: Community Guidelines"),
        ("vague-word", 29, "Usually"),
        ("vague-word", 33, "typically"),
    ],
    "numbered_words": [],
    "site_front_matter": [
        ("labels-missing", 1, "<!-- toc -->"),
        ("section-definitions", 1, "<!-- toc -->"),
        ("section-examples", 1, "<!-- toc -->"),
    ],
    "table_comments": [],
    "word_categories": [("section-definitions", 1, "Role: Content classifier for a children's video platform")],
    "xml_examples": [("escalation-missing", 1, "<role>")],
    "yaml_prompt": [("precedence-missing", 1, "policy: csam-adjacent-grooming")],
    "xml_prompt": [("rule-duplicate", 12, "Offers money or gift cards for boosting to a higher rank.")],
}


def test_every_policy_has_its_findings_written_down() -> None:
    assert {path.stem for path in POLICIES.glob("*.md")} == set(EXPECTED)


@pytest.mark.parametrize("name", EXPECTED)
def test_findings_of_a_published_shape(name: str) -> None:
    policy = read_policy(POLICIES / f"{name}.md").policy
    found = [(finding.rule, finding.line, policy.text[finding.start : finding.end]) for finding in lint(policy)]
    assert sorted(found) == sorted(EXPECTED[name])


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.parent.name)
def test_the_shipped_policies_have_no_findings(path: Path) -> None:
    assert lint(read_policy(path).policy) == ()
