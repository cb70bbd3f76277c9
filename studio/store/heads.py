"""Decoded policies, kept from one start of the studio to the next: files beside the workspace that can go at any time.

Each lies under a name that tells all it depends on, and is signed with a key of this installation: one that is damaged,
or was put there by somebody else, would have policies judge as others do, so it is left alone.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import logging
import os
import secrets
from pathlib import Path

MOST_BYTES = 1 << 30
"""Of all files together; the one that was not used for longest goes first."""

_MAGIC = b"MSHEAD1\n"
_SIGNATURE = 32
_ENDING = ".head"
_log = logging.getLogger(__name__)


class KeptHeads:
    """The files in ``folder``, signed with the key in ``key_file``; both are made when they are needed."""

    def __init__(self, folder: Path, key_file: Path, most: int = MOST_BYTES) -> None:
        self._folder, self._key_file, self._most = folder, key_file, most

    def read(self, name: str) -> bytes:
        """What was kept under a name; b"" when there is nothing, or nothing that can be trusted."""
        path = self._path(name)
        if not path.is_file():
            return b""
        begin = len(_MAGIC) + _SIGNATURE
        try:
            with path.open("rb") as file:
                data = file.read(min(os.fstat(file.fileno()).st_size, begin + self._most))
            state = data[begin:]
            known = hmac.compare_digest(data[:begin], _MAGIC + self._sign(name, state))
        except OSError as error:
            _log.warning("A kept policy could not be read and is decoded anew: %s", error)
            return b""
        if not known:
            _log.warning("%s is damaged or not from here; it was left aside, and the policy decoded anew.", path.name)
            return b""
        with contextlib.suppress(OSError):
            os.utime(path)
        return state

    def write(self, name: str, state: bytes) -> None:
        """Keep this under a name. Where it cannot be written it is decoded again next time."""
        path = self._path(name)
        if not state or len(state) > self._most:
            return
        unfinished = path.with_suffix(".part")
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            with open(unfinished, "wb", opener=_private) as file:
                file.write(_MAGIC + self._sign(name, state))
                file.write(state)
            unfinished.replace(path)
            self._keep_to_most()
        except OSError as error:
            _log.info("A decoded policy was not kept: %s", error)
            with contextlib.suppress(OSError):
                unfinished.unlink(missing_ok=True)

    def _path(self, name: str) -> Path:
        return self._folder / (hashlib.sha256(name.encode()).hexdigest()[:32] + _ENDING)

    def _sign(self, name: str, state: bytes) -> bytes:
        made = hashlib.blake2b(key=self._key(), digest_size=_SIGNATURE)
        made.update(hashlib.sha256(name.encode()).digest())
        made.update(state)
        return made.digest()

    def _key(self) -> bytes:
        with contextlib.suppress(OSError):
            key = self._key_file.read_bytes()
            if len(key) == _SIGNATURE:
                return key
        key = secrets.token_bytes(_SIGNATURE)
        self._key_file.parent.mkdir(parents=True, exist_ok=True)
        with open(self._key_file, "wb", opener=_private) as file:
            file.write(key)
        return key

    def _keep_to_most(self) -> None:
        files = sorted(self._folder.glob(f"*{_ENDING}"), key=lambda path: path.stat().st_mtime, reverse=True)
        total = 0
        for path in files:
            total += path.stat().st_size
            if total > self._most:
                path.unlink(missing_ok=True)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
