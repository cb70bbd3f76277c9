"""How a server can fail a request, told apart, each with what to do next."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from studio.core.errors import EngineError, StudioError, TooLongError
from studio.engine.errors import too_long_error

_AGAIN = {408, 409, 425, 429, 500, 502, 503, 504}
_LONGEST_WORDS = 300


class RemoteError(EngineError):
    """A server did not do what it was asked for. ``again``: trying again soon, or on another server, may help."""

    title = "The server did not answer as it should"
    code = "remote"

    def __init__(self, message: str, *, hint: str = "", again: bool = False) -> None:
        super().__init__(message, hint=hint)
        self.again = again


class RemoteUnreachableError(RemoteError):
    """No connection could be made, or it broke before an answer began."""

    title = "The server cannot be reached"
    code = "remote_unreachable"


class RemoteTimeoutError(RemoteError):
    """The server was silent for too long."""

    title = "The server is silent"
    code = "remote_timeout"


class RemoteTlsError(RemoteError):
    """The server's certificate is not trusted, or it speaks no TLS."""

    title = "The server's certificate is not trusted"
    code = "remote_tls"


class RemoteAuthError(RemoteError):
    """The server wants another key."""

    title = "The server refuses the key"
    code = "remote_auth"


class RemoteKindError(RemoteError):
    """It is not a server that the studio can judge with, or not a version of it that we know."""

    title = "The studio cannot judge with this server"
    code = "remote_kind"


class UnknownModelError(RemoteError):
    """The server has no such model, or several and none was named. ``offered``: those it has, as far as known."""

    title = "The server has no such model"
    code = "remote_model"

    def __init__(self, message: str, *, hint: str = "", offered: Sequence[str] = ()) -> None:
        super().__init__(message, hint=hint)
        self.offered = tuple(offered)


class BrokenStreamError(RemoteError):
    """The answer broke off in the middle."""

    title = "The answer broke off"
    code = "remote_stream"


def of_status(where: str, status: int, body: Any) -> StudioError:
    """The error that an HTTP status and the server's own words stand for."""
    words = said(body)
    if status in (401, 403):
        return RemoteAuthError(
            f"{where} refuses the key (HTTP {status}). {words}".strip(),
            hint="Give the right key: with Edit on the Models page, or in the environment variable that was named.",
        )
    long = _too_long(body, words)
    if long is not None:
        return long
    if status == 404 and "model" in words.casefold():
        return UnknownModelError(
            f"{where} does not have the model that was asked for. {words}", hint="Add the server again with its model."
        )
    if 300 <= status < 400:
        return RemoteKindError(
            f"{where} sends us on to another address (HTTP {status}); that is not followed.",
            hint="Add the server by the address that it is really at.",
        )
    if status in _AGAIN:
        return RemoteError(f"{where} cannot answer now (HTTP {status}). {words}".strip(), hint="Try later.", again=True)
    return RemoteError(
        f"{where} answered with HTTP {status}. {words}".strip(), hint="See the log of the server, and its version."
    )


def said(body: Any) -> str:
    """The words of an answer that reports an error: short, on one line, and always plain text."""
    error = body.get("error", body) if isinstance(body, dict) else body
    message = error.get("message", "") if isinstance(error, dict) else error
    text = " ".join(str(message).split()) if isinstance(message, str) else ""
    return f"It says: {text[:_LONGEST_WORDS]}" if text else ""


def _too_long(body: Any, words: str) -> StudioError | None:
    """llama-server names both numbers; vLLM has them in its words; Ollama has none."""
    error = body.get("error") if isinstance(body, dict) else None
    if isinstance(error, dict) and error.get("type") == "exceed_context_size_error":
        needed, available = error.get("n_prompt_tokens"), error.get("n_ctx")
        if isinstance(needed, int) and isinstance(available, int):
            return too_long_error(needed, available)
    match = re.search(r"maximum context length is (\d+) tokens.{0,80}?(\d+) tokens", words)
    if match:
        return too_long_error(int(match[2]), int(match[1]))
    if re.search(r"exceeds? the (available )?context (length|size)", words):
        # Ollama says so without numbers.
        return TooLongError(
            f"The prompt does not fit into the server's context. {words}",
            needed=0,
            available=0,
            hint="Shorten the content or the policy.",
        )
    return None
