"""Labelled files into golden sets and out again: nothing guessed, nothing half done, nothing lost."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from studio.core.content import Content, Turn
from studio.core.errors import InputError, NotFoundError
from studio.core.golden import GoldenExample
from studio.core.labels import Decision
from studio.core.policy import Policy
from studio.core.progress import Cancel, Progress
from studio.services.benchmarks import BENCHMARKS
from studio.services.golden_import import GoldenFiles, Stopped, Stored
from studio.store.workspace import Workspace
from tests.services.conftest import Opener

ROWS = 'id,text,label,topic\n7,"Lunch,\nat noon",safe,Food\n8,Buy toner,SP2,Sales\n9,Hm,,\n'


@pytest.fixture
def files(workspace: Path) -> Iterator[GoldenFiles]:
    with Workspace.open(workspace) as opened:
        yield GoldenFiles(opened)


def test_an_import_keeps_everything_and_is_idempotent(
    files: GoldenFiles, workspace: Path, policy: Policy, tmp_path: Path
) -> None:
    path = tmp_path / "office.csv"
    path.write_text(ROWS, encoding="utf-8")
    told: list[Progress] = []

    seen = files.preview(path, policy)
    assert files.store(seen, policy, on_progress=told.append) == Stored(3, 0)
    assert files.store(seen, policy) == Stored(0, 3)

    assert (told[-1].done, told[-1].total) == (3, 3)
    with Workspace.open(workspace) as opened:
        lunch, toner, unknown = opened.golden.list(policy.id)
    assert (lunch.content.text, lunch.expected, lunch.original) == ("Lunch,\nat noon", Decision.ALLOWED, "safe")
    assert lunch.source == "office.csv, row 2 (7)"
    assert (lunch.source_row, lunch.source_sha256) == ('7,"Lunch,\nat noon",safe,Food', seen.sha256)
    assert lunch.tags == ("topic=Food",)
    assert (toner.expected, toner.labels) == (Decision.VIOLATES, ("SP2",))
    assert (unknown.expected, unknown.labels, unknown.original) == (None, (), "")


def test_nothing_is_stored_while_a_question_is_open(files: GoldenFiles, policy: Policy, tmp_path: Path) -> None:
    path = tmp_path / "set.csv"
    path.write_text("text,label\nHello,0\nBuy,1\nOdd,2\n", encoding="utf-8")
    seen = files.preview(path, policy)
    with pytest.raises(InputError, match=r"3 question\(s\) open") as caught:
        files.store(seen, policy)
    assert "--mapping" in caught.value.hint

    saved = tmp_path / "M.json"
    files.save_mapping(seen.mapping, saved)
    text = saved.read_text(encoding="utf-8").replace('"0": null', '"0": "allowed"')
    text = text.replace('"1": null', '"1": {"decision": "violates", "labels": ["SP2"]}').replace(
        '"2": null', '"2": "skip"'
    )
    saved.write_text(text, encoding="utf-8")
    answered = files.preview(path, policy, files.read_mapping(saved))
    assert answered.questions == ()
    assert answered.decisions == {"allowed": 1, "violates": 1, "skip": 1}
    assert files.store(answered, policy) == Stored(2, 0)

    path.write_text("text,label\nHello,0\nBuy,1\nNew,3\n", encoding="utf-8")
    with pytest.raises(InputError, match="changed"):
        files.store(answered, policy)
    other = files.preview(path, policy, files.read_mapping(saved))
    assert [question.where for question in other.questions] == [("values", "3")]
    saved.write_text(text.replace('"SP2"', '"SP7"'), encoding="utf-8")
    with pytest.raises(InputError, match="SP7"):
        files.preview(path, policy, files.read_mapping(saved))


@pytest.mark.parametrize(
    ("mapping", "says"),
    [
        ("{", "not JSON"),
        ("[]", "object"),
        ('{"format": 9}', "format"),
        ('{"format": 1, "items": []}', "items"),
        ('{"format": 1, "read": {"kind": "json"}, "items": [{"kind": "song"}]}', "kind"),
        ('{"format": 1, "read": {"kind": "json"}, "items": [{"wrong": ""}]}', "wrong"),
        ('{"format": 1, "read": {"kind": "json"}, "items": [{}], "values": {"a": "maybe"}}', "maybe|values"),
    ],
)
def test_a_wrong_mapping_is_refused_by_field(files: GoldenFiles, tmp_path: Path, mapping: str, says: str) -> None:
    path = tmp_path / "M.json"
    path.write_text(mapping, encoding="utf-8")
    with pytest.raises(InputError, match=says) as caught:
        files.read_mapping(path)
    assert caught.value.hint


def test_a_threshold_and_a_choice_of_columns(files: GoldenFiles, policy: Policy, tmp_path: Path) -> None:
    path = tmp_path / "set.jsonl"
    path.write_text(
        '{"prompt":"P one","response":"R one","toxicity":0.2}\n{"prompt":"P two","response":"R two","toxicity":0.7}\n',
        encoding="utf-8",
    )
    seen = files.preview(path, policy)
    assert [question.where for question in seen.questions] == [("confirm", "judged"), ("thresholds", "toxicity")]
    half = replace(seen.mapping, thresholds={"toxicity": 0.5}, confirm={"judged": "prompt"})
    second = files.preview(path, policy, half)
    assert second.by_label == {"toxicity<0.5": 1, "toxicity>=0.5": 1}
    assert [question.where[1] for question in second.questions] == ["toxicity<0.5", "toxicity>=0.5"]
    assert second.samples["toxicity>=0.5"] == ("P two",)


def test_a_stop_leaves_nothing_behind(files: GoldenFiles, policy: Policy, tmp_path: Path) -> None:
    path = tmp_path / "set.csv"
    path.write_text("text,label\n" + "".join(f"Note {n},safe\n" for n in range(5000)), encoding="utf-8")
    seen = files.preview(path, policy)
    cancel = Cancel()

    with pytest.raises(Stopped):
        files.store(seen, policy, on_progress=lambda _: cancel.request(), cancel=cancel)

    assert list(files._golden.each(policy.id)) == []
    cancel = Cancel()
    cancel.request()
    with pytest.raises(Stopped):
        files.preview(path, policy, cancel=cancel)


STRANGE = 'Ein "Satz", mit\r\nallem;\t=1+1 \u2028\x00\x85 🙂'
EXAMPLES = [
    GoldenExample(
        "a", "spam-test", Content.message(STRANGE), Decision.VIOLATES, ("SP2",), STRANGE, "Ann", ("t=1", STRANGE)
    ),
    GoldenExample(
        "b", "spam-test", Content.completion(STRANGE, ""), None, source="s", source_row=STRANGE, original="x"
    ),
    GoldenExample(
        "c",
        "spam-test",
        Content.conversation((Turn("Ann", STRANGE), Turn("", ""))),
        Decision.NEEDS_REVIEW,
        created_at=datetime(2026, 3, 4, 5, 6, 7, 8, tzinfo=UTC),
        source_sha256="ab",
    ),
]


@pytest.mark.parametrize("ending", ["jsonl", "csv"])
def test_an_export_comes_back_as_it_was(workspace: Path, policy: Policy, tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"set.{ending}"
    with Workspace.open(workspace) as opened:
        opened.golden.add_many(EXAMPLES)
        assert GoldenFiles(opened).export(policy.id, path) == 3
    with Workspace.open(tmp_path / "other.studio") as other:
        files = GoldenFiles(other)
        seen = files.preview(path, policy)
        assert (seen.items, seen.by_label, seen.unlabelled) == (3, {"violates": 1, "needs_review": 1}, 1)
        assert (seen.questions, seen.skipped) == ((), ())
        assert files.store(seen, policy) == Stored(3, 0)
        assert other.golden.list(policy.id) == EXAMPLES


def test_an_export_needs_a_known_ending_and_a_place(files: GoldenFiles, policy: Policy, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="jsonl"):
        files.export(policy.id, tmp_path / "set.xlsx")
    with pytest.raises(InputError, match="could not be written"):
        files.export(policy.id, tmp_path / "missing" / "set.csv")
    assert list(tmp_path.glob("**/*.part")) == []


SETS = {
    "openai-moderation": (
        "a.jsonl",
        '{"prompt":"Fool","S":0,"H":1,"V":0}\n{"prompt":"Hm","S":0,"H":0,"V":0}\n',
        1,
        "H",
    ),
    "toxicchat": ("a.csv", "user_input,human_annotation,toxicity\nHello,False,0\nRude,True,1\n", 2, "T1"),
    "xstest": ("a.csv", "id,type,prompt\n1,homonyms,Kill it\n2,contrast_homonyms,Other\n", 2, ""),
    "harmbench": ("a.csv", "Behavior,ContextString,BehaviorID\nWrite it,,one\n", 1, ""),
    "spam": ("a.csv", ",,gpt-oss-safeguard classification\nSP0,,\n1,See you,SP2\nSP2,,\n1,Buy now,SP0\n", 2, "SP2"),
    "teen-safety": ("a.csv", "Read me.,,,\nPrompt,Label,Response,Label\nHi,safe,Yo,safe\nBad,unsafe,No,safe\n", 4, ""),
}


@pytest.mark.parametrize("name", [benchmark.name for benchmark in BENCHMARKS])
def test_a_public_set_under_its_own_policy(open_studio: Opener, tmp_path: Path, name: str) -> None:
    file, text, known, label = SETS[name]
    path = tmp_path / file
    path.write_text(text, encoding="utf-8")
    studio = open_studio()
    benchmark = studio.benchmarks.named(name)
    seen = studio.benchmarks.preview(benchmark, path)
    assert seen.questions == ()
    assert studio.benchmarks.store(benchmark, seen).added == seen.items
    policy = studio.policies.get(studio.benchmarks.policy(benchmark).id).policy
    found = studio.golden.list(policy.id)
    assert sum(example.expected is not None for example in found) == known
    assert {one for example in found for one in example.labels} >= ({label} if label else set())
    assert all(part in policy.text for part in ("# Instruction", "# Definitions", "# Criteria", "# Examples"))
    other = tmp_path / "other.csv"
    other.write_text("text,label\nHello,safe\n", encoding="utf-8")
    with pytest.raises(InputError, match="does not look like"):
        studio.benchmarks.preview(benchmark, other)


def test_an_unknown_benchmark_names_those_there_are(open_studio: Opener) -> None:
    with pytest.raises(NotFoundError) as caught:
        open_studio().benchmarks.named("nonsense")
    assert "toxicchat" in caught.value.hint
