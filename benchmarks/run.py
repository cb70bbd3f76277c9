"""Measures the engine against plain llama-cpp-python and llama-server, on one model and the same work: ``make bench``.

    python -m benchmarks.run [--rounds 3] [--scale 1.0] [--layers 4] [--build build/bench] [--results benchmarks]

Some 50 minutes of one core, and before that 10 to build the server once. Rounds differ by 3 % at most, so three are
enough. A trial run, ``--scale 0.05 --rounds 1 --layers 1 --results build/bench``, takes a minute and proves nothing.
"""

from __future__ import annotations

import argparse
import contextlib
import platform
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import studio
from benchmarks import cases, report
from benchmarks.gguf_gpt_oss import BENCH, BENCH_VOCABULARY, made_up_table, random_tensors, write_model
from benchmarks.jobs import Engine, content_text, policy_text
from benchmarks.machine import describe
from benchmarks.measuring import Series, cpu_seconds
from benchmarks.ours import Ours
from benchmarks.plain import Plain
from benchmarks.report import Row
from benchmarks.server import DEFAULT, Server, Setting, find_or_build

ALONE_OPTIONS = ("--swa-full", "--flash-attn", "off")
PARALLEL = [
    [Setting(f"{slots} slots", slots, (*ALONE_OPTIONS, *more)) for slots in (4, 8, 16, 32)]
    for more in ((), ("--kv-unified",))
]
"""What the server's best setting is looked for among, besides its default (4 slots, flash attention), from few slots to
many."""
HOPELESS = 1.3
"""So many times the best cost: more slots of the same kind are not tried then, as each adds a copy of the policy."""
ONE = Setting("1 slot", 1, ALONE_OPTIONS)
"""One request after the other, as the plain class with its prefix hit does it. No parallel setting, and shown beside
them: where batches gain little it is the server's cheapest."""
ALONE = Setting("4 slots, for one at a time", 4, ALONE_OPTIONS)
ANEW, HIT = "plain, anew", "plain, prefix hit"


class Bench:
    """The engines, and one method per part of the table."""

    def __init__(self, build: Path, size: cases.Size, layers: int) -> None:
        self._size = size
        self._model = build / f"bench-{layers}.gguf"
        if not self._model.is_file():
            shape, tokens = replace(BENCH, layers=layers), made_up_table(BENCH_VOCABULARY)
            write_model(self._model, "Random weights for measuring", shape, tokens, random_tensors(shape, tokens))
        self._program = find_or_build(build)
        self._per_slot = size.tokens(2000) + size.tokens(600) + 512
        self.ours = Ours(self._model)
        self._plain: list[Engine] = [
            Plain(name, self._model, self.ours.info, self._per_slot, anew=name == ANEW) for name in (ANEW, HIT)
        ]
        self.notes: list[str] = []

    def close(self) -> None:
        """End all engines."""
        for engine in (self.ours, *self._plain):
            engine.close()

    @contextlib.contextmanager
    def _servers(self, *settings: Setting) -> Iterator[list[Engine]]:
        with contextlib.ExitStack() as stack:
            started: list[Engine] = []
            for setting in settings:
                server = Server(self._program, self._model, self.ours.info, self._per_slot, setting)
                stack.callback(server.close)
                started.append(server)
            yield started

    def best_parallel(self, policy: int, content: int, answer: int, count: int) -> Setting:
        """The server setting with the least CPU time for such a batch, from one run of each."""
        size = self._size
        costs: dict[Setting, float] = {}
        for settings in ([DEFAULT], *PARALLEL):
            for setting in settings:
                text = policy_text(size.tokens(policy), 5000 + policy + len(costs))
                jobs = [
                    self.ours.job(text, content_text(size.tokens(content), place), size.tokens(answer))
                    for place in range(count)
                ]
                with self._servers(setting) as (server,):
                    costs[setting], _ = cpu_seconds(server, jobs)
                name = f"llama-server, {setting.name} {' '.join(setting.options)}"
                print(f"  {name}: {costs[setting]:.2f} CPU s", flush=True)
                if costs[setting] > HOPELESS * min(costs.values()):
                    break
        best = min(costs, key=lambda setting: costs[setting])
        self.notes.append(
            f"llama-server's setting for {count} contents under {policy} tokens: {best.name} {' '.join(best.options)}, "
            f"the best of {len(costs)}."
        )
        return best

    def golden(self) -> list[Row]:
        """(a)."""
        title = "(a) golden run, 600-token policy x 32 contents x 120 tokens"
        best = self.best_parallel(600, 60, 120, self._size.contents)
        with self._servers(best, ONE) as servers:
            series = cases.golden([self.ours, *self._plain, *servers], self.ours.job, self._size, {ANEW: 0.25})
            self.notes.append(f"Greedy answers that begin alike in all engines: {min(series.alike):.0%} or more.")
            return [
                *_rows("golden_600x32", title, series, servers[0].name, (2.5, 1.3, 1.25)),
                Row("", title, "", servers[1].name, series),
            ]

    def large_policy(self) -> list[Row]:
        """(b)."""
        title = "(b) 2,000-token policy x 64 short contents"
        best = self.best_parallel(2000, 20, 16, self._size.many)
        with self._servers(best, ONE) as servers:
            engines = [self.ours, *self._plain, *servers]
            cold, steady = cases.large_policy(engines, self.ours.job, self._size, {ANEW: 1 / 16})
            again = title + ", the policy known"
            server, one = (engine.name for engine in servers)
            return [
                *_rows("policy_2000x64", title, cold, server, (6, 1.4, 3)),
                Row("", title, "", one, cold),
                Row("", again, "llama_server", server, steady, 1.3),
                *[Row("", again, "", name, steady) for name in (HIT, one)],
            ]

    def first_tokens(self) -> list[Row]:
        """(c), (d) and switching policies."""
        with self._servers(DEFAULT, ALONE) as servers:
            engines, make, size = [self.ours, *self._plain, *servers], self.ours.job, self._size
            default, names = servers[0].name, [server.name for server in servers]
            content = cases.new_content(engines, make, size)
            half = cases.edited_policy(engines, make, size, 0.5)
            line = cases.edited_policy(engines, make, size, 0.95)
            switch = cases.earlier_policy(engines, make, size)
        at_most_a_little_more = 1 / 1.05
        return [
            *_rows("warm_first_token", "(c) warm first token, new content", content, content.best(names),
                   (10, at_most_a_little_more, at_most_a_little_more)),
            *_rows("edit_half", "(d) first token, half of the policy edited", half, default, (1.5, 1, 1 / 0.6)),
            *[Row("", "(d) first token, last line edited", "", name, line) for name in (ANEW, HIT, default)],
            *_rows("policy_switch", "first token, back to an earlier policy", switch, switch.best(names), (10, 10, 1)),
        ]  # fmt: skip

    def interactive(self) -> list[Row]:
        """(e)."""
        title = "(e) ragged mix, wait of an interactive request"
        settings = [
            Setting("8 slots, all sent at once", 8, ALONE.options),
            Setting("8 slots, one kept free by the sender", 8, ALONE.options, reserved=1),
        ]
        with self._servers(*settings) as servers:
            series = cases.interactive([self.ours, *servers], self.ours.job, self._size, apart_s=4 * self._size.scale)
        best = series.best([server.name for server in servers])
        others = [server.name for server in servers if server.name != best]
        return [
            Row("interactive_wait", title, "llama_server", best, series, 2),
            *[Row("", title, "llama_server", name, series) for name in others],
        ]


