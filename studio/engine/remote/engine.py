"""An engine whose model is on servers of the user's own network: asked over HTTP, with the same requests and answers.

What servers cannot do is not pretended: no grammar holds the final there and no thinking budget ends it (``ModelInfo``
says ``remote``, and provenance then records neither); the model's file is not known, so its place in provenance names
the server instead.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import replace

from studio.core.errors import EngineError
from studio.core.progress import Cancel
from studio.core.prompt import Segment
from studio.core.run import SERVER_BACKEND, TEXT_BACKEND
from studio.engine.errors import EngineClosedError, too_long_error
from studio.engine.remote.answer import RemoteAnswer
from studio.engine.remote.dialect import Kind, Served, describe, question, read
from studio.engine.remote.failures import RemoteError, RemoteKindError, UnknownModelError
from studio.engine.remote.http import Patience, Server, Stopped, key_of
from studio.engine.remote.model import RemoteModel
from studio.engine.remote.pool import Endpoint, Pool, Retry
from studio.engine.remote.prompts import escaped
from studio.engine.types import (
    DEFAULT_ANSWER_TOKENS,
    LEAST_ANSWER_TOKENS,
    GenerateEvent,
    GenerateRequest,
    Generation,
    ModelInfo,
    Placement,
    Started,
    TokenInfo,
)

_MOST_CANDIDATES = 5
"""Servers refuse to tell more candidates than they were started for; five is what the protocol promises."""

_UNKNOWN_CONTEXT = 131_072

Allow = Callable[[frozenset[tuple[str, int]], str], AbstractContextManager[object]]
"""Opens the network shield for some servers, with the reason that people see."""


class RemoteEngine:
    """The servers of one remote model. Reaches them only inside a call, through ``allow``. Use from any thread."""

    def __init__(
        self,
        remote: RemoteModel,
        allow: Allow,
        *,
        key: str | None = None,
        retry: Retry | None = None,
        patience: Patience | None = None,
    ) -> None:
        """``key``: None for what the environment variable holds that was named. Raises RemoteError."""
        key = key_of(remote.key_env) if key is None else key
        door = _Door(allow, f"Judging on {remote.name}")
        found = [Server(url, door.open, key=key, ca=remote.ca, patience=patience or Patience()) for url in remote.urls]
        self._remote = remote
        self._pool = Pool([Endpoint(server) for server in found], retry or Retry())
        self._closing = False
        self._running: set[Cancel] = set()
        self._asking, self._meeting = threading.Lock(), threading.Lock()
        self.info = self._described()

    @property
    def busy(self) -> bool:
        """Whether requests are on their way."""
        return self._pool.busy

    @property
    def takes_ids(self) -> bool:
        """Whether prompts go as token ids, so that content cannot forge turns."""
        return all(served.prompts is not None for served in self._known())

    def tokenize(self, segments: Sequence[Segment]) -> list[TokenInfo]:
        """The tokens of a prompt as they would be sent. Raises EngineError where the server does not say them."""
        prompts = self._known()[0].prompts
        if prompts is None:
            raise EngineError(
                f"{self._remote.name} takes text only and does not count tokens.",
                hint="llama-server and vLLM do; or load the model on this machine.",
            )
        return prompts.tokens(segments)

    def count_tokens(self, segments: Sequence[Segment]) -> int:
        """How many tokens a prompt has. Raises EngineError where the server does not say."""
        return len(self.tokenize(segments))

    def generate(
        self,
        request: GenerateRequest,
        *,
        on_event: Callable[[GenerateEvent], None] | None = None,
        cancel: Cancel | None = None,
    ) -> Generation:
        """Answer a prompt; a cancelled answer has ``stop == "cancelled"``. ``grammar`` and ``answers`` are not used.

        What fails in a way that may pass is tried again, on another server if there is one, unless part of the answer
        was handed out already. Raises RemoteError, TooLongError or another EngineError.
        """
        stop = Cancel()
        if cancel is not None:
            cancel.on_request(stop.request)
        with self._registered(stop):
            return self._generate(request, on_event, stop)

    def _generate(
        self, request: GenerateRequest, on_event: Callable[[GenerateEvent], None] | None, stop: Cancel
    ) -> Generation:
        began = time.monotonic()
        asked: list[Endpoint] = []
        most = self._pool.retry.tries + len(self._pool.endpoints) - 1
        while True:
            attempt = _Attempt(on_event)
            try:
                with self._pool.turn(stop, asked) as endpoint:
                    asked.append(endpoint)
                    done = self._try(endpoint, request, attempt, stop)
                return replace(done, total_s=time.monotonic() - began)
            except Stopped:
                if self._closing:
                    raise EngineClosedError("The engine was closed.") from None
                return attempt.cancelled(request, self.info.n_ctx_limit)
            except RemoteError as error:
                if not error.again or attempt.told or len(asked) >= most:
                    raise

    def close(self) -> None:
        """End all connections. Requests on their way get EngineClosedError."""
        with self._asking:
            self._closing, running = True, list(self._running)
        for stop in running:
            stop.request()

    @contextmanager
    def _registered(self, stop: Cancel) -> Iterator[None]:
        with self._asking:
            if self._closing:
                raise EngineClosedError("The engine was closed.")
            self._running.add(stop)
        try:
            yield
        finally:
            with self._asking:
                self._running.discard(stop)

    def _try(self, endpoint: Endpoint, request: GenerateRequest, attempt: _Attempt, stop: Cancel) -> Generation:
        try:
            done = self._ask(endpoint, request, attempt, stop)
        except RemoteError as error:
            if error.again:
                self._pool.failed(endpoint)
            raise
        self._pool.worked(endpoint)
        return done

    def _ask(self, endpoint: Endpoint, request: GenerateRequest, attempt: _Attempt, stop: Cancel) -> Generation:
        served = endpoint.served or self._meet(endpoint)
        n_ctx = served.n_ctx or _UNKNOWN_CONTEXT
        most = DEFAULT_ANSWER_TOKENS if request.max_output_tokens is None else max(request.max_output_tokens, 1)
        prompt: list[int] | str
        controls = None
        if served.prompts is None:
            prompt, length = escaped(request.segments), 0
        else:
            prompt = [token.id for token in served.prompts.tokens(request.segments)]
            controls = {number: name for name, number in served.prompts.controls.items()}
            length = len(prompt)
            least = LEAST_ANSWER_TOKENS if request.max_output_tokens is None else most
            if length + least > n_ctx:
                raise too_long_error(length + least, n_ctx)
            most = min(most, n_ctx - length)
        candidates = min(max(request.top_candidates, 1), _MOST_CANDIDATES)
        answer = attempt.answer = RemoteAnswer(endpoint.server.where, controls)
        attempt.begin(length)
        asked = question(served, prompt, most, request.sampling, candidates)
        with closing(endpoint.server.events(served.path, asked, stop)) as events:
            for event in events:
                attempt.hear(read(served, endpoint.server.where, event))
                if answer.complete:
                    break
        if stop.requested:
            # A connection that we cut may look like one that came to its end.
            raise Stopped
        return answer.generation(prompt_tokens=length, seed=request.sampling.seed, n_ctx=n_ctx)

    def _described(self) -> ModelInfo:
        """Meet every server. Those that cannot be reached now may come back later; one must be there."""
        trouble: RemoteError | None = None
        for endpoint in self._pool.endpoints:
            try:
                self._meet(endpoint)
            except RemoteError as error:
                if not error.again:
                    raise
                self._pool.failed(endpoint)
                trouble = error
        known = self._known()
        if not known:
            raise trouble or RemoteKindError(f"{self._remote.name} names no server.", hint="Add it again.")
        first = known[0]
        where = ", ".join(endpoint.server.where for endpoint in self._pool.endpoints)
        model = first.model + (f" (digest {first.digest})" if first.digest else "")
        versions = ", ".join(dict.fromkeys(f"{s.kind} {s.version}".strip() for s in known))
        return ModelInfo(
            path=self._remote.id,
            name=self._remote.name,
            architecture="not known" if first.kind is Kind.OTHER else "gpt-oss",
            description=first.model,
            sha256=f"not known: {model} of {versions} at {where}",
            size_bytes=first.size,
            n_params=first.n_params,
            n_ctx_train=min(s.n_ctx or _UNKNOWN_CONTEXT for s in known),
            n_ctx_limit=min(s.n_ctx or _UNKNOWN_CONTEXT for s in known),
            n_vocab=first.n_vocab,
            llama_build=versions,
            backend=SERVER_BACKEND if first.prompts is not None else TEXT_BACKEND,
            device=where,
            n_threads=0,
            n_batch=0,
            n_gpu_layers=0,
            flash_attn=False,
            extra_bufts=False,
            is_demo=False,
            network=f"connects to {where}",
            writes="not on this machine",
            n_seq=sum(s.width for s in known),
            n_seq_wanted=sum(s.width for s in known),
            placement=Placement(
                words=f"on the server {where}"
                + ("" if first.prompts is not None else "; it takes text only: content may forge turns")
            ),
            remote=True,
        )

    def _meet(self, endpoint: Endpoint) -> Served:
        """Ask a server what it is, and see that it has the same model as the others."""
        with self._meeting:
            served = endpoint.served or describe(endpoint.server, self._remote.model)
            for other in self._known():
                if _same(other) != _same(served):
                    raise UnknownModelError(
                        f"{endpoint.server.where} serves {served.model}, and another of the servers {other.model}.",
                        hint="Servers that are added together must serve the same model.",
                    )
            endpoint.served = served
            return served

    def _known(self) -> list[Served]:
        return [endpoint.served for endpoint in self._pool.endpoints if endpoint.served is not None]


def _same(served: Served) -> tuple[object, ...]:
    """What must be equal of servers that stand in for each other."""
    return served.model, served.n_vocab, served.prompts is None, served.digest


class _Attempt:
    """What one try has handed out."""

    def __init__(self, on_event: Callable[[GenerateEvent], None] | None) -> None:
        self._on_event = on_event
        self.answer: RemoteAnswer | None = None
        self.told = False
        self._prompt_tokens = 0

    def begin(self, prompt_tokens: int) -> None:
        self._prompt_tokens = prompt_tokens
        if self._on_event is not None:
            self._on_event(Started(prompt_tokens, 0))

    def hear(self, event: dict[str, object]) -> None:
        if self.answer is None:
            return
        for delta in self.answer.take(event):
            if self._on_event is not None:
                self.told = True
                self._on_event(delta)

    def cancelled(self, request: GenerateRequest, n_ctx: int) -> Generation:
        answer = self.answer or RemoteAnswer("", {})
        return answer.generation(
            prompt_tokens=self._prompt_tokens, seed=request.sampling.seed, n_ctx=n_ctx, cancelled=True
        )


class _Door:
    """Opens the shield for a server when the first request to it begins, and closes it when the last one ends.

    One allowance for all at a time: the addresses that a look-up found belong to the allowance that was open then.
    """

    def __init__(self, allow: Allow, reason: str) -> None:
        self._allow, self._reason = allow, reason
        self._lock = threading.Lock()
        self._open: dict[tuple[str, int], tuple[int, AbstractContextManager[object]]] = {}

    @contextmanager
    def open(self, name: str, port: int) -> Iterator[None]:
        place = (name, port)
        with self._lock:
            count, allowance = self._open.get(place) or (0, self._allow(frozenset([place]), self._reason))
            if count == 0:
                allowance.__enter__()
            self._open[place] = (count + 1, allowance)
        try:
            yield
        finally:
            with self._lock:
                count, allowance = self._open[place]
                if count == 1:
                    del self._open[place]
                    allowance.__exit__(None, None, None)
                else:
                    self._open[place] = (count - 1, allowance)
