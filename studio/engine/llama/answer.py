"""One answer while it is written: sampling, channels, the pace of its deltas, and why it ends.

Its form is held to a grammar in the final channel only, and its thinking to a budget.
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence

from studio.core.prompt import Control, Origin, Plain, Segment
from studio.core.run import Sampling
from studio.engine.channels import ChannelReader, Reading
from studio.engine.llama.grammar import Constraint
from studio.engine.llama.rating import Rating
from studio.engine.llama.sampling import Logits, Sampler, best_candidates
from studio.engine.llama.tokens import Vocabulary
from studio.engine.types import FINAL_CHANNEL, Generation, Stop, TokenChoice

_DELTA_EVERY_S = 1 / 30
"""Text is handed on at most this often: more cannot be seen, and would flood the window."""


ASK_FOR_FINAL: tuple[Segment, ...] = (
    Control("<|end|>"),
    Control("<|start|>"),
    Plain(((Origin.SCAFFOLD, "assistant"),)),
    Control("<|channel|>"),
    Plain(((Origin.SCAFFOLD, FINAL_CHANNEL),)),
    Control("<|message|>"),
)
"""What we write in the model's place when its thinking has reached the budget."""


class Answer:
    """Collects what the model writes; ``stop`` says why it ended, None while it goes on."""

    def __init__(
        self,
        vocabulary: Vocabulary,
        sampling: Sampling,
        limit: int,
        top_candidates: int,
        submitted: float,
        *,
        stream: bool = True,
        constraint: Constraint | None = None,
        rating: Rating | None = None,
        thinking_budget: int | None = None,
    ) -> None:
        self._vocabulary = vocabulary
        self._sampler = Sampler(sampling)
        self._reader = ChannelReader()
        self._limit = limit
        self._top = top_candidates
        self._submitted = submitted
        self._stream = stream
        self._constraint = constraint
        self._thinking_budget = math.inf if thinking_budget is None else thinking_budget
        self._unread: list[int] = []
        self._first_token_s = 0.0
        self._count = self._put_in = 0
        self._choices: list[TokenChoice] = []
        self._candidates: tuple[tuple[str, float], ...] = ()
        self._due: list[tuple[str, str]] = []
        self._last_delta = 0.0
        self.stop: Stop | None = None
        self.cached_tokens = 0
        self.rating = rating
        self.before_final = 0
        self.logprobs: tuple[float, ...] = ()
        self.thinking_cut = False

    def choose(self, best: int, logits: Logits) -> int:
        """The next token, by the request's sampling; in the final channel its rivals are noted too.

        ``best`` is the most probable one by ``logits`` (n_vocab,). Raises WorkerFailure when the final cannot go on in
        its form.
        """
        token = self._sampler.choose(best, logits)
        self._candidates = ()
        if self._reader.in_final:
            if self._constraint is not None:
                token = self._constraint.choose(self._sampler, token, logits)
            if self.rating is not None:
                self.rating.see(logits)
        if self._top and self._reader.in_final and self._vocabulary.control_name(token) is None:
            self._candidates = tuple(
                (self._spelled(candidate), chance) for candidate, chance in best_candidates(logits, self._top)
            )
        return token

    def take(self, token: int) -> None:
        """Read a token that was chosen; sets ``stop`` when the answer ends with it."""
        if self._count == 0:
            self._first_token_s = time.monotonic() - self._submitted
        self._count += 1
        if self._reader.in_final:
            if self._constraint is not None:
                self._constraint.take(token)
            if self.rating is not None:
                self.rating.take(token)
        reading, name = self._read(token)
        if self._reader.in_final and not self.before_final:
            self.before_final = self._count + self._put_in
        self.stop = self._why_stop(token, name, reading)

    def ask_for_final(self, tokens: Sequence[int]) -> list[int]:
        """``tokens`` (of :data:`ASK_FOR_FINAL`) when it is time to write them in the model's place, else none."""
        thought = self._reader.thinking_tokens + len(self._unread)
        if self.stop is not None or thought < self._thinking_budget or not self._reader.in_thinking:
            return []
        self.thinking_cut = True
        for token in tokens:
            self._read(token)
        self._put_in += len(tokens)
        self.before_final = self._count + self._put_in
        if self._count + self._put_in >= self._limit:
            self.stop = "limit"
        return list(tokens)

    def _read(self, token: int) -> tuple[Reading, str | None]:
        """Read a token; returns what it did, and its name when it is a control token."""
        name = self._vocabulary.control_name(token)
        reading = Reading()
        if name is None:
            if self._reader.in_final and self._top:
                self._choices.append(TokenChoice(self._spelled(token), self._candidates))
            self._unread.append(token)
            if self._stream:
                self._read_up()
        else:
            self._read_up()
            reading = self._reader.feed_control(name)
            self._note(reading)
        return reading, name

    def due(self) -> list[tuple[str, str]]:
        """(channel, text) to hand on now, if it is time."""
        now = time.monotonic()
        if not self._due or now - self._last_delta < _DELTA_EVERY_S:
            return []
        self._last_delta = now
        ready, self._due = self._due, []
        return ready

    def rest(self) -> list[tuple[str, str]]:
        """(channel, text) that was not handed on yet; closes the last message."""
        self._read_up()
        self._note(self._reader.finish())
        ready, self._due = self._due, []
        return ready

    def generation(self, prompt_tokens: int, n_ctx: int) -> Generation:
        """The whole answer; call :meth:`rest` first."""
        return Generation(
            messages=self._reader.messages,
            raw=self._reader.raw,
            stop=self.stop or "limit",
            prompt_tokens=prompt_tokens,
            cached_tokens=self.cached_tokens,
            thinking_tokens=self._reader.thinking_tokens,
            output_tokens=self._count,
            first_token_s=self._first_token_s,
            total_s=time.monotonic() - self._submitted,
            final_tokens=tuple(self._choices),
            seed=self._sampler.seed,
            n_ctx=n_ctx,
            answer_logprobs=self.logprobs,
            thinking_cut=self.thinking_cut,
        )

    def close(self) -> None:
        """Free the grammar."""
        if self._constraint is not None:
            self._constraint.close()

    def _read_up(self) -> None:
        """Read the ordinary tokens that wait. Where nobody watches, that is once per message and not per token."""
        if self._unread:
            pieces = b"".join(map(self._vocabulary.piece, self._unread))
            self._note(self._reader.feed_text(pieces, len(self._unread)))
            self._unread.clear()

    def _why_stop(self, token: int, name: str | None, reading: Reading) -> Stop | None:
        if reading.ends:
            return "end"
        if name == "<|return|>":
            return "return"
        if name == "<|call|>":
            return "call"
        if self._vocabulary.is_eog(token):
            return "eog"
        return "limit" if self._count + self._put_in >= self._limit else None

    def _note(self, reading: Reading) -> None:
        if not reading.text or not self._stream:
            return
        if self._due and self._due[-1][0] == reading.channel:
            self._due[-1] = (reading.channel, self._due[-1][1] + reading.text)
        else:
            self._due.append((reading.channel, reading.text))

    def _spelled(self, token: int) -> str:
        return self._vocabulary.piece(token).decode("utf-8", "replace")
