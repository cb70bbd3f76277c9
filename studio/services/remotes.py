"""Models on servers that the user added: met once, remembered by address without their key, checked when asked."""

from __future__ import annotations

import builtins
import json
import re
import secrets
import threading
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from studio import paths
from studio.core.errors import InputError, NotFoundError, StudioError
from studio.engine.remote.model import RemoteModel
from studio.hub.inventory import ModelEntry
from studio.services import keys, shield

__all__ = [
    "FORGE_NOTICE",
    "FORGE_WARNING",
    "Draft",
    "Facts",
    "Health",
    "Known",
    "Met",
    "RemoteModel",
    "Remotes",
    "RemotesError",
]

_LIST = "servers.json"
_changing = threading.Lock()

FORGE_WARNING = (
    "This server takes text only. What looks like control tokens in policy and content is broken up, but content may "
    "forge turns all the same: do not rely on its verdicts against people who try to."
)
FORGE_NOTICE = "The prompt went to the server as text: content may have forged turns."
"""What stands under a verdict that was given so."""

PLAIN_KEY_WARNING = "The key travels unencrypted: use https where others can listen."


class RemotesError(StudioError):
    """The list of servers cannot be read or written."""

    title = "The list of servers cannot be used"
    code = "remotes"


@dataclass(frozen=True, slots=True)
class Draft:
    """A remote model as somebody typed it. ``key``: to be kept in the system's keyring, "" for none.

    ``key_of``: the id of a remote model whose kept key goes on being used.
    """

    urls: Sequence[str]
    model: str = ""
    key: str = field(default="", repr=False)
    key_env: str = ""
    key_of: str = ""
    ca: Path | None = None
    name: str = ""


@dataclass(frozen=True, slots=True)
class Facts:
    """What was seen of a remote model when it was last met, ``at`` in ISO 8601.

    ``server``: its kind and version; ``context`` in tokens; ``width``: requests at a time; ``takes_ids``: prompts go as
    token ids, so that content cannot forge turns.
    """

    server: str
    model: str
    context: int
    width: int
    takes_ids: bool
    at: str


@dataclass(frozen=True, slots=True)
class Known:
    """A remote model and what was seen of it; ``facts`` None where an earlier studio did not keep them."""

    remote: RemoteModel
    facts: Facts | None

    @property
    def warnings(self) -> tuple[str, ...]:
        """What must be known before its verdicts are relied on."""
        return _warnings(self.remote, takes_ids=self.facts is None or self.facts.takes_ids)


@dataclass(frozen=True, slots=True)
class Met:
    """A remote model as it was found, not yet remembered. ``warnings`` to show."""

    remote: RemoteModel
    facts: Facts
    key: str = field(default="", repr=False)

    @property
    def warnings(self) -> tuple[str, ...]:
        """What must be known before its verdicts are relied on."""
        return _warnings(self.remote, takes_ids=self.facts.takes_ids)


@dataclass(frozen=True, slots=True)
class Health:
    """How one server stands: what it is and in how many seconds it said so, or why it cannot be judged with."""

    url: str
    good: bool
    words: str
    seconds: float


