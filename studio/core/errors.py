"""The one tree of errors that a person may see.

Every error says what happened (``title``), why and where (``message``) and what to do next (``hint``).
Errors of third-party libraries are turned into one of these at the edge where the library is called.
"""

from __future__ import annotations


class StudioError(Exception):
    """The root of all errors that the studio raises on purpose.

    ``title`` is a few words for a banner; ``message`` names the thing and the place; ``hint`` is the next step.
    ``code`` is stable across releases, for logs and scripts.
    """

    title = "Something went wrong"
    code = "error"

    def __init__(self, message: str, *, hint: str = "", title: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        if title is not None:
            self.title = title

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".strip()


class InputError(StudioError):
    """Something that was handed to the studio cannot be used: a file, a field, an argument."""

    title = "This input cannot be used"
    code = "input"


class PolicyError(InputError):
    """A policy file or its labels are not what a policy needs to be."""

    title = "This policy cannot be used"
    code = "policy"


class NotFoundError(InputError):
    """A named policy, session, model or run does not exist in the workspace."""

    title = "Not found"
    code = "not_found"


class StoreError(StudioError):
    """The workspace file could not be opened, read or written."""

    title = "The workspace cannot be used"
    code = "store"


class ModelFileError(InputError):
    """A model file is missing, damaged or not of a kind that the studio can run."""

    title = "This model file cannot be used"
    code = "model_file"


class EngineError(StudioError):
    """The engine (the worker process that runs the model) failed."""

    title = "The engine stopped"
    code = "engine"


class TooLongError(EngineError):
    """Policy, content and room for the answer do not fit the model's context.

    ``needed`` and ``available`` are counts of tokens, 0 where a server does not say them.
    """

    title = "Too long for this model"
    code = "too_long"

    def __init__(self, message: str, *, needed: int, available: int, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.needed = needed
        self.available = available
