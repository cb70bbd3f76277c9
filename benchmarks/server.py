"""llama-server as one of the engines that are compared: found or built once, then asked over the loopback."""

from __future__ import annotations

import http.client
import importlib.metadata
import importlib.util
import json
import os
import shutil
import socket
import subprocess
import sys
import tarfile
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.jobs import Job, Outcome
from studio.engine.types import ModelInfo

_BINDING = "llama-cpp-python"
_RECIPE = Path(__file__).parent / "llama_server" / "CMakeLists.txt"
_START_S = 120.0


@dataclass(frozen=True, slots=True)
class Setting:
    """How the server is started. ``slots`` 0 leaves its default; ``reserved`` slots are kept free of batch work."""

    name: str
    slots: int = 0
    options: tuple[str, ...] = ()
    reserved: int = 0


DEFAULT = Setting("default")


def find_or_build(folder: Path) -> Path:
    """A llama-server that runs the libraries of the installed binding; built in ``folder`` if it is not there."""
    version = importlib.metadata.version(_BINDING)
    built = folder / f"server-{version}"
    program = built / "bin" / "llama-server"
    if program.is_file():
        return program
    source = _source(folder, version)
    shutil.copyfile(_RECIPE, source / "CMakeLists.txt")
    spec = importlib.util.find_spec("llama_cpp")
    if spec is None or spec.origin is None:
        raise RuntimeError("llama-cpp-python is not installed")
    libraries = Path(spec.origin).parent / "lib"
    print("Building llama-server once: some minutes.", flush=True)
    jobs = str(os.cpu_count() or 1)
    for command in (
        ["cmake", "-S", str(source), "-B", str(built), "-DCMAKE_BUILD_TYPE=Release", f"-DLLAMA_LIBS={libraries}"],
        ["cmake", "--build", str(built), "--target", "llama-server", "--parallel", jobs],
    ):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError("llama-server could not be built:\n" + (done.stdout + done.stderr)[-2000:])
    return program


def _source(folder: Path, version: str) -> Path:
    """llama.cpp's source inside the binding's source distribution, through pip and its cache."""
    name = f"llama_cpp_python-{version}"
    source = folder / name / "vendor" / "llama.cpp"
    if not source.is_dir():
        archive = folder / f"{name}.tar.gz"
        if not archive.is_file():
            command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", _BINDING]
            subprocess.run([*command, "--dest", str(folder), f"{_BINDING}=={version}"], check=True)
        with tarfile.open(archive) as packed:
            packed.extractall(folder, filter="data")
    return source


class Server:
    """A running llama-server with one setting. Prompts go as token ids, greedy, with its prompt cache on."""

    def __init__(self, program: Path, model: Path, info: ModelInfo, per_slot: int, setting: Setting) -> None:
        self.name = f"llama-server, {setting.name}"
        self._setting = setting
        self._port = _free_port()
        slots = setting.slots or 4
        command = [
            str(program), "--model", str(model), "--host", "127.0.0.1", "--port", str(self._port),
            "--threads", str(info.n_threads), "--threads-batch", str(info.n_threads),
            "--ctx-size", str(per_slot * slots), *([] if info.extra_bufts else ["--no-repack"]),
            *(["--parallel", str(setting.slots)] if setting.slots else []), *setting.options,
        ]  # fmt: skip
        environment = {**os.environ, "OMP_WAIT_POLICY": "passive"}
        self._process = subprocess.Popen(
            command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL
        )
        self._wait_until_ready()

    def run(self, jobs: Sequence[Job], urgent: Sequence[tuple[float, Job]] = ()) -> tuple[list[Outcome], list[Outcome]]:
        """See :class:`benchmarks.jobs.Engine`; with ``reserved`` slots the batch leaves so many free."""
        room = self._setting.slots - self._setting.reserved if self._setting.reserved else len(jobs)
        with ThreadPoolExecutor(max_workers=max(1, room)) as pool, ThreadPoolExecutor(len(urgent) or 1) as others:
            batch = [pool.submit(self._ask, job, 0.0) for job in jobs]
            soon = [others.submit(self._ask, job, after) for after, job in urgent]
            return [one.result() for one in batch], [one.result() for one in soon]

    def pid(self) -> int:
        """The server's process id."""
        return self._process.pid

    def close(self) -> None:
        """End the server."""
        self._process.terminate()
        self._process.wait()

    def _ask(self, job: Job, after: float) -> Outcome:
        if after:
            threading.Event().wait(after)
        question = {
            "prompt": job.tokens, "n_predict": job.answer, "temperature": 0.0, "samplers": ["temperature"],
            "cache_prompt": True, "stream": True,
        }  # fmt: skip
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=3600)
        sent, first, texts = time.monotonic(), 0.0, []
        last: dict[str, Any] = {}
        try:
            connection.request("POST", "/completion", json.dumps(question), {"Content-Type": "application/json"})
            response = connection.getresponse()
            if response.status != 200:
                raise RuntimeError(f"llama-server: {response.status} {response.read()[:300]!r}")
            for line in response:
                if not line.startswith(b"data: "):
                    continue
                first = first or time.monotonic() - sent
                last = json.loads(line[6:])
                texts.append(last["content"])
        finally:
            connection.close()
        return Outcome(last["tokens_evaluated"], last["tokens_predicted"], first, "".join(texts))

    def _wait_until_ready(self) -> None:
        until = time.monotonic() + _START_S
        while time.monotonic() < until and self._process.poll() is None:
            connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=5)
            try:
                connection.request("GET", "/health")
                if connection.getresponse().status == 200:
                    return
            except OSError:  # not listening yet
                pass
            finally:
                connection.close()
            time.sleep(0.2)
        self.close()
        raise RuntimeError(f"{self.name} did not start")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
