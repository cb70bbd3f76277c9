from __future__ import annotations

from pathlib import Path

from pytestqt.qtbot import QtBot

from studio import settings
from studio.app import build_window
from studio.core.labels import Decision
from studio.services.studio import Studio
from studio.ui.theme import Theme
from tests.ui.conftest import WAIT_MS, Stage


def test_the_first_start_judges_its_samples_rightly_on_the_shipped_model(
    qtbot: QtBot, theme: Theme, workspace: Path
) -> None:
    studio = Studio.open(workspace)
    window = build_window(theme, studio, settings.load())
    window.show()
    try:
        stage = Stage(qtbot, window, studio)
        samples = studio.policies.samples(stage.bench.policy.document.policy.id)
        assert stage.bench.content.content == samples[0].content
        for sample in samples[:3]:
            stage.bench.content.take_sample(sample)
            stage.keys("Ctrl+Return")
            stage.until(lambda: not stage.bench.runner.running)

            verdict = stage.shown().verdict
            assert verdict is not None
            assert verdict.decision is sample.expected
            assert verdict.reasoning
            assert stage.bench.verdict.card.demo.isVisible()
    finally:
        window.shut_down()
        window.deleteLater()


def test_taking_a_rule_away_in_the_editor_changes_the_verdict(qtbot: QtBot, theme: Theme, workspace: Path) -> None:
    studio = Studio.open(workspace)
    window = build_window(theme, studio, settings.load())
    window.show()
    try:
        stage = Stage(qtbot, window, studio)
        policy = stage.bench.policy.document.policy
        sample = next(s for s in studio.policies.samples(policy.id) if s.expected is Decision.VIOLATES)
        stage.bench.content.take_sample(sample)
        stage.bench.run()
        stage.until(lambda: not stage.bench.runner.running)
        first = stage.shown().verdict
        assert first is not None
        assert first.decision is Decision.VIOLATES
        rule = (first.rule_ids or first.labels)[0]
        lines = [line for line in policy.text.split("\n") if not line.startswith(f"- {rule}:")]
        stage.bench.policy.editor.set_exact_text("\n".join(lines), undoable=True)

        stage.bench.run()
        stage.until(lambda: not stage.bench.runner.running)

        second = stage.shown().verdict
        assert second is not None
        assert second.decision is not Decision.VIOLATES
    finally:
        window.shut_down()
        window.deleteLater()


def test_an_opened_policy_is_read_before_anybody_asks(qtbot: QtBot, theme: Theme, workspace: Path) -> None:
    studio = Studio.open(workspace)
    window = build_window(theme, studio, settings.load())
    window.show()
    try:
        with qtbot.waitSignal(window.workbench.warming.warmed, timeout=WAIT_MS) as first:
            stage = Stage(qtbot, window, studio)
        other = next(p.id for p in studio.policies.list() if p.id.startswith("demo-") and p.id != first.args[0])
        with qtbot.waitSignal(window.workbench.warming.warmed, timeout=WAIT_MS) as second:
            stage.bench.open_policy(other)

        run = stage.judged("You have won")

        assert second.args == [other]
        assert run.timing.cached_tokens > run.timing.prompt_tokens / 2
    finally:
        window.shut_down()
        window.deleteLater()
