"""A small server on loopback, as llama-server, vLLM or Ollama speaks, and what can go wrong with one.

Its model has one token per byte and the control tokens of harmony. ``faults`` are taken one per question, in order.
"""

from __future__ import annotations

import json
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

from studio.core.prompt import CONTROL_TOKENS
from tests.hub.hub_stand_in import _bind

IDS = {name: 1000 + number for number, name in enumerate(CONTROL_TOKENS)}
NAMES = {number: name for name, number in IDS.items()}
ANSWER = (
    "<|channel|>analysis<|message|>Dogs: é.<|end|><|start|>assistant<|channel|>final<|message|>"
    '{"violation": 1, "policy_category": "SP2", "rule_ids": [], "rationale": "Bulk."}<|return|>'
)


@dataclass
class StandIn:
    """What the server is, what it will do wrong, and what it was asked."""

    kind: str = "llamacpp"
    models: tuple[str, ...] = ("safeguard",)
    key: str = ""
    n_ctx: int = 8192
    width: int = 2
    answer: str = ANSWER
    knows_harmony: bool = True
    tells_ids: bool = True
    version: str = "0.13.5"
    architecture: str = "gptoss"
    cloud: bool = False
    faults: list[str] = field(default_factory=list)
    asked: list[dict[str, Any]] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    at_once: int = 0
    most_at_once: int = 0
    hung_up: threading.Event = field(default_factory=threading.Event)
    release: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)
    url: str = ""

    def tokens(self, text: str, special: bool) -> list[int]:
        """The tokens of a text; this tokenizer finds whole control tokens in any text, as llama.cpp's does."""
        found: list[int] = []
        while text:
            name = next((name for name in IDS if self.knows_harmony and text.startswith(name)), None)
            found += [IDS[name]] if name else list(text[0].encode())
            text = text[len(name or text[0]) :]
        return found

    def text(self, ids: list[int]) -> str:
        """The text of tokens, control tokens spelled."""
        return b"".join(NAMES[i].encode() if i in NAMES else bytes([i]) for i in ids).decode()


def _tag(model: str, cloud: bool) -> dict[str, Any]:
    """One model as Ollama lists it; one that runs in its cloud names the host there."""
    details = {"format": "gguf", "family": "gptoss", "parameter_size": "20.9B", "quantization_level": "MXFP4"}
    row = {"name": model, "model": model, "size": 13793441244, "digest": "17052f91a42e" + "0" * 52, "details": details}
    return {**row, "remote_host": "https://example.test:443", "remote_model": "gpt-oss:120b"} if cloud else row


