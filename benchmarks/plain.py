"""Plain llama-cpp-python as one of the engines that are compared: its own class, one request after the other.

The work is done in a process of its own (this module run as a program), which speaks one JSON object per line.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.jobs import Job, Outcome
from studio.engine.types import ModelInfo


class Plain:
    """``anew`` decodes every prompt from its first token; else the class's own prefix hit is used.

    Both keep all positions of sliding-window layers (``swa_full``): without it the prefix hit is silently wrong.
    """

    def __init__(self, name: str, model: Path, info: ModelInfo, n_ctx: int, *, anew: bool) -> None:
        self.name = name
        self._anew = anew
        facts = {"model": str(model), "threads": info.n_threads, "n_ctx": n_ctx, "extra_bufts": info.extra_bufts}
        environment = {**os.environ, "OMP_WAIT_POLICY": "passive"}
        command = [sys.executable, "-m", "benchmarks.plain", json.dumps(facts)]
        self._process = subprocess.Popen(
            command,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self._read()

    def run(self, jobs: Sequence[Job], urgent: Sequence[tuple[float, Job]] = ()) -> tuple[list[Outcome], list[Outcome]]:
        """See :class:`benchmarks.jobs.Engine`; it has no way to let somebody go first."""
        if urgent:
            raise ValueError("plain llama-cpp-python answers one request after the other")
        return [self._ask(job) for job in jobs], []

    def pid(self) -> int:
        """The process that decodes."""
        return self._process.pid

    def close(self) -> None:
        """End it."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()

    def _ask(self, job: Job) -> Outcome:
        assert self._process.stdin is not None
        question = {"tokens": job.tokens, "answer": job.answer, "anew": self._anew}
        self._process.stdin.write(json.dumps(question) + "\n")
        self._process.stdin.flush()
        reply = self._read()
        return Outcome(len(job.tokens), reply["count"], reply["first_s"], reply["text"])

    def _read(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError("plain llama-cpp-python ended")
        found: dict[str, Any] = json.loads(line)
        return found


def serve(facts: dict[str, Any]) -> None:
    """Answer questions from standard input until it ends."""
    # Here, in the process that decodes: the one that measures loads no llama.cpp.
    from llama_cpp import Llama, llama_cpp

    defaults = llama_cpp.llama_model_default_params

    def model_params() -> Any:
        params = defaults()
        params.use_extra_bufts = facts["extra_bufts"]
        return params

    # The class has no argument for it, and all engines must run the same kernels.
    llama_cpp.llama_model_default_params = model_params
    threads, n_ctx = facts["threads"], facts["n_ctx"]
    llama: Any = Llama(
        facts["model"], n_ctx=n_ctx, n_threads=threads, n_threads_batch=threads, swa_full=True, verbose=False
    )
    print(json.dumps({"ready": True}), flush=True)
    for line in sys.stdin:
        question = json.loads(line)
        if question["anew"]:
            llama.reset()
        sent, first, made = time.monotonic(), 0.0, []
        for token in llama.generate(question["tokens"], temp=0.0):
            first = first or time.monotonic() - sent
            made.append(token)
            if len(made) == question["answer"]:
                break
        text = llama.detokenize(made).decode("utf-8", "replace")
        print(json.dumps({"count": len(made), "first_s": first, "text": text}), flush=True)


if __name__ == "__main__":
    serve(json.loads(sys.argv[1]))
