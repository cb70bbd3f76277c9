"""How probable each answer of a contract was: followed token by token from the start of the final.

Along the answer that the model wrote, its own steps say it. The others are followed after the answer has ended, in a
second sequence that was kept where the final began: a few tokens are decoded there in the place of those that were
written. Only answers that could matter are followed, best first; verdicts that are sure cost nothing.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import count, takewhile

import numpy as np

from studio.engine.llama.context import Context, NoRoom
from studio.engine.llama.sampling import Logits

LEAST = math.log(1e-4)
"""Against the best answer: one that falls below is not followed further, and keeps the probability it had until there,
shared among those that go on like it. So no answer is off by more than 1 in 10,000."""

MOST_DECODES = 64
"""Decodes for one answer's rating at most."""

Ask = Callable[[list[int], int], list[Logits] | None]
"""The logits after each of the last so many tokens of a beginning of the final; None when there is no room for it."""


@dataclass(slots=True, eq=False)
class _Node:
    """A place in the tree of answers: the tokens that go on, and their natural logs once the model was asked."""

    children: dict[int, _Node] = field(default_factory=dict)
    chances: dict[int, float] = field(default_factory=dict)
    ends: list[int] = field(default_factory=list)
    below: list[int] = field(default_factory=list)

    def note(self, logits: Logits) -> None:
        highest = float(logits.max())
        total = highest + math.log(float(np.exp(logits - highest, dtype=np.float64).sum()))
        self.chances = {token: float(logits[token]) - total for token in self.children}


class Rating:
    """The probabilities of ``answers`` (tokens of each) in one final."""

    def __init__(self, answers: Sequence[Sequence[int]]) -> None:
        self._count = len(answers)
        self._root = _Node()
        for number, answer in enumerate(answers):
            node = self._root
            node.below.append(number)
            for token in answer:
                node = node.children.setdefault(token, _Node())
                node.below.append(number)
            node.ends.append(number)
        self._at: _Node | None = self._root

    def see(self, logits: Logits) -> None:
        """The model's own numbers (n_vocab,) for the next token of the final."""
        if self._at is not None and self._at.children:
            self._at.note(logits)

    def take(self, token: int) -> None:
        """The token that was written."""
        self._at = self._at.children.get(token) if self._at is not None else None

    def logprobs(self, ask: Ask) -> tuple[float, ...]:
        """Natural log of the probability that the final begins with each answer; () when no final was begun."""
        if not self._root.chances:
            return ()
        found = [-math.inf] * self._count
        best, asked, order = -math.inf, 0, count()
        todo: list[tuple[float, int, _Node, list[int]]] = [(0.0, next(order), self._root, [])]
        while todo:
            cost, _, node, path = heapq.heappop(todo)
            for number in node.ends:
                found[number] = -cost
                best = max(best, -cost)
            if node.children and not node.chances and -cost > best + LEAST and asked < MOST_DECODES:
                asked += 1
                _follow(node, path, ask)
            if node.children and not node.chances:
                for number in node.below:
                    found[number] = max(found[number], -cost - math.log(len(node.below)))
            for token, chance in node.chances.items():
                heapq.heappush(todo, (cost - chance, next(order), node.children[token], [*path, token]))
        return tuple(found)


class Branches:
    """Other ways on from the start of a final, decoded in a sequence that holds the ``base`` tokens before it."""

    def __init__(self, context: Context, seq: int, base: int) -> None:
        self._context, self._seq, self._base = context, seq, base
        self._held: list[int] = []

    def ask(self, tokens: list[int], rows: int) -> list[Logits] | None:
        """See :data:`Ask`. Raises WorkerFailure when decoding fails, after which the memory cannot be relied on."""
        alike = takewhile(lambda pair: pair[0] == pair[1], zip(self._held, tokens, strict=False))
        start = min(sum(1 for _ in alike), len(tokens) - rows)
        if len(tokens) - start > self._context.n_rows or rows > self._context.n_outputs:
            return None
        if not self._context.holds(self._seq, self._base + start):
            # The request had paused in its final, and what lies before it is no longer whole.
            return None
        self._context.cut(self._seq, self._base + start)
        del self._held[start:]
        for place in range(start, len(tokens)):
            output = place >= len(tokens) - rows
            self._context.add(self._seq, tokens[place : place + 1], self._base + place, output=output)
        try:
            logits = self._context.decode()
        except NoRoom:
            return None
        self._held.extend(tokens[start:])
        return list(logits)


def _follow(node: _Node, path: list[int], ask: Ask) -> None:
    """Ask about a place, and in the same decode about those behind it as long as there is only one way on."""
    places, tokens = [node], list(path)
    while len(places) < _TOGETHER and len(places[-1].children) == 1:
        token, child = next(iter(places[-1].children.items()))
        if not child.children:
            break
        places.append(child)
        tokens.append(token)
    rows = ask(tokens, len(places))
    for place, row in zip(places, rows or [], strict=rows is not None):
        place.note(row)


_TOGETHER = 4
"""Places asked about in one decode at most: a context of one sequence hands out four rows."""
