"""How far off the fit adviser's seconds are: predicted from its measurement, against a model that it did not see.

    python -m benchmarks.fit [ROUNDS]

The model has the shape of ``benchmarks/gguf_gpt_oss.py``: narrower and deeper than the probe, random weights. One line
is printed a round: tokens per second as predicted and as measured, and how many per cent the time was off.
"""

from __future__ import annotations

import statistics
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.gguf_gpt_oss import BENCH, BENCH_VOCABULARY, made_up_table, random_tensors, write_model
from studio.core.speed import Sample, estimate
from studio.engine.client import EngineClient
from studio.engine.types import EngineSettings
from studio.services.machine import MachineService
from studio.services.measure import CPU, measure, sample, work_of

MODEL = Path("build/bench/bench.gguf")
SECONDS = 8.0


def main(arguments: Sequence[str]) -> None:
    rounds = int(arguments[0]) if arguments else 3
    if not MODEL.exists():
        table = made_up_table(BENCH_VOCABULARY)
        write_model(MODEL, "Random weights for measuring", BENCH, table, random_tensors(BENCH, table))
    with EngineClient() as engine:
        machine = MachineService(engine, lambda: 0).look()
    print(f"{machine.processor}, {machine.n_threads} of {machine.physical} cores, {machine.llama_build}")
    off = []
    for _ in range(rounds):
        rates = measure(machine).rates(CPU)
        if rates is None:
            raise SystemExit("the processor was not measured")
        told = estimate([(rates, work_of(MODEL))])
        real: Sample = sample(MODEL, EngineSettings(n_gpu_layers=0), SECONDS, None)
        read, write = 1 / told.read / real.read_s - 1, 1 / told.write / real.write_s - 1
        off += [abs(read), abs(write)]
        print(
            f"read {told.read:7.1f} told, {1 / real.read_s:7.1f} measured tokens a second ({read:+.0%} time); "
            f"write {told.write:6.1f} told, {1 / real.write_s:6.1f} measured ({write:+.0%} time)"
        )
    print(f"off by {statistics.median(off):.0%} in the middle, {max(off):.0%} at most")


if __name__ == "__main__":
    main(sys.argv[1:])
