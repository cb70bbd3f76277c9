"""Decoded heads of prompts, kept so that no policy is decoded twice.

They lie in the context while they are of use there, and as bytes beside it, under a budget, after that: a step looks at
every cell up to the last one that is taken, so a policy that nobody uses would slow all others. A head is what
several requests begin with. It has a sequence of its own, from which the sequences of requests are shared without a
copy. A new head begins with what it has in common with a known one.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field

import numpy as np

from studio.engine.llama.context import Context, Ids, State

_NOWHERE = -1


@dataclass(slots=True, eq=False)
class Head:
    """The first ``tokens`` of some prompts, ``decoded`` of them so far. ``users`` are the requests that run on it.

    ``home`` is the sequence in which it was ``saved``.
    """

    tokens: Ids
    seq: int = _NOWHERE
    decoded: int = 0
    users: int = 0
    saved: State | None = None
    home: int = _NOWHERE
    used_at: int = field(default=0)

    @property
    def complete(self) -> bool:
        """Whether requests can go on from its end."""
        return self.decoded == len(self.tokens)

    @property
    def resident(self) -> bool:
        """Whether it lies in the context."""
        return self.seq != _NOWHERE


class Prefixes:
    """The known heads of one model.

    ``step`` is the length of a prefill step. ``budget`` in bytes is for the heads that do not lie in the context.
    """

    def __init__(self, *, step: int, budget: int) -> None:
        self._step, self._budget = step, budget
        self._exact = False
        self._context: Context | None = None
        self._free: list[int] = []
        self._seqs = range(0)
        self._heads: list[Head] = []
        self._clock = itertools.count(1)

    @property
    def cells(self) -> int:
        """Cells that the heads in the context take at most (parts that they share are counted for each)."""
        return sum(head.decoded for head in self._heads if head.resident)

    @property
    def saved_bytes(self) -> int:
        """Bytes of all heads kept beside the context."""
        return sum(head.saved.nbytes for head in self._heads if head.saved is not None)

    def attach(self, context: Context, seqs: range, *, exact: bool) -> None:
        """Use a new context, in which ``seqs`` are for heads.

        With ``exact`` a head is resumed at the end of a whole step only, and lies alone at the start of the memory:
        then what is computed after it is bit for bit what a fresh context computes. Else a head can be resumed
        anywhere, or at its end only once it was away from the context.
        """
        if exact != self._exact:
            # Saved in the other way: of no use here.
            self._heads, self._exact = [], exact
        self._context, self._free, self._seqs = context, list(seqs), seqs

    def detach(self) -> None:
        """Let go of the context before it is freed; heads in it are saved, as far as the budget goes."""
        for head in [head for head in self._heads if head.resident]:
            self._leave(head)
        self._context = None

    def forget_resident(self) -> None:
        """The context has lost its memory: drop what lay only there."""
        for head in self._heads:
            if head.resident:
                self._free.append(head.seq)
                head.seq, head.users = _NOWHERE, 0
        self._heads = [head for head in self._heads if head.saved is not None]

    def in_use(self, tokens: Ids) -> bool:
        """Whether a request runs on a head with these tokens."""
        return any(head.users and np.array_equal(head.tokens, tokens) for head in self._heads)

    def need(self, tokens: Ids) -> int:
        """Cells that :meth:`acquire` would fill at once."""
        best, keep = self._best(tokens)
        if best is None or best.resident:
            return 0
        return best.decoded if keep else 0

    def acquire(self, tokens: Ids) -> tuple[Head | None, int]:
        """(the head with these tokens, how many of them need no decoding); the rest is for the caller to decode.

        None when there are no tokens; :meth:`can_acquire` must have said yes. Give it back with :meth:`release`.
        """
        if not len(tokens):
            self._leave_alone(None)
            return None, 0
        best, keep = self._best(tokens)
        if best is not None:
            # First of all: what must leave now is not to push out what is wanted.
            best.used_at = next(self._clock)
        if best is not None and len(best.tokens) == len(tokens) and keep == len(tokens):
            if not best.resident:
                self._enter(best)
            head = best
        else:
            head = self._begin(tokens, best, keep)
        keep = len(tokens) if head.users else head.decoded
        if not head.users:
            # Not when others run on it already: what was edited meanwhile, beside a batch, is edited again soon.
            self._leave_alone(head)
        head.users += 1
        head.used_at = next(self._clock)
        return head, keep

    def adopt(self, tokens: Ids, state: bytes) -> None:
        """Know a head by what :meth:`state` gave out once, for the same model and settings; nothing is decoded yet."""
        known = any(np.array_equal(head.tokens, tokens) for head in self._heads)
        if known or self._exact or len(state) > self._budget:
            return
        saved = np.frombuffer(state, np.uint8)
        self._heads.append(Head(tokens.copy(), decoded=len(tokens), saved=saved, used_at=next(self._clock)))
        self._keep_to_budget()

    def state(self, head: Head, most: int) -> bytes:
        """The decoded work of a whole head in the context, for :meth:`adopt`; none beyond ``most`` bytes.

        None either where work must be exact: a head is then resumed only beside the cells that it was made in.
        """
        if self._exact or not head.complete:
            return b""
        saved = head.saved if head.saved is not None else self._there().save(head.seq, most)
        return saved.tobytes() if saved is not None and saved.nbytes <= most else b""

    def can_acquire(self, tokens: Ids) -> bool:
        """Whether there is a sequence for these tokens, or one that nobody uses can be had."""
        best, keep = self._best(tokens)
        there = best is not None and best.resident and keep == len(tokens) == len(best.tokens)
        return not len(tokens) or there or bool(self._free) or self._any_idle()

    def release(self, head: Head) -> None:
        """A request is done with a head; of one that nobody finished, what was decoded is kept."""
        head.users -= 1
        if head.users == 0 and not head.complete:
            if head.decoded == 0:
                self._drop(head)
            else:
                head.tokens = head.tokens[: head.decoded]

    def make_room(self) -> bool:
        """Move the head that was not used for longest out of the context; False when all are in use."""
        return self._oldest_leaves()

    def _oldest_leaves(self, besides: Head | None = None) -> bool:
        idle = [head for head in self._heads if head.resident and head.users == 0 and head is not besides]
        if not idle:
            return False
        self._leave(min(idle, key=lambda head: head.used_at))
        return True

    def _any_idle(self) -> bool:
        return any(head.resident and head.users == 0 for head in self._heads)

    def _best(self, tokens: Ids) -> tuple[Head | None, int]:
        """The head that has most in common with ``tokens``, and how much of it can be used."""
        best, most = None, 0
        for head in self._heads:
            usable = self._usable(head, tokens)
            if usable > most or (usable == most and best is not None and head.resident and not best.resident):
                best, most = head, usable
        return best, most

    def _usable(self, head: Head, tokens: Ids) -> int:
        if len(head.tokens) == len(tokens) and np.array_equal(head.tokens, tokens):
            return len(tokens)
        most = min(head.decoded, len(tokens))
        differ = np.flatnonzero(head.tokens[:most] != tokens[:most])
        common = int(differ[0]) if len(differ) else most
        if self._exact:
            # Put back, a state is sound but not where it grew: the library would lay what follows over cells that have
            # left the window, and sum in another order than a fresh context does.
            return common - common % self._step if head.resident else 0
        whole = self._there().holds(head.seq, common) if head.resident else common == head.decoded
        return common if whole else 0

    def _begin(self, tokens: Ids, best: Head | None, keep: int) -> Head:
        if best is not None and best.resident and not self._free and not self._oldest_leaves(besides=best):
            self._leave(best)
        head = Head(tokens.copy())
        if best is not None and keep and best.resident:
            head.seq = self._seq()
            self._there().share(best.seq, head.seq, keep)
            head.decoded = keep
        elif best is not None and keep and best.saved is not None:
            self._leave_alone(None)
            if self._restore(head, best.saved, best.home):
                self._there().cut(head.seq, keep)
                head.decoded = keep
        else:
            head.seq = self._seq()
        self._heads.append(head)
        return head

    def _enter(self, head: Head) -> None:
        """Back into the context; where it finds no room it is decoded anew."""
        self._leave_alone(None)
        context = self._there()
        if head.saved is None or not self._restore(head, head.saved, head.home):
            head.decoded, head.saved = 0, None
        elif not context.holds(head.seq, head.decoded):
            context.cut(head.seq)
            head.decoded, head.saved = 0, None

    def _restore(self, head: Head, state: State, home: int) -> bool:
        """Give a head a sequence filled from a state; where that fails the sequence is empty."""
        context = self._there()
        if not self._exact:
            head.seq = self._seq()
            there = context.restore(head.seq, state)
            if not there:
                # The library may have taken in some layers before it refused the rest.
                context.cut(head.seq)
            return there
        # Nothing else is in the context now, so all of it can be put back as it was when the head left.
        self._free.remove(home)
        head.seq = home
        there = context.restore_all(state)
        for seq in self._seqs:
            if seq != home or not there:
                context.cut(seq)
        return there

    def _leave(self, head: Head) -> None:
        """Out of the context, into bytes."""
        self._save(head)
        self._there().cut(head.seq)
        self._free.append(head.seq)
        head.seq = _NOWHERE
        if head.saved is None:
            self._heads.remove(head)
        self._keep_to_budget()

    def _save(self, head: Head) -> bool:
        """Keep a head as bytes too; False for one that is larger than the budget, or not whole."""
        if head.saved is None and head.complete:
            context = self._there()
            head.saved = context.save_all(self._budget) if self._exact else context.save(head.seq, self._budget)
            head.home = head.seq
        return head.saved is not None

    def _leave_alone(self, head: Head | None) -> None:
        """Beside ``head``, let only those lie in the context that requests run on, or that could not be had back.

        Where work must be exact it lies there alone: then its cells are those of a fresh context.
        """
        for other in [other for other in self._heads if other.resident and other is not head and not other.users]:
            if self._exact or self._save(other):
                self._leave(other)

    def _drop(self, head: Head) -> None:
        self._there().cut(head.seq)
        self._free.append(head.seq)
        self._heads.remove(head)

    def _keep_to_budget(self) -> None:
        while self.saved_bytes > self._budget:
            oldest = min((head for head in self._heads if head.saved is not None), key=lambda head: head.used_at)
            oldest.saved = None
            if not oldest.resident:
                self._heads.remove(oldest)

    def _seq(self) -> int:
        if not self._free:
            self._oldest_leaves()
        return self._free.pop()

    def _there(self) -> Context:
        if self._context is None:
            raise RuntimeError("no context is attached")
        return self._context
