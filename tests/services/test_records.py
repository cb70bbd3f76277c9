"""Runs as JSON, for scripts."""

from __future__ import annotations

import io
import json

import pytest

from studio.core.content import Content, Turn
from studio.core.policy import Policy
from studio.engine.scripted import ScriptedAnswer
from studio.services.contents import read_content
from studio.services.records import kept_record
from tests.services.conftest import Opener, answer


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
