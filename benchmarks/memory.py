"""Memory: what is planned against what is taken, what a shared policy saves, and whether anything leaks.

    python -m benchmarks.memory worst MODEL...     planned worst case against the resident memory of a full context
    python -m benchmarks.memory kv MODEL           KV memory of 32 sequences on an 8,000-token policy against copies
    python -m benchmarks.memory flat MODEL [--requests 10000]   the worker's resident memory over many small requests

Each fails (exit status 1) when its bar is missed. Linux only: resident memory is read from /proc.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.jobs import content_text, policy_text, prompt
from benchmarks.machine import describe
from studio.engine.client import EngineClient
from studio.engine.llama import binding, memory
from studio.engine.llama.binding import lib
from studio.engine.llama.model import Model, open_model
from studio.engine.llama.opening import open_scheduler
from studio.engine.types import EngineSettings, GenerateRequest, Priority

MIB = 1 << 20
PLENTY = 64 << 30
WITHIN = 0.10
SHARE_OF_COPIES = 0.2
POLICY, SEQUENCES = 8000, 32
GROWTH = 0.02
"""Of its resident memory a worker may gain, between a tenth of the requests and the last: pages that the allocator
keeps in pieces."""


def resident(pid: int | str = "self") -> int:
    """Bytes of a process that are in memory."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def worst(models: list[Path], sequences: int) -> bool:
    """One process per model and width: what was freed before is otherwise used again, and not seen."""
    good = True
    for model in models:
        for count in (1, sequences):
            command = [sys.executable, "-m", "benchmarks.memory", "one", str(model), "--sequences", str(count)]
            good = subprocess.run(command, check=False).returncode == 0 and good
    return good


def one(path: Path, sequences: int) -> bool:
    """Fill every cell of a context in the widest steps, and look."""
    binding.start()
    before = resident()
    # A short context: the work of filling it grows with the square of its length. No repacked weights: their originals
    # stay mapped, count as resident, and are the system's to drop when it needs room.
    settings = EngineSettings(n_threads=1, n_ctx=2048, use_extra_bufts=False)
    model = open_model(path, settings, "unused", lambda _: True)
    scheduler = open_scheduler(model, EngineSettings(n_seq=sequences, cache_bytes=0), lambda _: None, PLENTY)
    place = scheduler._place
    context, rows, start = place.context, model.info.n_ubatch, 0
    count = sum(memory.ids(place.width))
    each = context.n_cells // count
    for seq in range(count):
        for start in range(0, each, rows):
            context.add(seq, [1] * min(rows, each - start), start, output=True)
            context.decode()
    taken, planned = resident() - before, place.need.total
    ratio = planned / taken
    print(
        f"{path.name}, {sequences} sequences: planned {planned / MIB:.1f} MiB "
        f"(weights {place.need.weights / MIB:.1f}, context {place.need.kv / MIB:.1f}, work "
        f"{place.need.buffers / MIB:.1f}, process {place.need.host / MIB:.1f}), "
        f"resident {taken / MIB:.1f} MiB, planned/resident {ratio:.3f}"
    )
    return abs(ratio - 1) <= WITHIN


def kv(path: Path) -> bool:
    """The library's own figures for four ways to keep 32 sequences on one policy."""
    binding.start()
    model = open_model(path, EngineSettings(n_threads=1), "unused", lambda _: True)
    cells = memory.cells_for(POLICY + memory.SHARE, SEQUENCES, 131_072)
    copies = SEQUENCES * (POLICY + memory.SHARE)
    found = {
        (shared, full): _kv_bytes(model, cells if shared else copies, shared=shared, full=full)
        for shared in (True, False)
        for full in (True, False)
    }
    for (shared, full), size in found.items():
        how = f"one shared copy, {cells} cells" if shared else f"a copy for each, {copies} cells"
        print(f"{how}, sliding-window layers {'whole' if full else 'cut to their window'}: {size:.1f} MiB")
    like, across = (found[True, True] / found[False, full] for full in (True, False))
    cut = found[True, False] / found[False, False]
    print(f"shared/copies: {like:.3f} both whole, {cut:.3f} both cut; {across:.3f} ours whole against copies cut")
    return max(like, cut) <= SHARE_OF_COPIES


def _kv_bytes(model: Model, cells: int, *, shared: bool, full: bool) -> float:
    """MiB of a context's cells, from the library's log."""
    params = lib.llama_context_default_params()
    params.n_ctx, params.n_seq_max = cells, SEQUENCES
    params.n_batch = params.n_ubatch = 256
    params.n_outputs_max = SEQUENCES
    # Fused attention only: scores of so many cells would need gigabytes that nobody asks about here.
    params.flash_attn_type = lib.LLAMA_FLASH_ATTN_TYPE_ENABLED
    params.kv_unified, params.swa_full = shared, full
    binding.clear_log()
    handle: Any = lib.llama_init_from_model(model.handle, params)
    sizes = [float(line.split("=")[1].split("MiB")[0]) for line in binding.log_lines() if "KV buffer size" in line]
    lib.llama_free(handle)
    return sum(sizes)


def flat(path: Path, requests: int) -> bool:
    """Small requests under a few policies, from eight threads, as batch and as interactive work."""
    policies = [policy_text(150, number) for number in range(4)]
    seen: list[tuple[int, int]] = []
    began = time.monotonic()
    with EngineClient() as client:
        client.load(path, EngineSettings(cache_bytes=4 << 20))
        pid = client.worker_pid or 0
        lock, numbers = threading.Lock(), iter(range(requests))

        def ask() -> None:
            for number in _shared(lock, numbers):
                segments, prefix = prompt(policies[number // 7 % len(policies)], content_text(10, number))
                urgent = Priority.INTERACTIVE if number % 10 == 0 else Priority.BATCH
                client.generate(GenerateRequest(segments, prefix, max_output_tokens=3, priority=urgent))
                if number % max(1, requests // 20) == 0:
                    seen.append((number, resident(pid)))

        with ThreadPoolExecutor(8) as pool:
            for done in [pool.submit(ask) for _ in range(8)]:
                done.result()
        seen.append((requests, resident(pid)))
    for number, size in sorted(seen):
        print(f"after {number:6d} requests: {size / MIB:.1f} MiB resident")
    start = next(size for number, size in sorted(seen) if number >= requests // 10)
    growth = seen[-1][1] / start - 1
    print(f"growth from a tenth to the end: {growth:+.2%} in {time.monotonic() - began:.0f} s")
    return growth <= GROWTH


def _shared(lock: threading.Lock, numbers: Iterator[int]) -> Iterator[int]:
    while True:
        with lock:
            number = next(numbers, None)
        if number is None:
            return
        yield number


def main() -> int:
    parser = argparse.ArgumentParser(description="Measure memory.")
    parser.add_argument("what", choices=["worst", "one", "kv", "flat"])
    parser.add_argument("models", type=Path, nargs="+")
    parser.add_argument("--requests", type=int, default=10_000)
    parser.add_argument("--sequences", type=int, default=8)
    given = parser.parse_args()
    if given.what != "one":
        print(f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {describe()}, {binding.build()}", flush=True)
    if given.what == "worst":
        good = worst(given.models, given.sequences)
    elif given.what == "one":
        good = one(given.models[0], given.sequences)
    elif given.what == "kv":
        good = kv(given.models[0])
    else:
        good = flat(given.models[0], given.requests)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
