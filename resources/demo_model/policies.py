"""Policies of the demo world: rules in sections, written in many layouts, and what they decide."""

from __future__ import annotations

import functools
import random
import re
from dataclasses import dataclass, field, replace
from pathlib import Path
from string import ascii_uppercase

from resources.demo_model import world
from resources.demo_model.contents import (
    ANY,
    BARE,
    TRAIN,
    Mention,
    held_out,
    make_content,
    pick_pair,
    pseudo_words,
    rule_text,
)
from studio.core.contract import instruction
from studio.core.labels import Label, LabelDecision
from studio.core.policy import ContentKind, Effort, OutputForm, OutputPosition, Policy

_CODE = re.compile(r"\b[A-Z]{1,3}\d+\b")
KINDS = ("forbids", "permits", "asks")
LABEL_DECISIONS = {
    "forbids": LabelDecision.VIOLATE,
    "permits": LabelDecision.ALLOW,
    "asks": LabelDecision.REVIEW,
}
SECTION_LEVELS = ("## {}", "## {}", "## {}", "# {}", "### {}", "{}:", "**{}**", "## {}:", "**{}:**")
LINES = ("- {id}: {text}",) * 6 + (
    "* {id}: {text}", "{id}: {text}", "- **{id}**: {text}", "- {id} {text}", "{id}. {text}", "- {id}: {text}.",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule, with the canonical words of what it is about; they are empty for a rule outside the world.

    ``rest`` marks the rule for everything else.
    """

    id: str
    thing: str
    deed: str
    text: str
    rest: bool = False


@dataclass(frozen=True, slots=True)
class Section:
    """A section of the criteria: what its rules do, its header line as written, and the rules."""

    kind: str
    header: str
    rules: tuple[Rule, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that a policy is written from."""

    sections: tuple[Section, ...]
    before: str
    after: str
    line: str
    catch_all: str
    labels: tuple[Label, ...]
    form: OutputForm
    effort: Effort
    readable: bool = True
    gap: str = "\n"
    lead: str = ""
    position: OutputPosition = OutputPosition.AUTO

    @property
    def rules(self) -> tuple[tuple[str, Rule], ...]:
        """All rules in the policy's order, each with what its section does."""
        return tuple((section.kind, rule) for section in self.sections for rule in section.rules)

    def policy(self) -> Policy:
        """The policy as the studio knows it."""
        blocks = []
        for section in self.sections:
            lines = [section.header + self.lead, *(self.write(rule) for rule in section.rules)]
            blocks.append("\n".join(lines))
        text = self.before + self.gap.join(blocks) + "\n" + self.after
        if self.position is OutputPosition.IN_TEXT:
            draft = Policy("demo", "Demo", text, self.labels, self.form)
            text = f"{self.before}{instruction(draft)}\n\n" + text[len(self.before) :]
        return Policy(
            "demo", "Demo", text, self.labels, self.form, self.position, self.effort,
            content_kinds=tuple(ContentKind),
        )  # fmt: skip

    def write(self, rule: Rule) -> str:
        """The rule's line."""
        return self.line.replace("{id}", rule.id).replace("{text}", rule.text)


@dataclass(slots=True)
class Ids:
    """Gives out rule ids: some letters, a first number, gaps."""

    rng: random.Random
    style: str = ""
    prefix: str = ""
    next: int = 0
    used: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.style = self.rng.choice(("{p}{n}",) * 8 + ("{p}-{n}", "{p}.{n}", "{p}{n}.b"))
        self.new_prefix()
        self.next = self.rng.choice((1, 1, 1, self.rng.randint(2, 60)))

    def new_prefix(self) -> None:
        """Other letters from here on."""
        self.prefix = "".join(self.rng.choice(ascii_uppercase) for _ in range(self.rng.choice((1, 1, 1, 2))))

    def take(self, number: int | None = None) -> str:
        """The next id (or one with the number given), never the same twice."""
        while True:
            value = self.next if number is None else number
            if number is None:
                self.next += self.rng.choice((1, 1, 1, 1, 2, 7))
            made = self.style.replace("{p}", self.prefix).replace("{n}", str(value))
            if made not in self.used:
                self.used.add(made)
                return made
            number = None

    def take_odd(self) -> str:
        """An id that often has other letters than the one before, and the same number as one of them.

        So an id can only be copied: neither its letters nor its number follow from the others.
        """
        if self.rng.random() < 0.6:
            self.new_prefix()
        return self.take(self.rng.randint(1, 9) if self.rng.random() < 0.4 else None)


def _make_rules(rng: random.Random, count: int, ids: Ids, split: str) -> list[Rule]:
    rules: list[Rule] = []
    capital = rng.random() < (0.4 if split == TRAIN else 0.2)
    seen: set[tuple[str, str]] = set()
    while len(rules) < count:
        thing, deed = pick_pair(rng, split)
        roll = rng.random()
        if rules and roll < 0.25:
            other = rng.choice(rules)
            thing = other.thing if other.thing not in ("", ANY) else thing
        elif rules and roll < 0.35:
            other = rng.choice(rules)
            deed = other.deed if other.deed not in ("", ANY) else deed
        roll = rng.random()
        if roll < 0.08:
            deed = ANY
        elif roll < 0.14:
            thing = ANY
        elif roll < (0.22 if split == TRAIN else 0.18):
            thing = deed = ""
        if (thing, deed) in seen and thing:
            continue
        if split == TRAIN and ANY not in (thing, deed) and thing and held_out(thing, deed):
            continue
        seen.add((thing, deed))
        text = rule_text(rng, thing, deed, split) if thing else _odd_rule(rng)
        text = text[0].upper() + text[1:] if capital else text
        rules.append(Rule("", thing, deed, text))
    return rules


def _odd_rule(rng: random.Random) -> str:
    if rng.random() < 0.5:
        return pseudo_words(rng, rng.randint(1, 5))
    return rng.choice((
        "rude words", "politics and war", "leaking passwords", "threats against people", "spam", "telling lies",
        "questions about the law", "medical advice", "long poems", "weather reports", "homework", "hate speech",
    ))  # fmt: skip


def make_plan(rng: random.Random, split: str, most: int = 10) -> Plan:
    """A policy of one to ``most`` rules in a layout of its own."""
    count = rng.randint(1, most) if rng.random() < 0.7 else rng.randint(1, min(4, most))
    ids = Ids(rng)
    rules = _make_rules(rng, count, ids, split)
    groups: dict[str, list[Rule]] = {"forbids": [], "permits": []}
    if rng.random() < 0.4:
        groups["asks"] = []
    kinds = list(groups)
    for n, rule in enumerate(rules):
        groups[kinds[n] if n < len(kinds) and count >= len(kinds) else rng.choice(kinds)].append(rule)
    rng.shuffle(kinds)
    form = rng.choice(tuple(OutputForm))
    level = rng.choice(SECTION_LEVELS)
    line = rng.choice(LINES)
    by_section = rng.random() < (0.35 if split == TRAIN else 0.15)  # hard to copy: more of it to learn from
    mixed = split == TRAIN and rng.random() < 0.3
    catch = rng.choice(("sentence", "sentence", "sentence", "contract"))
    rest_id = ids.take(0 if rng.random() < 0.5 else None)
    sections = []
    for kind in kinds:
        mine = groups[kind]
        if by_section:
            ids.new_prefix()
        named = [replace(rule, id=ids.take_odd() if mixed else ids.take()) for rule in mine]
        if rng.random() < (0.3 if split == TRAIN else 0.15):
            rng.shuffle(named)
        if kind == "permits" and catch == "rule":
            named.append(Rule(rest_id, "", "", rng.choice(world.CATCH_ALL_RULES), rest=True))
        if named or rng.random() < 0.3:
            sections.append(Section(kind, level.format(rng.choice(world.HEADERS[kind])), tuple(named)))
    labels = _labels(rng, sections, rest_id, catch, split)
    before = _before(rng, rest_id if catch == "sentence" else "")
    plan = Plan(
        tuple(sections), before, "", line, rest_id, labels, form, rng.choice(tuple(Effort)),
        gap=rng.choice(("\n", "\n\n", "\n\n")), lead=rng.choice(("", "", "", "\n")),
    )  # fmt: skip
    if not any(rule.text for _, rule in plan.rules):
        return make_plan(rng, split, most)
    if rng.random() < 0.05:
        plan = replace(plan, position=OutputPosition.IN_TEXT)
    return replace(plan, after=_after(rng, plan, split))


def _labels(rng: random.Random, sections: list[Section], rest_id: str, catch: str, split: str) -> tuple[Label, ...]:
    labels = [
        Label(rule.id, LABEL_DECISIONS[section.kind], rule.text, severity=2 if section.kind == "forbids" else 0)
        for section in sections
        for rule in section.rules
        if not rule.rest
    ]
    rest = Label(rest_id, LabelDecision.ALLOW, "Nothing applies", severity=0)
    if split == TRAIN and rng.random() < 0.12:  # a policy edited by hand: its sections count, not its list of labels
        labels = [replace(label, decision=rng.choice(tuple(LabelDecision))) for label in labels]
    if catch == "contract":
        return (rest, *labels)
    labels.insert(rng.choice((0, 0, len(labels), rng.randint(0, len(labels)))), rest)
    return tuple(labels)


def _before(rng: random.Random, rest_id: str) -> str:
    sentences = rng.sample(world.INTRODUCTIONS, rng.choice((1, 1, 2)))
    if rng.random() < 0.6:
        sentences.append(rng.choice(world.PRECEDENCES))
    if rest_id:
        sentences.append(rng.choice(world.CATCH_ALLS).format(id=rest_id))
    head = rng.choice(
        (
            "# Instruction\n",
            "# Instruction\n",
            "# Instruction\n\n",
            "# Instructions\n",
            "## Instruction\n",
            "# What to do\n",
            "",
        )
    )
    text = head + rng.choice((" ", " ", "\n")).join(sentences) + "\n\n"
    if rng.random() < 0.4:
        lines = []
        for _ in range(rng.randint(1, 3)):
            thing = rng.choice([thing for thing in world.THINGS if len(thing.plurals) > 1])
            template = rng.choice(world.DEFINITIONS)
            lines.append("- " + template.format(name=thing.name, many=" and ".join(thing.plurals[1:])))
        text += "# Definitions\n" + "\n".join(lines) + "\n\n"
    if rng.random() < 0.75:
        text += rng.choice(("# Criteria\n", "# Criteria\n\n", "# Rules\n", "## Criteria\n"))
    return text


def _after(rng: random.Random, plan: Plan, split: str) -> str:
    if rng.random() < 0.6:
        return ""
    lines = []
    style = rng.choice(('- "{c}" -> {a}', "- {c} = {a}", 'Content: "{c}"\nAnswer: {a}', '- "{c}": {a}'))
    for _ in range(rng.randint(1, 4)):
        sure = [rule for _, rule in plan.rules if rule.thing and ANY not in (rule.thing, rule.deed)]
        rule = rng.choice(sure) if sure and rng.random() < 0.7 else None
        pairs = [(rule.thing, rule.deed)] if rule else []
        content, _ = make_content(rng, pairs, ContentKind.MESSAGE, split)
        shown = " ".join(content.text.split())
        lines.append(style.replace("{c}", shown[:70]).replace("{a}", rule.id if rule else plan.catch_all))
    return rng.choice(("\n# Examples\n", "\n## Examples\n", "\n# Examples\n\n")) + "\n".join(lines) + "\n"


@functools.cache
def _starters() -> tuple[tuple[str, ...], ...]:
    """The lines of the studio's own starter policies, which are not of this world."""
    folder = Path(__file__).parents[2] / "policies"
    found = sorted(path for path in folder.glob("*/policy.md") if not path.parent.name.startswith("demo-"))
    texts = [path.read_text(encoding="utf-8").rpartition("\n---\n")[2] for path in found]
    return tuple(tuple(text.split("\n")) for text in texts)


def _foreign_lines(rng: random.Random, codes: list[str]) -> list[str]:
    title = rng.choice(("# Spam policy", "# Policy", "Policy on harmful conduct", "# Instruction", "", "# 1. Scope"))
    lines = [title] if title else []
    for _ in range(rng.randint(1, 7)):
        words = pseudo_words(rng, rng.randint(5, 25)) if rng.random() < 0.5 else " ".join(rng.sample(world.CHATTER, 2))
        lead = rng.choice(("", "", "- ", "## ", "* ", f"**{rng.choice(codes)}** ", f"{rng.choice(codes)}: "))
        lines.append(lead + words.capitalize())
        if rng.random() < 0.4:
            lines.append("")
    return lines


def noise_plan(rng: random.Random, split: str) -> Plan:
    """A policy that is not of this world: prose, codes, other people's sections."""
    letters = rng.choice(("SP", "H", "V", "DE", "X", "AA", "C"))
    if split == TRAIN and rng.random() < 0.5:
        letters = "".join(rng.choices(ascii_uppercase, k=rng.randint(1, 2)))
    codes = [f"{letters}{n}{rng.choice(('', '', '.a', '.b'))}" for n in range(rng.randint(1, 4))]
    if split == TRAIN and _starters() and rng.random() < 0.6:
        whole = rng.choice(_starters())
        first = rng.choice((0, 0, rng.randrange(len(whole))))
        lines = list(whole[first : first + rng.randint(4, 22)])
        codes = list(dict.fromkeys(_CODE.findall("\n".join(lines))))[:5] or codes
    else:
        lines = _foreign_lines(rng, codes)
    labels = tuple(Label(c, rng.choice(tuple(LabelDecision))) for c in dict.fromkeys(codes[1:]) if c != codes[0])
    labels = (Label(codes[0], LabelDecision.ALLOW), *labels)
    return Plan(
        (), "\n".join(lines)[:1400], "", "", codes[0], labels, rng.choice(tuple(OutputForm)),
        rng.choice(tuple(Effort)), readable=False,
    )  # fmt: skip


__all__ = ["ANY", "BARE", "KINDS", "LABEL_DECISIONS", "Mention", "Plan", "Rule", "Section", "make_plan", "noise_plan"]
