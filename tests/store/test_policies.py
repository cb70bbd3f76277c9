"""Policies: versions that never change, drafts, and every text that was judged by."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import timedelta

import pytest

from studio.core.errors import InputError, NotFoundError
from studio.core.policy import PolicyVersion
from studio.store.workspace import Workspace
from tests.store.samples import NOW, a_policy, a_run, an_example, ended


def save(workspace: Workspace, **changes: object) -> PolicyVersion:
    policy = replace(a_policy(), **changes)  # type: ignore[arg-type]
    return workspace.policies.save_version(policy, message="Change", author="me", now=NOW)


def test_versions_are_numbered_and_stay(workspace: Workspace) -> None:
    first, second = save(workspace), save(workspace, text="Another text")

    assert (first.number, second.number) == (1, 2)
    assert workspace.policies.latest("spam") == second
    assert workspace.policies.version("spam", 1) == first
    assert workspace.policies.version("spam", 3) is None
    assert workspace.policies.versions("spam") == [second, first]
    assert workspace.policies.latest("other") is None
    assert workspace.policies.versions("other") == []


def test_an_unchanged_policy_is_not_saved_again(workspace: Workspace) -> None:
    first = save(workspace)

    again = workspace.policies.save_version(
        a_policy(), message="Nothing new", author="you", now=NOW + timedelta(days=1)
    )

    assert again == first
    assert workspace.policies.versions("spam") == [first]


def test_a_change_that_judges_the_same_is_a_version_of_its_own(workspace: Workspace) -> None:
    first = save(workspace)
    second = save(workspace, tags=("other",))

    assert second.number == 2
    assert second.policy.sha256 == first.policy.sha256
    assert workspace.policies.version_number(first.policy) == 2


def test_going_back_to_an_old_text_is_a_new_version(workspace: Workspace) -> None:
    save(workspace)
    save(workspace, text="Another text")

    assert save(workspace).number == 3


def test_policies_count_for_themselves(workspace: Workspace) -> None:
    save(workspace)

    assert save(workspace, id="other").number == 1
    assert workspace.policies.version_number(a_policy("third")) is None
    assert workspace.policies.version_number(a_policy(text="Unsaved")) is None


def test_the_list_shows_saved_policies_and_drafts_by_title(workspace: Workspace) -> None:
    save(workspace, id="b", title="beta")
    workspace.policies.save_version(a_policy("a", title="Alpha"), message="", author="Studio", now=NOW, builtin=True)
    workspace.policies.save_draft(a_policy("c", title="Gamma"), NOW)
    workspace.policies.save_draft(a_policy("b", title="Beta, changed"), NOW + timedelta(hours=1))

    alpha, beta, gamma = workspace.policies.list()

    assert (alpha.id, alpha.title, alpha.latest, alpha.builtin, alpha.has_draft) == ("a", "Alpha", 1, True, False)
    assert (beta.id, beta.title, beta.latest, beta.builtin, beta.has_draft) == ("b", "beta", 1, False, True)
    assert beta.updated_at == NOW + timedelta(hours=1)
    assert (gamma.id, gamma.title, gamma.latest, gamma.has_draft) == ("c", "Gamma", 0, True)
    assert (alpha.summary, alpha.tags) == ("Unwanted messages", ("demo",))


def test_a_draft_waits_until_it_is_saved_or_discarded(workspace: Workspace) -> None:
    save(workspace)
    draft = a_policy(text="Half a thou")
    workspace.policies.save_draft(a_policy(text="Half"), NOW)
    workspace.policies.save_draft(draft, NOW)
    assert workspace.policies.draft("spam") == draft

    save(workspace, text="Half a thought")
    assert workspace.policies.draft("spam") == draft
    save(workspace, text=draft.text)
    assert workspace.policies.draft("spam") is None

    workspace.policies.save_draft(draft, NOW)
    workspace.policies.discard_draft("spam")
    workspace.policies.discard_draft("spam")
    assert workspace.policies.draft("spam") is None


def test_a_new_title_is_a_new_version_with_the_same_text(workspace: Workspace) -> None:
    save(workspace)
    workspace.policies.save_draft(a_policy(text="Draft"), NOW)

    workspace.policies.rename("spam", "Junk", author="me", now=NOW)

    latest = workspace.policies.latest("spam")
    assert latest is not None
    assert (latest.number, latest.policy) == (2, a_policy(title="Junk"))
    assert "Spam" in latest.message
    assert workspace.policies.draft("spam") == a_policy(text="Draft", title="Junk")
    assert [summary.title for summary in workspace.policies.list()] == ["Junk"]
    with pytest.raises(NotFoundError):
        workspace.policies.rename("other", "Junk", author="me", now=NOW)


def test_an_archived_policy_is_out_of_the_list_and_comes_back(workspace: Workspace) -> None:
    save(workspace)
    workspace.policies.archive("spam")
    assert workspace.policies.list() == []
    assert [summary.id for summary in workspace.policies.list(archived=True)] == ["spam"]
    assert workspace.policies.latest("spam") is not None

    workspace.policies.archive("spam", archived=False)
    assert len(workspace.policies.list()) == 1
    workspace.policies.archive("spam")
    save(workspace)
    assert len(workspace.policies.list()) == 1
    with pytest.raises(NotFoundError):
        workspace.policies.archive("other")


def test_a_policy_that_nothing_needs_is_deleted(workspace: Workspace) -> None:
    version = save(workspace)
    workspace.policies.save_draft(a_policy(text="Draft"), NOW)

    assert workspace.policies.delete("spam")

    assert workspace.policies.latest("spam") is None
    assert workspace.policies.draft("spam") is None
    assert workspace.policies.snapshot(version.policy.sha256) is None
    assert save(workspace).number == 1
    with pytest.raises(NotFoundError):
        workspace.policies.delete("other")


def test_a_draft_alone_is_deleted(workspace: Workspace) -> None:
    workspace.policies.save_draft(a_policy(), NOW)

    assert workspace.policies.delete("spam")
    assert workspace.policies.list() == []


@pytest.mark.parametrize("needed_by", ["run", "golden"])
def test_a_policy_that_is_needed_is_archived_instead(workspace: Workspace, needed_by: str) -> None:
    save(workspace)
    workspace.policies.save_draft(a_policy(text="Draft"), NOW)
    if needed_by == "run":
        workspace.runs.begin(a_run(workspace.sessions.create("Sitting", NOW).id))
    else:
        workspace.golden.add(an_example())

    assert not workspace.policies.delete("spam")

    assert len(workspace.policies.list(archived=True)) == 1
    assert len(workspace.policies.versions("spam")) == 1
    assert workspace.policies.draft("spam") is not None


def test_a_text_that_was_judged_by_is_kept_without_a_version(workspace: Workspace) -> None:
    policy = a_policy(text="Never saved")
    session = workspace.sessions.create("Sitting", NOW)
    run = a_run(session.id, policy=policy)
    workspace.runs.begin(run)
    workspace.runs.finish(ended(run))
    workspace.runs.begin(a_run(session.id, policy=policy))

    assert workspace.policies.snapshot(policy.sha256) == policy
    assert workspace.policies.list() == []
    with closing(sqlite3.connect(workspace.path)) as connection:
        assert connection.execute("SELECT count(*) FROM policy_documents").fetchone() == (1,)

    workspace.sessions.delete(session.id)
    assert workspace.policies.snapshot(policy.sha256) is None


def test_a_version_can_be_named_as_a_release_and_one_name_is_one_version(workspace: Workspace) -> None:
    first, second = save(workspace), save(workspace, text="Another text")

    named = workspace.policies.name_release("spam", 1, "Spring 2027")

    assert named == replace(first, release="Spring 2027")
    assert workspace.policies.versions("spam") == [second, named]
    with pytest.raises(InputError, match="Version 1 is the release"):
        workspace.policies.name_release("spam", 2, "Spring 2027")
    with pytest.raises(NotFoundError):
        workspace.policies.name_release("spam", 3, "Summer")
    workspace.policies.name_release("spam", 1, "")
    assert workspace.policies.name_release("spam", 2, "Spring 2027").number == 2
    workspace.policies.name_release("spam", 1, "")


def test_the_list_tells_jurisdictions_of_saved_policies_and_of_drafts(workspace: Workspace) -> None:
    save(workspace, jurisdictions=("EU",))
    save(workspace, jurisdictions=("EU", "US"))
    workspace.policies.save_draft(replace(a_policy("other"), jurisdictions=("BR",)), NOW)

    assert {one.id: one.jurisdictions for one in workspace.policies.list()} == {"spam": ("EU", "US"), "other": ("BR",)}
