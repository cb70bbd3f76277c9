"""Each known shape of a labelled set, with its trap. All samples were written for these tests."""

from __future__ import annotations

import csv
import gzip
import io
import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from studio.core.labels import Decision
from studio.core.policy import ContentKind
from studio.exchange.labelled.preview import Preview, examples
from tests.exchange.labelled.seeing import POLICY, asked, see, skipped

NOW = datetime(2026, 3, 4, tzinfo=UTC)


def stored(seen: Preview) -> list[tuple[str, str | None, tuple[str, ...], str]]:
    return [
        (example.content.title, example.expected, example.labels, example.original)
        for example in examples(seen, POLICY, NOW)
    ]


def sheet(rows: list[dict[int, str]], width: int = 11) -> str:
    text = io.StringIO()
    csv.writer(text).writerows([[row.get(place, "") for place in range(width)] for row in rows])
    return text.getvalue()


def test_the_heading_of_a_section_is_the_label_and_the_models_answer_is_not(tmp_path: Path) -> None:
    seen = see(
        tmp_path,
        "golden.csv",
        sheet(
            [
                {9: "gpt-oss-safeguard classification "},
                {0: "SP0"},
                {0: "1", 1: "The stand-up moves to ten.", 9: "SP0"},
                {0: "2", 1: "Room 4 is free, take it,\nplease", 9: "SP2"},
                {0: "SP2"},
                {0: "1", 1: "Accuracy course, join now", 9: "SP2"},
                {0: "2", 1: "Toner, toner, toner", 9: ""},
                {0: "SP3 "},
                {0: "1", 1: "I trade likes for likes", 9: "SP0"},
                {},
                {8: "Accuracy", 9: "75%"},
                {8: "Precision", 9: "0.8"},
            ]
        ),
    )
    assert seen.items == 5
    assert seen.by_label == {"SP0": 2, "SP2": 2, "SP3": 1}
    assert (seen.unlabelled, asked(seen)) == (0, [])
    assert sorted(skipped(seen)) == [2, 5, 8, 10, 11, 12]
    assert stored(seen)[1:3] == [
        ("Room 4 is free, take it, please", Decision.ALLOWED, ("SP0",), "SP0"),
        ("Accuracy course, join now", Decision.VIOLATES, ("SP2",), "SP2"),
    ]


def test_sections_whose_texts_stand_in_the_first_column(tmp_path: Path) -> None:
    rows = [{9: "Model classification"}, {0: "SP0"}, {0: "1. See you at lunch", 9: "SP0"}, {0: "SP2"}]
    rows += [{0: "1. Buy now", 9: "SP2"}, {0: "Total accuracy: 100%"}]
    seen = see(tmp_path, "golden.csv", sheet(rows))
    assert (seen.items, seen.by_label) == (2, {"SP0": 1, "SP2": 1})


@pytest.mark.parametrize(
    "header",
    [
        "Prompt,Prompt Label,Response,Response Label",
        "user_prompt,expected_label,assistant_response,expected_label",
        "User Message ,Violates Policy (prompt),Model Response,Violates Policy (response)",
        "\ufeffINPUT,label,OUTPUT,LABEL",
    ],
)
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_two_items_a_row_below_a_disclaimer(tmp_path: Path, header: str, end: str) -> None:
    rows = [
        "These texts were written for a test, please do not use them elsewhere.,,,",
        header,
        '"Can you help,\nwith the minutes?",Safe,"Sure, a draft.",safe',
        "Tell me the salaries,unsafe,I cannot do that.,Safe",
        "What is a mug?,,A cup.,Safe",
        "",
    ]
    seen = see(tmp_path, "teen.csv", end.join(rows))
    assert seen.items == 6
    assert seen.by_label == {"Safe": 3, "safe": 1, "unsafe": 1}
    assert (seen.unlabelled, asked(seen), list(skipped(seen))) == (1, [], [1])
    found = list(examples(seen, POLICY, NOW))
    assert [example.expected for example in found].count(None) == 1
    assert found[1].content.kind is ContentKind.COMPLETION
    assert found[1].content.prompt == "Can you help,\nwith the minutes?"
    assert found[1].id != found[0].id


TESTS = "One,{0}\nTwo,{1}\nThree,VALID\nFour,INVALID\nFive,\n"


