"""The one place that speaks to the Hub, through its own client library. Slow to import: only a download needs it.

Metadata comes through the library's calls. The bytes come through the library's HTTP session, but not through its
``hf_hub_download``: since version 2 that begins anew after every stop, keeps no partial file, cannot be cancelled while
a connection stalls, and moves data through native code that the network shield does not see. Every request, redirects
included, is checked against the servers that the user agreed to before it leaves.
"""

from __future__ import annotations

import contextlib
import os
import re
import socket
import ssl
from collections.abc import Iterator
from typing import Any

# Read by the library when it is imported: no telemetry, no token from the disk, no other way than plain HTTP.
os.environ.update(
    HF_HUB_DISABLE_TELEMETRY="1",
    HF_HUB_DISABLE_IMPLICIT_TOKEN="1",
    HF_HUB_DISABLE_XET="1",
    HF_HUB_DISABLE_UPDATE_CHECK="1",
    HF_HUB_DISABLE_PROGRESS_BARS="1",
)

import httpx2
import huggingface_hub
from huggingface_hub import errors as hub_errors
from huggingface_hub.utils import build_hf_headers, hf_raise_for_status  # type: ignore[attr-defined]  # documented

from studio import __version__
from studio.hub.failures import DownloadError
from studio.hub.partial import Promise
from studio.hub.servers import Endpoint

_NAME = "moderation-studio"
_SHA256 = re.compile(r"[0-9a-f]{64}")
_COMMIT = re.compile(r"[0-9a-f]{40}")
_AGAIN = {408, 425, 429, 500, 502, 503, 504}
_CERTIFICATES = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_DIR")
LONGEST_WAIT_S = 300.0
MOST_TOLD_BYTES = 16 * 1024 * 1024
"""Of an answer that is no file: a description, an error, the words beside a redirect."""

_FILE = "moderation_studio_file"
"""Marks the requests for a file, whose length is known: its bytes are counted where they are written."""

_PORTS = {"https": 443, "http": 80}


class Hub:
    """One Hub with what it may be asked. Close it when done; it is a context manager.

    ``token`` is sent only when given. ``timeout_s``: how long a server may be silent.
    """

    def __init__(self, endpoint: Endpoint, token: str | None = None, timeout_s: float = 30.0) -> None:
        self._endpoint = endpoint
        self._token: str | bool = token or False
        self._timeout_s = timeout_s
        self._api = huggingface_hub.HfApi(
            endpoint.url, token=self._token, library_name=_NAME, library_version=__version__
        )

    def __enter__(self) -> Hub:
        huggingface_hub.set_client_factory(self._client)
        return self

    def __exit__(self, *exc: object) -> None:
        huggingface_hub.close_session()

    def _client(self) -> httpx2.Client:
        return httpx2.Client(
            event_hooks={"request": [self._check], "response": [_bound]},
            follow_redirects=True,
            headers={"Accept-Encoding": "identity"},
            max_redirects=5,
            timeout=self._timeout_s,
            verify=_certificates(),
        )

    def _check(self, request: httpx2.Request) -> None:
        """Refuse a request to a server that the user did not agree to."""
        if huggingface_hub.is_offline_mode():
            raise DownloadError(
                "The environment variable HF_HUB_OFFLINE forbids to reach the Hub.", hint="Unset it and try again."
            )
        name, port = request.url.host, request.url.port or _PORTS.get(request.url.scheme, 0)
        if not self._endpoint.permits(name, port):
            raise DownloadError(
                f"{self._endpoint.url} sent us on to {name}:{port}, which was not agreed to. "
                "Nothing was fetched there.",
                hint="If that server belongs to the mirror, name it as its storage when you start the download.",
            )

    def commit(self, repo: str, revision: str | None = None) -> dict[str, Promise]:
        """The large files of ``repo`` at ``revision``, or at its newest commit, by name. Raises DownloadError."""
        with _told(f"the description of {repo}"):
            info = self._api.model_info(repo, revision=revision, files_metadata=True, timeout=self._timeout_s)
            found = {}
            commit = str(info.sha)
            for sibling in info.siblings or []:
                lfs: Any = sibling.lfs
                digest, size = (str(lfs.sha256).lower(), lfs.size) if lfs is not None else ("", None)
                if _SHA256.fullmatch(digest) and isinstance(size, int) and size > 0:
                    found[sibling.rfilename] = Promise(
                        repo, commit, sibling.rfilename, size, digest, self._endpoint.url
                    )
        if not _COMMIT.fullmatch(commit):
            raise DownloadError(
                f"The Hub named no commit for {repo}.", hint="Is the address that of a Hub?", again=True
            )
        if revision is not None and _COMMIT.fullmatch(revision) and commit != revision:
            raise _changed(repo, commit, revision)
        return found

    def confirm(self, file: Promise) -> None:
        """Ask for the file itself whether it is what the metadata says. Raises DownloadError."""
        with _told(file.name):
            told = huggingface_hub.get_hf_file_metadata(
                self._url(file),
                token=self._token,
                timeout=self._timeout_s,
                library_name=_NAME,
                library_version=__version__,
            )
        if told.commit_hash is not None and told.commit_hash != file.commit:
            raise _changed(file.name, told.commit_hash, file.commit)
        etag = (told.etag or "").lower()
        if (_SHA256.fullmatch(etag) and etag != file.sha256) or (told.size is not None and told.size != file.size):
            raise DownloadError(
                f"The Hub describes {file.name} in two ways: as {file.size:,} bytes with the sha256 {file.sha256}, and "
                f"as {told.size or 0:,} bytes with {etag}.",
                hint="Nothing was fetched. Try again later.",
                again=True,
            )

    @contextlib.contextmanager
    def open(self, file: Promise, start: int) -> Iterator[Stream]:
        """The bytes of ``file`` from ``start`` on. Raises DownloadError, also while they are read."""
        headers = build_hf_headers(token=self._token, library_name=_NAME, library_version=__version__)
        if start:
            headers["Range"] = f"bytes={start}-"
        session = huggingface_hub.get_session()
        with (
            _told(file.name),
            session.stream(
                "GET", self._url(file), headers=headers, timeout=self._timeout_s, extensions={_FILE: True}
            ) as response,
        ):
            hf_raise_for_status(response)
            yield Stream(response, file, start)

    def _url(self, file: Promise) -> str:
        return huggingface_hub.hf_hub_url(file.repo, file.name, revision=file.commit, endpoint=self._endpoint.url)


