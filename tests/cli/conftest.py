from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from studio.cli.app import run


@dataclass(frozen=True)
class Ran:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Cli = Callable[..., Ran]


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Cli:
    """Run a command in this process, in the test's own home, and return what it printed and its exit code."""

    def call(*args: object) -> Ran:
        monkeypatch.setattr(sys, "argv", ["moderation-studio", *map(str, args)])
        code = run()
        captured = capsys.readouterr()
        return Ran(code, captured.out, captured.err)

    return call
