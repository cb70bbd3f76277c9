"""The client: many callers, cancelling, closing, loading, and what it does not import."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue

import pytest

from studio.core.errors import EngineError
from studio.core.progress import Cancel, Progress
from studio.engine import protocol
from studio.engine.client import EngineClient
from studio.engine.errors import EngineCancelledError, EngineClosedError, NoModelError
from studio.engine.scripted import Script, ScriptedAnswer, ScriptedLoad
from studio.engine.types import Delta, EngineSettings, GenerateEvent, GenerateRequest, Priority
from tests.engine.conftest import prompt

FOREVER = GenerateRequest(prompt("l"), max_output_tokens=3000)
"""Some seconds of work, unless it is stopped."""


def test_importing_the_client_does_not_import_llama_cpp() -> None:
    program = (
        "import sys, studio.engine.client\n"
        "heavy = {'llama_cpp', 'numpy'} & set(sys.modules)\n"
        "sys.exit(f'imported {heavy}' if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr


def test_what_is_known_of_a_model(chain_gguf: Path) -> None:
    steps: list[Progress] = []
    with EngineClient() as client:
        info = client.load(chain_gguf, on_progress=steps.append)

        assert client.info == info
    assert (info.name, info.architecture, info.is_demo) == ("Tiny test model", "gpt-oss", False)
    assert info.sha256 == hashlib.sha256(chain_gguf.read_bytes()).hexdigest()
    assert info.size_bytes == chain_gguf.stat().st_size
    assert (info.n_ctx_train, info.n_ctx_limit) == (8192, 8192)
    assert info.n_params > 0
    assert "llama.cpp" in info.llama_build
    assert info.backend
    assert info.device
    assert info.n_threads >= 1
    assert info.n_seq == info.n_seq_wanted > 1
    assert info.n_ubatch > info.n_batch
    assert info.memory_bytes > info.size_bytes // 2
    assert info.network in ("no interfaces", "refused by the system", "blocked in process")
    assert info.writes in ("limited", "not limited")
    assert {step.message for step in steps} == {"Checking the file", "Loading the model"}
    assert steps[-1].done == steps[-1].total


def test_a_known_hash_is_not_computed_again(chain_gguf: Path) -> None:
    steps: list[Progress] = []
    with EngineClient() as client:
        info = client.load(chain_gguf, sha256="ab" * 32, on_progress=steps.append)
    assert info.sha256 == "ab" * 32
    assert {step.message for step in steps} == {"Loading the model"}


def test_settings_reach_the_worker(chain_gguf: Path) -> None:
    settings = EngineSettings(
        n_ctx=1024, n_threads=2, n_batch=64, use_extra_bufts=False, flash_attn="on", n_seq=1, cache_bytes=0
    )
    with EngineClient() as client:
        info = client.load(chain_gguf, settings)
        answer = client.generate(GenerateRequest(prompt("start")))
    assert (info.n_ctx_limit, info.n_threads, info.n_batch) == (1024, 2, 64)
    assert (info.n_seq, info.n_ubatch) == (1, 64)
    assert (info.extra_bufts, info.flash_attn) == (False, True)
    assert (answer.final, answer.n_ctx) == ("éVALID", 1024)


def test_a_cancel_stops_an_answer_and_keeps_what_was_written(chain_engine: EngineClient) -> None:
    cancel = Cancel()

    def on_event(event: GenerateEvent) -> None:
        if isinstance(event, Delta):
            cancel.request()

    answer = chain_engine.generate(FOREVER, on_event=on_event, cancel=cancel)

    assert answer.stop == "cancelled"
    assert 0 < answer.output_tokens < 3000
    assert set(answer.raw) == {"l"}
    assert chain_engine.generate(GenerateRequest(prompt("start"))).final == "éVALID"


def test_a_cancel_before_the_turn_decodes_nothing(chain_engine: EngineClient) -> None:
    cancel = Cancel()
    cancel.request()
    answer = chain_engine.generate(FOREVER, cancel=cancel)
    assert answer.stop == "cancelled"
    assert answer.output_tokens < 3000


@pytest.fixture(scope="module")
def strict_engine(chain_gguf: Path) -> Iterator[EngineClient]:
    """One request at a time."""
    with EngineClient() as client:
        client.load(chain_gguf, EngineSettings(n_seq=1))
        yield client


def test_a_cancelled_request_does_not_wait_for_its_turn(strict_engine: EngineClient) -> None:
    running, stop_running, stop_waiting = threading.Event(), Cancel(), Cancel()
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(strict_engine.generate, FOREVER, on_event=lambda _: running.set(), cancel=stop_running)
        running.wait()
        second = pool.submit(strict_engine.generate, FOREVER, cancel=stop_waiting)
        stop_waiting.request()
        assert second.result().output_tokens == 0
        stop_running.request()
        assert first.result().stop == "cancelled"


def test_a_callback_that_fails_stops_its_request_and_no_other(chain_engine: EngineClient) -> None:
    def on_event(_: GenerateEvent) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        chain_engine.generate(FOREVER, on_event=on_event)
    assert chain_engine.generate(GenerateRequest(prompt("start"))).final == "éVALID"


def test_many_callers_each_get_their_own_answer(chain_engine: EngineClient) -> None:
    wanted = {"start": "éVALID", "c": "", "l": ""}

    def ask(number: int) -> bool:
        end = ("start", "c", "l")[number % 3]
        tokens = chain_engine.count_tokens(prompt("x" * number + end))
        answer = chain_engine.generate(GenerateRequest(prompt("x" * number + end), max_output_tokens=30))
        return answer.final == wanted[end] and answer.prompt_tokens == tokens

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(ask, range(60)))


def test_interactive_requests_go_before_batch_ones(
    strict_engine: EngineClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By what crosses the pipe, in its order: callers' threads wake in whatever order the system likes."""
    link = strict_engine._link
    assert link is not None
    sent: SimpleQueue[int] = SimpleQueue()
    began: list[int] = []
    post, dispatch = link.post, link._dispatch

    def note_sent(message: protocol.ToWorker) -> None:
        post(message)
        if isinstance(message, protocol.Generate):
            sent.put(message.id)

    def note_began(reply: protocol.FromWorker) -> None:
        if isinstance(reply, protocol.Began):
            began.append(reply.id)
        dispatch(reply)

    monkeypatch.setattr(link, "post", note_sent)
    monkeypatch.setattr(link, "_dispatch", note_began)
    begun, stop, answers = threading.Event(), Cancel(), []
    with ThreadPoolExecutor(4) as pool:
        running = pool.submit(strict_engine.generate, FOREVER, on_event=lambda _: begun.set(), cancel=stop)
        begun.wait()
        ids = [sent.get()]
        for priority in (Priority.BATCH, Priority.BATCH, Priority.INTERACTIVE):
            answers.append(pool.submit(strict_engine.generate, GenerateRequest(prompt("start"), priority=priority)))
            ids.append(sent.get())
        # Whatever is sent now is read by the worker after all of them.
        stop.request()
        running.result()
        for answer in answers:
            answer.result()
    first, batch, other_batch, interactive = ids
    assert began == [first, interactive, batch, other_batch]


