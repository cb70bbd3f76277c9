"""A worker without a model, for tests of everything above the engine: a real process that speaks the real protocol.

It answers from a :class:`Script`, and it can be slow, fail, hang, crash or be killed at a chosen place.
"""

from __future__ import annotations

import contextlib
import math
import os
import re
import signal
import sys
import time
import zlib
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Literal

import msgspec

from studio.core.errors import InputError
from studio.core.progress import Progress
from studio.core.prompt import CONTROL_TOKENS, Control
from studio.engine import protocol, sandbox
from studio.engine.channels import ChannelReader, Reading
from studio.engine.types import LEAST_ANSWER_TOKENS, Device, Generation, ModelInfo, Stop, Survey, TokenChoice, TokenInfo
from studio.engine.worker import Gone, Wire, prepare

Then = Literal["", "kill", "crash", "exit", "hang", "garbage", "no_memory"]
"""What happens after a text was written: nothing, SIGKILL, SIGSEGV, exit code 3, silence, a frame that is none, or an
allocation that fails and aborts."""

_CONTROL = re.compile("(" + "|".join(re.escape(name) for name in CONTROL_TOKENS) + ")")
_PIECE = re.compile(r"\s*[^\s]{1,6}|\s+")


@dataclass(frozen=True, slots=True)
class ScriptedAnswer:
    """One answer. ``text`` is harmony with its control tokens spelled out, as the model writes it after ``assistant``.

    Used for prompts that contain ``match``, on the worker's ``only_start``-th start (1 is the first; None: every one).
    ``delay_s`` before the first token, ``pace_s`` between tokens. ``fail`` answers with that code and ``numbers``
    instead. ``chances`` gives, for a token of the final channel, its candidates and their probabilities.
    """

    text: str = ""
    match: str = ""
    only_start: int | None = None
    delay_s: float = 0.0
    pace_s: float = 0.0
    then: Then = ""
    fail: str = ""
    numbers: dict[str, int] = field(default_factory=dict)
    chances: dict[str, dict[str, float]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ScriptedLoad:
    """How loading goes: how long it takes, and whether it fails with a code or dies."""

    delay_s: float = 0.0
    fail: str = ""
    then: Then = ""


@dataclass(frozen=True, slots=True)
class Script:
    """What a scripted worker does.

    Of the ``answers`` that fit a prompt the first unused one is taken; when all were used, the last that fits again.
    ``loads`` has one entry per start of the worker, the last one repeated. ``n_ctx_limit`` makes prompts too long.
    ``n_seq`` is what the model says of itself; answers are written one after the other all the same. ``survey`` is
    the machine that it says it runs on.
    """

    answers: tuple[ScriptedAnswer, ...] = ()
    loads: tuple[ScriptedLoad, ...] = (ScriptedLoad(),)
    name: str = "Scripted model"
    is_demo: bool = False
    n_ctx_limit: int = 131072
    n_seq: int = 1
    version: int = protocol.PROTOCOL_VERSION
    survey: Survey = Survey(
        (Device("CPU", "Scripted processor", 12 * 10**9, 16 * 10**9, gpu=False),), "AVX2 = 1", 3, "scripted"
    )

    def to_json(self) -> bytes:
        """The script as JSON."""
        return msgspec.json.encode(self)

    @classmethod
    def from_json(cls, data: bytes) -> Script:
        """The script in some JSON. Raises InputError."""
        try:
            return msgspec.json.decode(data, type=cls)
        except msgspec.DecodeError as error:
            raise InputError(f"The script cannot be read: {error}") from error

    @classmethod
    def from_file(cls, path: Path) -> Script:
        """The script in a JSON file."""
        return cls.from_json(path.read_bytes())


def run(conn: Connection, log: Connection, parent: int, script: bytes, start: int) -> None:
    """Serve a script. Called as the main function of a new process; ``start`` counts the client's workers from 1."""
    prepare(log)
    sandbox.tie_to_parent(parent)
    played = Script.from_json(script)
    with contextlib.suppress(Gone):
        wire = Wire(conn)
        wire.send(protocol.Hello(played.version, os.getpid(), "scripted"))
        _Player(conn, wire, played, start).serve()
    conn.close()


class _Player:
    def __init__(self, conn: Connection, wire: Wire, script: Script, start: int) -> None:
        self._conn, self._wire, self._script, self._start = conn, wire, script, start
        self._unused = [a for a in script.answers if a.only_start in (None, start)]
        self._fitting = tuple(self._unused)
        self._inbox: deque[protocol.ToWorker] = deque()
        self._cancelled: set[int] = set()

    def serve(self) -> None:
        while True:
            message = self._inbox.popleft() if self._inbox else self._wire.receive(wait=True)
            if isinstance(message, protocol.Load):
                self._load(message)
            elif isinstance(message, protocol.Tokenize):
                self._wire.send(protocol.Tokens.of(message.id, _tokens(message.segments)))
            elif isinstance(message, protocol.Warm):
                self._wire.send(protocol.Warmed(message.id))
            elif isinstance(message, protocol.LookAround):
                self._wire.send(protocol.Surveyed(message.id, self._script.survey))
            elif isinstance(message, protocol.Generate):
                self._generate(message)
            elif isinstance(message, protocol.Shutdown):
                raise Gone

    def _load(self, message: protocol.Load) -> None:
        loads = self._script.loads
        load = loads[min(self._start, len(loads)) - 1]
        self._wire.send(protocol.LoadProgress(message.id, Progress(0, 2, "Loading the model")))
        self._wait(load.delay_s, message.id)
        _happen(load.then, self._conn)
        self._wire.send(protocol.LoadProgress(message.id, Progress(1, 2, "Loading the model")))
        if message.id in self._cancelled:
            self._wire.send(protocol.Failed(message.id, "cancelled"))
        elif load.fail:
            self._wire.send(protocol.Failed(message.id, load.fail))
        else:
            self._wire.send(protocol.Loaded(message.id, _info(message, self._script)))

    def _generate(self, message: protocol.Generate) -> None:
        prompt = _tokens(message.segments)
        needed = len(prompt) + (message.max_output_tokens or LEAST_ANSWER_TOKENS)
        if needed > self._script.n_ctx_limit:
            numbers = {"needed": needed, "available": self._script.n_ctx_limit}
            self._wire.send(protocol.Failed(message.id, "too_long", numbers))
            return
        answer = self._answer("".join(text for _, text in message.segments))
        if answer is None:
            self._wire.send(protocol.Failed(message.id, "script_has_no_answer"))
            return
        if answer.fail:
            self._wire.send(protocol.Failed(message.id, answer.fail, answer.numbers))
            return
        self._wire.send(protocol.Began(message.id, len(prompt), 0))
        self._write(message, answer, len(prompt))

    def _write(self, message: protocol.Generate, answer: ScriptedAnswer, prompt_tokens: int) -> None:
        begun = time.monotonic()
        self._wait(answer.delay_s, message.id)
        reader, choices, count, first = ChannelReader(), [], 0, 0.0
        stop: Stop = "limit"
        for piece in _answer_pieces(answer.text):
            if message.id in self._cancelled:
                break
            first = first or time.monotonic() - begun
            count += 1
            if piece in CONTROL_TOKENS:
                self._hand_on(message.id, reader.feed_control(piece))
                stop = {"<|return|>": "return", "<|call|>": "call"}.get(piece, stop)  # type: ignore[assignment]
            else:
                if reader.in_final:
                    choices.append(_choice(piece, answer))
                self._hand_on(message.id, reader.feed_text(piece.encode()))
            self._wait(answer.pace_s, message.id)
        _happen(answer.then, self._conn)
        if message.id in self._cancelled:
            stop = "cancelled"
        self._hand_on(message.id, reader.finish())
        generation = Generation(
            messages=reader.messages,
            raw=reader.raw,
            stop=stop,
            prompt_tokens=prompt_tokens,
            cached_tokens=0,
            thinking_tokens=reader.thinking_tokens,
            output_tokens=count,
            first_token_s=first,
            total_s=time.monotonic() - begun,
            final_tokens=tuple(choices),
            seed=message.sampling.seed,
            n_ctx=self._script.n_ctx_limit,
        )
        self._wire.send(protocol.Finished(message.id, generation))

    def _hand_on(self, request: int, reading: Reading) -> None:
        if reading.text:
            self._wire.send(protocol.Chunk(request, reading.channel, reading.text))

    def _answer(self, prompt: str) -> ScriptedAnswer | None:
        for answer in self._unused:
            if answer.match in prompt:
                self._unused.remove(answer)
                return answer
        return next((answer for answer in reversed(self._fitting) if answer.match in prompt), None)

    def _wait(self, seconds: float, request: int) -> None:
        """Wait, but take note of what comes in, and go on at once when this request is cancelled."""
        end = time.monotonic() + seconds
        while request not in self._cancelled:
            if self._conn.poll(max(0.0, min(0.2, end - time.monotonic()))):
                message = self._wire.receive(wait=True)
                if isinstance(message, protocol.Shutdown):
                    raise Gone
                if isinstance(message, protocol.CancelRequest):
                    self._cancelled.add(message.id)
                elif message is not None:
                    self._inbox.append(message)
            elif time.monotonic() >= end:
                return
            self._wire.beat()


def _happen(then: Then, conn: Connection) -> None:
    if then == "kill":
        os.kill(os.getpid(), signal.SIGKILL if sys.platform != "win32" else signal.SIGTERM)
    elif then == "crash":
        os.kill(os.getpid(), signal.SIGSEGV)
    elif then == "exit":
        os._exit(3)
    elif then == "hang":
        while True:
            time.sleep(60)
    elif then == "garbage":
        conn.send_bytes(b"\xc1 this is no frame")
    elif then == "no_memory":
        print("ggml: failed to allocate buffer", file=sys.stderr, flush=True)
        os.abort()


def _answer_pieces(text: str) -> Iterator[str]:
    for part in _CONTROL.split(text):
        if part in CONTROL_TOKENS:
            yield part
        else:
            yield from _PIECE.findall(part)


def _tokens(segments: tuple[protocol.WireSegment, ...]) -> list[TokenInfo]:
    found = []
    for index, segment in enumerate(protocol.from_wire(segments)):
        if isinstance(segment, Control):
            found.append(TokenInfo(_id(segment.name), segment.name.encode(), True, index))
        else:
            found.extend(TokenInfo(_id(p), p.encode(), False, index) for p in _PIECE.findall(segment.text))
    return found


def _id(piece: str) -> int:
    return CONTROL_TOKENS.index(piece) if piece in CONTROL_TOKENS else 100 + zlib.crc32(piece.encode()) % 200_000


def _choice(piece: str, answer: ScriptedAnswer) -> TokenChoice:
    chances = answer.chances.get(piece, {piece: 1.0})
    ranked = sorted(chances.items(), key=lambda item: -item[1])
    return TokenChoice(piece, tuple((text, math.log(max(chance, 1e-30))) for text, chance in ranked))


def _info(message: protocol.Load, script: Script) -> ModelInfo:
    return ModelInfo(
        path=message.path,
        name=script.name,
        architecture="gpt-oss",
        description="scripted",
        sha256=message.sha256 or "5c" * 32,
        size_bytes=0,
        n_params=0,
        n_ctx_train=script.n_ctx_limit,
        n_ctx_limit=script.n_ctx_limit,
        n_vocab=200_100,
        llama_build="scripted",
        backend="none",
        device="none",
        n_threads=1,
        n_batch=1,
        n_gpu_layers=0,
        flash_attn=False,
        extra_bufts=message.settings.use_extra_bufts is not False,
        is_demo=script.is_demo,
        network="scripted",
        writes="scripted",
        n_seq=script.n_seq,
        n_seq_wanted=script.n_seq,
    )
