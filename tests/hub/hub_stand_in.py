"""A small Hub on loopback: model descriptions, files with ranges, and whatever can go wrong with them.

``faults`` are taken one per request, in order; when they are used up, everything is right. It needs Linux.
"""

from __future__ import annotations

import ctypes
import hashlib
import json
import re
import socket
import ssl
import struct
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest

COMMIT = "a" * 40
OTHER_COMMIT = "b" * 40
REPO = "team/model-GGUF"

BODY_FAULTS = (
    "drop",  # the connection ends after some bytes
    "drop_at_once",
    "stall",  # silent after some bytes
    "short_length",  # says fewer bytes than there are
    "long_length",  # says more
    "wrong_bytes",
    "more_bytes",  # sends on behind the end
    "ignore_range",
    "wrong_range",  # sends another part than asked for
    "other_commit",
    "other_etag",
    "packed",
)
STATUS_FAULTS = ("401", "403", "404", "408", "416", "429", "500", "502", "503", "redirect_elsewhere", "garbage")
FAULTS = (*BODY_FAULTS, *STATUS_FAULTS)


@dataclass
class Asked:
    """One request as it came; the names of its headers in small letters."""

    method: str
    path: str
    headers: dict[str, str]


@dataclass
class HubStandIn:
    """What the Hub has, and what it will do wrong."""

    files: dict[str, bytes]
    commit: str = COMMIT
    faults: list[str] = field(default_factory=list)
    lie_sha: dict[str, str] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    url: str = ""
    cut: int = 20_000
    redirect_to: str = ""
    silent: threading.Event = field(default_factory=threading.Event)
    release: threading.Event = field(default_factory=threading.Event)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def sha(self, name: str) -> str:
        return self.lie_sha.get(name) or hashlib.sha256(self.files[name]).hexdigest()

    def next_fault(self) -> str:
        with self._lock:
            return self.faults.pop(0) if self.faults else ""

    def description(self) -> dict[str, Any]:
        siblings = [
            {"rfilename": n, "size": len(b), "lfs": {"sha256": self.sha(n), "size": len(b), "pointerSize": 135}}
            for n, b in self.files.items()
        ]
        return {"id": REPO, "modelId": REPO, "sha": self.commit, "siblings": siblings, "tags": [], "private": False}


