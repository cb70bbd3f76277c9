from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from studio.core.labels import Label, LabelDecision
from studio.core.policy import OutputForm, Policy
from studio.engine.client import EngineClient
from studio.engine.scripted import Script, ScriptedAnswer
from studio.services.studio import Studio

Opener = Callable[..., Studio]


def answer(final: str, thinking: str = "Rule SP2.a fits.") -> str:
    """A whole answer in harmony."""
    return (
        f"<|channel|>analysis<|message|>{thinking}<|end|><|start|>assistant<|channel|>final<|message|>{final}<|return|>"
    )


@pytest.fixture
def policy() -> Policy:
    return Policy(
        id="spam-test",
        title="Spam",
        text="# Instruction\nDecide.\n\n# Criteria\n- SP2.a: bulk\n",
        labels=(Label("SP0", LabelDecision.ALLOW), Label("SP2", LabelDecision.VIOLATE)),
        form=OutputForm.LABEL,
    )


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    return tmp_path / "test.studio"


@pytest.fixture
def open_studio(workspace: Path) -> Iterator[Opener]:
    """Open the test's workspace with a scripted engine; all are closed at the end."""
    opened: list[Studio] = []

    def call(*answers: ScriptedAnswer, **script: object) -> Studio:
        studio = Studio.open(workspace, engine=EngineClient(script=Script(answers=answers, **script)))  # type: ignore[arg-type]  # the tests' own keywords
        opened.append(studio)
        return studio

    yield call
    for studio in opened:
        studio.close()
