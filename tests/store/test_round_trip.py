"""What is read is what was written, whatever the text."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from studio.core.content import Content, clean
from studio.core.golden import GoldenExample
from studio.core.policy import Policy
from studio.core.run import Provenance, Run, RunState, Timing
from studio.core.verdict import Verdict
from studio.store.convert import provenance_document, provenance_from
from studio.store.workspace import Workspace
from tests.store import samples
from tests.store.samples import NOW


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    with Workspace.open(tmp_path_factory.mktemp("kept") / "workspace.db") as opened:
        yield opened


@given(policy=samples.policies, message=samples.any_texts, author=samples.any_texts, now=samples.moments)
def test_a_policy_version(kept: Workspace, policy: Policy, message: str, author: str, now: datetime) -> None:
    saved = kept.policies.save_version(policy, message=message, author=author, now=now)

    assert saved.policy == policy
    assert (saved.number, saved.message, saved.author) == (1, clean(message), clean(author))
    assert saved.created_at == now
    assert saved.created_at.utcoffset() is not None
    assert kept.policies.latest(policy.id) == saved
    assert kept.policies.snapshot(policy.sha256).sha256 == policy.sha256  # type: ignore[union-attr]


@given(policy=samples.policies, now=samples.moments)
def test_a_draft(kept: Workspace, policy: Policy, now: datetime) -> None:
    kept.policies.save_draft(policy, now)

    assert kept.policies.draft(policy.id) == policy


@given(
    policy=samples.policies,
    content=samples.contents,
    provenance=st.none() | samples.provenances,
    verdict=st.none() | samples.verdicts,
    timing=samples.timings,
    raw=samples.texts,
    started=samples.moments,
    finished=st.none() | samples.moments,
    version=st.none() | st.integers(1, 1000),
    title=samples.any_texts,
)
def test_a_run(
    kept: Workspace,
    policy: Policy,
    content: Content,
    provenance: Provenance | None,
    verdict: Verdict | None,
    timing: Timing,
    raw: str,
    started: datetime,
    finished: datetime | None,
    version: int | None,
    title: str,
) -> None:
    session = kept.sessions.create(title, started)
    running = Run(uuid4().hex, session.id, policy, version, content, RunState.RUNNING, started, provenance)
    done = replace(running, state=RunState.DONE, verdict=verdict, timing=timing, raw_output=raw, finished_at=finished)

    kept.runs.begin(running)
    assert kept.runs.get(running.id) == running
    kept.runs.finish(done)
    assert kept.runs.get(running.id) == done
    assert kept.runs.list(session_id=session.id) == [done]
    assert kept.sessions.get(session.id) == replace(session, run_count=1)
    assert session.title == clean(title)


@given(example=samples.examples)
def test_a_golden_example(kept: Workspace, example: GoldenExample) -> None:
    assert kept.golden.add(example) == example
    assert kept.golden.get(example.id) == example
    assert example in kept.golden.list(example.policy_id)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | samples.any_texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(samples.any_texts, inner, max_size=3),
    max_leaves=8,
)


@given(state=st.dictionaries(samples.any_texts, JSON, max_size=4))
def test_a_workbench(kept: Workspace, state: dict[str, object]) -> None:
    session = kept.sessions.create("Sitting", NOW)
    assert kept.sessions.state(session.id) == {}

    kept.sessions.save_state(session.id, state)

    assert kept.sessions.state(session.id) == state


@given(key=samples.any_texts, value=JSON.filter(lambda value: value is not None))
def test_a_setting(kept: Workspace, key: str, value: object) -> None:
    kept.settings.set(key, value)

    assert kept.settings.get(key) == value
    assert kept.settings.all()[clean(key)] == value
    kept.settings.remove(key)
    assert kept.settings.get(key, "nothing") == "nothing"


def test_all_is_there_after_opening_again(path: Path) -> None:
    with Workspace.open(path) as first:
        session = first.sessions.create("Sitting", NOW)
        run = samples.a_run(session.id)
        first.runs.begin(run)
        first.runs.finish(samples.ended(run))
        example = first.golden.add(samples.an_example())
        version = first.policies.save_version(samples.a_policy(), message="First", author="me", now=NOW)

    with Workspace.open(path) as second:
        assert second.runs.list() == [samples.ended(run)]
        assert second.golden.list("spam") == [example]
        assert second.policies.versions("spam") == [version]
        assert second.problems() == []


def test_a_moment_without_a_time_zone_is_refused(workspace: Workspace) -> None:
    with pytest.raises(Exception, match="time zone"):
        workspace.sessions.create("Sitting", NOW.replace(tzinfo=None))


def test_runs_of_the_demo_model_are_known_where_an_earlier_studio_did_not_keep_it() -> None:
    document = provenance_document(samples.PROVENANCE)
    del document["is_demo"]

    assert not provenance_from(document).is_demo
    assert provenance_from({**document, "model_name": "Moderation Studio demo model"}).is_demo


def test_provenance_of_a_studio_that_decoded_one_at_a_time_still_loads() -> None:
    document = provenance_document(samples.PROVENANCE)
    for name in ("n_seq", "n_ubatch", "flash_attn", "kv_type", "constrained", "thinking_budget"):
        del document[name]
    assert provenance_from(document) == samples.PROVENANCE