class Remotes:
    """The remote models of this user, in a small JSON file without any key."""

    def __init__(self, folder: Path | None = None) -> None:
        self._file = (folder or paths.config_dir()) / _LIST

    def list(self) -> builtins.list[RemoteModel]:
        """All that were added. Raises RemotesError when the list is damaged."""
        return [known.remote for known in self.known()]

    def known(self) -> builtins.list[Known]:
        """All that were added, with what was seen of them. Raises RemotesError when the list is damaged."""
        try:
            return [_known(row) for row in json.loads(self._file.read_text(encoding="utf-8"))]
        except FileNotFoundError:
            return []
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise RemotesError(
                f"The list of servers {self._file} is damaged: {error}.", hint="Move it away and add them again."
            ) from error

    def entries(self) -> builtins.list[ModelEntry]:
        """The remote models as entries of the list of models; their path is their id."""
        return [ModelEntry(remote.name, Path(remote.id), 0) for remote in self.list()]

    def find(self, remote_id: str) -> RemoteModel | None:
        """The remote model of that id, or None."""
        return next((remote for remote in self.list() if remote.id == remote_id), None)

    def key(self, remote: RemoteModel) -> str:
        """Its key, "" for none: from the keyring, else from its variable. Raises KeysError or RemoteAuthError."""
        if remote.key_kept:
            return keys.read(remote.id)
        # An HTTP client is slow to import, and only a remote model needs it.
        from studio.engine.remote.http import key_of

        return key_of(remote.key_env)

    def meet(self, draft: Draft) -> Met:
        """Connect to the servers and say what they are, only upon the act of a person. Remembers nothing.

        Raises RemoteError, KeysError, or InputError for an address that is none.
        """
        # An HTTP client is slow to import, and only a remote model needs it.
        from studio.engine.remote.engine import RemoteEngine
        from studio.engine.remote.health import BRIEF
        from studio.engine.remote.http import address

        plain = tuple(dict.fromkeys(_plain(url) for url in draft.urls if url.strip()))
        if not plain:
            raise InputError("No server was named.", hint="Write its address, such as http://server:8000.")
        if draft.key:
            keys.needed()
        where = ", ".join(f"{host}:{port}" for host, port in (address(url) for url in plain))
        remote = RemoteModel(
            id=f"remote-{secrets.token_hex(5)}",
            name=draft.name or f"{draft.model or 'model'} at {where}",
            urls=plain,
            model=draft.model,
            key_env="" if draft.key or draft.key_of else draft.key_env,
            ca=None if draft.ca is None else draft.ca.expanduser().absolute(),
            key_kept=bool(draft.key or draft.key_of),
        )
        key = draft.key.strip() or (keys.read(draft.key_of) if draft.key_of else "")
        engine = RemoteEngine(remote, shield.allow, key=key or None, patience=BRIEF)
        info = engine.info
        engine.close()
        remote = replace(remote, name=draft.name or f"{_shown(info.description)} at {where}", model=info.description)
        facts = Facts(info.llama_build, info.description, info.n_ctx_limit, info.n_seq, engine.takes_ids, _now())
        return Met(remote, facts, key if remote.key_kept else "")

    def keep(self, met: Met, *, instead_of: str = "") -> Known:
        """Remember a remote model that was met, in the place of one that was edited, or of one with the same servers.

        It has an id of its own. Raises KeysError or RemotesError; then nothing has changed.
        """
        if met.key:
            keys.keep(met.remote.id, met.key)
        new = Known(met.remote, met.facts)
        with _changing:
            known = self.known()
            old = [one for one in known if one.remote.id == instead_of or _same(one.remote, met.remote)]
            place = next((number for number, one in enumerate(known) if one in old), len(known))
            left = [one for one in known if one not in old]
            try:
                self._write([*left[:place], new, *left[place:]])
            except RemotesError:
                if met.key:
                    keys.forget(met.remote.id)
                raise
        for one in old:
            if one.remote.key_kept:
                keys.forget(one.remote.id)
        return new

    def add(self, draft: Draft) -> Met:
        """Meet the servers and remember them. Raises what :meth:`meet` and :meth:`keep` do."""
        met = self.meet(draft)
        self.keep(met)
        return met

    def check(self, remote_id: str) -> tuple[Health, ...]:
        """Ask each of its servers how it stands, only upon the act of a person; what was seen is remembered.

        Raises NotFoundError, KeysError, RemoteAuthError when there is no key.
        """
        # An HTTP client is slow to import, and only a remote model needs it.
        from studio.engine.remote.health import Looked, look

        def told(one: Looked) -> Health:
            if one.served is None:
                words = f"{one.error.title}. {one.error}" if one.error is not None else ""
                return Health(one.url, False, words, one.seconds)
            return Health(one.url, True, f"{one.served.kind} {one.served.version}".strip(), one.seconds)

        remote = self._known(remote_id).remote
        seen = look(remote, shield.allow, self.key(remote))
        served = [one.served for one in seen if one.served is not None]
        if served:
            versions = ", ".join(dict.fromkeys(f"{s.kind} {s.version}".strip() for s in served))
            context, width = min(s.n_ctx for s in served), sum(s.width for s in served)
            takes_ids = all(s.prompts is not None for s in served)
            facts = Facts(versions, served[0].model, context, width, takes_ids, _now())
            with _changing:
                rows = [replace(one, facts=facts) if one.remote.id == remote_id else one for one in self.known()]
                self._write(rows)
        return tuple(told(one) for one in seen)

    def remove(self, remote_id: str) -> None:
        """Forget a remote model and its key. Raises NotFoundError."""
        with _changing:
            gone = self._known(remote_id)
            self._write([known for known in self.known() if known.remote.id != remote_id])
        if gone.remote.key_kept:
            keys.forget(remote_id)

    def _known(self, remote_id: str) -> Known:
        found = next((known for known in self.known() if known.remote.id == remote_id), None)
        if found is None:
            raise NotFoundError(f"There is no server {remote_id!r}.", hint="`models list` shows those there are.")
        return found

    def _write(self, known: Sequence[Known]) -> None:
        rows = []
        for one in known:
            row = {**asdict(one.remote), "ca": str(one.remote.ca) if one.remote.ca else None}
            rows.append(row | {"met": None if one.facts is None else asdict(one.facts)})
        try:
            paths.write_atomically(self._file, json.dumps(rows, indent=2).encode("ascii"))
        except OSError as error:
            raise RemotesError(
                f"The list of servers {self._file} could not be written: {error.strerror or error}.",
                hint="Check that its disk is writable and has room.",
            ) from error


def _known(row: dict[str, Any]) -> Known:
    remote = RemoteModel(
        id=str(row["id"]),
        name=str(row["name"]),
        urls=tuple(str(url) for url in row["urls"]),
        model=str(row["model"]),
        key_env=str(row["key_env"]),
        ca=Path(row["ca"]) if row["ca"] else None,
        key_kept=row.get("key_kept") is True,
    )
    met = row.get("met")
    if met is None:
        return Known(remote, None)
    facts = Facts(
        server=str(met["server"]),
        model=str(met["model"]),
        context=int(met["context"]),
        width=int(met["width"]),
        takes_ids=met["takes_ids"] is True,
        at=datetime.fromisoformat(met["at"]).isoformat(),
    )
    return Known(remote, facts)


def _plain(url: str) -> str:
    return url.strip().rstrip("/").removesuffix("/v1").rstrip("/")


def _shown(model: str) -> str:
    """A model's name for people: llama-server names one by the path of its file when it was given no other."""
    return re.split(r"[/\\]", model)[-1][: -len(".gguf")] if model.casefold().endswith(".gguf") else model


def _same(one: RemoteModel, other: RemoteModel) -> bool:
    return (one.urls, one.model) == (other.urls, other.model)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _warnings(remote: RemoteModel, *, takes_ids: bool) -> tuple[str, ...]:
    warnings = [] if takes_ids else [FORGE_WARNING]
    if (remote.key_env or remote.key_kept) and any(url.startswith("http:") for url in remote.urls):
        warnings.append(PLAIN_KEY_WARNING)
    return tuple(warnings)
