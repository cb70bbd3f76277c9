"""HTTP to one server: the one place beside the hub that opens a connection, and only while a request lasts.

Each request has a connection of its own, which ends with it. Redirects are not followed, proxies and certificates of
the environment are not used: a connection goes to the address that the user wrote, and nowhere else.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import ssl
from collections.abc import Generator, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

import httpx2

from studio import __version__
from studio.core.errors import InputError, StudioError
from studio.core.progress import Cancel
from studio.engine.remote.failures import (
    BrokenStreamError,
    RemoteAuthError,
    RemoteError,
    RemoteKindError,
    RemoteTimeoutError,
    RemoteTlsError,
    RemoteUnreachableError,
    of_status,
)

MOST_BYTES = 64 * 1024 * 1024
"""Of one answer."""

MOST_LINE = 8 * 1024 * 1024
_PORTS = {"http": 80, "https": 443}


class Gate(Protocol):
    """Opens the network shield for one server while the block lasts."""

    def __call__(self, name: str, port: int) -> AbstractContextManager[object]:
        """Let this process reach that server at that port."""


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds until a connection stands, and of silence until an answer counts as lost."""

    connect_s: float = 5.0
    silence_s: float = 300.0


class Stopped(Exception):
    """A cancel that we were asked for ended the connection."""


class Server:
    """One server at one address. ``key``: sent as a bearer token, "" for none; ``ca``: a file of certificates."""

    def __init__(self, url: str, gate: Gate, *, key: str = "", ca: Path | None = None, patience: Patience) -> None:
        self.url = url
        self.name, self.port = address(url)
        self.where = f"{self.name}:{self.port}"
        self._gate, self._key, self._patience = gate, key, patience
        # Without TLS there is nothing to verify, and reading the system's certificates takes a while.
        self._verify: ssl.SSLContext | bool = _certificates(ca) if url.startswith("https:") else False

    def get(self, path: str) -> Any:
        """The JSON at ``path``; None when there is nothing. Raises RemoteError."""
        return self._whole("GET", path, None)

    def post(self, path: str, question: dict[str, Any], cancel: Cancel | None = None) -> Any:
        """The JSON that answers a question; None when the server knows no such path. Raises RemoteError, Stopped."""
        return self._whole("POST", path, question, cancel)

    def events(self, path: str, question: dict[str, Any], cancel: Cancel | None = None) -> Generator[dict[str, Any]]:
        """The answer as it is written: server-sent events, or JSON line by line as Ollama writes it.

        Raises RemoteError or another StudioError, or Stopped.
        """
        with self._asked("POST", path, question, cancel) as response:
            if response.status_code != 200:
                raise of_status(self.where, response.status_code, _read_json(response))
            for line in _lines(response, self.where):
                told = line.removeprefix(b"data:") if line.startswith((b"data:", b"{")) else b""
                if told.strip() not in (b"", b"[DONE]"):
                    event = _json(told, self.where)
                    if isinstance(event, dict) and "error" in event:
                        status = event["error"].get("code") if isinstance(event["error"], dict) else 500
                        raise of_status(self.where, status if isinstance(status, int) else 500, event)
                    yield event if isinstance(event, dict) else {}

    def _whole(self, method: str, path: str, question: dict[str, Any] | None, cancel: Cancel | None = None) -> Any:
        with self._asked(method, path, question, cancel) as response:
            body = _read_json(response)
            missing = response.status_code in (404, 405, 501) and "model" not in json.dumps(body)
            if missing:
                return None
            if response.status_code != 200:
                raise of_status(self.where, response.status_code, body)
            return body

    @contextlib.contextmanager
    def _asked(
        self, method: str, path: str, question: dict[str, Any] | None, cancel: Cancel | None
    ) -> Iterator[httpx2.Response]:
        line = _Line(cancel)
        headers = {"User-Agent": f"moderation-studio/{__version__}", "Accept-Encoding": "identity"}
        if self._key:
            headers["Authorization"] = f"Bearer {self._key}"
        timeout = httpx2.Timeout(self._patience.silence_s, connect=self._patience.connect_s)
        with (
            self._told(line),
            self._gate(self.name, self.port),
            httpx2.Client(trust_env=False, follow_redirects=False, verify=self._verify, timeout=timeout) as client,
            client.stream(
                method, f"{self.url}{path}", json=question, headers=headers, extensions={"trace": line.trace}
            ) as response,
        ):
            yield response

    @contextlib.contextmanager
    def _told(self, line: _Line) -> Iterator[None]:
        """Turn the errors of the library and of the system into ours."""
        try:
            yield
        except StudioError:
            if line.stopped:
                raise Stopped from None
            raise
        except (httpx2.HTTPError, httpx2.InvalidURL, OSError) as error:
            if line.stopped:
                raise Stopped from error
            raise _of_connection(self.where, error, line) from error


