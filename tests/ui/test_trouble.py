from __future__ import annotations

import logging
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest

from studio.core.content import Content
from studio.core.errors import InputError
from studio.core.run import Run, RunState
from studio.core.verdict import Status
from studio.engine.scripted import ScriptedLoad
from studio.services.studio import Studio
from studio.ui.errors import Mend
from studio.ui.tasks import Lane
from tests.ui.conftest import SLOW, Opener, Stage


def titles(stage: Stage) -> list[str]:
    return [banner.notice.title for banner in stage.window.banners.banners]


def test_an_error_says_what_why_and_what_next_with_one_button(open_window: Opener) -> None:
    stage = open_window()
    mended: list[bool] = []

    stage.window.errors.show(
        InputError("Row 3 is empty.", hint="Fill it."), Mend("Mend it", lambda: mended.append(True))
    )

    banner = stage.window.banners.banners[0]
    assert banner.notice.title == "This input cannot be used"
    assert banner.accessibleName() == "This input cannot be used. Row 3 is empty. Fill it."
    banner.mend.click()
    assert mended == [True]
    assert stage.window.banners.banners == ()


@pytest.mark.expects_log
def test_an_unexpected_error_is_logged_whole_and_shown_without_its_trace(
    open_window: Opener, caplog: pytest.LogCaptureFixture
) -> None:
    stage = open_window()

    empty: dict[str, str] = {}

    with caplog.at_level(logging.ERROR):
        stage.window.tasks.run(Lane.READ, lambda: empty["nothing here"])
        stage.until(lambda: stage.window.banners.banners)

    notice = stage.window.banners.banners[0].notice
    assert notice.title == "Something unexpected happened"
    assert "Traceback" not in notice.message + notice.hint
    assert "Traceback" in caplog.text


def test_the_same_trouble_twice_is_one_banner(open_window: Opener) -> None:
    stage = open_window()

    for _ in range(5):
        stage.window.errors.show(InputError("Row 3 is empty."))

    assert len(stage.window.banners.banners) == 1


def test_a_model_that_cannot_be_loaded_offers_another(open_window: Opener) -> None:
    stage = open_window(loads=(ScriptedLoad(fail="not_a_model"),))

    stage.until(lambda: stage.window.banners.banners)
    assert "not loaded" in stage.window.top_bar.model.text()
    stage.window.banners.banners[0].mend.click()

    assert stage.window.page == "models"


def test_closing_while_it_thinks_records_it_and_leaves_nothing(open_window: Opener, workspace: Path) -> None:
    stage = open_window(SLOW)
    stage.open_spam()
    stage.show("You have won")
    stage.bench.run()
    stage.until(lambda: stage.bench.verdict.card.reasoning.view.text)

    stage.close()

    assert not stage.window.isVisible()
    with Studio.open(workspace) as studio:
        [run] = studio.sessions.runs()
        assert studio.interrupted == ()
    assert run.state is RunState.DONE
    assert run.verdict is not None
    assert run.verdict.status is Status.CANCELLED
    assert "thinking" in run.verdict.reasoning


def test_closing_while_the_model_loads_does_not_wait_for_it(open_window: Opener) -> None:
    stage = open_window(loads=(ScriptedLoad(delay_s=3600),))

    stage.close()

    assert not stage.window.isVisible()


def test_runs_that_an_earlier_end_cut_off_are_told_quietly(open_window: Opener, workspace: Path) -> None:
    with Studio.open(workspace) as studio:
        policy = studio.policies.get("spam").policy
        session = studio.sessions.current()
        run = Run(
            id=uuid4().hex,
            session_id=session.id,
            policy=policy,
            version=1,
            content=Content.message("You have won"),
            state=RunState.RUNNING,
            started_at=datetime.now(UTC),
        )
        studio._workspace.runs.begin(run)

    stage = open_window()

    stage.until(lambda: titles(stage) == ["1 run was interrupted"])
    stage.window.banners.banners[0].mend.click()
    stage.settle()
    assert stage.window.page == "history"
    assert stage.window.history.detail.run is not None
    assert stage.window.history.detail.run.id == run.id
    assert stage.window.history.detail.card.headline.text() == "Interrupted"


def test_a_file_that_is_no_model_is_refused_with_words(open_window: Opener, tmp_path: Path) -> None:
    stage = open_window()
    stage.settle()
    file = tmp_path / "holiday.gguf"
    file.write_bytes(b"not a model at all")

    stage.window.models.add(file)

    stage.until(lambda: stage.window.banners.banners)
    assert titles(stage) == ["This model file cannot be used"]