def _rows(case: str, title: str, series: Series, server: str, bars: Sequence[float]) -> list[Row]:
    peers = (("plain", ANEW), ("prefix_hit", HIT), ("llama_server", server))
    return [Row(case, title, peer, engine, series, bar) for (peer, engine), bar in zip(peers, bars, strict=True)]


def main() -> None:
    """Measure everything and write the results."""
    parser = argparse.ArgumentParser(description="Measure the engine against its peers.")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--layers", type=int, default=4)
    parser.add_argument("--build", type=Path, default=Path("build/bench"))
    parser.add_argument("--results", type=Path, default=Path(__file__).parent)
    given = parser.parse_args()
    size = cases.Size(rounds=given.rounds, scale=given.scale)
    if given.scale < 1:
        size = replace(size, contents=8, many=16, probes=2)
    started, machine = datetime.now(UTC), describe()
    bench = Bench(given.build.resolve(), size, given.layers)
    rows: list[Row] = []
    try:
        for part in (bench.first_tokens, bench.golden, bench.large_policy, bench.interactive):
            found = part()
            print(report.table(found), flush=True)
            rows += found
    finally:
        bench.close()
    info = bench.ours.info
    took = (datetime.now(UTC) - started).total_seconds() / 60
    facts = [
        ("date", f"{started:%Y-%m-%d %H:%M} UTC, {took:.0f} minutes"),
        ("machine", machine),
        ("versions", f"studio {studio.__version__}, {info.llama_build}, Python {platform.python_version()}"),
        ("model", f"random weights, {info.description}, {given.layers} layers, {info.size_bytes // 10**6} MB"),
        ("threads", f"{info.n_threads}, on {info.backend} ({info.device})"),
        (
            "ours",
            f"as the studio runs it: {info.n_seq} sequences, {info.n_batch} tokens a step, flash attention "
            f"{'on' if info.flash_attn else 'off'}, weights {'repacked' if info.extra_bufts else 'as they are'}",
        ),
        ("rounds", f"{given.rounds}, scale {given.scale}"),
    ]
    notes = [
        *bench.notes,
        "llama-server runs the very libraries of the installed binding; only the server program is built for this.",
        "All engines get the same token ids, answer greedily, and wrote exactly as many tokens as asked, or this run "
        "would have failed.",
        "Plain llama-cpp-python, anew, answers a quarter (a) or a sixteenth (b) of the contents, counted four and "
        "sixteen times: each costs it the same.",
    ]
    given.results.mkdir(parents=True, exist_ok=True)
    beyond = (Path(__file__).parent / "BEYOND.md").read_text(encoding="utf-8")
    report.write(given.results, rows, facts, notes, beyond)


if __name__ == "__main__":
    main()
