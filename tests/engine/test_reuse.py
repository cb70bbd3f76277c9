"""A head of a prompt that was decoded before is used again; with one sequence that is bit for bit a fresh context."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from studio.engine.client import EngineClient
from studio.engine.llama.context import Context, Ids
from studio.engine.llama.model import Model
from studio.engine.llama.prefixes import Prefixes
from studio.engine.llama.sampling import Logits
from studio.engine.types import EngineSettings, GenerateRequest, Priority
from tests.engine.conftest import plain
from tests.engine.in_process import STEP, Desk, opened

SEQ = 0
PLENTY = 1 << 30


@pytest.fixture(scope="module")
def model(random_gguf: Path) -> Iterator[Model]:
    found = opened(random_gguf)
    yield found
    found.close()


class Single:
    """One sequence at a time on kept heads, as the strict engine decodes them."""

    def __init__(self, model: Model, *, exact: bool = True, budget: int = PLENTY, heads: int = 2) -> None:
        self.context = Context(model, n_cells=2048, n_seq=1 + heads, n_rows=STEP, n_outputs=1 + heads)
        self.prefixes = Prefixes(step=STEP, budget=budget)
        self.prefixes.attach(self.context, range(1, 1 + heads), exact=exact)

    def decode(self, tokens: list[int], prefix: int, answer: int) -> tuple[int, list[Logits]]:
        """(tokens reused, logits after the prompt and after each greedy token of the answer)."""
        prompt = np.asarray(tokens, np.int32)
        head, kept = self.prefixes.acquire(prompt[:prefix])
        start = 0
        if head is not None:
            while not head.complete:
                step = head.tokens[head.decoded :][:STEP]
                self._step(head.seq, step, head.decoded)
                head.decoded += len(step)
            self.context.share(head.seq, SEQ, prefix)
            start = prefix
        found: list[Logits] = []
        while start < len(prompt):
            step = prompt[start:][:STEP]
            found = [self._step(SEQ, step, start)]
            start += len(step)
        for _ in range(answer):
            found.append(self._step(SEQ, [int(np.argmax(found[-1]))], start))
            start += 1
        self.context.cut(SEQ)
        if head is not None:
            self.prefixes.release(head)
        return kept, found

    def _step(self, seq: int, tokens: Ids | list[int], start: int) -> Logits:
        self.context.add(seq, tokens, start, output=True)
        logits: Logits = self.context.decode()[0].copy()
        return logits

    def close(self) -> None:
        self.context.close()


def fresh(model: Model, tokens: list[int], prefix: int, answer: int) -> list[Logits]:
    single = Single(model)
    _, found = single.decode(tokens, prefix, answer)
    single.close()
    return found


def assert_exact(mine: list[Logits], other: list[Logits]) -> None:
    for a, b in zip(mine, other, strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_shared_head_is_exact_even_after_an_answer_beyond_the_sliding_window(model: Model) -> None:
    draw = np.random.default_rng(3)
    policy = draw.integers(0, 256, 300).tolist()
    single = Single(model)
    single.decode(policy + draw.integers(0, 256, 40).tolist(), 300, 400)

    for length in (7, 90, 40):
        tokens = policy + draw.integers(0, 256, length).tolist()
        kept, found = single.decode(tokens, 300, 250)
        assert kept == 300
        assert_exact(found, fresh(model, tokens, 300, 250))
    single.close()


def test_going_back_to_an_earlier_policy_is_exact_and_decodes_nothing_of_it(model: Model) -> None:
    draw = np.random.default_rng(4)
    policies = [draw.integers(0, 256, length).tolist() for length in (300, 170, 40)]
    single = Single(model)
    for policy in policies:
        single.decode([*policy, 1], len(policy), 150)

    for policy in policies:
        kept, found = single.decode([*policy, 2, 3], len(policy), 150)
        assert kept == len(policy)
        assert_exact(found, fresh(model, [*policy, 2, 3], len(policy), 150))
    single.close()


@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_edits_anywhere_are_exact(model: Model, data: st.DataObject) -> None:
    token = st.integers(0, 255)
    single = Single(model)
    tokens = data.draw(st.lists(token, min_size=2, max_size=200))
    for _ in range(4):
        prefix = data.draw(st.integers(0, len(tokens) - 1))
        _, found = single.decode(tokens, prefix, 3)
        assert_exact(found, fresh(model, tokens, prefix, 3))
        place = data.draw(st.integers(0, len(tokens)))
        tokens = tokens[:place] + data.draw(st.lists(token, min_size=1, max_size=80)) + tokens[place:]
    single.close()


@pytest.mark.parametrize(("exact", "wanted"), [(True, 160), (False, 190)])
def test_an_edit_late_in_a_policy_keeps_what_comes_before_it(model: Model, exact: bool, wanted: int) -> None:
    policy = list(range(200))
    edited = [*policy[:190], 7, *policy[190:]]
    single = Single(model, exact=exact)
    single.decode([*policy, 1], 200, 0)

    kept, found = single.decode([*edited, 1], 201, 0)

    assert kept == wanted  # the strict engine keeps whole steps of 32
    np.testing.assert_allclose(found[0], fresh(model, [*edited, 1], 201, 0)[0], atol=1e-2)
    single.close()


def test_an_edit_of_a_policy_that_was_away_is_exact(model: Model) -> None:
    draw = np.random.default_rng(6)
    first, second = draw.integers(0, 256, 600).tolist(), draw.integers(0, 256, 300).tolist()
    single = Single(model)
    for policy in (first, second):
        single.decode([*policy, 1], len(policy), 2)
    for edited in ([*first[:400], *draw.integers(0, 256, 60).tolist()], [*first, *draw.integers(0, 256, 40).tolist()]):
        _, found = single.decode([*edited, 1], len(edited), 5)
        assert_exact(found, fresh(model, [*edited, 1], len(edited), 5))
    single.close()


def test_a_head_that_was_away_is_resumed_at_its_end_and_nowhere_else(model: Model) -> None:
    draw = np.random.default_rng(5)
    policy = draw.integers(0, 256, 400).tolist()
    single = Single(model, exact=False)
    single.decode([*policy, 1], 400, 0)
    while single.prefixes.make_room():
        pass
    assert single.prefixes.saved_bytes > 0

    for edited, prefix, wanted in (
        ([*policy[:300], 7, 7], 301, 0),  # most of the window before it is gone
        ([*policy, 7, 7, 7], 402, 400),
        ([*policy, 1], 400, 400),
    ):
        kept, found = single.decode(edited, prefix, 3)
        assert kept == wanted
        for mine, other in zip(found, fresh(model, edited, prefix, 3), strict=True):
            np.testing.assert_allclose(mine, other, atol=1e-2)
    single.close()


def test_policies_that_nobody_uses_are_in_nobodys_way(model: Model) -> None:
    """A step looks at all cells up to the last one that is taken, whoever owns them."""
    draw = np.random.default_rng(7)
    policies = [draw.integers(0, 256, 200).tolist() for _ in range(4)]
    single = Single(model, exact=False)
    for wanted in (0, 200):
        for policy in policies:
            kept, found = single.decode([*policy, 1], 200, 2)
            assert kept == wanted
            assert single.prefixes.cells == 200
            for mine, other in zip(found, fresh(model, [*policy, 1], 200, 2), strict=True):
                np.testing.assert_allclose(mine, other, atol=1e-2)
    single.close()


def test_a_policy_that_others_run_on_stays_while_another_is_edited(model: Model) -> None:
    desk = Desk(model, 4)
    policy, draft = plain("rule " * 60), "word " * 60
    batch = desk.ask((policy, plain("a")), 1, answer=200)
    desk.run(20)
    edits = []
    # In its last word: for that the draft must not have left the context.
    for text in (draft, draft[:-5] + "work "):
        edits.append(desk.ask((plain(text), plain("b")), 1, priority=Priority.INTERACTIVE))
        desk.run(30)
    cells = desk.scheduler._place.prefixes.cells
    desk.run()

    assert desk.answer(batch).output_tokens == 200
    assert [desk.answer(number).cached_tokens for number in edits] == [0, 298]
    assert cells == 300 + 300
    desk.close()


def test_what_was_generated_is_never_taken_for_a_prompt(model: Model) -> None:
    single = Single(model)
    _, found = single.decode([1, 2, 3], 2, 5)
    spoken = [int(np.argmax(logits)) for logits in found[:-1]]

    kept, again = single.decode([1, 2, 3, *spoken], 7, 0)

    assert kept == 0
    assert_exact(again, fresh(model, [1, 2, 3, *spoken], 7, 0))
    single.close()


def test_heads_beyond_the_budget_are_given_up_longest_unused_first(model: Model) -> None:
    policies = [[number] * 100 for number in range(4)]
    single = Single(model)
    single.decode([*policies[0], 1], 100, 0)
    single.decode([*policies[1], 1], 100, 0)
    one = single.prefixes.saved_bytes
    single.close()
    single = Single(model, budget=2 * one)
    for policy in policies:
        single.decode([*policy, 1], 100, 0)
        assert single.prefixes.saved_bytes <= 2 * one

    # The last lies in the context, two beside it, and the first had to go; then each one that comes sends one away.
    assert [single.decode([*policies[number], 1], 100, 0)[0] for number in (1, 2, 3, 0)] == [100, 0, 100, 0]
    single.close()


def test_without_a_budget_nothing_is_kept_beside_the_context(model: Model) -> None:
    single = Single(model, budget=0)
    for policy in ([1] * 64, [2] * 64, [1] * 64):
        assert single.decode([*policy, 9], 64, 0)[0] == 0
        assert single.prefixes.saved_bytes == 0
    single.close()


def test_heads_outlive_a_larger_context(model: Model) -> None:
    desk = Desk(model, 2)
    policy = plain("rule " * 30)
    for text, answer in (("a", 5), ("b", 5)):
        desk.ask((policy, plain(text)), 1, answer=answer)
    desk.run()
    desk.scheduler._place.grow(8192)
    again = desk.ask((policy, plain("a")), 1, answer=5)
    desk.run()

    assert desk.answer(again).cached_tokens == 150
    assert desk.answer(again).raw == desk.answer(1).raw
    desk.close()


def test_a_warm_up_is_joined_by_those_who_need_it(model: Model) -> None:
    desk = Desk(model, 4)
    policy = plain("rule " * 60)
    desk.warm((policy,))
    desk.run(2)
    asked = [desk.ask((policy, plain(text)), 1, answer=5) for text in "abc"]
    desk.run()

    assert [desk.answer(number).cached_tokens for number in asked] == [300, 300, 300]
    assert desk.scheduler._place.prefixes.cells == 300
    desk.close()


def test_requests_say_how_much_was_reused_and_answer_the_same(random_gguf: Path) -> None:
    policy, items = plain("rule " * 200), [plain(f"item {n} " * 5) for n in range(3)]

    def ask(client: EngineClient, item: int) -> tuple[str, int]:
        request = GenerateRequest((policy, items[item]), prefix=1, max_output_tokens=300)
        answer = client.generate(request)
        return answer.raw, answer.cached_tokens

    with EngineClient() as client:
        client.load(random_gguf, EngineSettings(n_seq=1, cache_bytes=0))
        warmed = [ask(client, 0), ask(client, 1), ask(client, 2), ask(client, 1)]
        client.generate(GenerateRequest((plain("other"),), max_output_tokens=200))
        cold = ask(client, 1)
        client.generate(GenerateRequest((plain("other"),), max_output_tokens=200))
        client.warm((policy,))
        after_warming = ask(client, 1)
        client.load(random_gguf, EngineSettings(n_seq=1))
        ask(client, 0)
        client.generate(GenerateRequest((plain("other"),), max_output_tokens=200))
        kept = ask(client, 1)

    assert [cached for _, cached in warmed] == [0, 1000, 1000, 1000]
    assert cold[1] == 0
    assert after_warming[1] == kept[1] == 1000
    assert cold[0] == after_warming[0] == kept[0] == warmed[1][0] == warmed[3][0]


def test_a_head_outlives_its_worker_and_answers_as_before(model: Model) -> None:
    policy, item = plain("rule " * 100), plain("an item")
    first = Desk(model, 4)
    first.warm((policy,), keep=True)
    first.run()
    state = first.warmed()
    asked = first.ask((policy, item), 1, answer=40)
    first.run()
    first.close()
    second = Desk(model, 4)

    second.warm((policy,), state=state, keep=True)
    second.run()
    again = second.ask((policy, item), 1, answer=40)
    second.run()

    assert len(state) > 500
    assert second.warmed() == b""
    assert second.answer(again).cached_tokens == 500
    assert second.answer(again).raw == first.answer(asked).raw
    second.close()


@pytest.mark.parametrize("spoil", [lambda state: state[:-9], lambda state: b"\xff" * 4000, lambda state: b"x"])
def test_a_state_that_the_library_does_not_take_is_decoded_anew(model: Model, spoil: Callable[[bytes], bytes]) -> None:
    policy = plain("rule " * 100)
    desk = Desk(model, 4)
    desk.warm((policy,), keep=True)
    desk.run()
    state = desk.warmed()
    desk.close()
    desk = Desk(model, 4)

    desk.warm((policy,), state=spoil(state), keep=True)
    desk.run()

    assert len(desk.warmed()) == len(state)
    desk.close()


def test_a_state_of_other_text_is_not_taken_for_this_one(model: Model) -> None:
    desk = Desk(model, 4)
    desk.warm((plain("rule " * 100),), keep=True)
    desk.run()
    longer = desk.warmed()
    desk.close()
    desk = Desk(model, 4)

    desk.warm((plain("rule " * 120),), state=longer, keep=True)
    desk.run()

    assert len(desk.warmed()) > len(longer)
    desk.close()
