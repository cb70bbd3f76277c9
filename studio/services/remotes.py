"""Models on servers that the user added: remembered by address, never with their key, and met once before that."""

from __future__ import annotations

import builtins
import hashlib
import json
import threading
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from studio import paths
from studio.core.errors import InputError, NotFoundError, StudioError
from studio.engine.remote.model import RemoteModel
from studio.hub.inventory import ModelEntry
from studio.services import shield

__all__ = ["Met", "Remotes", "RemotesError"]

_LIST = "servers.json"
_changing = threading.Lock()

FORGE_WARNING = (
    "This server takes text only. What looks like control tokens in policy and content is broken up, but content may "
    "forge turns all the same: do not rely on its verdicts against people who try to."
)


class RemotesError(StudioError):
    """The list of servers cannot be read or written."""

    title = "The list of servers cannot be used"
    code = "remotes"


@dataclass(frozen=True, slots=True)
class Met:
    """A remote model as it was found. ``context`` in tokens; ``width``: requests at a time; ``warnings`` to show."""

    remote: RemoteModel
    server: str
    model: str
    context: int
    width: int
    takes_ids: bool
    warnings: tuple[str, ...]


class Remotes:
    """The remote models of this user, in a small JSON file."""

    def __init__(self, folder: Path | None = None) -> None:
        self._file = (folder or paths.config_dir()) / _LIST

    def list(self) -> builtins.list[RemoteModel]:
        """All that were added. Raises RemotesError when the list is damaged."""
        try:
            rows = json.loads(self._file.read_text(encoding="utf-8"))
            return [
                RemoteModel(
                    id=str(row["id"]),
                    name=str(row["name"]),
                    urls=tuple(str(url) for url in row["urls"]),
                    model=str(row["model"]),
                    key_env=str(row["key_env"]),
                    ca=Path(row["ca"]) if row["ca"] else None,
                )
                for row in rows
            ]
        except FileNotFoundError:
            return []
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise RemotesError(
                f"The list of servers {self._file} is damaged: {error}.", hint="Move it away and add them again."
            ) from error

    def entries(self) -> builtins.list[ModelEntry]:
        """The remote models as entries of the list of models; their path is their id."""
        return [ModelEntry(remote.name, Path(remote.id), 0) for remote in self.list()]

    def find(self, remote_id: str) -> RemoteModel | None:
        """The remote model of that id, or None."""
        return next((remote for remote in self.list() if remote.id == remote_id), None)

    def add(
        self, urls: Sequence[str], *, model: str = "", key_env: str = "", ca: Path | None = None, name: str = ""
    ) -> Met:
        """Meet the servers and remember them. Connects to them, so only upon the act of a person.

        Raises RemoteError, or InputError for an address that is none.
        """
        # An HTTP client is slow to import, and only a remote model needs it.
        from studio.engine.remote.engine import RemoteEngine
        from studio.engine.remote.http import address

        plain = tuple(dict.fromkeys(url.strip().rstrip("/").removesuffix("/v1").rstrip("/") for url in urls))
        if not plain:
            raise InputError("No server was named.", hint="Write its address, such as http://server:8000.")
        places = [address(url) for url in plain]
        if ca is not None:
            ca = ca.expanduser().absolute()
        digest = hashlib.sha256("\n".join([*plain, model]).encode()).hexdigest()
        where = ", ".join(f"{host}:{port}" for host, port in places)
        remote = RemoteModel(
            f"remote-{digest[:10]}", name or f"{model or 'model'} at {where}", plain, model, key_env, ca
        )
        engine = RemoteEngine(remote, shield.allow)
        info = engine.info
        engine.close()
        remote = replace(remote, name=name or f"{info.description} at {where}", model=info.description)
        with _changing:
            self._write([known for known in self.list() if known.id != remote.id] + [remote])
        warnings = [] if engine.takes_ids else [FORGE_WARNING]
        if key_env and any(url.startswith("http:") for url in plain):
            warnings.append("The key travels unencrypted: use https where others can listen.")
        return Met(
            remote, info.llama_build, info.description, info.n_ctx_limit, info.n_seq, engine.takes_ids, tuple(warnings)
        )

    def remove(self, remote_id: str) -> None:
        """Forget a remote model. Raises NotFoundError."""
        with _changing:
            known = self.list()
            left = [remote for remote in known if remote.id != remote_id]
            if len(left) == len(known):
                raise NotFoundError(f"There is no server {remote_id!r}.", hint="`models list` shows those there are.")
            self._write(left)

    def _write(self, remotes: builtins.list[RemoteModel]) -> None:
        rows = [{**asdict(remote), "ca": str(remote.ca) if remote.ca else None} for remote in remotes]
        try:
            paths.write_atomically(self._file, json.dumps(rows, indent=2).encode("ascii"))
        except OSError as error:
            raise RemotesError(
                f"The list of servers {self._file} could not be written: {error.strerror or error}.",
                hint="Check that its disk is writable and has room.",
            ) from error