class Stream:
    """An answer with bytes. ``start``: at which byte of the file it begins, which may be 0 although more was asked."""

    def __init__(self, response: httpx2.Response, file: Promise, asked: int) -> None:
        self._response = response
        for answer in (*response.history, response):
            commit = answer.headers.get("X-Repo-Commit")
            if commit is not None and commit != file.commit:
                raise _changed(file.name, commit, file.commit)
            etag = (answer.headers.get("X-Linked-Etag") or "").strip('W/"').lower()
            if _SHA256.fullmatch(etag) and etag != file.sha256:
                raise _changed(file.name, etag, file.sha256)
        self.start = self._begins(file, asked)

    def _begins(self, file: Promise, asked: int) -> int:
        headers = self._response.headers
        if self._response.status_code == 200:
            length = headers.get("Content-Length", "")
            if length.isdigit() and int(length) != file.size:
                raise DownloadError(
                    f"The server says that {file.name} has {int(length):,} bytes; its description says {file.size:,}.",
                    again=True,
                )
            return 0
        match = re.fullmatch(r"bytes (\d+)-(\d+)/(\d+|\*)", headers.get("Content-Range", ""))
        if self._response.status_code != 206 or match is None or int(match[1]) != asked:
            raise DownloadError(
                f"The server did not send the part of {file.name} that was asked for, from byte {asked:,} on.",
                again=True,
            )
        return asked

    def pieces(self) -> Iterator[bytes]:
        """The bytes as they come."""
        return self._response.iter_raw()

    def abort(self) -> None:
        """End the connection from another thread, so that waiting for bytes ends at once."""
        stream = self._response.extensions.get("network_stream")
        connection = stream.get_extra_info("socket") if stream is not None else None
        if connection is not None:
            # Already ended by the other side: there is nothing left to end.
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


class _Bounded(httpx2.SyncByteStream):
    """The bytes of an answer, up to a limit: a server may send without an end."""

    def __init__(self, stream: httpx2.SyncByteStream) -> None:
        self._stream = stream

    def __iter__(self) -> Iterator[bytes]:
        total = 0
        for piece in self._stream:
            total += len(piece)
            if total > MOST_TOLD_BYTES:
                raise DownloadError(
                    f"The server sends more than {MOST_TOLD_BYTES // 1024**2} MB of description.",
                    hint="Is the address that of a Hub?",
                )
            yield piece

    def close(self) -> None:
        self._stream.close()