def test_codes_beside_words_are_shown_and_asked(tmp_path: Path) -> None:
    seen = see(tmp_path, "suite.csv", "test_content,expected_classification\n" + TESTS.format("DE0", "SP2"))
    assert seen.by_label == {"DE0": 1, "SP2": 1, "VALID": 1, "INVALID": 1}
    assert seen.unlabelled == 1
    assert asked(seen) == ["values.DE0", "values.SP2"]
    assert [question.suggested for question in seen.questions] == ["allowed", "violates"]
    assert seen.decisions == {"unknown": 3, "allowed": 1, "violates": 1}


@pytest.mark.parametrize("name", ["Expected Decision", "expected_decision", " EXPECTED-DECISION ", "expectedDecision"])
def test_the_people_are_told_from_the_model(tmp_path: Path, name: str) -> None:
    text = f"id,Test Content,gpt-oss-safeguard classification,{name},violated_policies\n"
    text += '1,Hello,INVALID,VALID,\n2,Buy,VALID,INVALID,"SP2, XX3"\n'
    seen = see(tmp_path, "suite.csv", text)
    assert seen.by_label == {"VALID": 1, "INVALID": 1}
    assert asked(seen) == []
    assert "model" in seen.mapping.unmapped["gpt-oss-safeguard classification"]
    assert stored(seen)[1] == ("Buy", Decision.VIOLATES, ("SP2",), "INVALID")


def test_a_column_named_after_a_model_is_asked_about_when_there_is_no_other(tmp_path: Path) -> None:
    seen = see(tmp_path, "suite.csv", "test_content,gpt-oss-safeguard classification\nHello,VALID\nBuy,INVALID\n")
    assert seen.by_label == {"VALID": 1, "INVALID": 1}
    assert asked(seen) == ["confirm.human_label"]


def test_turns_become_one_conversation_in_their_order(tmp_path: Path) -> None:
    text = "conversation_id,turn_number,speaker,turn_content,expected_decision\n"
    text += "a,10,Ann,Third,INVALID\nb,1,Bob,Hi,VALID\na,2,Bob,Second,\na,1,Ann,First,\n"
    text += "c,1,Ann,So,VALID\nc,2,Bob,No,VALID\n,,,Alone,VALID\nb,2,Ann,,VALID\n"
    seen = see(tmp_path, "suite.csv", text)
    assert (seen.items, seen.by_label, asked(seen)) == (4, {"INVALID": 1, "VALID": 3}, [])
    assert skipped(seen) == {9: "it has no content in 'turn_content'"}
    found = {example.content.title: example for example in examples(seen, POLICY, NOW)}
    first = found["First / Second / Third"]
    assert [(turn.speaker, turn.text) for turn in first.content.turns][0] == ("Ann", "First")
    assert first.expected is Decision.VIOLATES


@pytest.mark.parametrize(
    ("answer", "by_label", "titles"),
    [
        ("each turn", {"VALID": 3, "INVALID": 1}, ["Hi", "Hi / Fine / Pay me", "So", "So / No"]),
        ("last turn", {"INVALID": 1, "VALID": 1}, ["Hi / Fine / Pay me", "So / No"]),
        ("whole conversation", {"VALID ≠ INVALID": 1, "VALID": 1}, ["Hi / Fine / Pay me", "So / No"]),
    ],
)
def test_labels_of_turns_are_about_turns(
    tmp_path: Path, answer: str, by_label: dict[str, int], titles: list[str]
) -> None:
    text = "conversation_id,turn_number,turn_content,expected_decision,violated_policies\n"
    text += "a,1,Hi,VALID,\na,2,Fine,,\na,3,Pay me,INVALID,SP2\nb,1,So,VALID,\nb,2,No,VALID,\n"
    open_ = see(tmp_path, "suite.csv", text)
    assert (open_.items, open_.by_label) == (4, {"VALID": 3, "INVALID": 1})
    assert asked(open_) == ["confirm.turn_labels"]
    mapping = replace(open_.mapping, confirm={"turn_labels": answer})
    seen = see(tmp_path, "suite.csv", text, mapping)
    assert (seen.by_label, asked(seen)) == (by_label, [])
    assert sorted(row[0] for row in stored(seen)) == sorted(titles)
    assert {row[2] for row in stored(seen) if row[1] is Decision.VIOLATES} <= {("SP2",)}


def test_an_unquoted_comma_is_listed_and_not_guessed(tmp_path: Path) -> None:
    text = "id,test_content,expected_decision\n1,Hello,VALID\n2,Well, then, go,INVALID\n3,Bye,VALID,,\n"
    seen = see(tmp_path, "suite.csv", text)
    assert (seen.items, seen.by_label) == (2, {"VALID": 2})
    assert list(skipped(seen)) == [3]
    assert "5 cells where the header has 3" in skipped(seen)[3]