def test_many_at_a_time_are_stopped_one_by_one(chain_engine: EngineClient) -> None:
    stops = [Cancel() for _ in range(4)]
    with ThreadPoolExecutor(5) as pool:
        running = [
            pool.submit(
                chain_engine.generate,
                GenerateRequest(prompt("l"), max_output_tokens=3000, priority=Priority.BATCH),
                cancel=stop,
            )
            for stop in stops
        ]
        assert chain_engine.generate(GenerateRequest(prompt("start"))).final == "éVALID"
        for future, stop in zip(running, stops, strict=True):
            stop.request()
            answer = future.result()
            assert set(answer.raw) <= {"l"}
            assert answer.stop == "cancelled" or answer.output_tokens == 3000


def test_closing_while_thinking_ends_the_request(chain_gguf: Path) -> None:
    client = EngineClient()
    client.load(chain_gguf)
    begun = threading.Event()
    with ThreadPoolExecutor(1) as pool:
        thinking = pool.submit(client.generate, FOREVER, on_event=lambda _: begun.set())
        begun.wait()
        client.close()
        with pytest.raises(EngineClosedError):
            thinking.result()
    client.close()
    with pytest.raises(EngineClosedError):
        client.generate(FOREVER)


def test_a_program_that_forgets_to_close_ends_all_the_same(chain_gguf: Path) -> None:
    program = (
        "import sys\nfrom pathlib import Path\nfrom studio.engine.client import EngineClient\n"
        "client = EngineClient()\nclient.load(Path(sys.argv[1]))\nprint(client.worker_pid)"
    )
    done = subprocess.run([sys.executable, "-c", program, chain_gguf], capture_output=True, text=True, timeout=60)

    assert (done.returncode, done.stderr) == (0, "")
    assert not Path(f"/proc/{int(done.stdout)}").exists()


def test_closing_while_loading_ends_the_load() -> None:
    client = EngineClient(script=Script(loads=(ScriptedLoad(delay_s=60),)))
    begun = threading.Event()
    with ThreadPoolExecutor(1) as pool:
        loading = pool.submit(client.load, Path("scripted"), on_progress=lambda _: begun.set())
        begun.wait()
        client.close()
        with pytest.raises(EngineClosedError):
            loading.result()


def test_a_load_can_be_cancelled(chain_gguf: Path) -> None:
    cancel = Cancel()
    with EngineClient() as client:
        with pytest.raises(EngineCancelledError):
            client.load(chain_gguf, on_progress=lambda _: cancel.request(), cancel=_requested())
        with pytest.raises(NoModelError):
            client.generate(FOREVER)
        assert client.load(chain_gguf).architecture == "gpt-oss"


def test_another_load_takes_the_place_of_the_first(chain_gguf: Path, random_gguf: Path) -> None:
    with EngineClient() as client:
        client.load(random_gguf)
        first = client.worker_pid
        client.load(chain_gguf)
        assert client.worker_pid != first
        assert client.generate(GenerateRequest(prompt("start"))).final == "éVALID"


def test_an_empty_prompt_is_an_error_and_not_an_end(chain_engine: EngineClient) -> None:
    with pytest.raises(EngineError, match="empty_prompt"):
        chain_engine.generate(GenerateRequest(()))
    assert chain_engine.tokenize(()) == []


def test_warming_can_be_cancelled_and_costs_nothing_later(chain_engine: EngineClient) -> None:
    with pytest.raises(EngineCancelledError):
        chain_engine.warm(prompt("x" * 4000), cancel=_requested())
    chain_engine.warm(prompt("policy"))
    request = GenerateRequest((*prompt("policy"), *prompt("start")), prefix=2)
    assert chain_engine.generate(request).cached_tokens == 7


def test_a_scripted_answer_runs_dry_politely() -> None:
    with EngineClient(script=Script(answers=(ScriptedAnswer("x", match="only this"),))) as client:
        client.load(Path("scripted"))
        with pytest.raises(EngineError, match="script_has_no_answer"):
            client.generate(GenerateRequest(prompt("other")))


def _requested() -> Cancel:
    cancel = Cancel()
    cancel.request()
    return cancel
