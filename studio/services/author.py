"""Who is at work: the name that saved versions carry."""

from __future__ import annotations

import getpass

from studio import settings


def account_name() -> str:
    """The name of the account that the studio runs under; empty where the system knows none."""
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):
        return ""


def author_name() -> str:
    """The name that the user chose in the settings, else that of the account."""
    return settings.load().settings.author or account_name()
