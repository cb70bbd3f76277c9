"""The tokens of requests' prompts. Heads that come again are not read again."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence

import numpy as np

from studio.core.prompt import Segment
from studio.engine.llama.context import Ids
from studio.engine.llama.failure import WorkerFailure
from studio.engine.llama.job import Job
from studio.engine.llama.model import Model
from studio.engine.types import DEFAULT_ANSWER_TOKENS, LEAST_ANSWER_TOKENS

_MOST_TIMES = 8
"""A prompt of so many contexts is too long without being counted to its end."""

_KEPT = 16


class PromptReader:
    """Turns the segments of a request into tokens, and sees that prompt and answer fit."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self._heads: OrderedDict[tuple[Segment, ...], Ids] = OrderedDict()
        self._answers: dict[tuple[tuple[Segment, ...], ...], list[list[int]]] = {}

    def read(self, job: Job) -> None:
        """Set the job's prompt, how much of it is its head, and its room. Raises ``too_long`` or ``empty_prompt``."""
        head = self._head(tuple(job.segments[: job.prefix]))
        job.prompt = np.concatenate([head, self._tokens(job.segments[job.prefix :])])
        job.prompt_tokens = length = len(job.prompt)
        if not length:
            raise WorkerFailure("empty_prompt")
        job.room = self._room(length, job.max_output_tokens)
        job.shared = len(head)
        if job.sampling is not None and job.shared == length:
            # The last token must be decoded for this request, or there is nothing to choose from.
            job.shared = (length - 1) // self._model.info.n_batch * self._model.info.n_batch
        if job.sampling is None:
            job.shared, job.room = length, 0

    def answers(self, job: Job) -> list[list[int]]:
        """The tokens of the answers whose probabilities are asked for; they are the same for a whole batch."""
        known = self._answers.get(job.answers)
        if known is None:
            if len(self._answers) >= _KEPT:
                self._answers.clear()
            known = self._answers[job.answers] = [self._tokens(answer).tolist() for answer in job.answers]
        return known

    def _head(self, segments: tuple[Segment, ...]) -> Ids:
        known = self._heads.pop(segments, None)
        if known is None:
            known = self._tokens(segments)
        self._heads[segments] = known
        if len(self._heads) > _KEPT:
            self._heads.popitem(last=False)
        return known

    def _tokens(self, segments: Sequence[Segment]) -> Ids:
        available = self._model.info.n_ctx_limit
        found = self._model.vocabulary.tokens(segments, available, _MOST_TIMES * available)
        return np.fromiter((token.id for token in found), np.int32, len(found))

    def _room(self, prompt: int, wanted: int | None) -> int:
        """Tokens for the answer. Raises ``too_long`` with the numbers when prompt and answer do not fit."""
        available = self._model.info.n_ctx_limit
        needed = prompt + (LEAST_ANSWER_TOKENS if wanted is None else max(wanted, 1))
        if needed > available:
            raise WorkerFailure("too_long", {"needed": needed, "available": available})
        return min(DEFAULT_ANSWER_TOKENS, available - prompt) if wanted is None else max(wanted, 1)
