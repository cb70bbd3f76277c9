"""The studio's own engine as one of the engines that are compared."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from benchmarks.jobs import Job, Outcome, prompt
from studio.engine.client import EngineClient
from studio.engine.types import EngineSettings, GenerateRequest, ModelInfo, Priority


class Ours:
    """Asks as the studio does: every request in a thread of its own, golden runs as batch work."""

    def __init__(self, model: Path, settings: EngineSettings | None = None) -> None:
        self.name = "ours"
        self._client = EngineClient()
        self.info: ModelInfo = self._client.load(model, settings)

    def job(self, policy: str, content: str, answer: int) -> Job:
        """A job with its tokens counted, so that all engines get the same ones."""
        segments, prefix = prompt(policy, content)
        tokens = tuple(token.id for token in self._client.tokenize(segments))
        return Job(segments, prefix, tokens, answer)

    def run(self, jobs: Sequence[Job], urgent: Sequence[tuple[float, Job]] = ()) -> tuple[list[Outcome], list[Outcome]]:
        """See :class:`benchmarks.jobs.Engine`."""
        alone = len(jobs) == 1 and not urgent
        priority = Priority.INTERACTIVE if alone else Priority.BATCH
        with ThreadPoolExecutor(max_workers=len(jobs) + len(urgent)) as pool:
            batch = [pool.submit(self._ask, job, priority, 0.0) for job in jobs]
            soon = [pool.submit(self._ask, job, Priority.INTERACTIVE, after) for after, job in urgent]
            return [one.result() for one in batch], [one.result() for one in soon]

    def pid(self) -> int:
        """The worker's process id."""
        return self._client.worker_pid or 0

    def close(self) -> None:
        """End the worker."""
        self._client.close()

    def _ask(self, job: Job, priority: Priority, after: float) -> Outcome:
        if after:
            threading.Event().wait(after)
        request = GenerateRequest(
            job.segments, job.prefix, max_output_tokens=job.answer, priority=priority, top_candidates=0
        )
        made = self._client.generate(request)
        return Outcome(made.prompt_tokens, made.output_tokens, made.first_token_s, made.raw)
