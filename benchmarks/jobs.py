"""What is measured: policies, contents and answers of exact lengths, made of random words."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from studio.core.prompt import Control, Origin, Plain, Segment

_TOKENS_PER_WORD = 2
"""A word of three small letters with its space, in the vocabulary of ``gguf_gpt_oss.made_up_table``."""


@dataclass(frozen=True, slots=True)
class Job:
    """One judgement: the prompt as segments and as the tokens that they are, and how many tokens to answer."""

    segments: tuple[Segment, ...]
    prefix: int
    tokens: tuple[int, ...]
    answer: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one engine did for a job. ``first_s``: seconds from sending to the first token; ``text``: the answer."""

    prompt_tokens: int
    output_tokens: int
    first_s: float
    text: str


class Engine(Protocol):
    """One of the engines that are compared. Every one of them takes the same jobs."""

    name: str

    def run(self, jobs: Sequence[Job], urgent: Sequence[tuple[float, Job]] = ()) -> tuple[list[Outcome], list[Outcome]]:
        """Answer all jobs as fast as possible; the ``urgent`` ones come in so many seconds later, by themselves."""

    def pid(self) -> int:
        """The process that does the work."""

    def close(self) -> None:
        """End it."""


def words(count: int, rng: random.Random) -> list[str]:
    """Random words that make about ``count`` tokens when joined with spaces."""
    letters = "abcdefghijklmnopqrstuvwxyz"
    return ["".join(rng.choices(letters, k=3)) for _ in range(max(1, count // _TOKENS_PER_WORD))]


def policy_text(tokens: int, seed: int, changed_from: float = 1.0, edit: int = 0) -> str:
    """A policy of about ``tokens`` tokens; the part after ``changed_from`` (0 to 1) depends on ``edit`` too."""
    made = words(tokens, random.Random(seed))
    kept = int(len(made) * changed_from)
    return " ".join([*made[:kept], *words(tokens, random.Random(f"{seed} {edit}"))[kept:]])


def content_text(tokens: int, seed: int) -> str:
    """A content of about ``tokens`` tokens."""
    return " ".join(words(tokens, random.Random(f"content {seed}")))


def prompt(policy: str, content: str) -> tuple[tuple[Segment, ...], int]:
    """(segments, how many of them do not depend on the content), laid out as the studio's prompts are."""
    head = (*_turn("developer", "# Instructions\n\n" + policy), *_opening("user"))
    tail = (_plain(content), Control("<|end|>"), Control("<|start|>"), _plain("assistant"))
    return head + tail, len(head)


def _turn(role: str, text: str) -> tuple[Segment, ...]:
    return (*_opening(role), _plain(text), Control("<|end|>"))


def _opening(role: str) -> tuple[Segment, ...]:
    return (Control("<|start|>"), _plain(role), Control("<|message|>"))


def _plain(text: str) -> Plain:
    return Plain(((Origin.CONTENT, text),))
