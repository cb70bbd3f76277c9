"""How much of a step is ours: Python and sampling, at 32 sequences, with whatever vocabulary a model has.

    python -m benchmarks.step_share MODEL [--sequences 32] [--answer 24]

In this process, on one thread, in CPU seconds; the time inside ``llama_decode`` is the model's and all else is ours. Of
a small model our share is larger than of a real one, whose decode costs ten to a hundred times as much: the number is a
bound. Fails (exit status 1) when greedy decoding misses the bar.
"""

from __future__ import annotations

import argparse
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.jobs import content_text, policy_text, prompt
from benchmarks.machine import describe
from studio.core.run import GREEDY, SAMPLED, Sampling
from studio.engine import protocol
from studio.engine.llama import binding
from studio.engine.llama.job import Job
from studio.engine.llama.model import Model, open_model
from studio.engine.llama.opening import open_scheduler
from studio.engine.types import EngineSettings, Priority

BAR = 0.05
PLENTY = 64 << 30


class Clock:
    """Adds up the CPU seconds of the calls that go through it."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.calls = 0

    def around(self, call: object) -> object:
        """The same function, timed."""

        def timed(*arguments: object) -> object:
            began = time.process_time()
            try:
                return call(*arguments)  # type: ignore[operator]  # a function of the library
            finally:
                self.seconds += time.process_time() - began
                self.calls += 1

        return timed


def measure(model: Model, sequences: int, answer: int, sampling: Sampling, *, watched: bool) -> tuple[float, float]:
    """(CPU milliseconds of ours per step, milliseconds of a whole step), over steps in which all sequences write."""
    finished: list[int] = []

    def emit(event: protocol.FromWorker) -> None:
        if isinstance(event, protocol.Finished):
            finished.append(event.generation.output_tokens)

    scheduler = open_scheduler(model, EngineSettings(n_seq=sequences, cache_bytes=0), emit, PLENTY)
    for number in range(sequences):
        segments, prefix = prompt(policy_text(60, 1), content_text(10, number))
        scheduler.submit(Job(number, segments, prefix, Priority.BATCH, sampling, answer, 0, watched))
    while len(scheduler._running) < sequences or any(not job.ahead for job in scheduler._running):
        scheduler.step()
    clock, decode = Clock(), binding.lib.llama_decode
    binding.lib.llama_decode = clock.around(decode)
    began = time.process_time()
    try:
        while scheduler.busy and len(scheduler._running) == sequences and clock.calls < answer - 4:
            scheduler.step()
    finally:
        binding.lib.llama_decode = decode
    whole = time.process_time() - began
    scheduler.close()
    return (whole - clock.seconds) / clock.calls * 1e3, whole / clock.calls * 1e3


def main() -> int:
    parser = argparse.ArgumentParser(description="Measure our share of a step.")
    parser.add_argument("model", type=Path)
    parser.add_argument("--sequences", type=int, default=32)
    parser.add_argument("--answer", type=int, default=24)
    given = parser.parse_args()
    binding.start()
    model = open_model(given.model, EngineSettings(n_threads=1), "unused", lambda _: True)
    print(f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {describe()}, {binding.build()}")
    info = model.info
    print(f"{given.model.name}, {info.n_vocab} tokens, {info.size_bytes // 10**6} MB, {given.sequences} sequences")
    shares = {}
    for name, sampling, watched in (
        ("greedy, nobody watches", GREEDY, False),
        ("greedy, all streamed", GREEDY, True),
        ("sampled at 1.0", SAMPLED, False),
    ):
        ours, whole = measure(model, given.sequences, given.answer, sampling, watched=watched)
        shares[name] = ours / whole
        print(f"{name}: {ours:.1f} of {whole:.1f} CPU ms a step, {shares[name]:.1%}")
    model.close()
    return 0 if shares["greedy, nobody watches"] <= BAR else 1


if __name__ == "__main__":
    sys.exit(main())