@pytest.mark.parametrize("packed", [True, False])
def test_an_absent_key_is_unknown(tmp_path: Path, packed: bool) -> None:
    keys = ("S", "H", "V", "HR", "SH", "S3", "H2", "V2")
    rows: list[dict[str, Any]] = [
        {"prompt": "All said", **dict.fromkeys(keys, 0)},
        {"prompt": "One is enough", "S": 1, "H": 0},
        {"prompt": "Two said", "H": 0, "V": 0},
        {"prompt": "Null is absent", **dict.fromkeys(keys, 0), "V2": None},
    ]
    data = "\n".join(map(json.dumps, rows)).encode()
    seen = see(tmp_path, "samples.jsonl.gz" if packed else "samples.jsonl", gzip.compress(data) if packed else data)
    assert seen.items == 4
    assert seen.by_label["S=1"] == 1
    assert (seen.by_label["S=0"], seen.by_label["H=0"], seen.by_label["V2=0"]) == (2, 4, 1)
    assert (seen.unlabelled, asked(seen)) == (2, [])
    assert [row[1] for row in stored(seen)] == [Decision.ALLOWED, Decision.VIOLATES, None, None]


def test_who_labelled_is_not_the_label(tmp_path: Path) -> None:
    text = "conv_id,user_input,model_output,human_annotation,toxicity,jailbreaking,openai_moderation\n"
    text += "a,Hello,Hi,True,0,0,[]\nb,Rude,No,False,1,1,[]\nc,Blank,No,True,,0,[]\n"
    seen = see(tmp_path, "toxic-chat.csv", text)
    assert (seen.by_label, seen.unlabelled) == ({"0": 1, "1": 1}, 1)
    assert asked(seen) == ["confirm.machine_labels"]


def test_types_say_what_is_unsafe_where_the_label_is_missing(tmp_path: Path) -> None:
    rows = [("1", "homonyms", "How do I kill a process?", "safe"), ("2", "contrast_homonyms", "Other", "unsafe")]
    old = see(tmp_path, "old.csv", "id,type,prompt\n" + "".join(f"{n},{t},{p}\n" for n, t, p, _ in rows))
    new = see(tmp_path, "new.csv", "id,prompt,type,label\n" + "".join(f"{n},{p},{t},{s}\n" for n, t, p, s in rows))
    for seen in (old, new):
        assert (seen.mapping.shape, seen.by_label, asked(seen)) == ("xstest", {"safe": 1, "unsafe": 1}, [])
    answers = see(tmp_path, "answers.csv", "id,type,prompt,completion,final_label\n1,homonyms,P,C,1_full_compliance\n")
    assert answers.mapping.shape != "xstest"
    assert asked(answers)


def test_all_behaviours_are_harmful_and_context_belongs_to_them(tmp_path: Path) -> None:
    text = "Behavior,FunctionalCategory,SemanticCategory,Tags,ContextString,BehaviorID\n"
    text += "Write a mean note,standard,harassment,,,one\nSum it up,contextual,other,context,The memo says,two\n"
    seen = see(tmp_path, "harmbench.csv", text)
    assert (seen.by_label, asked(seen)) == ({"harmful": 2}, [])
    assert [row[0] for row in stored(seen)] == ["Write a mean note", "The memo says --- Sum it up"]


PROMPTFOO = """
prompts: [p.txt]
providers: [local]
defaultTest: {assert: [{type: equals, value: '{{expected}}'}]}
tests:
  - vars: {content: Lunch is ready, expected: VALID}
  - vars: {content: [Buy now, Buy later], expected: INVALID}
  - vars: {content: Hm}
    assert: [{type: llm-rubric, value: is polite}]
  - file://more.csv
"""


def test_only_an_assertion_that_names_the_answer_is_a_label(tmp_path: Path) -> None:
    seen = see(tmp_path, "promptfooconfig.yaml", PROMPTFOO)
    assert (seen.items, seen.by_label, seen.unlabelled) == (4, {"VALID": 1, "INVALID": 2}, 1)
    assert "another file" in skipped(seen)[5]
    text = "content,__expected,__description\nLunch,VALID,a\nBuy,equals: INVALID,b\nHm,llm-rubric: polite,c\nSo,,d\n"
    flat = see(tmp_path, "tests.csv", text)
    assert (flat.items, flat.by_label, flat.unlabelled) == (4, {"VALID": 1, "INVALID": 1}, 2)


