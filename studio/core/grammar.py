"""The contract as a grammar (GBNF, as llama.cpp reads it): which finals are well formed under a policy.

The engine can hold the model to it in the final channel. The layout is the one that the contract shows in the prompt,
spaces included, so that an answer is found at the start of the final and nowhere else. A grammar is handed out only
when the reader of replies understands each of its answers: what it would misread is never asked for.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache

from studio.core.contract import writes_contract
from studio.core.errors import PolicyError
from studio.core.harmony import Channels
from studio.core.labels import Decision, Label, LabelDecision, with_decision
from studio.core.policy import OutputForm, Policy
from studio.core.reply import read_reply

MOST_ANSWERS = 500
"""Answers of one grammar at most: llama.cpp follows all that are still possible at once."""

RATIONALE_CHARACTERS = 800
"""A rationale is one or two sentences; llama.cpp repeats a rule 2,000 times at most."""

RULES, RULE_CHARACTERS = 8, 40
"""Rules that one answer cites at most, and how long the name of one is at most."""

# Every character that JSON allows in a string as it is: no control character, no quote, no backslash, no half of a
# surrogate pair. Of the escapes those are left out that Python would turn into half a pair.
_CHARACTERS = r"[\x20-\x21\x23-\x5B\x5D-\uD7FF\uE000-\U0010FFFF]"
_TAIL = rf"""
tail ::= " \"rule_ids\": [" ( rule ( ", " rule ){{0,{RULES - 1}}} )? "], \"rationale\": " string "}}"
string ::= "\"" char{{1,{RATIONALE_CHARACTERS}}} "\""
rule ::= "\"" plain{{1,{RULE_CHARACTERS}}} "\""
plain ::= {_CHARACTERS}
char ::= plain | "\\" ( [\x22\x5C/bfnrt] | "u" code )
code ::= [0-9a-cA-CefEF] hex hex hex | [dD] [0-7] hex hex
hex ::= [0-9a-fA-F]
"""
_LITERAL = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 _.,:;{}()/+-")


@dataclass(frozen=True, slots=True)
class ContractAnswer:
    """One answer that the contract allows: how a final with it begins, its label, word or digit, what it decides."""

    text: str
    name: str
    decision: Decision


@dataclass(frozen=True, slots=True)
class Grammar:
    """``gbnf`` has the root ``root``. ``whole``: the text of an answer is all of the final, to its end."""

    gbnf: str
    answers: tuple[ContractAnswer, ...]
    whole: bool


@lru_cache(maxsize=64)
def contract_grammar(policy: Policy) -> Grammar:
    """The grammar of the finals that ``policy`` asks for. Raises PolicyError with the answer that could not be read."""
    answers = tuple(_read(text, name, policy) for text, name in _TEXTS[policy.form](policy))
    decisions = {answer.decision for answer in answers}
    if not {Decision.ALLOWED, Decision.VIOLATES} <= decisions:
        raise _refused(policy, "its labels do not say both what is allowed and what violates")
    if len(answers) > MOST_ANSWERS:
        raise _refused(policy, f"it has {len(answers)} answers; at most {MOST_ANSWERS} can be held to")
    literals = " | ".join(_literal(answer.text) for answer in answers)
    if policy.form is OutputForm.RATIONALE_JSON:
        return Grammar(f"root ::= head tail\nhead ::= {literals}{_TAIL}", answers, whole=False)
    # An object closes itself; of bare labels one may begin another.
    return Grammar(f"root ::= {literals}\n", answers, whole=policy.form is not OutputForm.CATEGORY_JSON)


def applied_grammar(policy: Policy, constrain: bool | None = None) -> tuple[Grammar | None, bool]:
    """The grammar of the policy's contract, if it has one, and whether the final is held to it.

    Without a wish (``constrain`` None) it is held where the studio writes the contract and a grammar can be made of it.
    Raises PolicyError where it is wished for and cannot be made.
    """
    ours = writes_contract(policy)
    if not ours and not constrain:
        return None, False
    try:
        return contract_grammar(policy), ours if constrain is None else constrain
    except PolicyError:
        if constrain:
            raise
        return None, False


def _words(policy: Policy) -> Iterator[tuple[str, str]]:
    words = ["VALID", "INVALID"]
    if with_decision(policy.labels, LabelDecision.REVIEW):
        words.append("ESCALATE")
    return ((word, word) for word in words)


def _digits(policy: Policy) -> Iterator[tuple[str, str]]:
    return ((digit, digit) for digit in ("0", "1"))


def _labels(policy: Policy) -> Iterator[tuple[str, str]]:
    return ((label.id, label.id) for label in policy.labels)


def _objects(policy: Policy, end: str) -> Iterator[tuple[str, str]]:
    """Flag and label together, as far as they agree; a review label may stand beside either flag.

    Of a policy without labels the contract asks for the flag alone.
    """
    if not policy.labels:
        yield from ((f'{{"violation": {flag}{end}', flag) for flag in ("0", "1"))
        return
    kinds: tuple[tuple[int, LabelDecision], ...] = ((0, LabelDecision.ALLOW), (1, LabelDecision.VIOLATE))
    for flag, decision in kinds:
        fitting: tuple[Label, ...] = with_decision(policy.labels, decision)
        names = [label.id for label in (*fitting, *with_decision(policy.labels, LabelDecision.REVIEW))]
        if flag == 0 and not fitting:
            # What the contract calls the label of allowed content where the policy has none.
            names.append("none")
        for name in names:
            category = json.dumps(name, ensure_ascii=False)
            yield f'{{"violation": {flag}, "policy_category": {category}{end}', name


_TEXTS: dict[OutputForm, Callable[[Policy], Iterator[tuple[str, str]]]] = {
    OutputForm.RATIONALE_JSON: lambda policy: _objects(policy, ","),
    OutputForm.CATEGORY_JSON: lambda policy: _objects(policy, "}"),
    OutputForm.LABEL: _labels,
    OutputForm.VALID_INVALID: _words,
    OutputForm.BINARY: _digits,
}


def _read(text: str, name: str, policy: Policy) -> ContractAnswer:
    """The answer as the reader of replies understands it."""
    final = f'{text} "rule_ids": [], "rationale": "-"}}' if policy.form is OutputForm.RATIONALE_JSON else text
    verdict = read_reply(Channels("", final), policy)
    label = policy.label(name)
    by_label = policy.form not in (OutputForm.VALID_INVALID, OutputForm.BINARY) and label is not None
    if verdict.decision is None or (by_label and [name] != list(verdict.labels)) or not _is_text(text):
        raise _refused(policy, f"the answer {name!r} could not be told from others")
    return ContractAnswer(text, name, verdict.decision)


def _is_text(text: str) -> bool:
    """Whether it can be written at all: half a surrogate pair cannot, and NUL ends a grammar."""
    return not any(c == "\0" or "\ud800" <= c <= "\udfff" for c in text)


def _refused(policy: Policy, reason: str) -> PolicyError:
    return PolicyError(
        f"The model cannot be held to the answers of the policy {policy.title!r}: {reason}.",
        hint="Give each label an id of letters and digits, and labels for both outcomes; or judge without constraint.",
    )


def _literal(text: str) -> str:
    """A GBNF literal; whatever is not a plain letter is written by its code, so that no id can leave its quotes."""
    return '"' + "".join(c if c in _LITERAL else f"\\U{ord(c):08X}" for c in text) + '"'
