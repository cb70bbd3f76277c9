"""Sets as they are published, by columns and quirks; the rows were written for these tests. Counted by hand."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.exchange.labelled.seeing import asked, see


def lines(*rows: dict[str, Any]) -> str:
    return "\n".join(map(json.dumps, rows))


HATECHECK = """,functionality,case_id,test_case,label_gold,target_ident,templ_id,label_annotated,label_annotated_maj
0,derog,1,I really do not like these people.,hateful,women,1,"['hateful', 'hateful']",hateful
1,derog,2,I really do like all these people.,non-hateful,women,1,"['non-hateful', 'hateful']",hateful
2,profanity,3,"Damn, this is a good day.",non-hateful,,1,['non-hateful'],non-hateful
"""
OLID = (
    'id\ttweet\tsubtask_a\tsubtask_b\n1\t@USER what a "fine day\tNOT\tNULL\n2\t@USER go\tOFF\tTIN\n3\tyes\tNOT\tNULL\n'
)
ADVBENCH = """goal,target
Write a rude note to a colleague,"Sure, here is a rude note to a colleague"
Explain how to skip the meeting,"Sure, here is how to skip the meeting"
"""
CYBER = "tweet_text,cyberbullying_type\nThe room is booked,not_cyberbullying\nOld people cannot type,age\nSo,age\n"
DAVIDSON = """,count,hate_speech,offensive_language,neither,class,tweet
0,3,0,0,3,2,"!!! RT @someone: lunch, anyone"
1,3,0,3,0,1,"a rude, but
not hateful one"
2,6,0,6,0,1,another
"""
KAGGLE = b"v1,v2,,,\r\nham,Lunch at \xa310,,,\r\nspam,WIN now,,,\r\nham,ok,,,\r\n"
DECEPTIVE = "deceptive,hotel,polarity,source,text\n" + "".join(
    f"{kind},north,{side},web,It was stay number {n}\n"
    for n, (kind, side) in enumerate(
        [("truthful", "positive"), ("deceptive", "negative"), ("truthful", "positive")] * 2
    )
)
JUDGES = "content,gpt4,llama3_cf,human_majority\nHello there,1,0,0\nBuy it now,1,1,1\nBye,0,0,0\n"
SUITE = "text,output,ground_truth\nHello,VALID,INVALID\nBye,VALID,VALID\n"
WILD = "vanilla\tadversarial\tcompletion\tdata_type\n" + "".join(
    f"How do I do thing {n}\t\tHere is how.\tvanilla_{'benign' if n % 2 else 'harmful'}\n" for n in range(6)
)
PKU: list[dict[str, Any]] = [
    {
        "prompt": f"Question {n}",
        "response_0": "One",
        "response_1": "Two",
        "is_response_0_safe": n > 0,
        "is_response_1_safe": True,
        "safer_response_id": 1,
        "response_0_sha256": "ab" * 20 + str(n),
    }
    for n in range(3)
]
CIVIL: list[dict[str, Any]] = [
    {"text": "So", "toxicity": 0.0, "identity_attack": 0.2},
    {"text": "No", "toxicity": 0.9, "identity_attack": 0.0},
]
BEAVER: list[dict[str, Any]] = [
    {"prompt": "How", "response": "So", "category": {"theft": safe is False}, "is_safe": safe} for safe in (True, False)
]
AEGIS: list[dict[str, Any]] = [
    {
        "prompt": "One",
        "response": None,
        "prompt_label": "unsafe",
        "response_label": None,
        "violated_categories": "Fraud",
    },
    {
        "prompt": "Two",
        "response": "No way",
        "prompt_label": "unsafe",
        "response_label": "safe",
        "violated_categories": "",
    },
]
DIALOGUE = [{"context": "Hi you", "response": "Go away", "label": side} for side in ("Unsafe", "Safe", "Safe")]
CHOICES: list[dict[str, Any]] = [
    {"text": "Buy", "id": 1, "sentiment": {"choices": ["unsafe", "harmful"]}, "annotator": 1, "lead_time": 2.0},
    {"text": "Hi", "id": 2, "sentiment": "safe", "annotator": 1, "lead_time": 2.0},
    {"text": "Hm", "id": 3, "sentiment": "safe", "annotator": 1, "lead_time": 2.0},
    {"text": "Hm", "id": 3, "sentiment": "unsafe", "annotator": 2, "lead_time": 2.0},
]


def post(*labels: Any, words: str = "so it is") -> dict[str, Any]:
    people = [{"label": label, "annotator_id": n} for n, label in enumerate(labels)]
    return {"post_id": "x", "annotators": people, "rationales": [], "post_tokens": words.split()}


HATEXPLAIN = {
    "1": post("normal", "offensive", "normal"),
    "2": post("offensive", "offensive"),
    "3": post("normal", "normal"),
}
COLUMNS: list[dict[str, Any]] = [
    {"id": "1", "annotators": {"label": [0, 2, 2], "annotator_id": [1, 2, 3]}, "post_tokens": ["so", "it", "is"]}
]

CHATS: list[dict[str, Any]] = [
    {
        "conversation_id": str(n),
        "model": "m",
        "conversation": [{"role": "user", "content": f"Hi {n}"}],
        "turn": 1,
        "toxic": n,
    }
    for n in (0, 1)
]
SCORED = [{"text": f"So it is {n}", "hatespeech": float(n), "hate_speech_score": n - 1.5} for n in range(3)]

SETS: list[tuple[str, str | bytes, int, dict[str, int], int, str, list[str]]] = [
    ("hatecheck.csv", HATECHECK, 3, {"hateful": 1, "non-hateful": 2}, 0, "test_case", ["values"] * 2),
    ("olid.tsv", OLID, 3, {"NOT": 2, "OFF": 1}, 0, "tweet", ["confirm.label_column", "values", "values"]),
    ("advbench.csv", ADVBENCH, 2, {}, 2, "goal", []),
    ("cyber.csv", CYBER, 3, {"not_cyberbullying": 1, "age": 2}, 0, "tweet_text",
     ["confirm.label_column", *["values"] * 2]),
    ("davidson.csv", DAVIDSON, 3, {"2": 1, "1": 2}, 0, "tweet", ["values"] * 2),
    ("spam.csv", KAGGLE, 3, {"ham": 2, "spam": 1}, 0, "v2", ["values"] * 2),
    ("SMS", "ham\tLunch at ten, ok\nspam\tWIN it now\nham\tBye\n", 3, {"ham": 2, "spam": 1}, 0, "column 2",
     ["values"] * 2),
    ("op.csv", DECEPTIVE, 6, {"positive": 4, "negative": 2}, 0, "text", ["confirm.label_column", *["values"] * 2]),
    ("judges.csv", JUDGES, 3, {"0": 2, "1": 1}, 0, "content", ["values"] * 2),
    ("suite.csv", SUITE, 2, {"INVALID": 1, "VALID": 1}, 0, "text", []),
    ("answers.csv", "content,model_output\nHi,VALID\nBuy,INVALID\n", 2, {"VALID": 1, "INVALID": 1}, 0, "content",
     ["confirm.human_label"]),
    ("kinds.csv", "prompt,type\nHi you,benign\nHm,jailbreak\nSo,benign\n", 3, {}, 3, "prompt",
     ["confirm.label_column"]),
    ("wild.tsv", WILD, 6, {}, 6, "completion", ["confirm.content", "confirm.label_column"]),
    ("pku.jsonl", lines(*PKU), 6, {"false": 1, "true": 5}, 0, "response_0", ["values"] * 2),
    ("civil.jsonl", lines(*CIVIL), 2, {"toxicity (score)": 2, "identity_attack (score)": 2}, 0, "text",
     ["thresholds"] * 2),
    ("beaver.jsonl", lines(*BEAVER), 2, {"true": 1, "false": 1}, 0, "response", ["confirm.judged", *["values"] * 2]),
    ("aegis.jsonl", lines(*AEGIS), 3, {"unsafe": 2, "safe": 1}, 0, "prompt", []),
    ("dialogue.jsonl", lines(*DIALOGUE), 3, {"Unsafe": 1, "Safe": 2}, 0, "response", ["confirm.judged"]),
    ("min.json", json.dumps(CHOICES), 3, {"unsafe": 1, "harmful": 1, "safe": 1, "safe ≠ unsafe": 1}, 0, "text", []),
    ("posts.json", json.dumps(HATEXPLAIN), 3, {"normal ≠ offensive": 1, "offensive": 1, "normal": 1}, 0, "text",
     ["values"] * 2),
    ("chats.jsonl", lines(*CHATS), 2, {"0": 1, "1": 1}, 0, "conversation", ["values"] * 2),
    ("scored.jsonl", lines(*SCORED), 3, {"0": 1, "1": 1, "2": 1}, 0, "text", ["confirm.label_column", *["values"] * 3]),
    ("columns.jsonl", lines(*COLUMNS * 2), 2, {"0 ≠ 2": 2}, 0, "text", []),
]  # fmt: skip


@pytest.mark.parametrize(("name", "data", "items", "by_label", "unlabelled", "content", "questions"), SETS)
def test_what_is_in_a_published_set(
    tmp_path: Path,
    name: str,
    data: str | bytes,
    items: int,
    by_label: dict[str, int],
    unlabelled: int,
    content: str,
    questions: list[str],
) -> None:
    seen = see(tmp_path, name, data)
    assert (seen.items, seen.by_label, seen.unlabelled, seen.skipped) == (items, by_label, unlabelled, ())
    first = seen.mapping.items[0]
    assert content == (first.text or first.response or first.turns)
    assert [place if place.startswith("confirm") else place.split(".")[0] for place in asked(seen)] == questions


def test_a_score_that_is_chosen_as_the_label_needs_a_threshold(tmp_path: Path) -> None:
    text = "tweet,average,std\n" + "".join(f"This is text {n},0.{n},0.1\n" for n in range(1, 9))
    seen = see(tmp_path, "set.csv", text)
    assert (seen.by_label, asked(seen)) == ({}, ["confirm.label_column"])
    chosen = see(tmp_path, "set.csv", text, replace(seen.mapping, confirm={"label_column": "average"}))
    assert (chosen.by_label, asked(chosen)) == ({"average (score)": 8}, ["thresholds.average"])
    none = see(tmp_path, "set.csv", text, replace(seen.mapping, confirm={"label_column": "none"}))
    assert (none.items, none.unlabelled, asked(none)) == (8, 8, [])


def test_a_label_that_is_certain_is_not_asked_when_another_column_was_chosen(tmp_path: Path) -> None:
    text = "text,category,outcome\n" + "".join(
        f"Text {n},{'ab'[n % 2]},{('safe', 'unsafe')[n % 2]}\n" for n in range(6)
    )
    seen = see(tmp_path, "set.csv", text)
    chosen = see(tmp_path, "set.csv", text, replace(seen.mapping, confirm={"label_column": "outcome"}))
    assert (chosen.by_label, chosen.decisions) == ({"safe": 3, "unsafe": 3}, {"allowed": 3, "violates": 3})


@pytest.mark.parametrize(("different", "by_label", "open_"), [(900, 900, 900), (2500, 0, 1)])
def test_a_column_named_label_may_hold_many(tmp_path: Path, different: int, by_label: int, open_: int) -> None:
    text = "text,label\n" + "".join(f"This is text {n},label {n}\n" for n in range(different))
    seen = see(tmp_path, "set.csv", text)
    assert (seen.items, len(seen.by_label), len(asked(seen))) == (different, by_label, open_)
