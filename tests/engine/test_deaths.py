"""Every way a worker can end is told apart, at once, and the next request finds a new worker."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from studio.core.errors import EngineError, ModelFileError
from studio.engine import deaths
from studio.engine.client import MOST_DEATHS, EngineClient
from studio.engine.deaths import Death, End
from studio.engine.errors import (
    CrashLoopError,
    EngineCrashError,
    EngineDeath,
    EngineExitedError,
    EngineHungError,
    EngineKilledError,
    EngineLoadCrashError,
    EngineMemoryError,
    EngineProtocolError,
)
from studio.engine.scripted import Script, ScriptedAnswer, ScriptedLoad, Then
from studio.engine.types import Delta, EngineSettings, GenerateEvent, GenerateRequest
from tests.engine.conftest import prompt
from tests.engine.tiny_gguf import TinyModel, write

TEXT = "<|channel|>analysis<|message|>a thought<|end|><|start|>assistant<|channel|>final<|message|>VALID<|return|>"
REQUEST = GenerateRequest(prompt("x"))
FOREVER = GenerateRequest(prompt("l"), max_output_tokens=8000)
posix_only = pytest.mark.skipif(sys.platform == "win32", reason="signals as POSIX has them")


def kill_on_first_text(client: EngineClient, number: int) -> None:
    def on_event(event: GenerateEvent) -> None:
        if isinstance(event, Delta) and client.worker_pid is not None:
            os.kill(client.worker_pid, number)

    client.generate(FOREVER, on_event=on_event)


@posix_only
def test_killed_while_thinking_and_the_next_request_is_answered(chain_gguf: Path) -> None:
    with EngineClient() as client:
        client.load(chain_gguf)
        first = client.worker_pid

        with pytest.raises(EngineKilledError, match="SIGKILL"):
            kill_on_first_text(client, signal.SIGKILL)

        assert client.worker_pid is None
        assert client.generate(GenerateRequest(prompt("start"))).final == "éVALID"
        assert client.alive
        assert client.worker_pid != first


@posix_only
def test_a_death_that_others_ask_for_at_the_same_time_is_told_all_the_same(chain_gguf: Path) -> None:
    over = threading.Event()

    def ask() -> None:
        while not over.is_set():
            multiprocessing.active_children()  # as the library does when a process starts, and when the program ends

    with EngineClient() as client, ThreadPoolExecutor(2) as pool:
        client.load(chain_gguf)
        asking = [pool.submit(ask) for _ in range(2)]
        try:
            for _ in range(MOST_DEATHS):
                with pytest.raises(EngineKilledError):
                    kill_on_first_text(client, signal.SIGKILL)
                assert client.generate(GenerateRequest(prompt("start"))).final == "éVALID"
        finally:
            over.set()
        assert [future.result() for future in asking] == [None, None]


@posix_only
def test_killed_with_several_in_flight_each_gets_its_error(chain_gguf: Path) -> None:
    with EngineClient() as client, ThreadPoolExecutor(5) as pool:
        client.load(chain_gguf)
        begun = [threading.Event() for _ in range(5)]
        asked = [
            pool.submit(client.generate, FOREVER, on_event=lambda _, event=event: event.set())  # type: ignore[misc]  # the default argument binds the event
            for event in begun
        ]
        # Four have places for themselves at once; the fifth is on its way or waits.
        for event in begun[:4]:
            event.wait()
        assert client.worker_pid is not None
        os.kill(client.worker_pid, signal.SIGKILL)

        for future in asked:
            with pytest.raises(EngineKilledError):
                future.result()
        assert client.generate(GenerateRequest(prompt("start"))).final == "éVALID"


@posix_only
def test_a_worker_that_stands_still_is_hung(chain_gguf: Path) -> None:
    with EngineClient() as client:
        client.load(chain_gguf, EngineSettings(hang_after_s=3.0))
        with pytest.raises(EngineHungError):
            kill_on_first_text(client, signal.SIGSTOP)
        assert client.generate(GenerateRequest(prompt("start"))).final == "éVALID"


@posix_only
def test_a_crash_is_a_crash_and_repacked_weights_are_given_up(chain_gguf: Path) -> None:
    with EngineClient() as client:
        before = client.load(chain_gguf)
        with pytest.raises(EngineCrashError, match="SIGSEGV"):
            kill_on_first_text(client, signal.SIGSEGV)
        client.generate(GenerateRequest(prompt("c")))

        assert client.info is not None
        assert (before.extra_bufts, client.info.extra_bufts) == (True, False)


@pytest.mark.parametrize(
    ("then", "error"),
    [
        pytest.param("kill", EngineKilledError, marks=posix_only),
        pytest.param("crash", EngineCrashError, marks=posix_only),
        ("exit", EngineExitedError),
        ("no_memory", EngineMemoryError),
        ("garbage", EngineProtocolError),
        ("hang", EngineHungError),
    ],
)
def test_deaths_while_answering(then: Then, error: type[EngineError]) -> None:
    answers = (ScriptedAnswer(TEXT, then=then, only_start=1), ScriptedAnswer(TEXT))
    with EngineClient(script=Script(answers=answers)) as client:
        client.load(Path("scripted"), EngineSettings(hang_after_s=3.0 if then == "hang" else 120.0))
        seen: list[GenerateEvent] = []
        with pytest.raises(error) as caught:
            client.generate(REQUEST, on_event=seen.append)

        assert type(caught.value) is error
        assert caught.value.title
        assert caught.value.hint
        assert any(isinstance(event, Delta) for event in seen)
        assert client.generate(REQUEST).final == "VALID"


@pytest.mark.parametrize(
    ("then", "error"),
    [
        pytest.param("kill", EngineKilledError, marks=posix_only),
        ("crash", EngineLoadCrashError),
        ("exit", EngineLoadCrashError),
        ("no_memory", EngineMemoryError),
    ],
)
def test_deaths_while_loading(then: Then, error: type[EngineError]) -> None:
    with EngineClient(script=Script(loads=(ScriptedLoad(then=then),))) as client:
        with pytest.raises(error) as caught:
            client.load(Path("scripted"))
        assert type(caught.value) is error
        assert client.info is None


def test_what_the_worker_printed_last_goes_with_the_error() -> None:
    with EngineClient(script=Script(answers=(ScriptedAnswer(then="no_memory"),))) as client:
        client.load(Path("scripted"))
        with pytest.raises(EngineDeath) as caught:
            client.generate(REQUEST)
    assert "failed to allocate buffer" in caught.value.log


def test_a_worker_of_another_version_is_refused() -> None:
    with (
        EngineClient(script=Script(version=999)) as client,
        pytest.raises(EngineProtocolError),
    ):
        client.load(Path("scripted"))


def test_every_waiting_request_gets_the_error_at_once() -> None:
    answers = (ScriptedAnswer(TEXT, delay_s=0.5, then="exit"),)
    errors: list[Exception] = []

    def ask() -> None:
        try:
            client.generate(REQUEST)
        except EngineError as error:
            errors.append(error)

    with EngineClient(script=Script(answers=answers)) as client:
        client.load(Path("scripted"))
        threads = [threading.Thread(target=ask) for _ in range(5)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    # Requests that came late may have met a second worker that ended the same way.
    assert len(errors) == 5
    assert all(isinstance(error, EngineExitedError | CrashLoopError) for error in errors)


def test_a_worker_that_keeps_dying_is_not_started_for_ever() -> None:
    with EngineClient(
        script=Script(answers=(ScriptedAnswer(TEXT, then="exit", match="bad"), ScriptedAnswer(TEXT)))
    ) as client:
        client.load(Path("scripted"))
        bad = GenerateRequest(prompt("bad"))
        for _ in range(MOST_DEATHS):
            with pytest.raises(EngineExitedError):
                client.generate(bad)
        with pytest.raises(CrashLoopError):
            client.generate(REQUEST)

        client.restart()
        for _ in range(2 * MOST_DEATHS):  # an answer in between begins the count anew
            with pytest.raises(EngineExitedError):
                client.generate(bad)
            assert client.generate(REQUEST).stop == "return"


def test_a_load_that_dies_again_and_again_ends_too() -> None:
    script = Script(answers=(ScriptedAnswer(TEXT, then="exit"),), loads=(ScriptedLoad(), ScriptedLoad(then="exit")))
    with EngineClient(script=script) as client:
        client.load(Path("scripted"))
        with pytest.raises(EngineExitedError):
            client.generate(REQUEST)
        for _ in range(MOST_DEATHS - 1):
            with pytest.raises(EngineLoadCrashError):
                client.generate(REQUEST)
        with pytest.raises(CrashLoopError):
            client.generate(REQUEST)


def test_a_file_that_changed_is_not_taken_for_the_same_model(tmp_path: Path) -> None:
    path = write(tmp_path / "model.gguf", TinyModel(name="one"))
    with EngineClient() as client:
        client.load(path)
        write(path, TinyModel(name="two, longer"))
        with pytest.raises(ModelFileError) as caught:
            client.restart()
    assert caught.value.code == "model_file.changed"


@pytest.mark.skipif(sys.platform != "linux", reason="other systems notice at the pipe's end")
def test_a_worker_does_not_outlive_the_studio(chain_gguf: Path) -> None:
    program = (
        "import sys, os, signal\nfrom pathlib import Path\nfrom studio.engine.client import EngineClient\n"
        "if __name__ == '__main__':\n"
        "    client = EngineClient(); client.load(Path(sys.argv[1]))\n"
        "    os.kill(client.worker_pid, signal.SIGSTOP)\n"  # so that only the kernel can end it
        "    print(client.worker_pid, flush=True)\n    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    script = chain_gguf.with_name("killed_studio.py")
    script.write_text(program)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(["."])}

    # The worker holds the other end of stdout's pipe no more than it lives: reading to the end waits for it.
    done = subprocess.run([sys.executable, script, chain_gguf], capture_output=True, env=environment, timeout=60)

    worker = int(done.stdout)
    status = Path(f"/proc/{worker}/status")
    assert not status.exists() or "State:\tZ" in status.read_text()


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_ctrl_c_waits_until_a_new_worker_can_ignore_it() -> None:
    with EngineClient(script=Script()) as client:
        client.load(Path("m.gguf"))
        status = Path(f"/proc/{client.worker_pid}/status").read_text()
        held_back = int(status.partition("SigBlk:")[2].split()[0], 16)
        assert held_back >> (signal.SIGINT - 1) & 1, "it would end with a traceback before our first line"
        assert signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, ())


def test_signals_from_outside_and_faults_are_told_apart() -> None:
    def told(exitcode: int, *, loading: bool = False, log: str = "", oom: int = 0) -> type[EngineError]:
        return type(Death(End.EOF, exitcode, loading, log, oom).error())

    assert told(-9) is EngineKilledError
    assert told(-9, oom=1) is EngineMemoryError
    assert told(-15, loading=True) is EngineKilledError
    assert told(-11) is EngineCrashError
    assert told(-6) is EngineCrashError
    assert told(-6, log="terminate called after throwing an instance of 'std::bad_alloc'") is EngineMemoryError
    assert told(-6, loading=True) is EngineLoadCrashError
    assert told(-63) is EngineCrashError
    assert told(1) is EngineExitedError
    assert deaths.kernel_oom_kills() >= 0
