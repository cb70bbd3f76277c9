"""The prompt in the harmony format, as segments that keep our control tokens apart from everybody's text.

Only a :class:`Control` segment ever becomes a control token, looked up in the vocabulary by name. Every
:class:`Plain` segment, ours or theirs, becomes ordinary tokens: switching the tokenizer's special parsing off is not
enough for that (llama.cpp marks some harmony tokens user-defined and parses them from any text), so a plain text is cut
inside every spelling of a control token with :func:`safe_pieces` and the pieces are tokenized one by one.

Layout: the harmony response format of gpt-oss; policy in the developer message, effort and pinned date in the system
message, the content in one user message.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from studio.core.content import Content, clean, user_message
from studio.core.contract import compile_policy
from studio.core.policy import Effort, Policy

LAYOUT_VERSION = 2
"""Counts up with every change of the prompt's bytes; part of a verdict's provenance."""

CONTROL_TOKENS = ("<|start|>", "<|end|>", "<|message|>", "<|channel|>", "<|return|>", "<|call|>", "<|constrain|>")
"""The control tokens of harmony that the studio knows by name."""


class Origin(StrEnum):
    """Whose text a plain segment is."""

    SCAFFOLD = "scaffold"
    POLICY = "policy"
    CONTRACT = "contract"
    CONTENT = "content"


@dataclass(frozen=True, slots=True)
class Control:
    """One control token, by its name in the vocabulary."""

    name: str


@dataclass(frozen=True, slots=True)
class Plain:
    """Text that must never become a control token. ``spans`` says whose it is, in order, for display."""

    spans: tuple[tuple[Origin, str], ...]

    @property
    def text(self) -> str:
        """The whole text; it is tokenized as one, so that token boundaries do not depend on whose it is."""
        return "".join(text for _, text in self.spans)


Segment = Control | Plain


@dataclass(frozen=True, slots=True)
class Prompt:
    """A compiled prompt. ``segments[:prefix]`` do not depend on the content, so their tokens can be reused."""

    segments: tuple[Segment, ...]
    prefix: int
    effort: Effort
    pinned_date: date

    @property
    def text(self) -> str:
        """The prompt as one string, for reading only: it must never be tokenized."""
        return "".join(s.name if isinstance(s, Control) else s.text for s in self.segments)


def build_prompt(policy: Policy, content: Content, *, pinned_date: date, effort: Effort | None = None) -> Prompt:
    """The prompt that asks for the judgement of ``content`` under ``policy``.

    ``effort`` overrides the policy's own. The result ends where the model starts to write, after ``assistant``.
    """
    chosen = effort or policy.effort
    developer = [(Origin.SCAFFOLD, "# Instructions\n\n")]
    for part in compile_policy(policy).parts:
        developer.append((Origin.CONTRACT if part.ours else Origin.POLICY, clean(part.text)))
    head = (
        *_message("system", Plain(((Origin.SCAFFOLD, _system_text(chosen, pinned_date)),))),
        *_message("developer", Plain(tuple(developer))),
        Control("<|start|>"),
        _scaffold("user"),
        Control("<|message|>"),
    )
    tail = (
        Plain(((Origin.CONTENT, user_message(content)),)),
        Control("<|end|>"),
        Control("<|start|>"),
        _scaffold("assistant"),
    )
    return Prompt(head + tail, prefix=len(head), effort=chosen, pinned_date=pinned_date)


def safe_pieces(text: str, spellings: Iterable[str]) -> tuple[str, ...]:
    """``text`` cut so that no piece holds a spelling of a control token; joined, the pieces are ``text`` again.

    Each spelling is cut after its first character (ENGINE.md, trap 1). ``spellings`` are those of the vocabulary, of at
    least two characters each.
    """
    found = sorted({s for s in spellings if len(s) > 1}, key=len, reverse=True)
    if not found:
        return (text,) if text else ()
    # A lookahead finds overlapping spellings too.
    pattern = re.compile("(?=" + "|".join(re.escape(s) for s in found) + ")")
    cuts = [match.start() + 1 for match in pattern.finditer(text)]
    edges = [0, *cuts, len(text)]
    return tuple(text[a:b] for a, b in zip(edges, edges[1:], strict=False) if a < b)


def _message(role: str, body: Plain) -> tuple[Segment, ...]:
    return (Control("<|start|>"), _scaffold(role), Control("<|message|>"), body, Control("<|end|>"))


def _scaffold(text: str) -> Plain:
    return Plain(((Origin.SCAFFOLD, text),))


def _system_text(effort: Effort, pinned: date) -> str:
    return (
        "You are ChatGPT, a large language model trained by OpenAI.\n"
        "Knowledge cutoff: 2024-06\n"
        f"Current date: {pinned.isoformat()}\n\n"
        f"Reasoning: {effort}\n\n"
        "# Valid channels: analysis, commentary, final. Channel must be included for every message."
    )
