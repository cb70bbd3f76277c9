"""Keys of servers in the operating system's keyring; never in a file of the studio, a log, a bundle or an export.

Only the keyrings of the systems themselves are used: the login keychain of macOS, the credential manager of Windows,
and on Linux the Secret Service or KWallet of a desktop. A keyring that would write a file in plain text is not. Where
there is none, as on Linux without a desktop, a key comes from an environment variable.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from studio.core.errors import StudioError

if TYPE_CHECKING:
    from keyring.backend import KeyringBackend

_SERVICE = "moderation-studio"
_SAFE = (
    "keyring.backends.macOS",
    "keyring.backends.Windows",
    "keyring.backends.SecretService",
    "keyring.backends.libsecret",
    "keyring.backends.kwallet",
)
LONGEST_KEY = 1_000
"""Characters; Windows keeps 2,560 bytes of UTF-16 and no more."""


class KeysError(StudioError):
    """A key cannot be kept in the system's keyring, or not be read from it."""

    title = "The keyring cannot be used"
    code = "keys"


def available() -> bool:
    """Whether this system has a keyring that keys can be kept in. May take a moment: not for the window's thread."""
    return _keyring() is not None


def needed() -> KeyringBackend:
    """The keyring, for who is about to keep a key. Raises KeysError when this system has none that is safe."""
    ring = _keyring()
    if ring is None:
        raise KeysError(
            "This system has no keyring that a key can be kept in safely, and the studio writes none into a file.",
            hint="Name an environment variable that holds the key.",
        )
    return ring


def keep(name: str, key: str) -> None:
    """Keep a key under a name. Raises KeysError."""
    key = key.strip()
    if not key or len(key) > LONGEST_KEY or not key.isascii() or not key.isprintable():
        raise KeysError("This is no key: a key is one line of plain letters, digits and signs.", hint="Copy it again.")
    ring = needed()
    try:
        ring.set_password(_SERVICE, name, key)
    except Exception as error:  # each system's keyring fails in ways of its own
        raise _failed("kept", error) from error


def read(name: str) -> str:
    """The key that was kept under a name. Raises KeysError when it is not there."""
    ring = _keyring()
    try:
        key = ring.get_password(_SERVICE, name) if ring is not None else None
    except Exception as error:  # each system's keyring fails in ways of its own
        raise _failed("read", error) from error
    if not key:
        raise KeysError(
            "The key of this server is not in the system's keyring any more.", hint="Edit the server and give its key."
        )
    return key


def forget(name: str) -> None:
    """Take a key out of the keyring; nothing happens when it is not there or the keyring is locked."""
    ring = _keyring()
    if ring is None:
        return
    try:
        ring.delete_password(_SERVICE, name)
    except Exception:  # noqa: S110  a key that is gone already, or a ring that stays locked, keeps nobody from forgetting
        return


def _keyring() -> KeyringBackend | None:
    """The system's keyring; None when there is none that is safe."""
    # It looks for all that might be a keyring when it is imported, which nothing but a key needs.
    import keyring
    from keyring.backends.chainer import ChainerBackend

    try:
        chosen = keyring.get_keyring()
        rings = list(chosen.backends) if isinstance(chosen, ChainerBackend) else [chosen]
    except Exception:  # a keyring that is set up wrongly is none
        return None
    return next((ring for ring in rings if type(ring).__module__.startswith(_SAFE)), None)


def _failed(what: str, error: Exception) -> KeysError:
    # The words of a keyring may hold what was handed to it: only the kind of the error is told.
    return KeysError(
        f"The key could not be {what} ({type(error).__name__}).",
        hint="Unlock the keyring of the system, or name an environment variable that holds the key.",
    )
