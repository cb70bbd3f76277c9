"""Near-duplicates: found by MinHash as comparing all pairs would find them."""

from __future__ import annotations

import random
from itertools import combinations

import pytest

from studio.analysis.near import ALIKE, near_duplicates, normal, shingles_of, similarity

_SENTENCE = "the quick brown fox jumps over lazy dogs while seven boxing wizards pack my jug with liquor again"


def a_text(seed: int) -> str:
    return " ".join(random.Random(seed).choices(_SENTENCE.split(), k=40))


def test_what_only_looks_different_is_the_same() -> None:
    assert normal("  Buy NOW!!! ") == normal("buy…now") == "buy now"
    assert normal("ＦＲＥＥ Straße") == "free strasse"
    groups = near_duplicates([("a", "Buy now, it is cheap!"), ("b", "Something else"), ("c", "BUY NOW: it is cheap")])
    assert groups == (("a", "c"),)


def test_it_finds_what_all_pairs_would_find() -> None:
    random.seed(3)
    texts = {f"t{n}": a_text(n) for n in range(60)}
    for n in range(0, 30, 2):
        words = texts[f"t{n}"].split()
        words[random.randrange(len(words))] = "changed"
        texts[f"c{n}"] = " ".join(words)
    alike = {
        frozenset(pair)
        for pair in combinations(texts, 2)
        if similarity(shingles_of(texts[pair[0]]), shingles_of(texts[pair[1]])) >= ALIKE
    }
    assert len(alike) > 10

    groups = near_duplicates(texts.items())

    assert {frozenset(pair) for group in groups for pair in combinations(group, 2)} == alike


@pytest.mark.parametrize("text", ["", "!!!", "a", "ab", "\ud800"])
def test_texts_without_anything_to_compare_are_left_alone(text: str) -> None:
    shown = [group for group in near_duplicates([("a", "something long enough"), ("b", text), ("c", "other words")])]
    assert shown == []


def test_many_copies_make_one_group_and_a_stop_is_heard() -> None:
    copies = [(str(n), "the same words again and again") for n in range(2_500)]
    assert [len(group) for group in near_duplicates(copies)] == [2_500]

    heard: list[int] = []

    def stop(done: int) -> bool:
        heard.append(done)
        return done < 1_000

    assert [len(group) for group in near_duplicates(copies, tell=stop)] == [1_000]
    assert heard == [0, 1_000]