def annotated(text: str, *choices: str | None, **extra: Any) -> dict[str, Any]:
    return {
        "data": {"text": text},
        "predictions": [{"result": [{"from_name": "label", "value": {"choices": ["Unsafe"]}}]}],
        "annotations": [
            {"completed_by": n, "result": [{"from_name": "label", "value": {"choices": [choice]}}] if choice else []}
            for n, choice in enumerate(choices)
        ],
        **extra,
    }


def test_disagreement_between_people_is_kept(tmp_path: Path) -> None:
    tasks = [annotated("Lunch?", "Safe", "Unsafe"), annotated("Bye", "Unsafe", "Unsafe", None), annotated("Nobody yet")]
    cancelled = annotated("Cancelled", "Safe")
    cancelled["annotations"][0]["was_cancelled"] = True
    truth = annotated("Settled", "Safe", "Unsafe")
    truth["annotations"][1]["ground_truth"] = True
    seen = see(tmp_path, "project.json", json.dumps([*tasks, cancelled, truth]))
    assert seen.by_label == {"Safe ≠ Unsafe": 1, "Unsafe": 2}
    assert (seen.items, seen.unlabelled, asked(seen)) == (5, 2, [])
    found = list(examples(seen, POLICY, NOW))
    assert [example.expected for example in found] == [None, Decision.VIOLATES, None, None, Decision.VIOLATES]
    assert (found[0].original, found[0].decided_by) == ("Safe ≠ Unsafe", "annotator 0, annotator 1")
    rows = "annotation_id,annotator,id,lead_time,sentiment,text\n1,1,7,1.2,Safe,Lunch?\n2,2,7,1.4,Unsafe,Lunch?\n"
    flat = see(tmp_path, "project.csv", rows + "3,1,8,1.5,Safe,Bye\n")
    assert flat.by_label == {"Safe ≠ Unsafe": 1, "Safe": 1}


def test_a_score_needs_a_threshold_and_a_truth_value_a_side(tmp_path: Path) -> None:
    scores = see(tmp_path, "scores.jsonl", '{"text":"Hello all","toxicity":0.1}\n{"text":"Fool","toxicity":0.9}\n')
    assert asked(scores) == ["thresholds.toxicity"]
    assert scores.decisions == {"unknown": 2}
    sides = see(tmp_path, "sides.jsonl", '{"text":"Hello all","is_safe":true}\n{"text":"Fool","is_safe":false}\n')
    assert (sides.by_label, asked(sides)) == ({"true": 1, "false": 1}, ["values.true", "values.false"])
    assert [question.suggested for question in sides.questions] == ["allowed", "violates"]


def test_what_is_not_a_number_is_not_below_a_threshold(tmp_path: Path) -> None:
    text = "text,toxicity\nHello all,0.1\nFool,0.9\nWho knows,nan\n"
    first = see(tmp_path, "scores.csv", text)
    seen = see(tmp_path, "scores.csv", text, replace(first.mapping, thresholds={"toxicity": 0.5}))
    assert seen.by_label == {"toxicity<0.5": 1, "toxicity>=0.5": 1, "toxicity=nan": 1}


def test_a_label_beside_what_several_people_said_stays(tmp_path: Path) -> None:
    people = [{"annotator": "a", "label": "hate"}, {"annotator": "b", "label": "fine"}]
    rows = [{"text": "One", "label": "hate", "annotators": people}, {"text": "Two", "annotators": people}]
    seen = see(tmp_path, "set.jsonl", "\n".join(map(json.dumps, rows)))
    assert seen.by_label == {"hate": 1, "hate ≠ fine": 1}


def test_labels_inside_objects_and_lists(tmp_path: Path) -> None:
    turns = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Yo"}]
    rows = [{"messages": turns, "labels": ["hate", "threat"]}, {"messages": turns, "labels": []}]
    lists = see(tmp_path, "lists.json", json.dumps({"version": 1, "data": rows}))
    assert (lists.items, lists.by_label) == (2, {"hate": 1, "threat": 1, "(empty list)": 1})
    assert len(asked(lists)) == 3
    flags = [
        {"text": "One", "labels": {"hate": True, "threat": None}},
        {"text": "Two", "labels": {"hate": False, "threat": False}},
    ]
    dicts = see(tmp_path, "dicts.jsonl", "\n".join(map(json.dumps, flags)))
    assert dicts.by_label == {"labels.hate=1": 1, "labels.hate=0": 1, "labels.threat=0": 1}
    speech = [{"conversations": [{"from": "human", "value": "Hi"}, {"from": "gpt", "value": "Yo"}], "label": "safe"}]
    other = see(tmp_path, "other.json", json.dumps(speech * 2))
    assert (other.items, other.by_label, other.skipped) == (2, {"safe": 2}, ())
