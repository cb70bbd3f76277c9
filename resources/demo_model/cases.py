"""Cases of the demo world: a policy, a content, and what the demo model should think and answer.

Deterministic by seed. ``make_case`` makes one; ``make_group`` several contents under one policy (for training);
``flip`` moves the deciding rule to the other section.
"""

from __future__ import annotations

import json
import random
from dataclasses import dataclass, replace

from resources.demo_model import world
from resources.demo_model.contents import ANY, BARE, TEST, TRAIN, Mention, held_out, make_content, pick_pair
from resources.demo_model.policies import Plan, Rule, Section, make_plan, noise_plan
from studio.core.content import Content
from studio.core.labels import Decision, LabelDecision
from studio.core.policy import ContentKind, Effort, OutputForm, Policy

ORDER = ("forbids", "asks", "permits")
DECISIONS = {"forbids": Decision.VIOLATES, "permits": Decision.ALLOWED, "asks": Decision.NEEDS_REVIEW}
LABELLED = (OutputForm.RATIONALE_JSON, OutputForm.CATEGORY_JSON, OutputForm.LABEL)


@dataclass(frozen=True, slots=True)
class DemoCase:
    """One case: what goes in, what has to come out, and the text that the model is trained to write."""

    policy: Policy
    content: Content
    effort: Effort
    expected_decision: Decision
    expected_labels: tuple[str, ...]
    analysis: str
    final: str
    plan: Plan
    mentions: tuple[Mention, ...]


def make_case(rng: random.Random, split: str) -> DemoCase:
    """One case of the split (``train`` or ``test``)."""
    return make_group(rng, split, 1)[0]


def make_group(
    rng: random.Random, split: str, size: int, most: int = 10, topics: int = 2, kind: ContentKind | None = None
) -> list[DemoCase]:
    """``size`` contents under one policy."""
    plan = noise_plan(rng, split) if rng.random() < (0.12 if split == TRAIN else 0.04) else make_plan(rng, split, most)
    if split == TRAIN and plan.rules and rng.random() < 0.55:  # as people edit: a rule among others with other numbers
        plan = move(plan, rng.choice(plan.rules)[1], rng.choice(("forbids", "permits")))
    policy = plan.policy()
    cases = []
    for _ in range(size):
        chosen = kind or rng.choice((ContentKind.MESSAGE,) * 3 + (ContentKind.CONVERSATION, ContentKind.COMPLETION))
        count = rng.choice((0, 1, 1, 1, 1, 1, 1, 2, 2, 2)) if topics > 1 else rng.choice((0, 1, 1, 1, 1, 1))
        pairs = [_aim(rng, plan, split) for _ in range(count)]
        content, mentions = make_content(rng, pairs, chosen, split)
        cases.append(_case(plan, policy, content, mentions))
    return cases


def flip(case: DemoCase) -> DemoCase | None:
    """The same content with the deciding rule moved to the other section; None when no rule decided."""
    kind, deciders, _ = decide(case.plan, case.mentions)
    if kind is None:
        return None
    plan = move(case.plan, deciders[0], "permits" if kind == "forbids" else "forbids")
    return _case(plan, plan.policy(), case.content, case.mentions)


def move(plan: Plan, rule: Rule, to: str) -> Plan:
    """The plan with the rule moved to the section that does ``to``, its label with it."""
    sections = [replace(s, rules=tuple(r for r in s.rules if r != rule)) for s in plan.sections]
    if not any(section.kind == to for section in sections):
        header = plan.sections[0].header.replace(_header_words(plan.sections[0]), world.HEADERS[to][0])
        sections.append(Section(to, header, ()))
    at = next(n for n, section in enumerate(sections) if section.kind == to)
    sections[at] = replace(sections[at], rules=(*sections[at].rules, rule))
    decision = LabelDecision.ALLOW if to == "permits" else LabelDecision.VIOLATE
    labels = tuple(replace(x, decision=decision) if x.id == rule.id else x for x in plan.labels)
    return replace(plan, sections=tuple(s for s in sections if s.rules), labels=labels)


def _header_words(section: Section) -> str:
    return max((words for words in world.HEADERS[section.kind] if words in section.header), key=len)


def _aim(rng: random.Random, plan: Plan, split: str) -> tuple[str, str]:
    """A pair to write about: one that a rule is about, a near miss, or any."""
    rules = [rule for _, rule in plan.rules if rule.thing]
    if not rules or rng.random() < 0.08:
        return pick_pair(rng, split)
    rule = rng.choice(rules)
    thing, deed = pick_pair(rng, split)
    roll = rng.random()
    if roll < 0.68:
        pair = (thing if rule.thing == ANY else rule.thing, deed if rule.deed == ANY else rule.deed)
    elif roll < 0.9:
        pair = (thing if rule.thing == ANY else rule.thing, BARE if rng.random() < 0.3 else deed)
    else:
        pair = (thing, deed if rule.deed == ANY else rule.deed)
    return pick_pair(rng, split) if split == TRAIN and held_out(*pair) else pair


def matches(rule: Rule, mention: Mention) -> bool:
    """Whether the rule is about the mention."""
    thing = bool(rule.thing) and rule.thing in (ANY, mention.thing)
    return thing and rule.deed in (ANY, mention.deed)


