"""A failure inside the worker, as the code and numbers that cross the wire."""

from __future__ import annotations


class WorkerFailure(Exception):
    """Something asked of the worker cannot be done. ``code`` is one that ``engine.errors`` has words for."""

    def __init__(self, code: str, numbers: dict[str, int] | None = None, detail: str = "") -> None:
        super().__init__(code, numbers, detail)
        self.code = code
        self.numbers = numbers or {}
        self.detail = detail