class _Handler(BaseHTTPRequestHandler):
    hub: ClassVar[HubStandIn]
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""

    def do_HEAD(self) -> None:  # noqa: N802
        self._answer()

    def do_GET(self) -> None:  # noqa: N802
        self._answer()

    def _answer(self) -> None:
        hub = self.hub
        hub.asked.append(Asked(self.command, self.path, {k.lower(): v for k, v in self.headers.items()}))
        fault = hub.next_fault()
        try:
            if fault in STATUS_FAULTS:
                self._status(fault)
            elif match := re.fullmatch(r"/api/models/team/model-GGUF(?:/revision/(\w+))?", self.path.split("?")[0]):
                self._describe(match[1], fault)
            elif match := re.fullmatch(r"/team/model-GGUF/resolve/(\w+)/(.+)", self.path):
                self._send_file(match[1], match[2], fault)
            else:
                self._whole(404, b"")
        except (ConnectionError, BrokenPipeError):
            self.close_connection = True

    def _status(self, fault: str) -> None:
        if fault == "redirect_elsewhere":
            self._whole(302, b"", Location=self.hub.redirect_to or "http://elsewhere.invalid/file")
        elif fault == "garbage":
            self._whole(200, b'{"siblings": 7, "sha": []}')
        else:
            self._whole(int(fault), b"no")

    def _describe(self, revision: str | None, fault: str) -> None:
        if revision not in (None, "main", self.hub.commit):
            self._whole(404, b"", **{"X-Error-Code": "RevisionNotFound"})
            return
        if fault in ("drop", "drop_at_once", "stall"):
            self._end()
            return
        if fault == "endless":
            self.send_response(200)
            self.end_headers()
            while True:
                self.wfile.write(bytes(1 << 20))
        body = self.hub.description()
        if fault == "other_commit":
            body["sha"] = OTHER_COMMIT
        self._whole(200, json.dumps(body).encode())

    def _send_file(self, commit: str, name: str, fault: str) -> None:
        hub = self.hub
        if commit != hub.commit:
            self._whole(404, b"", **{"X-Error-Code": "RevisionNotFound"})
            return
        if name not in hub.files:
            self._whole(404, b"", **{"X-Error-Code": "EntryNotFound"})
            return
        body = hub.files[name]
        asked = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        start = int(asked[1]) if asked and fault != "ignore_range" else 0
        if start >= len(body):
            self._whole(416, b"")
            return
        if fault == "drop_at_once":
            self._end()
            return
        piece = body[start:]
        if fault == "wrong_bytes":
            piece = bytes(byte ^ 1 for byte in piece[:50]) + piece[50:]
        self.send_response(206 if asked and fault != "ignore_range" else 200)
        self.send_header("ETag", '"pointer"')
        self.send_header("X-Linked-Etag", f'"{"c" * 64 if fault == "other_etag" else hub.sha(name)}"')
        self.send_header("X-Linked-Size", str(len(body)))
        self.send_header("X-Repo-Commit", OTHER_COMMIT if fault == "other_commit" else hub.commit)
        if fault == "packed":
            self.send_header("Content-Encoding", "gzip")
        if asked and fault != "ignore_range":
            shown = start + 7 if fault == "wrong_range" else start
            self.send_header("Content-Range", f"bytes {shown}-{len(body) - 1}/{len(body)}")
        lie = {"short_length": -min(1000, len(piece) - 1), "long_length": 1000}.get(fault, 0)
        if fault != "more_bytes":  # without a length the answer lasts until the connection ends
            self.send_header("Content-Length", str(len(piece) + lie))
        self.end_headers()
        if self.command == "HEAD":
            return
        self._bytes(piece, fault)

    def _bytes(self, piece: bytes, fault: str) -> None:
        hub = self.hub
        if fault in ("drop", "stall"):
            self.wfile.write(piece[: hub.cut])
            self.wfile.flush()
            if fault == "stall":
                hub.silent.set()
                hub.release.wait(20)
            self._end()
            return
        self.wfile.write(piece)
        if fault == "more_bytes":
            self.wfile.write(b"and more" * 100)
        if fault in ("more_bytes", "long_length", "short_length"):
            self._end()

    def _end(self) -> None:
        self.close_connection = True
        self.wfile.flush()
        self.connection.shutdown(socket.SHUT_RDWR)

    def _whole(self, status: int, body: bytes, **headers: str) -> None:
        self.send_response(status)
        for key, value in headers.items():
            self.send_header(key, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


def _bind(listener: socket.socket) -> None:
    """Take a free port as another program would: the network shield of this process does not let it listen."""
    if sys.platform != "linux":
        pytest.skip("the stand-in for the Hub needs Linux")
    libc = ctypes.CDLL(None, use_errno=True)
    address = struct.pack("=HH4s8x", socket.AF_INET, 0, bytes([127, 0, 0, 1]))
    if libc.bind(listener.fileno(), address, len(address)) != 0:
        raise OSError(ctypes.get_errno(), "bind")


@contextmanager
def running(hub: HubStandIn, certificate: Path | None = None) -> Iterator[HubStandIn]:
    """Serve ``hub`` while the block lasts; its ``url`` is set. ``certificate``: with its key in one file, for TLS."""
    handler = type("Handler", (_Handler,), {"hub": hub})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler, bind_and_activate=False)
    _bind(server.socket)
    server.server_address = server.socket.getsockname()
    server.server_activate()
    server.daemon_threads = True
    server.handle_error = lambda *_: None  # type: ignore[method-assign]  # a client that went away is no news
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    hub.url = f"http{'s' if certificate else ''}://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), name="hub stand-in")
    thread.start()
    try:
        yield hub
    finally:
        hub.release.set()
        server.shutdown()
        thread.join()
        server.server_close()
