"""Hostile input may be refused, but only in words: with a hint, and as one of the studio's own errors."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from studio.core.errors import InputError

_Result = TypeVar("_Result")


class ToldError(Exception):
    """The input was refused, and the refusal says what to do."""


def told(call: Callable[[], _Result]) -> _Result:
    """What the call returns. Raises ToldError for a refusal that has a hint; anything else fails the test."""
    try:
        return call()
    except InputError as error:
        if not error.hint:
            raise AssertionError(f"no hint: {error.message}") from error
        raise ToldError from error
