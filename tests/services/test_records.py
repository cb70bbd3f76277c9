"""Runs as JSON, for scripts."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path

import pytest

from studio import paths
from studio.core.content import Content, Turn
from studio.core.policy import Policy
from studio.engine.scripted import ScriptedAnswer
from studio.services.contents import read_content
from studio.services.records import kept_record, run_record
from tests.services.conftest import Opener, answer

ROOT = Path(paths.__file__).resolve().parents[1]


def test_the_readme_names_every_field_of_a_verdict(open_studio: Opener, policy: Policy) -> None:
    studio = open_studio(ScriptedAnswer(answer("SP0")))
    run = studio.judge.judge(policy, Content.message("Hi"), session_id=studio.sessions.current().id)
    told = re.search(
        r"`classify --json` prints one object: (.*?)\.\n", (ROOT / "README.md").read_text("utf-8"), re.DOTALL
    )
    assert told is not None
    assert set(re.findall(r"\w+", " ".join(re.findall(r"`([^`]+)`", told[1])))) == run_record(run).keys()
    assert {"id", "version", "sha256"} == run_record(run)["policy"].keys()
    assert {"name", "sha256"} == run_record(run)["model"].keys()
    wanted = {"prompt_tokens", "cached_tokens", "output_tokens", "first_token_s", "total_s"}
    assert wanted <= run_record(run)["timing"].keys()


@pytest.mark.parametrize(
    "content",
    [
        Content.message("Ein Satz, " * 30 + "\u202e🙂\r\n"),
        Content.completion("Wer?", "Ich."),
        Content.conversation((Turn("a", "eins"), Turn("b", "zwei"))),
    ],
)
def test_the_content_of_a_kept_run_can_be_judged_again(open_studio: Opener, policy: Policy, content: Content) -> None:
    studio = open_studio(ScriptedAnswer(answer("SP0")))
    run = studio.judge.judge(policy, content, session_id=studio.sessions.current().id)
    record = json.loads(json.dumps(kept_record(run)))
    assert record["decision"] == "allowed"
    assert record["title"] == content.title
    again = io.BytesIO(json.dumps(record["content"]).encode())
    assert read_content(again, "it", as_json=True) == content
