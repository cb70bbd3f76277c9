"""The main job on the demo model, as a story: judge, edit the policy, judge again, score against golden examples."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from studio.core.content import Content
from studio.core.errors import NotFoundError
from studio.core.labels import Decision, Label, LabelDecision
from studio.core.policy import ContentKind, Policy
from studio.core.progress import Progress
from studio.core.run import Run
from studio.services.golden import GoldenScore
from studio.services.studio import Studio

DEMO_PREFIX = "demo-"
_HEADING = re.compile(r"^#{2,6}[ \t]+.*$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Judged:
    """One judgement of the story."""

    run: Run


@dataclass(frozen=True, slots=True)
class Edited:
    """The policy was edited: the rule now stands under ``heading``; the same content is judged before and after."""

    rule: str
    heading: str
    before: Run
    after: Run

    @property
    def flipped(self) -> bool:
        """Whether the edit changed the decision."""
        first, second = self.before.verdict, self.after.verdict
        return bool(first and second and second.is_verdict and first.decision is not second.decision)


@dataclass(frozen=True, slots=True)
class Scored:
    """The policy was run over its golden examples."""

    policy: Policy
    score: GoldenScore


Step = Judged | Edited | Scored


def demo_policies(studio: Studio) -> list[Policy]:
    """The shipped policies that the demo model understands, as they were shipped. Raises NotFoundError without any."""
    ids = [summary.id for summary in studio.policies.list() if summary.id.startswith(DEMO_PREFIX)]
    if not ids:
        raise NotFoundError("This workspace has no demo policy.", hint="Use a new workspace: --workspace NEW.studio")
    return [studio.policies.get(policy_id, 1).policy for policy_id in ids]


def tell(
    studio: Studio, *, on_step: Callable[[Step], None], on_progress: Callable[[Progress], None] | None = None
) -> list[Step]:
    """Run the story and return its steps; ``on_step`` hears each as soon as it is there."""
    policies = demo_policies(studio)
    session = studio.sessions.create("Demo")
    steps: list[Step] = []

    def say(step: Step) -> None:
        steps.append(step)
        on_step(step)

    for policy in policies:
        for content in _chosen(studio, policy):
            say(Judged(studio.judge.judge(policy, content, session_id=session.id)))
    edited = _edit(studio, steps, session.id)
    if edited is not None:
        say(edited)
    policy = policies[0]
    say(Scored(policy, studio.golden.score(policy, studio.golden.list(policy.id), on_progress=on_progress)))
    return steps


def move_rule(policy: Policy, rule: str, to: LabelDecision) -> tuple[Policy, str] | None:
    """The policy with the line of ``rule`` moved under the first heading whose rules decide ``to``, and that heading.

    None when the line or such a heading is not there. The label of that id, if any, gets the new decision too.
    """
    line = re.search(rf"^[ \t]*[-*][ \t]+{re.escape(rule)}\b.*\n?", policy.text, re.MULTILINE)
    heading = next((h for h in _HEADING.finditer(policy.text) if _decides(policy, h) is to), None)
    if line is None or heading is None:
        return None
    text = policy.text
    moved = line.group() if line.group().endswith("\n") else line.group() + "\n"
    cut = text[: line.start()] + text[line.end() :]
    at = heading.end() + 1 - (len(line.group()) if heading.start() > line.start() else 0)
    labels = tuple(_redecided(label, rule, to) for label in policy.labels)
    return replace(policy, text=cut[:at] + moved + cut[at:], labels=labels), heading.group().lstrip("# \t")


def _decides(policy: Policy, heading: re.Match[str]) -> LabelDecision | None:
    """What the rules right under a heading decide, told by the labels of their ids."""
    following = _HEADING.search(policy.text, heading.end())
    section = policy.text[heading.end() : following.start() if following else len(policy.text)]
    for rule in re.findall(r"^[ \t]*[-*][ \t]+([\w.-]+)", section, re.MULTILINE):
        label = policy.label(rule)
        if label is not None:
            return label.decision
    return None


def _redecided(label: Label, rule: str, to: LabelDecision) -> Label:
    return replace(label, decision=to) if label.id.casefold() == rule.casefold() else label


def _chosen(studio: Studio, policy: Policy) -> list[Content]:
    """Three contents of a policy's golden set, with different decisions and, where there is one, a conversation."""
    examples = studio.golden.list(policy.id)
    chosen = []
    for decision in (Decision.VIOLATES, Decision.ALLOWED):
        found = next((e for e in examples if e.expected is decision and e.content.kind is ContentKind.MESSAGE), None)
        if found is not None:
            chosen.append(found.content)
    other = next((e for e in examples if e.content.kind is not ContentKind.MESSAGE), None)
    if other is not None:
        chosen.append(other.content)
    return chosen


def _edit(studio: Studio, steps: list[Step], session_id: str) -> Edited | None:
    """Move the rule behind the first violation to the allowed ones, and judge the same content again."""
    for step in steps:
        verdict = step.run.verdict if isinstance(step, Judged) else None
        if not isinstance(step, Judged) or verdict is None or verdict.decision is not Decision.VIOLATES:
            continue
        for rule in (*verdict.rule_ids, *verdict.labels):
            edit = move_rule(step.run.policy, rule, LabelDecision.ALLOW)
            if edit is not None:
                policy, heading = edit
                after = studio.judge.judge(policy, step.run.content, session_id=session_id)
                return Edited(rule, heading, step.run, after)
    return None
