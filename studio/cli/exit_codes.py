"""What the exit code says, so that scripts need not read the output."""

from __future__ import annotations

from enum import IntEnum

from studio.core.errors import EngineError, InputError, ModelFileError, StudioError
from studio.core.labels import Decision
from studio.core.verdict import Status, Verdict


class Exit(IntEnum):
    """The exit codes of every command."""

    OK = 0
    FAILED = 1
    USAGE = 2
    ENGINE = 3
    VIOLATES = 10
    NEEDS_REVIEW = 11
    NO_VERDICT = 12
    GATE_NOT_MET = 13


_DECISIONS = {
    Decision.ALLOWED: Exit.OK,
    Decision.VIOLATES: Exit.VIOLATES,
    Decision.NEEDS_REVIEW: Exit.NEEDS_REVIEW,
}


def of_verdict(verdict: Verdict | None) -> Exit:
    """The exit code of a judgement."""
    if verdict is None or verdict.status is Status.ENGINE_FAILED:
        return Exit.ENGINE
    return Exit.NO_VERDICT if verdict.decision is None else _DECISIONS[verdict.decision]


def of_error(error: StudioError) -> Exit:
    """The exit code of an error."""
    if isinstance(error, EngineError | ModelFileError):
        return Exit.ENGINE
    return Exit.USAGE if isinstance(error, InputError) else Exit.FAILED