def decide(plan: Plan, mentions: tuple[Mention, ...]) -> tuple[str | None, list[Rule], list[tuple[str, Rule]]]:
    """What wins, the rules that say so in the policy's order, and all rules that match."""
    hits = [(kind, rule) for kind, rule in plan.rules if any(matches(rule, m) for m in mentions)]
    for kind in ORDER:
        deciders = [rule for found, rule in hits if found == kind]
        if deciders:
            return kind, deciders, hits
    return None, [], hits


def _case(plan: Plan, policy: Policy, content: Content, mentions: tuple[Mention, ...]) -> DemoCase:
    kind, deciders, _ = decide(plan, mentions)
    decision = _expected(plan, kind)
    labels: tuple[str, ...] = ()
    if plan.form in LABELLED:
        labels = (deciders[0].id if deciders else plan.catch_all,)
    return DemoCase(
        policy, content, plan.effort, decision, labels, analysis(plan, mentions), final(plan, mentions), plan, mentions
    )


def _expected(plan: Plan, kind: str | None) -> Decision:
    """The decision that the answer can express: two of the forms have no word for "a person decides"."""
    if kind == "asks" and (plan.form is OutputForm.BINARY or final_word(plan, kind) == "VALID"):
        return Decision.ALLOWED
    return DECISIONS[kind] if kind else Decision.ALLOWED


def final_word(plan: Plan, kind: str | None) -> str:
    """The answer word of the form ``valid_invalid``; a policy without review labels has no ``ESCALATE``."""
    if plan.form is not OutputForm.VALID_INVALID:
        return ""
    escalate = any(label.decision is LabelDecision.REVIEW for label in plan.labels)
    return {"forbids": "INVALID", "asks": "ESCALATE" if escalate else "VALID"}.get(kind or "", "VALID")


def analysis(plan: Plan, mentions: tuple[Mention, ...]) -> str:
    """The reasoning: what the content is about, then the policy line by line, then the result.

    Each line names the next one after an arrow while it still stands there in the policy: so walking on is copying.
    """
    lines = [f"Content: {'; '.join(mention.line for mention in mentions) or 'other'}."]
    if not plan.readable:
        lines.append("No rules of the demo world.")
    walk = [(section, rule) for section in plan.sections for rule in (None, *section.rules)]
    ahead = [rule.id if rule else section.header for section, rule in walk[1:]] + ["none"]
    for (section, rule), following in zip(walk, ahead, strict=False):
        if rule is None:
            lines.append(f"{section.header} -> {following} = {section.kind}")
        else:
            lines.append(f"{plan.write(rule)} -> {following} = {_check(rule, section.kind, mentions)}")
    kind, deciders, _ = decide(plan, mentions)
    if kind is None:
        lines.append(f"Result: none ({plan.catch_all})." if plan.form in LABELLED else "Result: none.")
    else:
        lines.append(f"Result: {world.OUTCOMES[kind]} ({deciders[0].id}).")
    if plan.effort is not Effort.LOW:
        lines.append(f"So {deciders[0].id} decides: {deciders[0].text}" if deciders else "So no rule decides.")
    if plan.effort is Effort.HIGH:
        words = "; ".join(f"{m.words}, {m.phrase}" if m.phrase else m.words for m in mentions)
        lines.append(f"Words that count: {words or 'none'}.")
    return "\n".join(lines)


def _check(rule: Rule, kind: str, mentions: tuple[Mention, ...]) -> str:
    """What follows a rule in the reasoning: its canonical words held against those of the content."""
    if rule.rest:
        return "rest."
    if not rule.thing:
        return "unknown: no."
    deeds = [mention.deed for mention in mentions if rule.thing in (ANY, mention.thing)]
    if not deeds:
        return f"{rule.thing}: no."
    found = f"{rule.thing}: {', '.join(deeds)}; {rule.deed}"
    if not any(matches(rule, mention) for mention in mentions):
        return f"{found} no."
    return f"{found} yes: {world.OUTCOMES[kind]} ({rule.id})."


def final(plan: Plan, mentions: tuple[Mention, ...]) -> str:
    """The answer in the form that the policy asks for."""
    kind, deciders, _ = decide(plan, mentions)
    label = deciders[0].id if deciders else plan.catch_all
    match plan.form:
        case OutputForm.LABEL:
            return label
        case OutputForm.VALID_INVALID:
            return final_word(plan, kind)
        case OutputForm.BINARY:
            return "1" if kind == "forbids" else "0"
        case OutputForm.CATEGORY_JSON:
            return json.dumps({"violation": int(kind == "forbids"), "policy_category": label})
        case _:
            rationale = f"{world.RATIONALES[kind]} {label}: {deciders[0].text}." if kind else world.NO_RULE
            return json.dumps(
                {
                    "violation": int(kind == "forbids"),
                    "policy_category": label,
                    "rule_ids": [label] if deciders else [],
                    "rationale": rationale,
                }
            )


__all__ = ["TEST", "TRAIN", "DemoCase", "decide", "flip", "make_case", "make_group", "matches", "move"]
