"""Which servers a download must reach: the Hub or a mirror of it, where it keeps its files, and the proxy between."""

from __future__ import annotations

import os
import urllib.request
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

from studio.core.errors import InputError

OFFICIAL = "https://huggingface.co"
ENDPOINT_VARIABLE = "HF_ENDPOINT"
# The Hub sends the bytes of large files from servers of its own below this name.
_OFFICIAL_STORAGE = ".hf.co"
_PORTS = {"https": 443, "http": 80}

Server = tuple[str, int]
"""A server's name, or ``.name`` for all below it, and its port."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A Hub: its address without a slash at the end, and all servers that a download from it may reach."""

    url: str
    servers: frozenset[Server]

    def permits(self, name: str, port: int) -> bool:
        """Whether a request may go to that server."""
        wanted = name.casefold()
        return any(port == at and (wanted.endswith(s) if s.startswith(".") else wanted == s) for s, at in self.servers)


def endpoint(url: str | None = None, storage: Iterable[str] = ()) -> Endpoint:
    """The Hub at ``url``, else where ``HF_ENDPOINT`` says, else the official one.

    ``storage``: further servers from which a mirror sends files, as names or ``name:port``. Raises InputError.
    """
    chosen = (url or os.environ.get(ENDPOINT_VARIABLE, "").strip() or OFFICIAL).rstrip("/")
    servers = {_server(chosen)}
    if chosen == OFFICIAL:
        servers.add((_OFFICIAL_STORAGE, 443))
    servers.update(_server(name if "://" in name else f"https://{name}") for name in storage)
    return Endpoint(chosen, frozenset(servers))


def reached(place: Endpoint) -> frozenset[Server]:
    """The servers that connections go to: those of the endpoint, and the proxies that the environment names."""
    proxies = urllib.request.getproxies()
    named = {proxies[scheme] for scheme in ("http", "https", "all") if scheme in proxies}
    return place.servers | {_server(proxy if "://" in proxy else f"http://{proxy}") for proxy in named}


def _server(url: str) -> Server:
    try:
        parts = urlsplit(url)
        name, port = parts.hostname, parts.port or _PORTS.get(parts.scheme) or (1080 if "socks" in parts.scheme else 0)
    except ValueError:
        name, port = None, 0
    if not name or not port:
        raise InputError(
            f"{url!r} is no address of a server.", hint="Write it as https://name or https://name:port, without a path."
        )
    return name.casefold(), port
