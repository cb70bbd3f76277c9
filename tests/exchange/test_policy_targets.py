from __future__ import annotations

import pytest

from studio.core.errors import PolicyError
from studio.core.targets import Target, targets_from
from studio.exchange.policy_files import parse_policy, policy_text

TEXT = """\
---
title: Spam
labels: [{id: SP0, decision: allow}, {id: SP4, decision: violate}]
targets: {f1: 0.9, "recall[SP4]": 0.95, fpr: 5%}
---
No spam.
"""


def test_a_policy_brings_its_targets_and_keeps_them() -> None:
    policy = parse_policy(TEXT, "spam").policy
    assert targets_from(dict(policy.targets)) == (
        Target("f1", 0.9),
        Target("recall", 0.95, "SP4"),
        Target("fpr", 0.05),
    )
    assert parse_policy(policy_text(policy), "spam").policy == policy
    bare = parse_policy(TEXT.replace("targets", "tags_of_mine"), "spam").policy
    assert bare.targets == ()
    assert bare.sha256 == policy.sha256


@pytest.mark.parametrize("targets", ["{f2: 0.9}", "{f1: high}", "[f1]", "0.9", "{f1: 9}"])
def test_targets_that_make_no_sense_are_refused(targets: str) -> None:
    with pytest.raises(PolicyError, match="targets"):
        parse_policy(TEXT.replace('{f1: 0.9, "recall[SP4]": 0.95, fpr: 5%}', targets), "spam")