class _Line:
    """The connection of one request: a cancel ends it at once, also while nothing comes."""

    def __init__(self, cancel: Cancel | None) -> None:
        self.stopped = False
        self.connected = False
        self.answered = False
        self._socket: socket.socket | None = None
        if cancel is not None:
            cancel.on_request(self._stop)

    def trace(self, event: str, info: dict[str, Any]) -> None:
        """Called by the library at each step (its extension ``trace``)."""
        if event in ("connection.connect_tcp.complete", "connection.start_tls.complete"):
            self.connected = True
            self._socket = info["return_value"].get_extra_info("socket")
            if self.stopped:
                self._end()
        elif event.endswith("receive_response_headers.complete"):
            self.answered = True

    def _stop(self) -> None:
        self.stopped = True
        self._end()

    def _end(self) -> None:
        if self._socket is not None:
            # Already ended by the other side: there is nothing left to end.
            with contextlib.suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)


def address(url: str) -> tuple[str, int]:
    """Name and port of a server's address. Raises InputError when it is none, or holds a name and a password."""
    try:
        parts = urlsplit(url)
        name, port = parts.hostname, parts.port or _PORTS.get(parts.scheme)
    except ValueError:
        parts, name, port = urlsplit(""), None, None
    if not name or not port or parts.scheme not in _PORTS or parts.query or parts.fragment or "@" in parts.netloc:
        raise InputError(
            f"{url!r} is no address of a server.",
            hint="Write http://name:port or https://name:port, without name or password; a key is given apart.",
        )
    return name.casefold(), port


def key_of(variable: str) -> str:
    """The key in an environment variable, "" when none was named. Raises RemoteAuthError when it is not there."""
    if not variable:
        return ""
    key = os.environ.get(variable, "").strip()
    if not key or not key.isascii() or not key.isprintable():
        raise RemoteAuthError(
            f"There is no key for the server in the environment variable {variable}.",
            hint=f"Set {variable} before the studio is started.",
        )
    return key


def _certificates(ca: Path | None) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=None if ca is None else str(ca))
    except (OSError, ssl.SSLError) as error:
        raise RemoteTlsError(
            f"The certificates in {ca} cannot be read ({error}).", hint="Name a file in PEM form with --ca."
        ) from error


def _lines(response: httpx2.Response, where: str) -> Iterator[bytes]:
    """The lines of an answer as they come, bounded."""
    rest, total = b"", 0
    for piece in response.iter_raw():
        total += len(piece)
        *lines, rest = (rest + piece).split(b"\n")
        if total > MOST_BYTES or len(rest) > MOST_LINE:
            raise RemoteKindError(f"{where} sends more than any answer has.", hint="Is it a server of language models?")
        yield from lines
    if rest:
        yield rest


def _read_json(response: httpx2.Response) -> Any:
    """The whole answer as JSON; its beginning as text when it is none."""
    data = b""
    for piece in response.iter_raw():
        data += piece
        if len(data) > MOST_BYTES:
            break
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        return data[:1000].decode("utf-8", "replace")


def _json(data: bytes, where: str) -> Any:
    try:
        return json.loads(data)
    except (ValueError, RecursionError) as error:
        raise BrokenStreamError(f"{where} sent something that is not JSON in its answer.", again=True) from error


def _of_connection(where: str, error: Exception, line: _Line) -> RemoteError:
    causes = list(_causes(error))
    if any(isinstance(cause, PermissionError) for cause in causes):
        return RemoteUnreachableError(
            f"The network shield refused the connection to {where}.", hint="Only a server that you added is reached."
        )
    tls = next((cause for cause in causes if isinstance(cause, ssl.SSLError)), None)
    if tls is not None:
        hint = "Name the file of the certificates that it is signed by with --ca, or check http against https."
        return RemoteTlsError(f"The certificate or the TLS of {where} is not accepted: {tls.reason or tls}.", hint=hint)
    if isinstance(error, httpx2.ConnectTimeout) and line.connected:
        return RemoteTlsError(
            f"{where} takes connections and does not answer as TLS does.",
            hint="Does it speak http and not https?",
            again=True,
        )
    if isinstance(error, httpx2.ConnectTimeout):
        return RemoteUnreachableError(f"{where} does not take connections.", hint="Is it running?", again=True)
    if isinstance(error, httpx2.TimeoutException):
        return RemoteTimeoutError(f"{where} was silent for too long.", hint="Look at the server's load.", again=True)
    reason = str(error) or type(error).__name__
    if line.answered:
        return BrokenStreamError(f"The answer of {where} broke off: {reason}.", hint="Judge again.", again=True)
    return RemoteUnreachableError(
        f"{where} cannot be reached: {reason}.", hint="Is it running, and is its address right?", again=True
    )


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