class _Handler(BaseHTTPRequestHandler):
    stand_in: ClassVar[StandIn]
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        it = self.stand_in
        it.keys.append(self.headers.get("Authorization", ""))
        if it.key and self.headers.get("Authorization") != f"Bearer {it.key}":
            return self._json({"error": {"message": "Invalid API Key"}}, 401)
        if self.path == "/v1/models":
            card: dict[str, Any] = {"owned_by": it.kind}
            if it.kind == "llamacpp":
                card["meta"] = {"n_ctx": it.n_ctx, "n_vocab": 1007}
            if it.kind == "vllm":
                card["max_model_len"] = it.n_ctx
            return self._json({"data": [{**card, "id": model} for model in it.models]})
        if self.path == "/props" and it.kind == "llamacpp":
            return self._json({"total_slots": it.width, "build_info": "b9-test"})
        if self.path == "/version" and it.kind == "vllm":
            return self._json({"version": "0.99"})
        if self.path == "/api/version" and it.kind == "ollama":
            return self._json({"version": it.version})
        if self.path == "/api/tags" and it.kind == "ollama":
            return self._json({"models": [_tag(model, it.cloud) for model in it.models]})
        return self._json({"error": "not found"}, 404)

    def do_POST(self) -> None:
        it = self.stand_in
        question = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if it.key and self.headers.get("Authorization") != f"Bearer {it.key}":
            return self._json({"error": {"message": "Invalid API Key"}}, 401)
        if self.path == "/tokenize" and it.kind in ("llamacpp", "vllm"):
            ids = it.tokens(question.get("content", question.get("prompt")), True)
            if question.get("with_pieces"):
                return self._json({"tokens": [{"id": i, "piece": [i] if i < 256 else NAMES[i]} for i in ids]})
            return self._json({"tokens": ids, "count": len(ids), "max_model_len": it.n_ctx})
        if self.path == "/api/show" and it.kind == "ollama":
            kind = it.architecture
            info = {
                "general.architecture": kind,
                f"{kind}.context_length": 131072,
                "general.parameter_count": 20914757184,
            }
            return self._json({"details": {"family": kind}, "model_info": info, "capabilities": ["completion"]})
        if self.path != ("/api/generate" if it.kind == "ollama" else "/v1/completions"):
            return self._json({"error": "not found"}, 404)
        with it.lock:
            it.asked.append(question)
            it.at_once += 1
            it.most_at_once = max(it.most_at_once, it.at_once)
            fault = it.faults.pop(0) if it.faults else ""
        try:
            (self._generate if it.kind == "ollama" else self._complete)(question, fault)
        except (BrokenPipeError, ConnectionResetError):
            it.hung_up.set()
        finally:
            with it.lock:
                it.at_once -= 1

    def _complete(self, question: dict[str, Any], fault: str) -> None:
        it = self.stand_in
        if fault.isdigit():
            return self._json({"error": {"message": "a fault"}}, int(fault))
        if fault == "too_long":
            told = {"type": "exceed_context_size_error", "n_prompt_tokens": 9000, "n_ctx": it.n_ctx, "message": "long"}
            return self._json({"error": told}, 400)
        if fault == "too_long_vllm":
            words = "This model's maximum context length is 4096 tokens. However, you requested 9000 tokens."
            return self._json({"error": {"message": words}}, 400)
        if fault == "no_model":
            return self._json({"error": {"message": "The model `x` does not exist."}}, 404)
        if fault == "redirect":
            self.send_response(302)
            self.send_header("Location", "http://127.0.0.1:9/")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return None
        if fault == "drop":
            self.connection.shutdown(socket.SHUT_RDWR)
            return None
        if fault == "silent":
            it.release.wait(20)
            return None
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True
        for number, event in enumerate(self._events()):
            if number == 14 and fault in ("half", "garbage", "stall", "error"):
                if fault == "garbage":
                    self._send(b"data: {no json\n\n")
                if fault == "error":
                    self._send(b'data: {"error": {"code": 500, "message": "out of memory"}}\n\n')
                while fault == "stall":
                    self._send(b": still here\n")
                    time.sleep(0.02)
                return None
            self._send(b"data: " + json.dumps(event).encode() + b"\n\n")
        return self._send(b"data: [DONE]\n\n")

    def _generate(self, question: dict[str, Any], fault: str) -> None:
        """Ollama's way: one JSON object a line, the last with the reason and the counts, and errors as plain text."""
        it = self.stand_in
        if fault.isdigit():
            return self._json({"error": "a fault"}, int(fault))
        if fault == "no_model":
            return self._json({"error": f"model '{question['model']}' not found"}, 404)
        if fault == "too_long":
            return self._json({"error": "the input length exceeds the context length"}, 400)
        self.send_response(200)
        self.send_header("Content-Type", "application/x-ndjson")
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True
        head = {"model": question["model"], "created_at": "2026-11-22T02:00:00.000000Z"}
        text = it.answer.removesuffix("<|return|>")
        for begin in range(0, len(text), 5):
            if begin == 25 and fault == "half":
                return None
            if begin == 25 and fault == "error":
                return self._send(b'{"error":"llama runner process has terminated"}\n')
            more = {"thinking": "Hm"} if fault == "thinking" else {}
            line = {**head, "response": text[begin : begin + 5], **more, "done": False}
            self._send(json.dumps(line).encode() + b"\n")
        reason = fault or ("stop" if it.answer.endswith("<|return|>") else "length")
        last = {"done": True, "done_reason": reason, "prompt_eval_count": 77, "eval_count": 40, "total_duration": 5}
        return self._send(json.dumps({**head, "response": "", **last}).encode() + b"\n")

    def _events(self) -> Iterator[dict[str, Any]]:
        it = self.stand_in
        ids = it.tokens(it.answer, True)
        waiting: list[int] = []
        for number in ids:
            if number == IDS["<|return|>"]:
                break
            waiting.append(number)
            try:
                text = it.text(waiting)
            except UnicodeDecodeError:  # a character that is not whole waits, as in the real servers
                text = ""
            else:
                waiting = []
            yield {"choices": [self._choice(number, text)]}
        finish = "stop" if it.answer.endswith("<|return|>") else "length"
        last = {"choices": [{"text": "", "logprobs": None, "finish_reason": finish}]}
        yield {**last, "usage": {"prompt_tokens": 77, "completion_tokens": len(ids)}}

    def _choice(self, number: int, text: str) -> dict[str, Any]:
        it = self.stand_in
        told: dict[str, Any] = {"text": text, "finish_reason": None, "logprobs": None}
        shown = NAMES.get(number) or chr(number)
        if not it.tells_ids or it.kind == "other":
            return told
        if it.kind == "llamacpp":
            top = [{"id": number, "token": shown, "logprob": -0.1}, {"id": 63, "token": "?", "logprob": -2.5}]
            told["logprobs"] = {"content": [{"id": number, "token": shown, "logprob": -0.1, "top_logprobs": top}]}
        else:
            told["token_ids"] = [number]
            told["logprobs"] = {"tokens": [shown], "top_logprobs": [{"?": -2.5, shown: -0.1}]}
        return told

    def _send(self, data: bytes) -> None:
        self.wfile.write(data)
        self.wfile.flush()

    def _json(self, value: Any, status: int = 200) -> None:
        data = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """What a client broke off is what some tests are about."""


@contextmanager
def serving(stand_in: StandIn, certificate: Path | None = None) -> Iterator[StandIn]:
    """The stand-in on a port of its own; with ``certificate`` (PEM with its key) it speaks TLS."""
    handler = type("Handler", (_Handler,), {"stand_in": stand_in})
    server = _Server(("127.0.0.1", 0), handler, bind_and_activate=False)
    _bind(server.socket)
    server.server_address = server.socket.getsockname()
    server.server_activate()
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    stand_in.url = f"http{'s' if certificate else ''}://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield stand_in
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def free_port() -> int:
    """A port that nothing listened on a moment ago."""
    with socket.socket() as probe:
        _bind(probe)
        return int(probe.getsockname()[1])
