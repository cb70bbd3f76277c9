"""How far off the fit adviser's seconds are: predicted from its measurement, against models that it did not see.

    python -m benchmarks.fit [ROUNDS]

Two models of random weights: one as wide as gpt-oss, with three times the layers and twice the experts of the probe, as
the 20b has more of both; and the narrow one of ``benchmarks/gguf_gpt_oss.py``, whose matrices are of another size. One
line is printed for each: tokens per second as predicted and as measured, and how many per cent the time was off.
"""

from __future__ import annotations

import statistics
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from benchmarks.gguf_gpt_oss import BENCH, BENCH_VOCABULARY, made_up_table, random_tensors, write_model
from studio.core.speed import estimate
from studio.engine.client import EngineClient
from studio.engine.types import EngineSettings
from studio.hub.probe_file import PROBE, write_probe
from studio.services.machine import MachineService
from studio.services.measure import CPU, measure, sample, work_of

FOLDER = Path("build/bench")
SECONDS = 8.0


def models() -> dict[str, Path]:
    deep, narrow = FOLDER / "deep.gguf", FOLDER / "bench.gguf"
    FOLDER.mkdir(parents=True, exist_ok=True)
    if not deep.exists():
        write_probe(deep, replace(PROBE, layers=6, experts=16))
    if not narrow.exists():
        table = made_up_table(BENCH_VOCABULARY)
        write_model(narrow, "Random weights for measuring", BENCH, table, random_tensors(BENCH, table))
    return {"as wide": deep, "narrow": narrow}


def main(arguments: Sequence[str]) -> None:
    with EngineClient() as engine:
        machine = MachineService(engine, lambda: 0).look()
    print(f"{machine.processor}, {machine.n_threads} of {machine.physical} cores, {machine.llama_build}")
    off: dict[str, list[float]] = {}
    for _ in range(int(arguments[0]) if arguments else 3):
        rates = measure(machine).rates(CPU)
        if rates is None:
            raise SystemExit("the processor was not measured")
        for name, path in models().items():
            told = estimate([(rates, work_of(path))])
            real = sample(path, EngineSettings(n_gpu_layers=0), SECONDS, None)
            read, write = 1 / told.read / real.read_s - 1, 1 / told.write / real.write_s - 1
            off.setdefault(name, []).extend((abs(read), abs(write)))
            print(
                f"{name:8} read {told.read:7.1f} told, {1 / real.read_s:7.1f} measured tokens a second ({read:+.0%} "
                f"time); write {told.write:6.1f} told, {1 / real.write_s:6.1f} measured ({write:+.0%} time)"
            )
    for name, values in off.items():
        print(f"{name}: off by {statistics.median(values):.0%} in the middle, {max(values):.0%} at most")


if __name__ == "__main__":
    main(sys.argv[1:])
