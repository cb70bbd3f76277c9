"""Packs out of one workspace into another, and folders of policies."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from studio.core.content import Content
from studio.core.errors import InputError
from studio.core.golden import GoldenExample
from studio.core.labels import Decision
from studio.core.policy import Policy
from studio.services.studio import Studio
from tests.services.conftest import Opener


def example(number: int, policy_id: str, expected: Decision | None = Decision.VIOLATES) -> GoldenExample:
    return GoldenExample(f"e{number}", policy_id, Content.message(f"text {number}"), expected, why="so")


def made(studio: Studio, policy: Policy, tmp_path: Path) -> Path:
    studio.policies.save(policy, message="First")
    version = studio.policies.name_release(policy.id, 1, "Spring")
    studio._workspace.golden.add_many([example(1, policy.id), example(2, policy.id, None)])
    path = tmp_path / "mine.policypack"
    studio.packs.pack(version, path, note="What is new")
    return path


def test_a_pack_moves_policy_golden_set_and_note_to_another_workspace(
    open_studio: Opener, policy: Policy, tmp_path: Path
) -> None:
    path = made(open_studio(), policy, tmp_path)

    with Studio.open(tmp_path / "other.studio") as other:
        done = other.packs.unpack(path)
        assert done.version.policy == policy
        assert (done.version.number, done.version.release) == (1, "Spring")
        assert (done.added, done.known, done.differing, done.note) == (2, 0, 0, "What is new")
        assert other.golden.list(policy.id) == [example(1, policy.id), example(2, policy.id, None)]
        again = other.packs.unpack(path)
        assert (again.version.number, again.added, again.known) == (1, 0, 2)


def test_examples_that_are_here_keep_their_decision(open_studio: Opener, policy: Policy, tmp_path: Path) -> None:
    studio = open_studio()
    path = made(studio, policy, tmp_path)
    studio._workspace.golden.update(example(1, policy.id, Decision.ALLOWED))

    done = studio.packs.unpack(path)

    assert (done.added, done.known, done.differing) == (0, 2, 1)
    assert studio.golden.list(policy.id)[0].expected is Decision.ALLOWED


def test_a_pack_of_a_starter_becomes_a_copy_with_its_examples(open_studio: Opener, tmp_path: Path) -> None:
    studio = open_studio()
    starter = studio.policies.get("spam")
    edited = studio.policies.save(replace(starter.policy, text=starter.policy.text + "- SP2.z: more\n"))
    path = tmp_path / "spam.policypack"
    studio.packs.pack(edited, path)

    done = studio.packs.unpack(path)

    assert done.version.policy.id == "spam-2"
    assert done.added == studio.golden.count("spam") == studio.golden.count("spam-2")


def test_a_pack_that_is_refused_leaves_nothing(open_studio: Opener, policy: Policy, tmp_path: Path) -> None:
    path = made(open_studio(), policy, tmp_path)
    path.write_bytes(path.read_bytes()[:-40])

    with Studio.open(tmp_path / "other.studio") as other:
        before = [one.id for one in other.policies.list()]
        with pytest.raises(InputError):
            other.packs.unpack(path)
        assert [one.id for one in other.policies.list()] == before


def test_a_folder_is_brought_in_in_one_go_and_what_cannot_be_used_is_told(open_studio: Opener, tmp_path: Path) -> None:
    studio = open_studio()
    folder = tmp_path / "policies"
    nested = folder / "trolls"
    nested.mkdir(parents=True)
    (folder / "README.md").write_text("Not a policy.")
    (folder / "adverts.md").write_text("# Rules\n- AD1: no adverts\n- AD0: all else is allowed\n")
    (folder / "broken.txt").write_bytes(b"\xff\xff")
    (folder / "notes.csv").write_text("a,b")
    (nested / "policy.md").write_text("---\nlabels: [{id: T1, decision: violate}]\n---\n- T1: no trolls\n")
    (nested / "golden.jsonl").write_text('{"id": "t", "content": "You fool", "expected": "violates"}\n')

    found = studio.packs.import_folder(folder)

    assert [(one.path.name, one.version and one.version.policy.id, one.added) for one in found] == [
        ("adverts.md", "adverts", 0),
        ("broken.txt", None, 0),
        ("policy.md", "trolls", 1),
    ]
    assert found[1].problem is not None
    assert "UTF-8" in found[1].problem.message
    assert studio.golden.count("trolls") == 1
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(InputError, match="no policy in"):
        studio.packs.import_folder(empty)
    with pytest.raises(InputError, match="could not be read"):
        studio.packs.import_folder(tmp_path / "missing")


def test_a_plain_policy_is_opened_and_saved_with_its_bytes_kept(open_studio: Opener, tmp_path: Path) -> None:
    studio = open_studio()
    file, copy = tmp_path / "plain.txt", tmp_path / "copy.txt"
    data = "Rules\r\n\r\n- A1: no\u200b adverts\t\r\n\n\n".encode()
    file.write_bytes(data)

    studio.policies.export(studio.policies.read(file).policy, copy, plain=True)

    assert copy.read_bytes() == data
    with pytest.raises(InputError, match="could not be written"):
        studio.policies.export(studio.policies.read(file).policy, tmp_path / "no" / "copy.txt")
