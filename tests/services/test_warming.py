"""Policies that were decoded at an earlier start are taken from beside the workspace, if they can be trusted."""

from __future__ import annotations

from pathlib import Path

import pytest

from studio.core.content import Content
from studio.core.run import Run
from studio.services.studio import Studio


def warmed(workspace: Path) -> tuple[Path, Run]:
    """Start the studio, warm a policy and judge: (the one file that is kept, the run)."""
    with Studio.open(workspace) as studio:
        policy = next(studio.policies.open(p.id) for p in studio.policies.list() if p.id.startswith("demo-"))
        studio.judge.warm(policy)
        run = studio.judge.judge(policy, Content.message("Hello"), session_id=studio.sessions.current().id)
    (file,) = (workspace.parent / f"{workspace.name}-warm").iterdir()
    return file, run


def test_the_next_start_takes_the_policy_as_it_was_decoded(workspace: Path) -> None:
    file, first = warmed(workspace)
    made, before = file.stat().st_ino, file.read_bytes()

    file, second = warmed(workspace)

    # A file that was not of use would have been written anew, under a new number.
    assert (file.stat().st_ino, file.read_bytes()) == (made, before)
    assert file.stat().st_mode & 0o077 == 0
    assert second.raw_output == first.raw_output
    assert second.timing is not None
    assert second.timing.cached_tokens > second.timing.prompt_tokens / 2


@pytest.mark.expects_log
def test_a_damaged_file_is_left_aside_with_a_note_and_made_anew(
    workspace: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file, first = warmed(workspace)
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data)

    file, second = warmed(workspace)

    assert "damaged or not from here" in caplog.text
    assert second.raw_output == first.raw_output
    assert file.read_bytes() != data


def test_a_folder_that_cannot_be_written_keeps_nobody_from_judging(workspace: Path) -> None:
    folder = workspace.parent / f"{workspace.name}-warm"
    folder.write_text("not a folder")
    with Studio.open(workspace) as studio:
        policy = next(studio.policies.open(p.id) for p in studio.policies.list() if p.id.startswith("demo-"))

        studio.judge.warm(policy)

        run = studio.judge.judge(policy, Content.message("Hello"), session_id=studio.sessions.current().id)
        assert run.timing is not None
        assert run.timing.cached_tokens > 0