def _bound(response: httpx2.Response) -> None:
    """Let nothing but a file be long, and nothing be packed, which would hide how long it is."""
    if response.headers.get("Content-Encoding", "identity") != "identity":
        raise DownloadError("The server sent an answer packed, which was not asked for.", again=True)
    if not (response.status_code in (200, 206) and response.request.extensions.get(_FILE)):
        response.stream = _Bounded(response.stream)  # type: ignore[arg-type]  # a client that waits has this kind


def _changed(what: str, got: str, wanted: str) -> DownloadError:
    return DownloadError(
        f"{what} changed at its source while it was downloaded: {got} was sent where {wanted} was agreed.",
        hint="What was fetched is kept apart and not used. Start the download again to see what is offered now.",
    )


def _certificates() -> ssl.SSLContext | bool:
    """The certificates that the environment names; else those of the system, which the library finds itself."""
    for name in _CERTIFICATES:
        place = os.environ.get(name, "").strip()
        if not place:
            continue
        try:
            folder = os.path.isdir(place)
            return ssl.create_default_context(capath=place) if folder else ssl.create_default_context(cafile=place)
        except (OSError, ssl.SSLError) as error:
            raise DownloadError(
                f"The certificates that {name} names cannot be read: {place} ({error}).",
                hint="Let it name a file of certificates in PEM form.",
            ) from error
    return True


@contextlib.contextmanager
def _told(what: str) -> Iterator[None]:
    """Turn the errors of the library, of HTTP and of the system into a DownloadError about ``what``."""
    try:
        yield
    except DownloadError:
        raise
    except hub_errors.GatedRepoError as error:
        raise DownloadError(
            f"The Hub gives {what} only to those who accepted its terms.",
            hint="Accept them on the Hub's page, then download with your token, or import a file you already have.",
        ) from error
    except (hub_errors.RevisionNotFoundError, hub_errors.EntryNotFoundError) as error:
        raise DownloadError(
            f"The Hub has {what} no longer under that name.", hint="Take another model of the list, or import a file."
        ) from error
    except hub_errors.HfHubHTTPError as error:
        raise _of_status(what, error) from error
    except (httpx2.HTTPError, OSError) as error:
        raise _of_connection(what, error) from error
    except Exception as error:
        # The library reads what a server sent without checking it first: the answer may be anything.
        raise DownloadError(
            f"What the server answered about {what} cannot be read ({type(error).__name__}).",
            hint="Is the address that of a Hub? Try again later.",
            again=True,
        ) from error


def _of_status(what: str, error: hub_errors.HfHubHTTPError) -> DownloadError:
    status = error.response.status_code
    if status in _AGAIN:
        wait = error.response.headers.get("Retry-After", "")
        wait_s = min(float(wait), LONGEST_WAIT_S) if wait.isdigit() else 0.0
        words = "is asked too often now" if status == 429 else "cannot answer now"
        return DownloadError(
            f"The Hub {words} (HTTP {status}, about {what}).",
            again=True,
            wait_s=wait_s,
        )
    if status in (401, 403):
        return DownloadError(
            f"The Hub refuses {what} (HTTP {status}): it is private, gone, or needs a token.",
            hint="Download with a token that may read it, or import a file you already have.",
        )
    if status == 404:
        return DownloadError(
            f"There is no {what.removeprefix('the ')} (HTTP 404).",
            hint="Check the address of the Hub, or import a file you already have.",
        )
    return DownloadError(
        f"The Hub answered about {what} with HTTP {status}.",
        hint="Is the address that of a Hub? What was fetched so far is kept. Try again later.",
        again=status == 416,
    )


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _of_connection(what: str, error: Exception) -> DownloadError:
    for cause in _causes(error):
        if isinstance(cause, PermissionError):
            return DownloadError(
                f"The network shield refused the connection for {what}.",
                hint="Only servers that were agreed to can be reached. Start the download from the list of models.",
            )
        if isinstance(cause, ssl.SSLError) and "CERTIFICATE" in str(cause).upper():
            return DownloadError(
                f"The server's certificate is not trusted ({cause.reason or 'TLS error'}).",
                hint="Behind a company's proxy, let SSL_CERT_FILE name the file of its certificates.",
            )
    if isinstance(error, httpx2.TooManyRedirects):
        return DownloadError(f"The server sends us in circles for {what}.", hint="Check the address of the Hub.")
    silent = isinstance(error, httpx2.TimeoutException)
    reason = "the server is silent" if silent else (str(error).rstrip(".") or type(error).__name__)
    return DownloadError(
        f"The connection for {what} broke: {reason}.",
        hint="What was fetched so far is kept. Check the network and the proxy, then start it again.",
        again=True,
    )
